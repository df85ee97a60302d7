"""Whole sessions whose stream goes wrong in the closed loop."""

import numpy as np
import pytest
from bad_days import (
    FAULT_AT_S,
    LOCKED_S,
    MAX_DATA_AGE_S,
    SFREQ_HZ,
    Day,
    config_text,
)

from controller.core.memory import copy_memory
from controller.core.reasons import Artifact, HoldReason, Outcome
from controller.engine.telemetry import Batch, join
from controller.engine.virtual import Tape, run_virtual
from controller.errors import SignalFault, StreamLost
from controller.rig.supervisor import Supervisor

pytestmark = [pytest.mark.lsl, pytest.mark.slow]

AT = str(FAULT_AT_S)


def assert_fired_well_before(day: Day) -> None:
    """The loop was closed and firing, so that silence afterwards means something."""
    assert len(day.t_fired) >= 1
    assert day.event("armed")["t"] < day.t_fired[0]
    assert np.all(np.diff(day.t_fired) >= 0.25)
    day.assert_every_trigger_arrived()
    day.assert_line_low()


def test_stream_that_dies(run_day):
    day = run_day(config_text(), "--die-at", AT)
    day.assert_failed(StreamLost, "The stream has ended", "restart the program")
    assert_fired_well_before(day)
    day.assert_no_trigger_after(day.t_last_sample() + MAX_DATA_AGE_S)


def test_stream_that_freezes(run_day):
    day = run_day(config_text(), "--freeze-at", AT)
    day.assert_failed(StreamLost, "sent nothing for 0.5", "limits.max_silence_s")
    assert_fired_well_before(day)
    day.assert_no_trigger_after(day.t_last_sample() + MAX_DATA_AGE_S)


def test_gap_longer_than_allowed(run_day):
    day = run_day(config_text(), "--gap-at", AT, "--gap-s", "0.4")
    day.assert_failed(SignalFault, "skipped 0.40 s", "limits.max_gap_s", "link")
    assert_fired_well_before(day)
    steps = np.diff(day.session.samples["t_sample"])
    assert np.flatnonzero(steps > 0.3).tolist() == [len(steps) - 1]
    before_gap = float(day.session.samples["t_sample"][-2])
    day.assert_no_trigger_after(before_gap + MAX_DATA_AGE_S)


def test_stamp_that_goes_back(run_day):
    day = run_day(config_text(), "--backward-at", AT)
    day.assert_failed(SignalFault, "lies 98.0 ms before", "stamps its samples")
    assert_fired_well_before(day)
    assert_last_step_is_the_only_wrong_one(day)


def test_stamp_that_comes_twice(run_day):
    day = run_day(config_text(), "--repeat-at", AT)
    day.assert_failed(SignalFault, "carry the same time stamp", "stamps its samples")
    assert_fired_well_before(day)
    assert_last_step_is_the_only_wrong_one(day)


def assert_last_step_is_the_only_wrong_one(day: Day) -> None:
    steps = np.diff(day.session.samples["t_sample"])
    assert steps[-1] < 0.1 / SFREQ_HZ
    assert np.all(steps[:-1] > 0.5 / SFREQ_HZ)
    day.assert_no_trigger_after(float(day.session.samples["t_arrival"][-1]))


@pytest.mark.parametrize(
    ("option", "channel", "flag", "words"),
    [
        ("--nan-at", "O1", Artifact.NON_FINITE, "Channel O1 has been not a number"),
        ("--flat-at", "O2", Artifact.FLAT, "Channel O2 has been flat"),
        ("--saturate-at", "O1", Artifact.SATURATED, "at the amplifier's rail for"),
    ],
    ids=["nan", "flat", "saturated"],
)
def test_channel_that_goes_bad(run_day, option, channel, flag, words):
    source = {"kind": "synthetic", "sfreq_hz": SFREQ_HZ, "rail_uv": 187_500.0}
    source |= {"channels": ["C3", "O1", "O2"], "blinks_per_minute": 0, "seed": 5}
    faults = (option, AT, "--fault-channel", channel, "--fault-s", "9")
    day = run_day(config_text(source=source), *faults)
    day.assert_failed(SignalFault, words, channel, "0.5 s", "limits.max_artifact_s")
    assert_fired_well_before(day)
    bad = day.session.samples["artifacts"].astype(np.int64) & int(flag) != 0
    t_bad = float(day.session.samples["t_sample"][bad][0])
    day.assert_no_trigger_after(t_bad + LOCKED_S)
    decisions = day.session.decisions
    later = decisions[decisions["t_sample"] >= t_bad]
    assert len(later) >= 2
    assert np.all(later["outcome"] == Outcome.HELD)
    assert np.all(later["holds"] & int(HoldReason.ARTIFACT) != 0)


