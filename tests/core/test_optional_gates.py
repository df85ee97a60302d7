"""Each optional gate at its boundary, and closed on what is no number."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario import both_design, brief_of, memory_of, program_of

from controller.core.gate import closed_gates
from controller.core.optional_gates import closed_optional_gates, within_arc
from controller.core.reasons import HOLD_SENTENCES, HoldReason
from controller.errors import ConfigError
from controller.kernels.circular import wrap
from controller.rig.programs.gate_arrays import gate_arrays
from controller.rig.programs.gate_rules import (
    CouplingRule,
    GateRules,
    SecondBandRule,
    VetoRule,
    arc,
)
from controller.rig.programs.program import Rules
from controller.safety.interlock import Permit

T = 64.0
OPEN_NOW = {
    "t_sample": T,
    "t_arrival": T + 0.03125,
    "t_artifact": T - 1.0,
    "amplitude_uv": 8.0,
    "threshold_uv": 8.0,
    "t_trial_edge": T - 10.0,
    "t_next_edge": math.inf,
    "valid": 1,
    "permits": int(Permit.ALL | Permit.MARKER),
    "snr_db": 3.0,
    "peak_ratio": 2.0,
    "frequency_sd_hz": 0.5,
    "frequency_offset_hz": 1.5,
    "p_within": 0.75,
    "coherence": 0.5,
    "phase_lag_rad": 0.25,
    "second_re_uv": 4.0,
    "second_im_uv": 0.0,
    "second_amplitude_uv": 4.0,
}
EVERYTHING = {
    "min_snr_db": 3.0,
    "min_peak_ratio": 2.0,
    "max_frequency_sd_hz": 0.5,
    "max_frequency_offset_hz": 1.5,
    "vetoes": (VetoRule(channel=0, amplitude_uv=100.0, hold_s=0.5),),
    "coupling": CouplingRule(
        weights=(0.0, 1.0), coherence=(0.25, 0.75), phase_lag=(0.25, 0.5)
    ),
    "second_band": SecondBandRule(
        frequency_hz=5.0,
        bandwidth_hz=2.0,
        phase=arc((-45.0, 45.0)),
        min_amplitude_uv=4.0,
    ),
    "marker": True,
}
MEASURED = HoldReason(
    sum(
        reason for reason in HoldReason if HoldReason.SNR <= reason <= HoldReason.MARKER
    )
)


def program_with(**rules):
    program = program_of(
        n_channels=2, mixing=np.eye(2), rules=Rules(gates=GateRules(**rules))
    )
    if rules == EVERYTHING:
        # The confidence comes with the design; the gate is the core's.
        program.gates.min_probability = 0.75
        program.gates.asked |= int(HoldReason.PROBABILITY)
    return program


def closed(rules=EVERYTHING, t_due=T + 0.2, t_veto=-math.inf, **now):
    program = program_with(**rules)
    memory = memory_of(program)
    for name, value in {**OPEN_NOW, **now}.items():
        memory.now[name] = value
    memory.veto_now.t_veto = t_veto
    holds = HoldReason(closed_gates(program, memory, t_due, T + 0.125))
    only = HoldReason(
        closed_optional_gates(program, memory, t_due, memory.now.permits[0])
    )
    assert only == holds & MEASURED
    return holds


def above(value):
    return math.nextafter(value, math.inf)


def below(value):
    return math.nextafter(value, -math.inf)


def test_every_gate_can_be_open():
    assert closed() == HoldReason.NONE


@pytest.mark.parametrize(
    ("reason", "name", "inside", "outside"),
    [
        (HoldReason.SNR, "snr_db", 3.0, below(3.0)),
        (HoldReason.SPECTRAL_PEAK, "peak_ratio", 2.0, below(2.0)),
        (HoldReason.FREQUENCY_SPREAD, "frequency_sd_hz", 0.5, above(0.5)),
        (HoldReason.FREQUENCY_OFFSET, "frequency_offset_hz", 1.5, above(1.5)),
        (HoldReason.PROBABILITY, "p_within", 0.75, below(0.75)),
        (HoldReason.COHERENCE, "coherence", 0.25, below(0.25)),
        (HoldReason.COHERENCE, "coherence", 0.75, above(0.75)),
        (HoldReason.PHASE_LAG, "phase_lag_rad", 0.25, below(0.25)),
        (HoldReason.PHASE_LAG, "phase_lag_rad", 0.75, above(0.75)),
        (HoldReason.SECOND_AMPLITUDE, "second_amplitude_uv", 4.0, below(4.0)),
        (HoldReason.VETO, "t_veto", below(T - 0.5), T - 0.5),
        (HoldReason.MARKER, "permits", int(Permit.MARKER), int(Permit.ALL)),
    ],
    ids=lambda value: value.name if isinstance(value, HoldReason) else "",
)
def test_each_gate_at_its_boundary(reason, name, inside, outside):
    assert closed(**{name: inside}) == HoldReason.NONE
    assert closed(**{name: outside}) == reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("snr_db", HoldReason.SNR),
        ("peak_ratio", HoldReason.SPECTRAL_PEAK),
        ("frequency_sd_hz", HoldReason.FREQUENCY_SPREAD),
        ("frequency_offset_hz", HoldReason.FREQUENCY_OFFSET),
        ("p_within", HoldReason.PROBABILITY),
        ("coherence", HoldReason.COHERENCE),
        ("phase_lag_rad", HoldReason.PHASE_LAG),
        ("second_re_uv", HoldReason.SECOND_PHASE),
        ("second_im_uv", HoldReason.SECOND_PHASE),
        ("second_amplitude_uv", HoldReason.SECOND_AMPLITUDE),
        ("t_veto", HoldReason.VETO),
    ],
)
def test_what_is_no_number_closes_its_gate(name, reason):
    assert closed(**{name: math.nan}) == reason


def test_fresh_memory_closes_every_gate():
    program = program_with(**EVERYTHING)
    memory = memory_of(program)
    assert HoldReason(closed_optional_gates(program, memory, T, 0)) == MEASURED


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({"min_snr_db": 1.0}, HoldReason.SNR),
        ({"min_peak_ratio": 1.0}, HoldReason.SPECTRAL_PEAK),
        ({"max_frequency_sd_hz": 1.0}, HoldReason.FREQUENCY_SPREAD),
        ({"max_frequency_offset_hz": 1.0}, HoldReason.FREQUENCY_OFFSET),
        ({"vetoes": (VetoRule(channel=1, rms_uv=9.0),)}, HoldReason.VETO),
        (
            {"coupling": CouplingRule(weights=(0.0, 1.0), coherence=(0.1, 0.9))},
            HoldReason.COHERENCE,
        ),
        (
            {"coupling": CouplingRule(weights=(0.0, 1.0), phase_lag=(0.0, 1.0))},
            HoldReason.PHASE_LAG,
        ),
        ({"marker": True}, HoldReason.MARKER),
        ({}, HoldReason.NONE),
    ],
)
def test_only_what_is_configured_can_close(rules, reason):
    program = program_with(**rules)
    memory = memory_of(program)
    memory.now.t_sample = math.nan
    assert HoldReason(closed_optional_gates(program, memory, T, 0)) == reason


@given(
    phase_deg=st.integers(-179, 180),
    ahead_s=st.floats(0.0, 0.5),
    first_deg=st.integers(-180, 180),
    width_deg=st.integers(1, 359),
)
def test_second_band_is_looked_at_where_the_pulse_will_be(
    phase_deg, ahead_s, first_deg, width_deg
):
    rules = {
        "second_band": SecondBandRule(
            frequency_hz=5.0,
            bandwidth_hz=2.0,
            phase=arc((first_deg, first_deg + width_deg)),
        )
    }
    at_due = (phase_deg + 360.0 * 5.0 * ahead_s - first_deg) % 360.0
    if min(abs(at_due - width_deg), at_due, 360.0 - at_due) < 1e-6:
        return
    holds = closed(
        rules,
        t_due=T + ahead_s,
        second_re_uv=math.cos(math.radians(phase_deg)),
        second_im_uv=math.sin(math.radians(phase_deg)),
    )
    assert (HoldReason.SECOND_PHASE not in holds) == (at_due < width_deg)


@given(st.floats(-20, 20), st.floats(-7, 7), st.floats(0.01, 2 * math.pi - 0.01))
def test_arc_is_closed_under_turns(angle, first, width):
    beyond = (angle - first) % (2 * math.pi)
    if min(abs(beyond - width), beyond, 2 * math.pi - beyond) < 1e-9:
        return
    assert within_arc(angle, first, width) == within_arc(
        wrap(angle), wrap(first), width
    )
    assert within_arc(angle, first, width) == int(beyond <= width)


@pytest.mark.parametrize(
    ("range_deg", "first_deg", "width_deg"),
    [
        ((-30.0, 30.0), -30.0, 60.0),
        ((150.0, -150.0), 150.0, 60.0),
        ((-180.0, 180.0), -180.0, 360.0),
        ((90.0, 300.0), 90.0, 210.0),
        ((300.0, -300.0), 300.0, 120.0),
    ],
)
def test_arcs_go_forwards_from_first_to_last(range_deg, first_deg, width_deg):
    assert np.degrees(arc(range_deg)) == pytest.approx([first_deg, width_deg])


def test_every_reason_has_a_sentence_of_its_own():
    assert set(HOLD_SENTENCES) == set(HoldReason)
    assert len(set(HOLD_SENTENCES.values())) == len(HOLD_SENTENCES)


def test_probability_without_a_confidence_model_is_refused():
    with pytest.raises(ConfigError, match="without a confidence model"):
        program_with(min_probability=0.9)


@pytest.mark.parametrize(
    "changes", [{"tolerance_rad": 0.5}, {"constant": math.nan}, {"exponent": math.inf}]
)
def test_a_confidence_in_something_else_is_refused(changes):
    design = both_design(brief_of())
    gates = GateRules(min_probability=0.9)
    program_of(design, rules=Rules(gates=gates))
    other = dataclasses.replace(design.confidence, **changes)
    with pytest.raises(ConfigError, match="cannot serve gate"):
        program_of(
            dataclasses.replace(design, confidence=other), rules=Rules(gates=gates)
        )


def test_second_site_is_the_last_virtual_channel():
    program = program_with(coupling=CouplingRule(weights=(0.5, 2.0), coherence=(0, 1)))
    assert program.mixing.tolist() == [[1.0, 0.0], [0.0, 1.0], [0.5, 2.0]]
    assert program.gates.coupling_row[0] == 2
    assert program_with(marker=True).mixing.shape == (2, 2)


def test_second_band_beyond_the_stream_is_refused():
    band = SecondBandRule(frequency_hz=499.5, bandwidth_hz=2.0, min_amplitude_uv=1.0)
    with pytest.raises(ConfigError, match="choose a lower band"):
        program_with(second_band=band)


def test_rest_has_no_gates():
    arrays = gate_arrays(GateRules(marker=True), None, sfreq_hz=500.0, n_virtual=1)
    assert arrays["gates"].asked[0] == 0


def test_a_spectrum_that_would_hold_up_the_loop_is_refused():
    program_with(min_snr_db=1.0, spectrum_s=10.0)
    with pytest.raises(ConfigError, match="hold up the loop"):
        program_with(min_snr_db=1.0, spectrum_s=60.0)
