"""The page of a session that was run by a protocol: criteria, trials, blinding."""

import json
import math
import re
import shutil
from pathlib import Path

import pytest
from made_session import Recipe, make_session

from controller.errors import FileError, SealError
from controller.protocol.allocation import draw_allocation
from controller.protocol.canonical import protocol_hash
from controller.protocol.form import Criteria
from controller.protocol.protocol_file import load_protocol, parse_protocol
from controller.protocol.trial_list import trial_list
from controller.report.criteria import judged_by, verdict_of
from controller.report.page import report_of, write_report
from controller.report.study import study_of
from controller.report.told import told_of
from controller.session.books.seal_file import (
    EVERYTHING,
    Opening,
    open_seal,
    write_seal,
)
from controller.session.load import load_session

READY = Path(__file__).parents[2] / "configs" / "protocols"

PROTOCOL = """
title = "Small"
version = "1"
modality = "tms"
[intensity]
pct_rmt = 110
[intervals]
iti_s = 1.5
[shadow]
share = 0.25
[dose]
min_interval_s = 1.0
max_pulses_per_session = 1000
max_pulses_per_day = 1000
max_pulses_total = 1000
[criteria]
max_bias_deg = 20
max_circular_sd_deg = 40
min_pulses = 10
max_refused_share = 0.5
[[conditions]]
name = "peak"
when = { kind = "phase", phase_deg = 0 }
[[conditions]]
name = "trough"
when = { kind = "phase", phase_deg = 180 }
[[stages]]
kind = "run"
name = "pulses"
n_trials = 12
"""


