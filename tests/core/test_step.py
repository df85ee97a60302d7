import math

import pytest
from scenario import RISE_ONLY, memory_of, program_of

from controller.core.reasons import Fault, HoldReason
from controller.core.step import (
    NO_ACTION,
    end_pulse,
    latch,
    on_edge_done,
    on_edge_due,
    on_sample,
)
from controller.engine.telemetry import drain, new_telemetry
from controller.rig.programs.gate_rules import GateRules, VetoRule
from controller.rig.programs.program import Rules
from controller.safety.interlock import Permit, Refusal

T_DUE = 10.0
ALL = int(Permit.ALL)


class Stage:
    """A pulse that is planned for `T_DUE`, on fresh data."""

    def __init__(self, **options):
        self.program = program_of(**options)
        self.memory = memory_of(self.program)
        self.telemetry = new_telemetry(1, n_samples=16)
        self.now, self.ledger = self.memory.now[0], self.memory.ledger[0]
        self.now.t_sample = self.now.t_arrival = T_DUE - 0.001
        self.now.valid = 1
        self.now.phase_rad, self.now.amplitude_uv = 0.3, 8.0
        self.now.t_onset_write = self.now.t_next_edge = T_DUE
        self.now.edge, self.now.edge_last = 0, len(self.program.pattern_edges) - 1
        self.now.pulses_left = int(self.program.pattern_edges.rises.sum())

    def due(self, t_now=T_DUE, permits=ALL):
        return on_edge_due(self.program, self.memory, self.telemetry, t_now, permits)

    def done(self, t_fired=T_DUE, error=0, permits=ALL, took_s=0.0):
        arrays = (self.program, self.memory, self.telemetry)
        t_after = t_fired + took_s
        return Fault(on_edge_done(*arrays, t_fired, t_after, permits, error))

    def edges(self):
        self.telemetry.heads[2] = self.now.n_edges
        return drain(self.telemetry).edges


def test_a_rise_and_its_fall_make_one_pulse():
    stage = Stage(rules=Rules(refractory_s=0.2, output_latency_s=0.003))
    assert stage.due() == 0
    assert stage.done() is Fault.NONE
    assert (stage.now.line_high, stage.ledger.pulses, stage.now.trial) == (1, 1, 1)
    assert stage.ledger.t_last_pulse == T_DUE
    assert stage.now.t_pulse_edge == stage.now.t_blind_from == T_DUE + 0.003
    assert stage.now.t_blind_until == T_DUE + 0.003 + 0.2
    assert stage.now.t_next_edge == T_DUE + 0.005
    assert stage.due(T_DUE + 0.005) == 1
    assert stage.done(T_DUE + 0.005) is Fault.NONE
    assert (stage.now.line_high, stage.ledger.pulses) == (0, 1)
    assert stage.now.t_next_edge == math.inf
    assert stage.edges()["rises"].tolist() == [1, 0]


def test_a_late_rise_makes_no_shorter_trigger():
    stage = Stage()
    stage.due(T_DUE + 0.0009)
    stage.done(T_DUE + 0.0009)
    assert stage.now.t_next_edge == pytest.approx(T_DUE + 0.0059, abs=1e-12)


def test_a_slow_call_counts_from_its_end():
    stage = Stage()
    stage.due()
    stage.done(took_s=0.09)
    assert stage.ledger.t_last_pulse == T_DUE + 0.09
    assert stage.now.t_next_edge == pytest.approx(T_DUE + 0.095, abs=1e-12)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("valid", 0),
        ("t_artifact", T_DUE - 0.2),
        ("t_artifact", math.nan),
        ("t_sample", T_DUE + 0.01),
        ("phase_rad", math.nan),
        ("amplitude_uv", math.nan),
        ("amplitude_uv", 0.0),
    ],
)
def test_a_signal_gone_bad_since_the_plan_refuses_the_rise(field, value):
    stage = Stage(rules=Rules(artifact_hold_s=0.5))
    stage.now[field] = value
    assert stage.due() == NO_ACTION
    # A stamp ahead of the clock is the interlock's own matter.
    ahead = field == "t_sample"
    reason = Refusal.DATA_TOO_OLD if ahead else Refusal.DOUBTFUL
    assert stage.edges()["refusal"][0] == reason


MARKER = GateRules(marker=True)
VETO = GateRules(vetoes=(VetoRule(channel=0, amplitude_uv=50.0, hold_s=0.3),))
STEADY = GateRules(max_frequency_sd_hz=1.0)
OPEN_NOW = {"frequency_sd_hz": 0.5}


def gated_stage(gates, t_veto=-math.inf, **now):
    stage = Stage(rules=Rules(gates=gates))
    stage.memory.veto_now.t_veto = t_veto
    for name, value in (OPEN_NOW | now).items():
        stage.now[name] = value
    return stage


@pytest.mark.parametrize("gates", [MARKER, VETO, STEADY])
def test_a_gate_still_open_lets_the_rise_go(gates):
    assert gated_stage(gates).due(permits=ALL | Permit.MARKER) == 0


@pytest.mark.parametrize(
    ("gates", "now", "permits"),
    [
        (MARKER, {"permits": ALL | Permit.MARKER}, ALL),
        (VETO, {"t_veto": T_DUE - 0.001}, ALL),
        (VETO, {"t_veto": math.nan}, ALL),
        (STEADY, {"frequency_sd_hz": 1.5}, ALL),
        (STEADY, {"frequency_sd_hz": math.nan}, ALL),
    ],
)
def test_a_gate_closed_since_the_plan_refuses_the_rise(gates, now, permits):
    stage = gated_stage(gates, **now)
    assert stage.due(permits=int(permits)) == NO_ACTION
    assert stage.edges()["refusal"][0] == Refusal.GATE_CLOSED
    assert stage.now.t_next_edge == math.inf


