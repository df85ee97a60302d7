"""The director, look by look: commands, windows, conditions that a task asks for."""

from types import SimpleNamespace

import numpy as np
import pytest

from controller.core.offers import OFFER_SHIFT, offer_of
from controller.core.reasons import Outcome
from controller.core.records import DECISION, EDGE, SAMPLE
from controller.kernels.jit import new_records
from controller.protocol.core_rows import Rows
from controller.protocol.protocol_file import parse_protocol
from controller.rig.study.director import Director, Hands
from controller.rig.study.prepared import Study, StudyPart
from controller.rig.study.stage_waits import CLOSES_EARLY_S, Signals
from controller.safety.interlock import Refusal
from controller.session.books.study_file import (
    add_part,
    parts_of,
)
from controller.session.books.trial_file import TrialFile

LOOK_S = 0.05

TEXT = """
title = "Led"
version = "1"
modality = "tms"
[intensity]
pct_mso = 40
[intervals]
iti_s = 2.0
[attempts]
max_attempts = 2
timeout_s = 5.0
then = "skip"
[dose]
min_interval_s = 1.5
max_pulses_per_session = 100
max_pulses_per_day = 100
max_pulses_total = 100
[[conditions]]
name = "peak"
when = { kind = "phase", phase_deg = 0 }
[[conditions]]
name = "trough"
when = { kind = "phase", phase_deg = 180 }
[[stages]]
kind = "run"
name = "one"
n_trials = 4
"""
TASK = """
[marker_streams]
listen_to = "task"
[[stages]]
kind = "task"
name = "task"
n_trials = 4
window = { marker = "delay", from_s = 0.5, to_s = 2.0 }
condition_markers = { left = "peak", right = "trough" }
enter = { marker = "begin", timeout_s = 10 }
leave = { marker = "end" }
"""


class Desk:
    """A director with a loop that does what it is told, look by look."""

    def __init__(self, path, text=TEXT):
        self.study = Study.of(parse_protocol(text, where="x"), text, seed=1)
        self.path = path
        self.t = 100.0
        self.begin()

    def begin(self):
        self.file = TrialFile(self.path, self.study.new_progress())
        part = StudyPart(study=self.study, trials=self.study.left(self.file.progress))
        self.rows: Rows = part.rows(pulse_s=0.001, falls=True, rhythm_hz=10.0)
        self.said, self.marked, self.n_decisions = [], [], 0
        self.offer, self.strength = 0, True
        self.signals = Signals()
        self.director = Director(
            self.study,
            self.file,
            self.rows,
            Hands(
                offer=lambda offer: setattr(self, "offer", offer),
                say=self.said.append,
                mark=self.marked.append,
                strength_is=lambda _pct: self.strength,
            ),
            self.signals,
        )
        self.director.begin(self.t)

    @property
    def row(self):
        """The row that is offered; None for none."""
        row = (self.offer & 0x3FFFFF) - 1
        return None if row < 0 else row

    @property
    def trial(self):
        return None if self.row is None else self.rows.rows[self.row].trial

    def look(self, seconds=LOOK_S, *, fire=False, refuse=False):
        """Let time pass; the loop fires, or has refused, what is offered."""
        for _ in range(max(1, round(seconds / LOOK_S))):
            decisions, edges = new_records(DECISION, 0), new_records(EDGE, 0)
            if self.row is not None and (fire or refuse):
                decisions = new_records(DECISION, 1)
                decisions.decision, decisions.trial = self.n_decisions, self.row
                decisions.t_due = self.t
                decisions.outcome = Outcome.PLANNED if fire else Outcome.REFUSED
                decisions.refusal = 0 if fire else Refusal.TOO_LATE
                if fire:
                    edges = new_records(EDGE, 1)
                    edges.decision, edges.rises = self.n_decisions, 1
                self.n_decisions += 1
            samples = new_records(SAMPLE, 1)
            samples.permits = self.offer << OFFER_SHIFT
            self.director.take(
                SimpleNamespace(samples=samples, decisions=decisions, edges=edges)
            )
            self.director.direct(self.t)
            self.t += LOOK_S

    def state(self, number):
        return self.file.progress.states[number]


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "trials.jsonl")


def test_trials_follow_one_another_to_the_end(desk):
    desk.look()
    assert desk.trial is None
    for number in range(4):
        desk.look()
        assert desk.trial == number
        desk.look(fire=True)
    desk.look(0.2)
    assert desk.director.is_over
    assert desk.file.progress.n_pulses == 4


def test_a_trial_is_given_up_after_its_attempts_and_the_loop_has_let_go(desk):
    desk.look(0.1)
    desk.look(0.1, refuse=True)
    desk.look(0.1)
    assert desk.state(0).outcome == "skipped"
    assert "later than the lateness limit" in desk.state(0).reason
    assert desk.trial == 1


