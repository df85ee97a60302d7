import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.errors import FileError
from controller.protocol.canonical import protocol_hash
from controller.protocol.form import Attempts
from controller.protocol.protocol_file import parse_protocol
from controller.protocol.trial_events import (
    Again,
    Done,
    Fired,
    GivenUp,
    Note,
    Paused,
    Refused,
    Resumed,
    StageBegun,
    StageEnded,
    Started,
    read_events,
    to_line,
)
from controller.protocol.trial_list import trial_list
from controller.protocol.trial_log import Progress, TrialState, gives_up, progress_of
from tests.protocol.conftest import SMALL, changed

SEED = 7
BURST = '\npattern = { kind = "burst", n_pulses = 3, interval_ms = 20 }'
MORE = '[[stages]]\nkind = "run"\nname = "more"\nn_trials = 2\n'
PROTOCOL = parse_protocol(
    changed(
        SMALL,
        ("n_trials = 40", "n_trials = 6"),
        ("phase_deg = 0 }", "phase_deg = 0 }" + BURST),
    )
    + MORE,
    where="log",
)
TRIALS = trial_list(PROTOCOL, SEED)
PLANNED = {"peak": 3, "trough": 1}


class Writer:
    """Write events as a session would, each at once taken and kept."""

    def __init__(self, events=()):
        self.events = list(events)
        self.progress = progress_of(PROTOCOL, TRIALS, SEED, self.events)

    def write(self, kind, **fields):
        event = kind(seq=self.progress.n_events, t=1.0, **fields)
        self.progress.take(event)
        self.events.append(event)
        return event

    def start(self):
        self.write(
            Started,
            protocol_hash=protocol_hash(PROTOCOL),
            seed=SEED,
            n_trials=len(TRIALS),
        )

    def give(self, trial, key):
        self.write(
            Fired, trial=trial.number, key=key, n_pulses=PLANNED[trial.condition]
        )
        self.write(Done, trial=trial.number, outcome="given")


@pytest.fixture
def writer() -> Writer:
    writer = Writer()
    writer.start()
    writer.write(StageBegun, stage=0)
    return writer


def test_trials_come_in_their_order_and_the_stage_ends(writer) -> None:
    seen = []
    while (trial := writer.progress.next_trial) is not None:
        seen.append(trial.number)
        writer.give(trial, f"d{trial.number}")
    assert seen == [0, 1, 2, 3, 4, 5]
    assert writer.progress.n_pulses == 3 * 3 + 3 * 1
    writer.write(StageEnded, stage=0, reason="all given")
    assert writer.progress.next_stage == 1
    assert writer.progress.next_trial is None


def test_after_the_last_stage_nothing_is_left(writer) -> None:
    writer.write(StageEnded, stage=0, reason="the operator went on")
    writer.write(StageBegun, stage=1)
    assert writer.progress.next_trial.number == 6
    writer.write(StageEnded, stage=1, reason="x")
    assert writer.progress.next_stage is None


def test_a_skipped_trial_does_not_come_back(writer) -> None:
    writer.write(GivenUp, trial=0, because="timeout", then="skip")
    assert writer.progress.next_trial.number == 1
    assert writer.progress.states[0].outcome == "skipped"
    assert writer.progress.states[0].reason == "timeout"


def test_a_repeated_trial_comes_at_the_stage_s_end(writer) -> None:
    writer.write(Refused, trial=0, reason="TOO_LATE")
    writer.write(GivenUp, trial=0, because="attempts", then="repeat")
    assert [trial.number for trial in writer.progress.left()] == [1, 2, 3, 4, 5, 0]
    assert writer.progress.states[0].n_attempts == 0


def test_the_operator_may_want_a_trial_once_more(writer) -> None:
    trial = writer.progress.next_trial
    writer.give(trial, "a")
    writer.write(Again, trial=trial.number, reason="coil slipped")
    assert writer.progress.left()[-1] == trial
    writer.write(Fired, trial=trial.number, key="b", n_pulses=1)
    assert writer.progress.states[0].n_pulses == PLANNED[trial.condition] + 1
    assert writer.progress.states[0].n_now == 1


def test_pause_and_notes_are_kept(writer) -> None:
    writer.write(Paused, reason="phone rang")
    writer.write(Note, text="moved the chair", trial=2)
    assert writer.progress.paused_for == "phone rang"
    writer.write(Resumed)
    assert writer.progress.paused_for is None
    assert writer.progress.notes[0].text == "moved the chair"


def test_giving_up_may_pause(writer) -> None:
    writer.write(GivenUp, trial=0, because="timeout", then="pause")
    assert writer.progress.paused_for == "timeout"
    assert writer.progress.next_trial.number == 0


def test_a_task_may_ask_for_a_condition(writer) -> None:
    wanted = next(t for t in TRIALS[:6] if t.condition != TRIALS[0].condition)
    assert writer.progress.next_of(wanted.condition) == wanted
    writer.give(wanted, "x")
    assert wanted not in writer.progress.left()
    assert writer.progress.next_of("nothing") is None


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        (Done, {"trial": 6, "outcome": "given"}, "trial 6 is not to come"),
        (Done, {"trial": 99, "outcome": "given"}, "there are 8 trials"),
        (Fired, {"trial": 0, "key": "k", "n_pulses": 1}, "counted already"),
        (Again, {"trial": 0}, "is not over"),
        (Again, {"trial": 6}, "not of this stage"),
        (StageBegun, {"stage": 1}, "stage 0 is still under way"),
        (StageBegun, {"stage": 9}, "cannot be under way"),
        (StageEnded, {"stage": 1, "reason": ""}, "has not begun"),
        (
            Started,
            {"protocol_hash": "00", "seed": SEED, "n_trials": 8},
            "belongs to another protocol",
        ),
    ],
)
def test_what_cannot_have_happened_is_refused(writer, kind, fields, words) -> None:
    writer.write(Fired, trial=0, key="k", n_pulses=1)
    with pytest.raises(FileError, match=words):
        writer.write(kind, **fields)


