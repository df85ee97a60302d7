"""Whole sessions whose output, disk or operator ends them."""

import errno
import functools
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bad_days import (
    LOCKED_S,
    Day,
    Operator,
    assert_one_sentence,
    config_text,
    in_closed_loop,
)

from controller.engine.clock import host_clock
from controller.errors import EXIT_INTERRUPTED, NotArmed, OutputLost, RecordingError
from controller.rig.supervisor import Status
from controller.safety.interlock import Refusal
from controller.session.load import load_session
from controller.session.recorder import SessionRecorder
from drivers.sim.arrival_log import read_arrivals
from drivers.sim.process import TwinProcess

pytestmark = [pytest.mark.lsl, pytest.mark.slow]


class Disk:
    """Takes everything until it is full, then nothing, and knows since when."""

    def __init__(self) -> None:
        self.full = False
        self.t_refused = np.inf

    def fill(self) -> None:
        self.full = True

    def write(self, descriptor: int, piece: bytes | memoryview) -> int:
        if self.full:
            self.refuse()
        return os.write(descriptor, piece)

    def refuse(self) -> None:
        self.t_refused = min(self.t_refused, host_clock())
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
    monkeypatch.setattr(
        "controller.rig.stages.SessionRecorder",
        functools.partial(SessionRecorder, write=disk.write),
    )
    return disk


def test_recording_that_the_disk_does_not_take(run_day, disk):
    operator = Operator(in_closed_loop(fired=2), disk.fill)
    day = run_day(config_text(), operator=operator)
    error = day.finished.error
    assert type(error) is RecordingError
    assert day.finished.exit_code == RecordingError.exit_code == 13
    assert_one_sentence(
        str(error), "took no more of", "eeg.xdf", "disk is full", "before is intact"
    )
    assert day.summary["exit"]["reason"] == str(error)
    assert day.finished.report.stat().st_size > 10_000
    assert_silent_since(day.codes, disk.t_refused)
    day.assert_line_low()
    assert_opens_up_to_the_end(day)


def assert_silent_since(codes: tuple[tuple[float, int], ...], t: float) -> None:
    triggers = [t_arrived for t_arrived, code in codes if code]
    assert len(triggers) >= 2
    assert max(triggers) <= t + LOCKED_S


def assert_opens_up_to_the_end(day: Day) -> None:
    """Everything but the last look's samples is there, and what is torn is told."""
    samples = day.session.samples
    assert len(samples) == day.operator.status.n_samples
    assert np.all(np.diff(samples["t_sample"]) < 0.003)
    assert len(day.t_fired) >= 2
    assert all("eeg.xdf" in note for note in day.session.notes)


def test_disk_that_takes_nothing_at_all(run_day, disk, tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "write_bytes", disk.whole_files(Path.write_bytes))
    monkeypatch.setattr(Path, "write_text", disk.whole_files(Path.write_text))
    operator = Operator(in_closed_loop(fired=1), disk.fill)
    with pytest.raises(RecordingError) as caught:
        run_day(config_text(), operator=operator)
    # The first refusal is told, not the one of the summary after it.
    assert_one_sentence(str(caught.value), "took no more of", "eeg.xdf", "disk is full")
    (folder,) = tmp_path.iterdir()
    session = load_session(folder)
    assert len(session.samples) == operator.status.n_samples
    assert session.summary is None
    assert session.design
    arrivals = read_arrivals(folder / "device.jsonl")
    assert max(one.t_observed for one in arrivals if one.code) <= disk.t_refused + 0.02
    assert arrivals[-1].code == 0


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