def test_short_gap_is_counted_and_the_session_goes_on(run_day, monkeypatch):
    kept: list[Batch] = []
    entered = []
    run_stage = Supervisor.run_stage

    def keeping(self, name, program, memory, **options):
        if name == "closed loop":
            options["keep"] = kept
            entered.append((program, copy_memory(memory)))
        return run_stage(self, name, program, memory, **options)

    monkeypatch.setattr(Supervisor, "run_stage", keeping)
    day = run_day(
        config_text(run={"rest_s": 0, "duration_s": 3.5}),
        *("--gap-at", AT, "--gap-s", "0.1"),
    )
    assert day.finished.error is None
    assert day.finished.exit_code == 0
    day.assert_complete()
    assert_fired_well_before(day)
    assert_gap_counted_and_passed(day)
    ((program, memory),) = entered
    assert_virtual_is_live(program, memory, join(kept), day)


def assert_gap_counted_and_passed(day: Day) -> None:
    counts = day.summary["samples"]
    assert counts["gaps"] == 1
    stamps = day.session.samples["t_sample"]
    lost_s = float(np.max(np.diff(stamps))) - 1.0 / SFREQ_HZ
    assert counts["lost"] == round(lost_s * SFREQ_HZ)
    assert lost_s == pytest.approx(0.1, abs=0.003)
    assert counts["received"] == len(stamps)
    gap = int(np.argmax(np.diff(stamps)))
    t_lost, t_back = float(stamps[gap]), float(stamps[gap + 1])
    t_warm = t_back + float(day.session.design["warm_up_s"])
    blind = (day.t_fired > t_lost + MAX_DATA_AGE_S) & (day.t_fired < t_warm)
    assert not blind.any()
    assert np.any(day.t_fired < t_lost)
    assert np.any(day.t_fired > t_warm)
    decisions = day.session.decisions
    warming = decisions["holds"] & int(HoldReason.WARMING_UP) != 0
    assert np.any(warming & (decisions["t_sample"] >= t_back))


def assert_virtual_is_live(program, memory, live: Batch, day: Day) -> None:
    """The samples as they came, through the same loop on a virtual clock."""
    tape = Tape(
        t_sample=np.ascontiguousarray(live.samples["t_sample"]),
        t_arrival=np.ascontiguousarray(live.samples["t_arrival"]),
        permits=np.ascontiguousarray(live.samples["permits"]),
        raw=np.ascontiguousarray(live.raw),
        edges=live.edges,
    )
    virtual = run_virtual(program, memory, tape)
    names = [name for name in live.decisions.dtype.names if name != "t_decided"]
    assert len(live.decisions) == len(day.session.decisions) > 20
    for name in names:
        np.testing.assert_array_equal(
            virtual.batch.decisions[name], live.decisions[name], err_msg=name
        )
    for name in ("decision", "trial", "edge", "t_due", "t_fired", "refusal"):
        np.testing.assert_array_equal(
            virtual.batch.edges[name], live.edges[name], err_msg=name
        )
    for name in ("phase_rad", "amplitude_uv", "artifacts"):
        np.testing.assert_array_equal(
            virtual.batch.samples[name], live.samples[name], err_msg=name
        )


def test_stream_that_dies_before_anything_is_planned(run_day):
    day = run_day(config_text(), "--die-at", "0.6")
    day.assert_failed(StreamLost, "The stream has ended")
    assert day.codes == ((day.codes[0][0], 0), (day.codes[1][0], 0))
    assert len(day.session.decisions) == 0
    assert day.session.design == {}
    assert [one["event"] for one in day.session.events] == [
        "recording",
        "stage",
        "fault",
    ]