def test_what_fires_while_it_is_withdrawn_counts(desk):
    desk.look(0.1)
    desk.look(0.1, refuse=True)
    # The loop had planned the trial before it saw the withdrawal.
    desk.offer = offer_of(0, 0)
    desk.look(fire=True)
    assert desk.state(0).n_pulses == 1
    assert desk.state(0).outcome in ("given", "cut-short")


def test_a_trial_times_out(desk):
    desk.look(0.1)
    desk.look(4.0)
    assert desk.trial == 0
    desk.look(1.5)
    assert desk.state(0).outcome == "skipped"


def test_an_operator_pauses_skips_notes_and_repeats(desk):
    desk.look(0.1)
    desk.signals.command("pause coil moved")
    desk.look(0.2)
    assert desk.trial is None
    assert desk.file.progress.paused_for == "coil moved"
    desk.signals.command("note put back")
    desk.signals.command("resume")
    desk.look(0.2)
    assert desk.trial == 0
    desk.look(fire=True)
    desk.signals.command("repeat")
    desk.look(0.1)
    assert desk.trial == 1
    desk.signals.command("skip")
    desk.look(0.2)
    assert desk.state(1).outcome == "skipped"
    for _ in range(3):
        desk.look(0.1)
        desk.look(fire=True)
    desk.look(0.1)
    assert desk.director.is_over
    assert desk.state(0).n_pulses == 2
    assert [note.text for note in desk.file.progress.notes] == ["put back"]


def test_a_stage_ends_when_the_operator_says_so(desk):
    desk.look(0.1)
    desk.signals.command("end")
    desk.look(0.3)
    assert desk.director.is_over
    assert desk.file.progress.n_pulses == 0


def test_a_word_that_is_no_command_is_told(desk):
    desk.signals.command("halt")
    desk.look()
    assert any("no command" in sentence for sentence in desk.said)


def test_nothing_is_offered_before_the_stimulator_confirms(desk):
    desk.strength = False
    desk.look(1.0)
    assert desk.trial is None
    desk.strength = True
    desk.look()
    assert desk.trial == 0


def test_a_task_leads_by_its_markers(tmp_path):
    text = TEXT[: TEXT.index("[[stages]]")] + TASK
    desk = Desk(tmp_path / "trials.jsonl", text)
    desk.look(1.0)
    assert desk.file.progress.stage is None
    desk.director.hear("begin", desk.t)
    desk.look(0.1)
    assert desk.trial is None
    desk.director.hear("right", desk.t)
    desk.director.hear("delay", desk.t)
    desk.look(0.45)
    assert desk.trial is None
    desk.look(0.15)
    assert desk.study.trials[desk.trial].condition == "trough"
    # Not given within its window: left out, and the loop has nothing by then.
    desk.look(2.0 - 0.6 - CLOSES_EARLY_S + 2 * LOOK_S)
    assert desk.trial is None
    desk.director.hear("end", desk.t)
    desk.look(0.2)
    assert desk.director.is_over


def test_a_marker_that_does_not_come_pauses(tmp_path):
    text = TEXT[: TEXT.index("[[stages]]")] + TASK
    desk = Desk(tmp_path / "trials.jsonl", text)
    desk.look(10.5)
    assert "did not come" in desk.file.progress.paused_for
    desk.signals.command("resume")
    desk.look(0.2)
    assert desk.file.progress.stage == 0


def test_another_process_goes_on_where_one_stopped(desk):
    for _ in range(2):
        desk.look(0.1)
        desk.look(fire=True)
    desk.file.close()
    desk.begin()
    desk.look(0.1)
    assert desk.trial == 2
    assert {row.trial for row in desk.rows.rows} == {2, 3}
    desk.look(fire=True)
    assert desk.file.progress.n_pulses == 3
    keys = {key for state in desk.file.progress.states for key in state.pulses}
    assert {key.partition(":")[0] for key in keys} == {"1", "2"}


def test_parts_are_kept_in_order(tmp_path):
    for name in ("a", "b"):
        add_part(tmp_path, tmp_path / name)
    assert parts_of(tmp_path) == [tmp_path / "a", tmp_path / "b"]
    assert parts_of(tmp_path / "elsewhere") == []


def test_offers_differ_even_for_the_same_row(desk):
    seen = []
    for _ in range(3):
        desk.look(0.1)
        seen.append(desk.offer)
        desk.signals.command("pause")
        desk.look(0.2)
        desk.signals.command("resume")
    assert len(set(seen)) == 3
    assert len({offer & 0x3FFFFF for offer in seen}) == 1
    assert np.all(np.diff(seen) > 0)
