import dataclasses
import math
import termios

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.memory import new_memory
from controller.core.reasons import Fault
from controller.core.records import (
    ActionKind,
    AmplitudeGate,
    Kernel,
)
from controller.core.structures import (
    Program,
)
from controller.engine.virtual import regular_tape, run_virtual
from controller.errors import ConfigError
from controller.estimators.base import Brief, Design, StateSpace
from controller.estimators.iir import CausalQuadrature
from controller.rig.programs.gate_rules import GateRules, VetoRule
from controller.rig.programs.program import (
    Rules,
    amplitude_window,
    build_program,
    make_trials,
)
from controller.safety.ceilings import Modality
from controller.safety.limits import Limits
from drivers.base import TriggerEdges, WireAction

SFREQ_HZ = 250.0
LIMITS = Limits(
    modality=Modality.MARKER,
    min_interval_s=0.3,
    max_pulses=20,
    max_per_minute=60,
    max_lateness_s=0.002,
    max_data_age_s=0.05,
    max_gap_s=0.2,
    max_silence_s=0.5,
    max_artifact_s=0.5,
    max_armed_s=60.0,
)
BRIEF = Brief(
    sfreq_hz=SFREQ_HZ, frequency_hz=10.0, band_hz=(8.0, 12.0), horizon_s=0.005
)
WRITES = TriggerEdges(
    rise=WireAction(kind="write", descriptor=7, payload=b"\x05"),
    fall=WireAction(kind="write", descriptor=7, payload=b"\0"),
)
MIXING = np.array([[0.0, 0.5, 0.5]])


def program_of(
    design: Design | None = None,
    edges: TriggerEdges | None = WRITES,
    rules: Rules | None = None,
    mixing: np.ndarray = MIXING,
) -> Program:
    return build_program(
        sfreq_hz=SFREQ_HZ,
        mixing=mixing,
        scale_uv=np.ones(mixing.shape[1]),
        design=design,
        rules=rules or Rules(),
        limits=LIMITS,
        trials=make_trials(
            LIMITS.max_pulses, target_phase_rad=0.0, iti_s=0.4, iti_jitter_s=0.0, seed=1
        ),
        edges=edges,
        pulse_s=0.005,
    )


def fir_design(taps: np.ndarray) -> Design:
    return Design(name="mine", brief=BRIEF, kernel=Kernel.FIR, fir=taps, warm_up_s=0.1)


def test_two_writes_become_a_rise_and_a_fall() -> None:
    program = program_of()
    assert program.patterns.n_edges.tolist() == [2]
    assert program.pattern_edges.rises.tolist() == [1, 0]
    assert program.pattern_edges.offset_s.tolist() == [0.0, 0.005]
    assert program.pattern_edges.action.tolist() == [0, 1]
    assert program.actions.kind.tolist() == [ActionKind.WRITE] * 2
    assert program.actions.descriptor.tolist() == [7, 7]
    assert program.actions.first_byte.tolist() == [0, 1]
    assert program.actions.n_bytes.tolist() == [1, 1]
    assert program.action_bytes.tobytes() == b"\x05\0"
    assert program.action_bytes.flags.writeable


def test_ioctls_keep_their_requests_and_arguments() -> None:
    edges = TriggerEdges(
        rise=WireAction(
            kind="ioctl", descriptor=3, payload=b"abcd", request=termios.TIOCMBIS
        ),
        fall=WireAction(
            kind="ioctl", descriptor=3, payload=b"efgh", request=termios.TIOCMBIC
        ),
    )
    actions = program_of(edges=edges).actions
    assert actions.kind.tolist() == [ActionKind.IOCTL] * 2
    assert actions.request.tolist() == [termios.TIOCMBIS, termios.TIOCMBIC]
    assert actions.first_byte.tolist() == [0, 4]
    assert actions.n_bytes.tolist() == [4, 4]


def test_device_that_ends_by_itself_gets_one_edge() -> None:
    program = program_of(edges=dataclasses.replace(WRITES, fall=None))
    assert program.patterns.n_edges.tolist() == [1]
    assert program.pattern_edges.rises.tolist() == [1]
    assert len(program.actions) == 1


def alpha_tape(seconds: float) -> np.ndarray:
    t = np.arange(round(seconds * SFREQ_HZ)) / SFREQ_HZ
    wave = 10.0 * np.cos(2.0 * np.pi * 10.0 * t)
    return np.stack([np.zeros_like(wave), wave, wave], axis=1).astype(np.float32)


def run(program: Program) -> tuple[Fault, np.ndarray, int]:
    """Run four seconds of alpha with every permit given; return what came out."""
    memory = new_memory(program, n_window=4)
    ran = run_virtual(program, memory, regular_tape(alpha_tape(4.0), SFREQ_HZ))
    return ran.fault, ran.calls, int(memory.ledger.pulses[0])


