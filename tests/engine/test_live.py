"""The loop in its thread: without a stream, and over real LSL into a real pipe."""

import dataclasses
import math
import os
import threading
import time
import uuid

import numpy as np
import pylsl
import pytest
from scenario import memory_of, program_of, same_rows

from controller.config import LslSource
from controller.core.reasons import Fault, HoldReason
from controller.engine import live, privileges
from controller.engine.control import ControlWords
from controller.engine.live import LiveEngine, Stretch, run_compiled, run_python
from controller.engine.telemetry import drain, join, new_telemetry
from controller.engine.virtual import Tape, run_virtual
from controller.errors import EngineFault, StreamLost
from controller.rig.programs.gate_rules import GateRules, SecondBandRule, VetoRule
from controller.rig.programs.program import Rules
from controller.safety.interlock import TIMED, Permit, Refusal
from drivers.base import TriggerEdges, WireAction

SFREQ_HZ = 500.0
FREQUENCY_HZ = 10.0
GATES = GateRules(
    min_snr_db=0.0,
    min_peak_ratio=1.0,
    spectrum_s=0.5,
    max_frequency_sd_hz=3.0,
    max_frequency_offset_hz=3.0,
    vetoes=(VetoRule(channel=0, rms_uv=50.0),),
    second_band=SecondBandRule(frequency_hz=9.0, bandwidth_hz=6.0, phase=(-2.5, 5.0)),
    marker=True,
)


@pytest.fixture(autouse=True)
def unprivileged(monkeypatch):
    """Leave this process, which has more to do, without real-time privileges."""
    monkeypatch.setattr(privileges, "_take_fifo", lambda: "not asked")
    monkeypatch.setattr(privileges, "_lock_memory", lambda: "not asked")


@dataclasses.dataclass
class Inlet:
    """A source that opens, and closes, as told."""

    error: Exception | None = None
    handle: int = 0
    is_open: bool = False
    closed: int = 0

    def open(self):
        if self.error is not None:
            raise self.error
        self.is_open = True

    def clock_offset_s(self):
        return 1.25

    def close(self):
        self.closed += 1


def stretch_of():
    program = program_of()
    return Stretch(
        program=program,
        memory=memory_of(program),
        telemetry=new_telemetry(1, n_samples=16),
    )


class TestThread:
    @pytest.fixture
    def words(self):
        return ControlWords()

    def engine(self, words, runner=None, inlet=None):
        def wait_for_stop(inlet, words, stretch):
            while not words.stop_requested:
                time.sleep(0.001)
            return Fault.STOPPED

        return LiveEngine(inlet or Inlet(), words, runner=runner or wait_for_stop)

    def test_opens_in_the_loops_thread_and_sets_the_offset(self, words):
        inlet = Inlet()
        engine = self.engine(words, inlet=inlet)
        granted = engine.open()
        assert inlet.is_open
        assert granted.loop == engine.loop_name == "python"
        assert words.clock_offset_s == 1.25
        engine.close()
        assert inlet.closed == 1

    def test_what_the_source_says_reaches_whoever_opens(self, words):
        inlet = Inlet(error=StreamLost("Stream 'x' is gone; start it."))
        engine = self.engine(words, inlet=inlet)
        with pytest.raises(StreamLost, match="is gone"):
            engine.open()
        engine.close()

    def test_runs_until_stopped_and_again(self, words):
        engine = self.engine(words)
        engine.open()
        for _ in range(2):
            engine.start(stretch_of())
            assert engine.finished() is None
            assert engine.stop() is Fault.STOPPED
        engine.close()

    def test_a_second_start_is_refused(self, words):
        engine = self.engine(words)
        engine.open()
        engine.start(stretch_of())
        with pytest.raises(EngineFault, match="running already"):
            engine.start(stretch_of())
        engine.close()

    def test_close_stops_a_running_stretch(self, words):
        inlet = Inlet()
        engine = self.engine(words, inlet=inlet)
        engine.open()
        engine.start(stretch_of())
        engine.close()
        assert words.stop_requested
        assert inlet.closed == 1
        engine.close()

    def test_close_without_open_is_no_error(self, words):
        self.engine(words).close()

    def test_a_fault_of_the_loop_is_what_finished_answers(self, words):
        engine = self.engine(words, runner=lambda *_: Fault.GAP_TOO_LONG)
        engine.open()
        engine.start(stretch_of())
        deadline = time.monotonic() + 5.0
        fault = None
        while fault is None and time.monotonic() < deadline:
            fault = engine.finished()
        assert fault is Fault.GAP_TOO_LONG
        engine.close()

    def test_an_error_in_the_loop_reaches_the_supervisor(self, words):
        def broken(*arguments):
            raise EngineFault("The table has a hole.")

        inlet = Inlet()
        engine = self.engine(words, runner=broken, inlet=inlet)
        engine.open()
        engine.start(stretch_of())
        with pytest.raises(EngineFault, match="a hole"):
            engine.stop()
        engine.close()
        assert inlet.closed == 1

    @pytest.mark.parametrize("has_table", [True, False])
    def test_the_loop_that_the_platform_can_run_is_taken(
        self, words, monkeypatch, has_table
    ):
        monkeypatch.setattr(live, "platform_has_table", lambda: has_table)
        engine = LiveEngine(Inlet(), words)
        assert engine.loop_name == ("compiled" if has_table else "python")


