"""Box, stimulator and participant on virtual lines, each in its own process."""

import contextlib
import ctypes
import json
import os
import time
from pathlib import Path

import numpy as np
import pylsl
import pytest

from controller.config_source import SyntheticSource
from controller.sources.lsl import LslInlet, find_stream
from controller.sources.process import ParticipantWires, start_source
from drivers.magstim.connect import magstim_200
from drivers.serial_byte import SerialByteTrigger
from drivers.sim.process import TwinProcess

pytestmark = [pytest.mark.lsl, pytest.mark.slow]

CODE = 9
WAIT_S = 15.0
# Quiet, so that nothing but a pulse makes a large deflection.
CONFIG = SyntheticSource(
    kind="synthetic",
    emg_channel="EMG",
    trigger_channel="TRIG",
    blinks_per_minute=0.0,
    transport_ms=20.0,
)


class Stream:
    """All that has arrived of a stream."""

    def __init__(self, inlet: LslInlet) -> None:
        self._inlet = inlet
        self.stamps: list[float] = []
        self.rows: list[tuple[float, ...]] = []

    def until(self, t: float) -> None:
        """Receive up to the sample of instant `t`."""
        n = self._inlet.description.n_channels
        row, error = (ctypes.c_float * n)(), ctypes.c_int()
        while not (self.stamps and self.stamps[-1] >= t):
            stamp = pylsl.lib.lib.lsl_pull_sample_f(
                ctypes.c_void_p(self._inlet.handle),
                row,
                n,
                ctypes.c_double(2.0),
                ctypes.byref(error),
            )
            assert stamp, "the stream ended"
            self.stamps.append(stamp)
            self.rows.append(tuple(row))

    def after(self, t: float, seconds: float) -> np.ndarray:
        """Return the samples of so many seconds from `t` on."""
        self.until(t + seconds)
        stamps = np.array(self.stamps)
        wanted = (stamps >= t) & (stamps < t + seconds)
        return np.array(self.rows)[wanted]


def fire(trigger: SerialByteTrigger) -> float:
    """Fire a trigger of 5 ms; return the instant before it left."""
    edges = trigger.edges(CODE)
    assert edges.fall is not None
    t = time.monotonic()
    os.write(edges.rise.descriptor, edges.rise.payload)
    time.sleep(0.005)
    os.write(edges.fall.descriptor, edges.fall.payload)
    return t


def events(twin: TwinProcess) -> list[dict]:
    if not twin.log.exists():
        return []
    return [json.loads(line) for line in twin.log.read_text().splitlines()]


def attend_until(driver, condition) -> None:
    t_end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < t_end
        time.sleep(0.05)
        driver.attend()


@pytest.fixture
def wired(tmp_path: Path):
    """Return trigger output, stimulator, its twin, and the stream."""
    trigger_in, pulse_in = tmp_path / "trigger", tmp_path / "pulse"
    coil_in = tmp_path / "coil"
    with contextlib.ExitStack() as stack:
        wires = ParticipantWires(trigger_in=trigger_in, pulse_in=pulse_in)
        process, wanted = start_source(CONFIG, wires)
        assert process is not None
        stack.enter_context(process)
        twin = stack.enter_context(
            TwinProcess("magstim", "--ttl-in", str(coil_in), "--ttl-out", str(pulse_in))
        )
        lines = ("--ttl-out", str(coil_in), "--ttl-out", str(trigger_in))
        box = stack.enter_context(TwinProcess("serial-byte", *lines))
        trigger = SerialByteTrigger(box.port, simulated=True)
        stack.callback(trigger.close)
        trigger.open()
        driver = magstim_200(twin.port, simulated=True)
        driver._connect_settle_s = 0.0
        stack.callback(driver.close)
        driver.open()
        inlet = LslInlet(find_stream(wanted))
        stack.callback(inlet.close)
        inlet.open()
        stream = Stream(inlet)
        stream.until(0.0)
        yield trigger, driver, twin, stream


def test_pulse_is_seen_when_armed_and_missing_when_not(wired) -> None:
    trigger, driver, twin, stream = wired
    c3, emg, trig = 1, 8, 9

    t = fire(trigger)
    unarmed = stream.after(t, 0.2)
    assert CODE in unarmed[:, trig]
    assert np.abs(unarmed[:, c3]).max() < 200.0
    assert [event["kind"] for event in events(twin)].count("missed") == 1

    driver.set_intensity(70)
    attend_until(driver, lambda: driver.wait_s() == 0)
    driver.arm()
    attend_until(driver, lambda: driver.status().ready and driver.wait_s() == 0)
    t = fire(trigger)
    armed = stream.after(t, 0.2)
    attend_until(driver, lambda: any(e["kind"] == "pulse" for e in events(twin)))
    (pulse,) = [event for event in events(twin) if event["kind"] == "pulse"]
    first = int(np.flatnonzero(armed[:, trig] == CODE)[0])
    artifact = int(np.argmax(np.abs(armed[:, c3])))
    assert abs(first - artifact) <= 1
    # 2000 uV at full output, less what the first sample is late.
    assert 700.0 < np.abs(armed[artifact, c3]) < 1600.0
    assert pulse["t"] == pytest.approx(t, abs=0.05)
    motor = armed[artifact + 20 : artifact + 36, emg]
    assert np.ptp(motor) > 100.0

    # A second trigger at once comes while it charges: a code, and no pulse.
    t = fire(trigger)
    uncharged = stream.after(t, 0.2)
    assert CODE in uncharged[:, trig]
    assert np.abs(uncharged[:, c3]).max() < 200.0
    assert [event["kind"] for event in events(twin)].count("pulse") == 1
    driver.disarm()