def test_program_without_a_design_cannot_fire() -> None:
    fault, calls, n_pulses = run(program_of(design=None))
    assert (fault, len(calls), n_pulses) == (Fault.END_OF_TAPE, 0, 0)


def test_program_of_a_rest_has_no_wire_action() -> None:
    program = program_of(design=None, edges=None)
    assert program.patterns.n_edges.tolist() == [0]
    assert program.actions.n_bytes.tolist() == [0]
    assert program.settings.kernel[0] == Kernel.NONE
    assert run(program)[1:][1] == 0


def test_program_with_design_and_edges_fires_both() -> None:
    design = CausalQuadrature().design(BRIEF)
    fault, calls, n_pulses = run(program_of(design, rules=Rules(lock_s=0.005)))
    assert fault is Fault.END_OF_TAPE
    assert n_pulses >= 5
    assert calls[:, 1].tolist() == [7.0] * len(calls)
    assert calls[:4, 2].tolist() == [5.0, 0.0, 5.0, 0.0]
    assert np.diff(calls[:2, 0])[0] == pytest.approx(0.005)


def test_taps_are_turned_so_that_the_oldest_sample_comes_first() -> None:
    taps = np.array([[3.0 + 1j, -1.0 - 3j, -2.0 + 2j]])
    program = program_of(fir_design(taps))
    assert program.fir_re.tolist() == [[-2.0, -1.0, 3.0]]
    assert program.fir_im.tolist() == [[2.0, -3.0, 1.0]]


def test_turned_taps_answer_an_impulse_in_the_designs_order() -> None:
    taps = np.array([[3.0 + 1j, -1.0 - 3j, -2.0 + 2j]])
    design = dataclasses.replace(fir_design(taps), warm_up_s=3 / SFREQ_HZ)
    program = program_of(design, mixing=np.array([[1.0]]))
    raw = np.zeros((6, 1), np.float32)
    raw[2] = 1.0
    memory = new_memory(program, n_window=1)
    samples = run_virtual(program, memory, regular_tape(raw, SFREQ_HZ)).batch.samples
    answer = samples["amplitude_uv"][2:5] * np.exp(1j * samples["phase_rad"][2:5])
    np.testing.assert_allclose(answer, taps[0], atol=1e-12)


@pytest.mark.parametrize("gain", [1e-3, 1.0, math.nan, math.inf])
def test_taps_that_pass_direct_current_are_refused(gain: float) -> None:
    taps = np.array([[1.0 + 0j, -1.0 + gain]])
    with pytest.raises(ConfigError, match=r"^The estimator mine lets direct current"):
        program_of(fir_design(taps))


def test_rounding_in_the_taps_is_no_direct_current() -> None:
    program_of(fir_design(np.array([[1.0 + 0j, -1.0 + 1e-9]])))


def integrating(gain: float) -> Design:
    """Return a leaky sum, whose gain for direct current is twice the argument."""
    system = StateSpace(
        transition=np.array([[0.5]]),
        drive=np.array([[1.0]]),
        readout=np.array([gain + 0j]),
        feedthrough=np.array([0j]),
    )
    return Design(
        name="leaky",
        brief=BRIEF,
        kernel=Kernel.STATE_SPACE,
        state_space=system,
        warm_up_s=0.1,
    )


@pytest.mark.parametrize("gain", [1.0, math.nan])
def test_recursion_that_passes_direct_current_is_refused(gain: float) -> None:
    with pytest.raises(ConfigError, match="leaky lets direct current through"):
        program_of(integrating(gain))


def test_feedthrough_may_cancel_what_the_states_pass() -> None:
    design = integrating(1.0)
    system = dataclasses.replace(design.state_space, feedthrough=np.array([-2.0 + 0j]))
    program = program_of(dataclasses.replace(design, state_space=system))
    assert program.feedthrough.tolist() == [[-2.0], [0.0]]


def test_settings_of_a_design() -> None:
    design = CausalQuadrature().design(BRIEF)
    rules = Rules(
        amplitude_gate=AmplitudeGate.ABSOLUTE,
        threshold_uv=3.0,
        artifact_gradient_uv_per_s=25e3,
        artifact_flat_s=0.2,
        rail_uv=1e5,
        lock_s=0.004,
        output_latency_s=0.001,
    )
    settings = program_of(design, rules=rules).settings[0]
    assert settings.interval_s == 1.0 / SFREQ_HZ
    assert settings.kernel == Kernel.STATE_SPACE
    assert settings.horizon_s == BRIEF.horizon_s
    assert settings.frequency_hz == BRIEF.frequency_hz
    assert settings.warm_up_samples == math.ceil(design.warm_up_s * SFREQ_HZ)
    assert settings.amplitude_uv == 3.0
    assert settings.artifact_gradient_uv == 100.0
    assert settings.artifact_flat_samples == 50
    assert settings.artifact_rail_uv == 1e5
    assert settings.lock_s == 0.004
    assert settings.output_latency_s == 0.001


