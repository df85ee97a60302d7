"""The fuzz finds what is wrong, and every codec passes a short one."""

import json
import random

import pytest
from click.testing import CliRunner

from bench.fuzz.command import main
from bench.fuzz.frames import any_frame, with_one_wrong_bit
from bench.fuzz.hosts import hosts
from bench.fuzz.search import search
from bench.fuzz.subjects import Subject
from bench.fuzz.twins import twins
from drivers.base import PortLost

SUBJECTS = {subject.name: subject for subject in (*hosts(), *twins())}


@pytest.mark.parametrize("name", SUBJECTS)
def test_short_fuzz_gives_nothing_but_clean_errors(name):
    found = search(SUBJECTS[name], 300)
    assert found.holds, found.example
    assert found.understood > 10


def test_every_protocol_is_fuzzed_from_both_ends():
    ends = {name.split()[0] for name in SUBJECTS if name.endswith("host")}
    assert ends <= {name.split()[0] for name in SUBJECTS if name.endswith("twin")}
    assert {"magstim", "magpro", "duomag", "teensy", "cedrus"} <= ends


def subject(codec, *, has_checksum=False):
    return Subject(
        name="made up",
        start=lambda: codec,
        frame=lambda draws: draws.randbytes(5),
        has_checksum=has_checksum,
    )


def test_other_errors_and_errors_without_a_sentence_are_found():
    def breaks(frame):
        raise IndexError(3)

    def mumbles(frame):
        raise PortLost("gone\nfor good")

    def speaks(frame):
        raise PortLost("The port is gone.")

    found = search(subject(breaks), 20)
    assert (found.unclean, found.holds) == (20, False)
    assert found.example.endswith("IndexError: 3")
    assert not search(subject(mumbles), 20).holds
    found = search(subject(speaks), 20)
    assert (found.refused, found.holds) == (20, True)


def test_damaged_frames_that_are_taken_are_found():
    assert search(subject(lambda _frame: 1), 200).holds
    found = search(subject(lambda _frame: 1, has_checksum=True), 200)
    assert found.damaged_understood > 0
    assert not found.holds


def test_same_seed_throws_the_same_frames():
    def thrown(seed):
        frames = []
        search(subject(lambda frame: frames.append(frame) or 0), 50, seed)
        return frames

    assert thrown(1) == thrown(1) != thrown(2)


def test_one_wrong_bit_is_one():
    draws = random.Random(1)
    for _ in range(100):
        wrong = with_one_wrong_bit(bytes(4), draws)
        assert sum(byte.bit_count() for byte in wrong) == 1
        assert isinstance(any_frame(lambda _draws: b"", draws), bytes)


def test_command_writes_its_rows(tmp_path):
    file = tmp_path / "fuzz.json"
    arguments = ["magpro", "cedrus", "--frames", "100", "--json", str(file)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    rows = json.loads(file.read_text())
    assert [row["name"] for row in rows] == [
        *("magpro host", "cedrus host"),
        *("magpro twin", "cedrus twin"),
    ]
    assert all(row["holds"] and row["frames"] == 100 for row in rows)
    assert CliRunner().invoke(main, ["mouse"]).exit_code == 2