class Amplifier:
    """A thread that streams a cosine with peaks at whole tenths of the clock."""

    def __init__(self):
        self.source_id = f"test-{uuid.uuid4().hex}"
        info = pylsl.StreamInfo(
            "engine-test", "EEG", 1, SFREQ_HZ, "float32", self.source_id
        )
        channels = info.desc().append_child("channels")
        channel = channels.append_child("channel")
        for key, value in (("label", "Oz"), ("unit", "microvolts"), ("type", "EEG")):
            channel.append_child_value(key, value)
        self._outlet = pylsl.StreamOutlet(info)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._stream, daemon=True)
        self._thread.start()

    def _stream(self):
        t_next = pylsl.local_clock()
        while not self._stop.is_set():
            t_next += 1.0 / SFREQ_HZ
            # The pause may be longer: then the samples come in a block, as in life.
            self._stop.wait(max(0.0, t_next - pylsl.local_clock()))
            value = 10.0 * math.cos(2.0 * math.pi * FREQUENCY_HZ * t_next)
            self._outlet.push_sample([value], t_next)

    def close(self):
        self._stop.set()
        self._thread.join(5.0)
        del self._outlet


@pytest.fixture
def amplifier():
    from controller.sources.network import configure_lsl

    configure_lsl(local_only=True)
    standing = Amplifier()
    yield standing
    standing.close()


@pytest.mark.lsl
@pytest.mark.slow
@pytest.mark.parametrize(
    ("runner", "design"),
    [(run_compiled, "iir"), (run_python, "iir"), (run_compiled, "both")],
)
def test_a_live_session_replayed_decides_the_same_bit_for_bit(
    amplifier, runner, design
):
    from controller.sources.lsl import LslInlet, find_stream

    reading, writing = os.pipe()
    rise = WireAction(kind="write", descriptor=writing, payload=b"\x05")
    fall = WireAction(kind="write", descriptor=writing, payload=b"\x00")
    gates = GATES
    if design == "both":
        gates = dataclasses.replace(GATES, min_probability=0.3)
    program = program_of(
        design,
        sfreq_hz=SFREQ_HZ,
        horizon_s=0.006,
        iti_s=0.2,
        rules=Rules(lock_s=0.005, artifact_hold_s=0.1, gates=gates),
        edges=TriggerEdges(rise=rise, fall=fall),
        pulse_s=0.003,
    )
    memory, words = memory_of(program), ControlWords()
    telemetry = new_telemetry(1, n_samples=4096)
    source = LslSource(kind="lsl", source_id=amplifier.source_id)
    engine = LiveEngine(LslInlet(find_stream(source)), words, runner=runner)
    engine.open()
    words.permit(Permit.RECORDING)
    words.vouch_until(TIMED, math.inf)
    batches = []
    try:
        engine.start(Stretch(program=program, memory=memory, telemetry=telemetry))
        t_end = time.monotonic() + 4.5
        while time.monotonic() < t_end and engine.finished() is None:
            words.beat(pylsl.local_clock())
            batches.append(drain(telemetry))
            # A marker opens the gate after a second and closes it before the end.
            if 1.0 < t_end - time.monotonic() < 3.5:
                words.permit(Permit.MARKER)
            else:
                words.withdraw(Permit.MARKER)
            time.sleep(0.05)
        assert engine.stop() is Fault.STOPPED
    finally:
        engine.close()
        os.close(writing)
    batches.append(drain(telemetry))
    batch = join(batches)
    sent = os.read(reading, 10_000)
    os.close(reading)
    made = batch.edges[batch.edges["refusal"] == Refusal.NONE]
    rises = made[made["rises"] == 1]

    # A machine under load may refuse some, and wake up late for others.
    assert len(batch.samples) > 1000
    assert len(rises) >= 2
    assert (rises["permits"] & int(Permit.MARKER) != 0).all()
    probability = batch.samples["p_within"]
    assert np.isfinite(probability).any() == (design == "both")
    held = batch.decisions["holds"]
    closed = [HoldReason.MARKER, HoldReason.FREQUENCY_SPREAD]
    if design == "iir":  # the other one has seen a whole spectrum when it is warm
        closed.append(HoldReason.SNR)
    for reason in closed:
        assert (held & int(reason) != 0).any(), reason
    assert sent == bytes(5 if edge["rises"] else 0 for edge in made)
    lateness = rises["t_fired"] - rises["t_due"]
    assert (lateness >= 0.0).all()
    assert (lateness <= 1e-3).all()
    assert (made["t_after"] >= made["t_fired"]).all()
    phase = 2.0 * math.pi * FREQUENCY_HZ * rises["t_due"]
    assert np.abs(np.degrees(np.angle(np.exp(1j * phase)))).max() < 5.0

    tape = Tape(
        t_sample=batch.samples["t_sample"].copy(),
        t_arrival=batch.samples["t_arrival"].copy(),
        permits=batch.samples["permits"].copy(),
        raw=batch.raw,
        edges=batch.edges,
    )
    again = run_virtual(program, memory_of(program), tape)
    for rows in ("samples", "decisions", "edges"):
        assert not same_rows(
            getattr(batch, rows), getattr(again.batch, rows), without=("t_decided",)
        ), rows