def test_only_the_channels_of_the_mixing_are_used() -> None:
    assert program_of().used.tolist() == [1, 2]


def test_amplitudes_of_the_window_are_counted() -> None:
    assert amplitude_window(Rules(window_s=60.0)) == 1200
    assert amplitude_window(Rules(window_s=0.0)) == 1


@given(
    iti_s=st.floats(0.5, 10.0), share=st.floats(0.0, 1.0), seed=st.integers(0, 2**32)
)
def test_intervals_stay_within_their_jitter(
    iti_s: float, share: float, seed: int
) -> None:
    jitter_s = share * iti_s
    trials = make_trials(
        50, target_phase_rad=0.3, iti_s=iti_s, iti_jitter_s=jitter_s, seed=seed
    )
    assert np.all(trials.iti_s >= iti_s - jitter_s - 1e-12)
    assert np.all(trials.iti_s <= iti_s + jitter_s + 1e-12)
    assert np.all(trials.target_phase_rad == 0.3)


def test_same_seed_gives_the_same_intervals_and_another_seed_others() -> None:
    def draw(seed: int) -> list[float]:
        trials = make_trials(
            9, target_phase_rad=0.0, iti_s=2.0, iti_jitter_s=0.5, seed=seed
        )
        drawn: list[float] = trials.iti_s.tolist()
        return drawn

    assert draw(3) == draw(3)
    assert draw(3) != draw(4)
    assert np.ptp(draw(3)) > 0.2


def test_no_jitter_is_none() -> None:
    trials = make_trials(5, target_phase_rad=0.0, iti_s=2.0, iti_jitter_s=0.0, seed=1)
    assert trials.iti_s.tolist() == [2.0] * 5


def test_no_trials_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least one trial"):
        build_program(
            sfreq_hz=SFREQ_HZ,
            mixing=MIXING,
            scale_uv=np.ones(3),
            design=None,
            rules=Rules(),
            limits=LIMITS,
            trials=make_trials(
                0, target_phase_rad=0.0, iti_s=1.0, iti_jitter_s=0.0, seed=1
            ),
            edges=None,
            pulse_s=0.005,
        )


@pytest.mark.parametrize("channel", [-1, 3])
def test_veto_of_a_channel_that_is_not_there_is_refused(channel: int) -> None:
    gates = GateRules(vetoes=(VetoRule(channel=channel, rms_uv=5.0),))
    with pytest.raises(ConfigError, match="shall veto"):
        program_of(rules=Rules(gates=gates))


def test_a_large_recursion_excuses_no_filter() -> None:
    large = integrating(1e9)
    system = dataclasses.replace(large.state_space, feedthrough=np.array([-2e9 + 0j]))
    leaking = fir_design(np.array([[1.0 + 0j, -0.99]]))
    design = dataclasses.replace(
        leaking, kernel=Kernel.FIR | Kernel.STATE_SPACE, state_space=system
    )
    with pytest.raises(ConfigError, match="lets direct current through"):
        program_of(design)


def test_the_first_estimate_is_not_turned_on_from_before_the_warm_up() -> None:
    """At 4 kHz the filter runs once in four samples: the window must be full then."""
    brief = dataclasses.replace(BRIEF, sfreq_hz=4000.0)
    taps = np.array([[1.0, -1j, 0.0, 0.0, 0.0, -1.0 + 1j]])
    design = Design(
        name="mine", brief=brief, kernel=Kernel.FIR, fir=taps, warm_up_s=6 / 4000.0
    )
    program = build_program(
        sfreq_hz=4000.0,
        mixing=np.ones((1, 1)),
        scale_uv=np.ones(1),
        design=design,
        rules=Rules(),
        limits=LIMITS,
        trials=make_trials(
            1, target_phase_rad=0.0, iti_s=1.0, iti_jitter_s=0.0, seed=1
        ),
        edges=None,
        pulse_s=0.005,
    )
    # What stands before the gap must not reach an estimate after it.
    raw = np.sin(np.arange(60.0))[:, np.newaxis].astype(np.float32)
    tapes = [regular_tape(before * raw, 4000.0) for before in (1.0, 9.0)]
    after = []
    for tape in tapes:
        tape.raw[30:] = raw[30:]
        tape.t_sample[30:] += 0.01
        tape.t_arrival[30:] += 0.01
        samples = run_virtual(
            program, new_memory(program, n_window=1), tape
        ).batch.samples[30:]
        after.append(samples[np.isfinite(samples["phase_rad"])])
    assert len(after[0]) > 15
    assert np.array_equal(after[0]["phase_rad"], after[1]["phase_rad"])