def test_lines_come_back_as_they_were_written(writer) -> None:
    writer.give(writer.progress.next_trial, "a")
    content = b"".join(to_line(event) for event in writer.events)
    assert read_events(content, where="log") == (writer.events, 0)
    torn = content[:-5]
    events, n_torn = read_events(torn, where="log")
    assert events == writer.events[:-1]
    assert n_torn == len(to_line(writer.events[-1])) - 5


def test_a_damaged_or_missing_line_is_told(writer) -> None:
    lines = [to_line(event) for event in writer.events]
    with pytest.raises(FileError, match="damaged in line 1"):
        read_events(b"{}\n" + lines[1], where="log")
    with pytest.raises(FileError, match="lines are missing"):
        read_events(lines[1], where="log")


def crash(events, recorded):
    """Return the writer of the process after a crash."""
    writer = Writer(events)
    writer.start()
    for event in writer.progress.after_crash(recorded, 2.0):
        writer.progress.take(event)
        writer.events.append(event)
    return writer


def test_pulses_that_the_log_missed_are_found_once(writer) -> None:
    trial = writer.progress.next_trial
    edges = [Fired(seq=0, t=0.0, trial=0, key="a", n_pulses=PLANNED[trial.condition])]
    after = crash(writer.events, edges)
    assert after.progress.states[0].outcome == "given"
    assert after.progress.next_trial.number == 1
    again = crash(after.events, edges)
    assert again.progress.n_pulses == PLANNED[trial.condition]


def test_a_trial_cut_by_a_crash_is_never_given_once_more(writer) -> None:
    trial = next(t for t in writer.progress.left() if t.condition == "peak")
    edges = [Fired(seq=0, t=0.0, trial=trial.number, key="a", n_pulses=2)]
    after = crash(writer.events, edges)
    assert after.progress.states[trial.number].outcome == "cut-short"
    assert trial not in after.progress.left()


def test_a_trial_that_gave_nothing_comes_again_after_a_crash(writer) -> None:
    writer.write(Refused, trial=0, reason="TOO_LATE")
    after = crash(writer.events, [])
    assert after.progress.next_trial.number == 0
    assert after.progress.stage == 0
    assert after.progress.n_starts == 2


@settings(max_examples=200)
@given(cut=st.integers(0, 14), n_crashes=st.integers(1, 4), data=st.data())
def test_no_pulse_is_lost_or_counted_twice_however_often_it_crashes(
    cut, n_crashes, data
) -> None:
    """Each process fires, then writes; it may end between any two of its steps."""
    edges: list[Fired] = []
    events: list[object] = []
    for _ in range(n_crashes + 1):
        writer = crash(events, edges)
        steps = data.draw(st.integers(0, 14), label="steps before the crash")
        if writer.progress.stage is None:
            writer.write(StageBegun, stage=0)
        for _ in range(steps):
            trial = writer.progress.next_trial
            if trial is None:
                break
            n = PLANNED[trial.condition]
            n_given = data.draw(st.integers(1, n), label="pulses given")
            edge = Fired(
                seq=0,
                t=0.0,
                trial=trial.number,
                key=f"decision {len(edges)}",
                n_pulses=n_given,
            )
            edges.append(edge)
            if data.draw(st.booleans(), label="ends before it is logged"):
                break
            writer.write(Fired, trial=edge.trial, key=edge.key, n_pulses=n_given)
            if data.draw(st.booleans(), label="ends before it is done"):
                break
            writer.write(Done, trial=edge.trial, outcome="given")
        events = writer.events
    final = crash(events, edges)
    assert final.progress.n_pulses == sum(edge.n_pulses for edge in edges)
    # No trial was given twice.
    assert len({edge.trial for edge in edges}) == len(edges)


ATTEMPTS = Attempts(max_attempts=3, timeout_s=10.0, then="repeat", max_repeats=2)


@pytest.mark.parametrize(
    ("n_attempts", "n_repeats", "waited_s", "expected"),
    [
        (2, 0, 9.9, None),
        (3, 0, 0.0, ("attempts", "repeat")),
        (0, 0, 10.0, ("timeout", "repeat")),
        (0, 0, math.nan, ("timeout", "repeat")),
        (0, 1, 10.0, ("timeout", "repeat")),
        (0, 2, 10.0, ("timeout", "skip")),
    ],
)
def test_when_a_trial_is_given_up(n_attempts, n_repeats, waited_s, expected) -> None:
    state = TrialState(trial=TRIALS[0], n_attempts=n_attempts, n_repeats=n_repeats)
    assert gives_up(ATTEMPTS, state, waited_s) == expected


def test_a_trial_given_in_part_is_left_as_it_is(writer) -> None:
    writer.write(Fired, trial=0, key="a", n_pulses=1)
    state = writer.progress.states[0]
    assert gives_up(ATTEMPTS, state, 11.0) == ("timeout", "skip")
    writer.write(GivenUp, trial=0, because="timeout", then="skip")
    assert state.outcome == "cut-short"


def test_a_log_of_another_seed_is_refused() -> None:
    progress = Progress(PROTOCOL, TRIALS, 8)
    with pytest.raises(FileError, match="another seed"):
        progress.take(
            Started(
                seq=0,
                t=0.0,
                protocol_hash=protocol_hash(PROTOCOL),
                seed=7,
                n_trials=len(TRIALS),
            )
        )