def text_of(html):
    visible = re.sub(r"<(style|svg).*?</\1>", "", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", visible).split())


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    recipe = Recipe(duration_s=70.0, n_pulses=40, targets_rad=(0.0, math.pi))
    return make_session(tmp_path_factory.mktemp("study"), recipe)


@pytest.fixture
def folder(made, tmp_path):
    """A copy of the session, with its protocol and a trial log."""
    copy = tmp_path / made.folder.name
    shutil.copytree(made.folder, copy)
    (copy / "protocol.toml").write_text(PROTOCOL)
    protocol = parse_protocol(PROTOCOL, where="here")
    trials = trial_list(protocol, 5)
    events = [
        {
            "kind": "started",
            "protocol_hash": protocol_hash(protocol),
            "seed": 5,
            "n_trials": len(trials),
        },
        {"kind": "stage-begun", "stage": 0},
        {"kind": "refused", "trial": 0, "reason": "TOO_LATE"},
        {"kind": "fired", "trial": 0, "key": "d0", "n_pulses": 1},
        {"kind": "done", "trial": 0, "outcome": "given"},
        {"kind": "given-up", "trial": 1, "because": "timeout", "then": "skip"},
        {"kind": "paused", "reason": "coil too warm"},
        {"kind": "resumed"},
        {"kind": "note", "text": "participant <yawned>"},
        {"kind": "done", "trial": 2, "outcome": "as-if"},
    ]
    lines = [
        json.dumps({"seq": seq, "t": 100.0 + 7 * seq, **event})
        for seq, event in enumerate(events)
    ]
    (copy / "trials.jsonl").write_text("\n".join(lines) + "\n")
    return copy


def test_conditions_are_named_and_judged(folder):
    page = report_of(load_session(folder))
    assert [cell.title for cell in page.circles.cells] == [
        "peak: the peak (0°)",
        "trough: the trough (+180°)",
    ]
    assert [each.outcome for each in page.criteria] == ["pass"] * 4
    assert page.verdict.words == "meets the protocol's criteria"
    assert "fired at 2 targets, landing" in page.headline
    assert "them on average" in page.headline
    told = told_of(page)
    assert told["criteria"]["outcome"] == "pass"
    assert [cell["condition"] for cell in told["landings"]] == ["peak", "trough"]
    for cell in told["landings"]:
        assert cell["whole"]["mean_deg"] == pytest.approx(3, abs=12)


def test_trials_and_deviations_are_told(folder):
    html = write_report(folder).read_text(encoding="utf-8")
    text = text_of(html)
    trials = report_of(load_session(folder)).trials
    assert trials[0][1:] == [
        *("planned", "given", "cut short", "as if", "left out", "not reached")
    ]
    assert [sum(int(row[k]) for row in trials[1:]) for k in range(1, 7)] == [
        *(12, 1, 0, 1, 1, 9)
    ]
    for sentence in (
        "9 of 12 trials were not reached.",
        "1 trial was left out: timeout.",
        "After 42 s: paused, coil too warm.",
        "the operator's note: participant &lt;yawned&gt;",
        "8 planned pulses were refused.",
    ):
        assert sentence in text.replace("&#39;", "'")
    assert html.count('aria-label="Achieved phase around the cycle, by condition"') == 1


def test_a_session_without_a_protocol_has_no_study(made):
    study = study_of(load_session(made.folder))
    assert (study.protocol, study.progress, study.events) == (None, None, ())
    assert study.condition_name(0) is None
    assert dict(study.pulse_conditions) == {}


def test_a_log_of_another_protocol_is_refused(folder):
    other = PROTOCOL.replace("iti_s = 1.5", "iti_s = 1.6")
    (folder / "protocol.toml").write_text(other)
    with pytest.raises(FileError, match="belongs to another protocol"):
        write_report(folder)


@pytest.mark.parametrize(
    ("changed", "failed"),
    [
        ({"max_bias_deg": 0.1}, "mean phase error"),
        ({"max_circular_sd_deg": 5.0}, "circular SD"),
        ({"min_pulses": 17}, "trials fired"),
        ({"max_refused_share": 0.19}, "share of planned"),
    ],
)
def test_each_criterion_can_fail(folder, changed, failed):
    page = report_of(load_session(folder))
    summary = load_session(folder).summary
    judged = judged_by(
        Criteria(**changed), page.circles.cells, summary, {0: "peak", 1: "trough"}
    )
    (only,) = judged
    assert only.name.startswith(failed)
    assert (only.outcome, only.sign, verdict_of(judged)) == ("fail", "✕", "fail")


def test_the_worst_condition_is_named_and_the_bound_itself_is_met(folder):
    page = report_of(load_session(folder))
    worst = max(page.circles.cells, key=lambda cell: cell.best.sd_rad)
    bound = math.degrees(worst.best.sd_rad)
    (only,) = judged_by(Criteria(max_circular_sd_deg=bound), page.circles.cells, {}, {})
    assert only.outcome == "pass"
    assert worst.title in only.found


def test_a_condition_without_any_pulse_fails_the_least_number(folder):
    page = report_of(load_session(folder))
    names = {0: "peak", 1: "trough", 2: "random"}
    (only,) = judged_by(Criteria(min_pulses=1), page.circles.cells, {}, names)
    assert (only.outcome, only.found) == ("fail", "0 at least (random)")


def test_what_is_not_known_is_open():
    nothing = {"pulses": {"planned": 0, "refused": {}}}
    criteria = Criteria(max_bias_deg=5, max_refused_share=0.1)
    judged = judged_by(criteria, (), nothing, {})
    assert [each.outcome for each in judged] == ["open", "open"]
    assert verdict_of(judged) == "open"
    assert judged_by(None, (), nothing, {}) == ()
    assert verdict_of(()) == "open"


def test_criteria_that_ask_for_nothing_are_refused():
    with pytest.raises(ValueError, match="at least one criterion"):
        Criteria()


def test_criteria_leave_the_hash_of_other_protocols_alone():
    with_them = parse_protocol(PROTOCOL, where="here")
    without = with_them.model_copy(update={"criteria": None})
    assert "criteria" not in without.model_dump(mode="json", exclude_none=True)
    assert protocol_hash(without) != protocol_hash(with_them)


ALLOCATION = draw_allocation(
    load_protocol(READY / "rtms-10hz-alpha.toml"), 6, b"n" * 32
)
REVEALING = (
    "Average of the virtual channel",
    "What the pulses evoked",
    "Over the session",
    "To paste into a paper",
    "Promised and achieved",
    "circular SD) of",
    "trough",
)


@pytest.fixture
def blinded(tmp_path):
    seal = tmp_path / "study.sealed"
    write_seal(seal, ALLOCATION)
    recipe = Recipe(duration_s=40.0, n_pulses=20, target_rad=math.pi)
    folder = make_session(tmp_path, recipe).folder
    begun = {"seed": 1, "participant": "P01", "code": "P003", "seal": str(seal)}
    (folder / "study.json").write_text(json.dumps(begun))
    return folder, seal


def opening(what):
    return Opening(who="A", why="B", when="2026-03-02T08:00:00+01:00", what=what)


def test_a_blinded_session_stays_blind_until_it_is_opened(blinded):
    folder, seal = blinded
    text = text_of(write_report(folder).read_text(encoding="utf-8"))
    assert "○ blinded" in text
    assert "Code P003." in text
    for words in REVEALING:
        assert words not in text, words
    assert "17 of 21 planned pulses fired." in text
    open_seal(seal, opening("P004"))
    assert report_of(load_session(folder)).is_blind
    open_seal(seal, opening("P003"))
    text = text_of(write_report(folder).read_text(encoding="utf-8"))
    assert "The allocation was unsealed. Code P003." in text
    assert "Average of the virtual channel" in text
    assert "fired at the trough" in text


def test_everything_opened_opens_each(blinded):
    folder, seal = blinded
    open_seal(seal, opening(EVERYTHING))
    assert not report_of(load_session(folder)).is_blind


def test_a_seal_that_is_gone_keeps_the_session_blind(blinded):
    folder, seal = blinded
    open_seal(seal, opening(EVERYTHING))
    moved = seal.with_name("moved.sealed")
    for path in seal.parent.glob("study.sealed*"):
        path.rename(path.with_name(path.name.replace("study", "moved")))
    assert report_of(load_session(folder)).is_blind
    assert not report_of(load_session(folder), allocation=moved).is_blind
    with pytest.raises(SealError):
        report_of(load_session(folder), allocation=seal)


def test_a_log_that_was_changed_keeps_the_session_blind(blinded):
    folder, seal = blinded
    open_seal(seal, opening("P004"))
    open_seal(seal, opening("P005"))
    log = seal.with_name(seal.name + ".unblinding.jsonl")
    log.write_text(log.read_text().replace("P004", "everything"))
    assert report_of(load_session(folder)).is_blind


def test_a_protocol_with_arms_is_blind_whatever_the_session_says(folder):
    arms = """[blinding]
arms = ["active", "sham"]
sham = "sham"
sham_by = "random-phase"
[[conditions]]"""
    (folder / "protocol.toml").write_text(PROTOCOL.replace("[[conditions]]", arms, 1))
    (folder / "trials.jsonl").unlink()
    page = report_of(load_session(folder))
    assert page.is_blind
    assert page.believed is None
    told = told_of(page)
    assert told["artifact"] is None
    assert all("whole" not in cell for cell in told["landings"])


def test_a_resumed_part_is_as_blind_as_its_first_folder(blinded):
    folder, seal = blinded
    part = folder.with_name(folder.name + "-2")
    shutil.copytree(folder, part)
    (part / "study.json").unlink()
    (part / "rows.json").write_text("{}")
    # Nobody knows where it was begun.
    assert report_of(load_session(part)).is_blind
    (folder / "parts.jsonl").write_text(json.dumps({"folder": str(part)}) + "\n")
    (folder / "protocol.toml").write_text(PROTOCOL)
    assert report_of(load_session(part)).is_blind
    assert study_of(load_session(part)).condition_name(1) == "trough"
    open_seal(seal, opening(EVERYTHING))
    assert not report_of(load_session(part)).is_blind


def test_a_protocol_without_arms_is_open(folder):
    begun = {"seed": 5, "participant": "P01", "code": None, "seal": None}
    (folder / "study.json").write_text(json.dumps(begun))
    assert not report_of(load_session(folder)).is_blind
    (folder / "study.json").write_text("{")
    with pytest.raises(FileError, match="nobody knows who may see it"):
        report_of(load_session(folder))
