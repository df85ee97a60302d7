import numpy as np
import pytest
from bad_days import config_of

from controller.core.memory import new_memory
from controller.core.records import SAMPLE
from controller.engine.telemetry import Batch
from controller.errors import EXIT_INTERRUPTED, SignalFault
from controller.estimators.base import Brief, Design
from controller.estimators.iir import CausalQuadrature
from controller.kernels.jit import new_records
from controller.rig.calibrate.design import Calibration
from controller.rig.calibrate.promise import Promise
from controller.rig.programs.program import Rules, build_program, make_trials
from controller.rig.records import (
    SessionOutcome,
    as_tape,
    design_arrays,
    recorded_stream,
    session_facts,
)
from controller.sources.description import StreamDescription

BRIEF = Brief(sfreq_hz=250.0, frequency_hz=10.0, band_hz=(8.0, 12.0), horizon_s=0.005)


def iir() -> Design:
    return CausalQuadrature().design(BRIEF)


def outcome_of_a_loop() -> SessionOutcome:
    config = config_of()
    program = build_program(
        sfreq_hz=250.0,
        mixing=np.ones((1, 1)),
        scale_uv=np.ones(1),
        design=None,
        rules=Rules(),
        limits=config.limits.to_limits(),
        trials=make_trials(
            1, target_phase_rad=0.0, iti_s=1.0, iti_jitter_s=0.0, seed=1
        ),
        edges=None,
        pulse_s=0.005,
    )
    memory = new_memory(program, n_window=1)
    memory.now.n_samples, memory.now.n_lost, memory.now.n_gaps = 900, 7, 2
    return SessionOutcome(
        memory=memory,
        calibration=Calibration(
            design=iir(),
            mixing=np.ones((1, 1)),
            snr_db=12.0,
            promise=Promise(
                sd_deg=20.0, bias_deg=-1.0, within_45=0.97, per_minute=18.0, n=54
            ),
            profile_name="profile v0002 of P07",
        ),
        loop_s=3.5,
    )


def test_session_that_never_began_has_facts() -> None:
    facts = session_facts(config_of(), SessionOutcome(), None)
    assert (facts.n_received, facts.n_lost, facts.n_gaps) == (0, 0, 0)
    assert facts.privileges == {}
    assert facts.rhythm == {"band": "alpha"}
    assert (facts.exit_code, facts.exit_reason) == (0, "as planned")


def test_facts_of_a_session_that_ran() -> None:
    facts = session_facts(
        config_of(target={"phase_deg": 180}, run={"participant": "P07"}),
        outcome_of_a_loop(),
        None,
    )
    assert (facts.n_received, facts.n_lost, facts.n_gaps) == (900, 7, 2)
    assert facts.duration_s == 3.5
    assert facts.participant == "P07"
    assert facts.target_phase_deg == 180.0
    assert facts.estimator == "iir"
    assert facts.rhythm == {
        "band": "alpha",
        "frequency_hz": 10.0,
        "band_hz": [8.0, 12.0],
        "snr_db": 12.0,
        "expected_sd_deg": 20.0,
        "expected_bias_deg": -1.0,
        "expected_within_45": 0.97,
        "expected_per_minute": 18.0,
        "expected_n": 54,
        "profile": "profile v0002 of P07",
        "horizon_ms": 5.0,
    }


def test_error_outranks_the_operator() -> None:
    outcome = SessionOutcome(interrupted=True)
    facts = session_facts(config_of(), outcome, None)
    assert facts.exit_code == EXIT_INTERRUPTED
    assert facts.exit_reason == "interrupted by the operator"
    facts = session_facts(config_of(), outcome, SignalFault("Flat."))
    assert (facts.exit_code, facts.exit_reason) == (SignalFault.exit_code, "Flat.")


def test_design_is_kept_whole() -> None:
    design = iir()
    arrays = design_arrays(
        design, np.ones((1, 3)), Rules(output_latency_s=0.002, lock_s=0.004)
    )
    assert arrays["output_latency_s"] == 0.002
    assert arrays["lock_s"] == 0.004
    assert arrays["horizon_s"] == BRIEF.horizon_s
    assert arrays["band_hz"] == BRIEF.band_hz
    assert arrays["warm_up_s"] == design.warm_up_s
    assert design.state_space is not None
    np.testing.assert_array_equal(arrays["transition"], design.state_space.transition)
    np.testing.assert_array_equal(arrays["readout"], design.state_space.readout)
    assert "fir" not in arrays


def test_recorded_samples_become_a_tape_that_permits_nothing() -> None:
    samples = new_records(SAMPLE, 4)
    samples.t_sample = np.arange(1.0, 5.0)
    samples.t_arrival = samples.t_sample + 0.25
    samples.permits = 7
    raw = np.asfortranarray(np.arange(8, dtype=np.float32).reshape(4, 2))
    tape = as_tape(Batch(samples=samples, raw=raw, decisions=None, edges=None))
    assert tape.permits.tolist() == [0, 0, 0, 0]
    assert tape.t_arrival.tolist() == [1.25, 2.25, 3.25, 4.25]
    np.testing.assert_array_equal(tape.raw, raw)
    assert tape.edges is None


@pytest.mark.parametrize("unit", ["microvolts", None])
def test_stream_is_described_for_the_recording(unit: str | None) -> None:
    stream = StreamDescription(
        name="amplifier",
        type="EEG",
        source_id="42",
        hostname="here",
        sfreq_hz=1000.0,
        channel_format="float32",
        labels=("O1", "stim"),
        channel_types=("EEG", "TRIG"),
        units=("microvolts", unit),
        scale_uv=np.array([1.0, np.nan]),
    )
    recorded = recorded_stream(stream)
    assert recorded.labels == ("O1", "stim")
    assert recorded.channels[1].unit == (unit or "")
    assert recorded.channels[1].kind == "TRIG"
    assert (recorded.name, recorded.kind, recorded.source_id) == (
        "amplifier",
        "EEG",
        "42",
    )