def test_a_phase_too_uncertain_since_the_plan_refuses_the_rise():
    stage = Stage()
    # The confidence comes with the design; the gate is the core's.
    stage.program.gates.asked = int(HoldReason.PROBABILITY)
    stage.program.gates.min_probability = 0.7
    stage.now.p_within = 0.7
    assert stage.due() == 0
    stage.now.p_within = 0.69
    assert stage.due() == NO_ACTION
    assert stage.edges()["refusal"][0] == Refusal.GATE_CLOSED


def test_a_closed_gate_never_keeps_the_line_up():
    stage = gated_stage(MARKER)
    stage.due(permits=int(ALL | Permit.MARKER))
    stage.done()
    assert stage.due(T_DUE + 0.005, 0) == 1


def test_a_line_that_could_not_be_lowered_still_counts_as_high():
    stage = Stage()
    stage.due()
    stage.done()
    assert stage.done(T_DUE + 0.005, error=5) is Fault.WRITE_FAILED
    assert stage.now.line_high == 1


@pytest.mark.parametrize(
    ("t_now", "permits", "refusal"),
    [
        (T_DUE + 0.00101, ALL, Refusal.TOO_LATE),
        (T_DUE, ALL & ~Permit.ARMED, Refusal.NOT_ARMED),
        (T_DUE, ALL & ~Permit.SUPERVISED, Refusal.NOT_SUPERVISED),
        (T_DUE, ALL & ~Permit.RECORDING, Refusal.NOT_RECORDING),
        (T_DUE + 0.06, ALL, Refusal.DATA_TOO_OLD),
        (math.nan, ALL, Refusal.DATA_TOO_OLD),
    ],
)
def test_a_refused_rise_makes_no_call_and_leaves_a_record(t_now, permits, refusal):
    stage = Stage()
    assert stage.due(t_now, int(permits)) == NO_ACTION
    assert stage.now.t_next_edge == math.inf
    assert (stage.ledger.pulses, stage.now.trial, stage.now.line_high) == (0, 0, 0)
    (edge,) = stage.edges()
    assert Refusal(edge["refusal"]) is refusal
    assert edge["t_due"] == T_DUE
    assert math.isnan(edge["t_after"])


def test_a_fall_is_never_refused():
    stage = Stage()
    stage.due()
    stage.done()
    latch(stage.memory, int(Fault.STREAM_LOST))
    assert stage.due(T_DUE + 5.0, 0) == 1


def test_a_latched_fault_refuses_the_rise():
    stage = Stage()
    latch(stage.memory, int(Fault.GAP_TOO_LONG))
    assert stage.due() == NO_ACTION
    assert stage.edges()["refusal"][0] == Refusal.FAULTED


def test_the_first_fault_stays():
    stage = Stage()
    latch(stage.memory, int(Fault.GAP_TOO_LONG))
    latch(stage.memory, int(Fault.WRITE_FAILED))
    assert stage.now.fault == stage.ledger.fault == Fault.GAP_TOO_LONG


def test_a_rise_whose_call_failed_counts_as_a_pulse_and_latches():
    stage = Stage()
    stage.due()
    assert stage.done(error=5) is Fault.WRITE_FAILED
    assert (stage.ledger.pulses, stage.ledger.fault) == (1, Fault.WRITE_FAILED)
    assert (stage.now.fault, stage.now.fault_value) == (Fault.WRITE_FAILED, 5.0)
    assert stage.now.t_next_edge == math.inf
    (edge,) = stage.edges()
    assert (edge["refusal"], edge["system_error"]) == (Refusal.OUTPUT_FAILED, 5)


def test_an_ended_pulse_keeps_only_the_edge_that_lowers_the_line():
    stage = Stage()
    end_pulse(stage.program, stage.memory)
    assert stage.now.t_next_edge == math.inf
    stage = Stage()
    stage.due()
    stage.done()
    end_pulse(stage.program, stage.memory)
    assert (stage.now.edge, stage.now.edge_last) == (1, 1)
    assert math.isfinite(stage.now.t_next_edge)


def test_a_device_that_ends_its_trigger_itself_gets_one_call():
    stage = Stage(edges=RISE_ONLY)
    assert stage.due() == 0
    assert stage.done() is Fault.NONE
    assert stage.now.t_next_edge == math.inf
    stage.now.t_next_edge, stage.now.edge = T_DUE + 1.0, 0
    end_pulse(stage.program, stage.memory)
    assert stage.now.t_next_edge == math.inf


@pytest.mark.parametrize("ring", ["samples", "decisions", "edges"])
def test_a_full_ring_is_a_fault_and_nothing_is_written_over(ring):
    stage = Stage(design="fir")
    place = ("samples", "decisions", "edges").index(ring)
    counter = ("n_samples", "n_decisions", "n_edges")[place]
    size = getattr(stage.telemetry, ring).shape[0]
    needed = {"samples": 1, "decisions": 1, "edges": 4}[ring]
    before = [array.copy() for array in stage.telemetry]
    for free, fault in ((needed - 1, Fault.RECORDER_BEHIND), (needed, Fault.NONE)):
        stage = Stage(design="fir")
        stage.now[counter] = size - free
        stage.memory.raw[:] = 7.0
        arrays = (stage.program, stage.memory, stage.telemetry)
        t = T_DUE + 0.0002
        assert on_sample(*arrays, T_DUE, t, ALL) == fault
        assert stage.ledger.fault == fault
        if fault is Fault.RECORDER_BEHIND:
            for old, array in zip(before, stage.telemetry, strict=True):
                assert old.tobytes() == array.tobytes()
