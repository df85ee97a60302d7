"""Whole sessions whose output, disk or operator ends them."""

import errno
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bad_days import (
    LOCKED_S,
    Operator,
    assert_one_sentence,
    config_text,
    in_closed_loop,
)

from controller.engine.clock import host_clock
from controller.errors import EXIT_INTERRUPTED, NotArmed, OutputLost, RecordingError
from controller.rig.console.status import Status
from controller.safety.interlock import Refusal
from controller.session.load import load_session
from controller.session.recording.rings import Rings, rings_of
from controller.session.recording.running_recorder import RunningRecorder
from controller.session.recover import recover
from drivers.sim.arrival_log import read_arrivals
from drivers.sim.process import TwinProcess

# Of a recorder that has stopped, on a machine that is busy.
NOTICED_S = 0.5

pytestmark = [pytest.mark.lsl, pytest.mark.slow]


class Disk:
    """Takes everything until it is full, then nothing, and knows since when."""

    def __init__(self) -> None:
        self.full = False
        self.t_refused = np.inf
        self.recorder: RunningRecorder | None = None

    def recorder_of(self, rings: Rings) -> RunningRecorder:
        self.recorder = RunningRecorder(rings)
        return self.recorder

    def fill(self) -> None:
        """From now on the recorder's process is not given a byte more."""
        assert self.recorder is not None
        self.full, self.t_refused = True, host_clock()
        _, hard = resource.prlimit(self.recorder.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.recorder.pid, resource.RLIMIT_FSIZE, (1, hard))

    def kill_recorder(self) -> None:
        assert self.recorder is not None
        self.t_refused = host_clock()
        os.kill(self.recorder.pid, signal.SIGKILL)

    def refuse(self) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def whole_files(self, write: Callable[..., int]) -> Callable[..., int]:
        def write_or_refuse(*arguments: object, **options: object) -> int:
            if self.full:
                self.refuse()
            return write(*arguments, **options)

        return write_or_refuse


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Return the disk that the recorder of the session writes to."""
    disk = Disk()
    monkeypatch.setattr("controller.rig.stages.RunningRecorder", disk.recorder_of)
    return disk


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (Disk.fill, ("took no more of", "eeg.xdf", "may not grow", "before is intact")),
        (Disk.kill_recorder, ("recorder was killed (signal 9)", "was disarmed")),
    ],
    ids=["disk", "recorder"],
)
def test_recording_that_ends_before_the_session(run_day, disk, trouble, words):
    operator = Operator(in_closed_loop(fired=2), lambda: trouble(disk))
    day = run_day(config_text(), operator=operator)
    error = day.finished.error
    assert type(error) is RecordingError
    assert day.finished.exit_code == RecordingError.exit_code == 13
    assert_one_sentence(str(error), *words)
    assert day.summary["exit"]["reason"] == str(error)
    assert day.finished.report.stat().st_size > 10_000
    assert_silent_since(day.codes, disk.t_refused)
    day.assert_line_low()
    # What the recorder did not take was in memory still.
    assert day.session.notes == ()
    assert len(day.session.samples) == day.summary["samples"]["received"]
    assert np.all(np.diff(day.session.samples["t_sample"]) < 0.003)
    assert len(day.t_fired) >= 2
    assert day.event("fault")["sentence"] == str(error)
    assert day.last_event["event"] == "recovered"
    assert list(rings_of(day.finished.folder)) == []


def assert_silent_since(codes: tuple[tuple[float, int], ...], t: float) -> None:
    """One turn of the recorder and one look of the supervisor may pass."""
    triggers = [t_arrived for t_arrived, code in codes if code]
    assert len(triggers) >= 2
    assert max(triggers) <= t + LOCKED_S + NOTICED_S


def test_disk_that_takes_nothing_at_all(run_day, disk, tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "write_bytes", disk.whole_files(Path.write_bytes))
    monkeypatch.setattr(Path, "write_text", disk.whole_files(Path.write_text))
    monkeypatch.setattr(
        "controller.rig.stages.salvage", disk.whole_files(lambda *_, **__: 0)
    )
    monkeypatch.setattr(Disk, "refuse", refuse_in_a_sentence)
    operator = Operator(in_closed_loop(fired=1), disk.fill)
    with pytest.raises(RecordingError) as caught:
        run_day(config_text(), operator=operator)
    # The first refusal is told, not the one of the summary after it.
    assert_one_sentence(str(caught.value), "took no more of", "eeg.xdf", "may not grow")
    (folder,) = tmp_path.iterdir()
    assert f"run `phasegate recover {folder}`" in operator.notes[-1]
    n_before = len(load_session(folder).samples)

    disk.full = False
    found = recover(folder, t_now=host_clock())
    session = load_session(folder)
    assert found.n_samples == len(session.samples) - n_before > 0
    assert session.notes == ()
    assert len(session.samples) >= operator.status.n_samples
    assert session.summary is None
    assert session.design
    arrivals = read_arrivals(folder / "device.jsonl")
    assert_silent_since(
        ((0.0, 1), *((one.t_observed, one.code) for one in arrivals)), disk.t_refused
    )
    assert arrivals[-1].code == 0


def refuse_in_a_sentence(_: Disk) -> None:
    raise RecordingError("The disk took nothing.")


def test_trigger_box_that_is_pulled_out(run_day):
    day = run_day(config_text(), twin_options=("--unplug-after", "2"))
    day.assert_failed(OutputLost, "/dev/pts/", "device")
    triggers = [(t, code) for t, code in day.codes if code]
    assert len(triggers) == 2
    # The second was raised and could not be lowered; the records say so.
    assert day.codes[-1] == triggers[-1]
    # It was tried once more when the loop left.
    events = [one for one in day.session.events if one["event"] == "trigger not ended"]
    assert len(events) == 2
    for ended in events:
        assert ended["refusal"] == Refusal.OUTPUT_FAILED.name
        assert ended["system_error"] == errno.EIO
    day.assert_no_trigger_after(triggers[-1][0])
    assert len(day.t_fired) == 2


def test_operator_ends_the_session(run_day):
    # A channel outside the montage may be as bad as it likes.
    bad = ("--nan-at", "0.5", "--fault-channel", "C3", "--fault-s", "99")
    t_asked = []

    def interrupt() -> None:
        t_asked.append(host_clock())
        signal.raise_signal(signal.SIGINT)

    # A second of signal is needed on both sides of a pulse to score it.
    operator = Operator(
        lambda status: in_closed_loop(fired=2)(status) and status.elapsed_s > 1.4,
        interrupt,
    )
    before = signal.getsignal(signal.SIGINT)
    day = run_day(config_text(), *bad, operator=operator)
    assert signal.getsignal(signal.SIGINT) is before
    assert day.finished.error is None
    assert day.finished.exit_code == EXIT_INTERRUPTED
    assert day.summary["exit"]["reason"] == "interrupted by the operator"
    day.assert_complete()
    day.assert_no_trigger_after(t_asked[0] + LOCKED_S)
    day.assert_every_trigger_arrived()
    day.assert_line_low()
    assert day.summary["phase_error_deg"]["n"] >= 1


def test_system_ends_the_session_before_the_loop(run_day):
    def settling(status: Status) -> bool:
        return status.stage == "settle" and status.n_samples > 0

    operator = Operator(settling, lambda: signal.raise_signal(signal.SIGTERM))
    day = run_day(config_text(), operator=operator)
    assert day.finished.error is None
    assert day.finished.exit_code == EXIT_INTERRUPTED
    day.assert_complete()
    assert day.session.design == {}
    assert not any(code for _, code in day.codes)
    assert [one["event"] for one in day.session.events] == ["recording", "stage"]


@pytest.mark.parametrize("interrupts", [False, True], ids=["refuses", "interrupts"])
def test_real_output_is_armed_by_nobody(run_day, interrupts):
    asked = []

    def answer(where: str) -> bool:
        asked.append(where)
        if interrupts:
            signal.raise_signal(signal.SIGINT)
        return interrupts

    with TwinProcess("serial-byte") as twin:
        output = {"kind": "serial-byte", "port": twin.port}
        day = run_day(config_text(output=output), confirm_arming=answer)
        assert [arrival.code for arrival in twin.arrivals()] == [0, 0]
        assert asked == [f"serial byte trigger at {twin.port}"]
    day.assert_complete()
    assert len(day.t_fired) == 0
    if interrupts:
        assert day.finished.error is None
        assert day.finished.exit_code == EXIT_INTERRUPTED
    else:
        day.assert_failed(NotArmed, "was not armed, so nothing was fired", "--arm")
    assert "armed" not in [one["event"] for one in day.session.events]
    assert day.operator.status.stage != "closed loop"
    assert not (day.finished.folder / "device.jsonl").exists()
