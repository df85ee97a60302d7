"""Whole sessions whose gates are opened by a marker, or closed by another channel."""

import math
import threading
import time
import uuid

import numpy as np
import pylsl
import pytest
from bad_days import Operator, config_text

from controller.core.reasons import HoldReason
from controller.safety.interlock import Permit

pytestmark = [pytest.mark.lsl, pytest.mark.slow]

HOLD_S = 0.2
AMPLITUDE_UV = 40.0


class Task:
    """A program that streams markers from the moment on that the loop is closed."""

    def __init__(self, name, markers):
        self.outlet = pylsl.StreamOutlet(
            pylsl.StreamInfo(name, "Markers", 1, 0.0, pylsl.cf_string, name)
        )
        self.markers = markers
        self.thread = threading.Thread(target=self._play, daemon=True)

    def begin(self):
        self.thread.start()

    def _play(self):
        t_start = pylsl.local_clock()
        for after_s, text in self.markers:
            time.sleep(max(0.0, t_start + after_s - pylsl.local_clock()))
            self.outlet.push_sample([text])


def test_pulses_come_only_between_the_markers(run_day):
    name = f"task-{uuid.uuid4().hex[:8]}"
    task = Task(name, [(1.0, "go"), (3.0, "stop"), (4.0, "other"), (4.5, "go")])
    text = config_text(run={"duration_s": 6.5}) + (
        f'[gate.marker]\nstream = "{name}"\nopen = ["go"]\nclose = ["stop"]\n'
        "timeout_s = 1.0\n"
    )
    day = run_day(
        text, operator=Operator(lambda s: s.stage == "closed loop", task.begin)
    )
    task.thread.join()
    assert day.finished.error is None
    day.assert_complete()
    day.assert_every_trigger_arrived()
    day.assert_line_low()

    events = [one for one in day.session.events if one["event"] == "marker"]
    assert [one["text"] for one in events] == ["go", "stop", "other", "go"]
    # Each opens for its second: the timeout comes before the closing marker.
    spans = [(events[k]["t"], events[k]["t"] + 1.0) for k in (0, 3)]
    fired = day.t_fired
    assert len(fired) >= 3
    for t in fired:
        assert any(first <= t <= last + 0.15 for first, last in spans)
    for first, last in spans:
        assert np.any((fired >= first) & (fired <= last + 0.15))

    samples, decisions = day.session.samples, day.session.decisions
    by_marker = samples["permits"].astype(int) & int(Permit.MARKER) != 0
    assert np.diff(by_marker.astype(int)).tolist().count(1) == 2
    held = decisions["holds"] & int(HoldReason.MARKER) != 0
    looked = np.isfinite(decisions["t_due"])
    deciding = by_marker[decisions["n_samples"][looked] - 1]
    assert np.array_equal(held[looked], ~deciding)
    assert not held[~looked].any()
    assert day.summary["decisions"]["held"]["MARKER"] == int(held.sum())
    assert "no marker had opened the gate" in day.finished.report.read_text("utf-8")


def test_lost_marker_stream_closes_the_gate_and_is_told(run_day):
    name = f"task-{uuid.uuid4().hex[:8]}"
    task = Task(name, [(0.2, "go")])

    def play_and_leave():
        task.begin()
        threading.Timer(2.0, task.__dict__.pop, ("outlet",)).start()

    text = config_text(run={"duration_s": 5.0}) + (
        f'[gate.marker]\nstream = "{name}"\nopen = ["go"]\nclose = ["stop"]\n'
    )
    day = run_day(
        text, operator=Operator(lambda s: s.stage == "closed loop", play_and_leave)
    )
    assert day.finished.error is None
    lost = day.event("markers lost")
    assert name in lost["sentence"]
    assert any("gate stays closed" in note for note in day.operator.notes)
    assert len(day.t_fired) >= 1
    assert day.t_fired.max() <= lost["t"] + 0.15


def test_blinks_veto_pulses(run_day):
    source = {
        "kind": "synthetic",
        "sfreq_hz": 500.0,
        "channels": ["Fp1", "O1", "O2"],
        "blinks_per_minute": 60,
        "seed": 5,
    }
    text = config_text(source=source, run={"duration_s": 8.0}) + (
        f'[[gate.veto]]\nchannel = "Fp1"\namplitude_uv = {AMPLITUDE_UV}\n'
        f"hold_s = {HOLD_S}\n"
    )
    day = run_day(text)
    assert day.finished.error is None
    decisions, samples = day.session.decisions, day.session.samples
    vetoed = decisions["holds"] & int(HoldReason.VETO) != 0
    assert vetoed.sum() >= 3
    assert set(decisions["veto_channel"][vetoed]) == {0}
    assert set(decisions["veto_channel"][~vetoed]) == {-1}
    assert len(day.t_fired) >= 3

    # The channel's baseline once more, from the recording alone.
    fp1 = day.session.raw[:, 0].astype(float)
    follow, baseline, t_active = 1.0 - math.exp(-1.0 / 500.0), fp1[0], []
    for t, value in zip(samples["t_sample"], fp1, strict=True):
        if abs(value - baseline) > AMPLITUDE_UV:
            t_active.append(t)
        baseline += follow * (value - baseline)
    pulses = decisions[decisions["holds"] == 0]["t_sample"]
    for t in pulses:
        since = t - np.array([one for one in t_active if one <= t] or [-np.inf])
        assert since.min() > HOLD_S
