import json

import pytest
from click.testing import CliRunner
from session_rows import block, decision, edge, stream

from controller.cli.main import cli
from controller.errors import FileError, RecordsChanged
from controller.session.manifest import (
    first_broken_line,
    renew_manifest,
    verify,
    write_manifest,
)
from controller.session.provenance import provenance
from controller.session.recording.recorder import SessionRecorder
from controller.session.recover import recover


@pytest.fixture
def sealed(folder):
    recorder = SessionRecorder(folder, stream(), t_now=100.0)
    for number in range(4):
        recorder.append(*block(at=50 * number), decision(number), edge(number))
    recorder.close()
    folder.write_json(
        "provenance.json", provenance(privileges={"priority": 1}, seeds={"timing": 7})
    )
    folder.write_text("report.html", "<p>good</p>")
    write_manifest(folder)
    return folder


def flip(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_session_that_is_whole(sealed):
    verdict = verify(sealed.path)
    assert verdict.intact
    assert verdict.n_files == 6
    assert verdict.unlisted == ()


def test_manifest_says_what_made_the_session(sealed):
    manifest = json.loads((sealed.path / "manifest.json").read_text())
    assert manifest["config"] == "title = 'x'\n"
    made_by = manifest["provenance"]
    assert len(made_by["code"]["sha256"]) == 64
    assert made_by["packages"]["numpy"]
    assert made_by["seeds"] == {"timing": 7}
    assert made_by["privileges"] == {"priority": 1}


@pytest.mark.parametrize("name", ["eeg.xdf", "decisions.jsonl", "config.toml"])
@pytest.mark.parametrize("at", [0, 7, -1])
def test_byte_that_changed_is_named(sealed, name, at):
    path = sealed.path / name
    flip(path, at)
    verdict = verify(sealed.path)
    place = at % path.stat().st_size
    assert (verdict.file, verdict.first_byte, verdict.last_byte) == (name, place, place)


def test_first_file_in_order_is_named(sealed):
    flip(sealed.path / "pulses.tsv", 3)
    flip(sealed.path / "eeg.xdf", 5)
    assert verify(sealed.path).file == "eeg.xdf"


def test_file_that_is_gone_and_file_that_came(sealed):
    (sealed.path / "notes.txt").write_text("later")
    (sealed.path / "report.html").unlink()
    verdict = verify(sealed.path)
    assert (verdict.file, verdict.words) == ("report.html", "is missing")
    assert verdict.unlisted == ("notes.txt",)


def test_file_that_was_written_anew_is_taken_in_and_others_are_not(sealed):
    sealed.write_text("report.html", "<p>better</p>")
    assert verify(sealed.path).file == "report.html"
    flip(sealed.path / "pulses.tsv", 3)
    renew_manifest(sealed, ["report.html"])
    assert verify(sealed.path).file == "pulses.tsv"


def test_session_without_a_manifest_is_told_what_to_do(sealed):
    (sealed.path / "manifest.json").unlink()
    with pytest.raises(FileError, match="phasegate recover"):
        verify(sealed.path)
    renew_manifest(sealed, ["report.html"])
    assert not (sealed.path / "manifest.json").exists()
    recover(sealed.path, t_now=0.0)
    assert verify(sealed.path).intact


def test_folder_that_is_no_session(tmp_path):
    with pytest.raises(FileError, match="not a session folder"):
        verify(tmp_path)


def test_line_of_the_log_that_was_changed_breaks_the_chain(sealed):
    """Also where somebody wrote a manifest that fits."""
    path = sealed.path / "decisions.jsonl"
    assert first_broken_line(path) is None
    lines = path.read_text().splitlines(keepends=True)
    changed = lines[2].replace('"trial":0', '"trial":1')
    assert changed != lines[2]
    path.write_text("".join([*lines[:2], changed, *lines[3:]]))
    write_manifest(sealed)
    verdict = verify(sealed.path)
    assert verdict.file == "decisions.jsonl"
    assert verdict.words == "line 4 does not follow the line before it"
    assert verdict.first_byte == len("".join(lines[:3]))


@pytest.mark.parametrize("edit", [lambda ls: ls[1:], lambda ls: [*ls[:2], *ls[3:]]])
def test_line_that_was_taken_out_breaks_the_chain(sealed, edit):
    path = sealed.path / "decisions.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(edit(lines)))
    assert first_broken_line(path) is not None


def test_log_from_before_there_was_a_chain(tmp_path):
    path = tmp_path / "decisions.jsonl"
    path.write_text('{"kind": "event"}\n{"kind": "event"}\n')
    assert first_broken_line(path) is None


def test_command_says_so_and_ends_with_its_own_code(sealed):
    def run(*options):
        return CliRunner().invoke(cli, ["verify", str(sealed.path), *options])

    assert "is intact: 6 files" in run().stderr
    flip(sealed.path / "eeg.xdf", 9)
    told = run()
    assert told.exit_code == RecordsChanged.exit_code == 21
    assert "eeg.xdf differs at byte 9: it was 0x" in told.stderr
    as_json = run("--json")
    assert as_json.exit_code == 21
    found = json.loads(as_json.stdout)
    assert (found["intact"], found["file"], found["first_byte"]) == (
        False,
        "eeg.xdf",
        9,
    )
