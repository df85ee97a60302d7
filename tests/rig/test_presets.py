"""Every simulated preset: calibrate on its own rest, close the loop, hit the phase."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from controller.config import Config, SyntheticSource, load_config
from controller.core.memory import new_memory
from controller.core.reasons import Fault
from controller.engine.virtual import regular_tape, run_virtual
from controller.errors import ConfigError, RhythmTooWeak
from controller.estimators.rhythm import SEARCH_HZ
from controller.kernels.circular import circular_mean, resultant_length, wrap_phase
from controller.kernels.jit import Float64Array
from controller.rig import stages
from controller.rig.calibrate.calibration import calibrate_rest
from controller.rig.calibrate.design import Calibration, calibrate, check_rest
from controller.rig.calibrate.rest import rest_of
from controller.rig.calibrate.rest_recording import RestRecording
from controller.rig.programs.program import amplitude_window, build_program, make_trials
from controller.rig.programs.translate import horizon_s, rules_of
from controller.safety.interlock import Permit, Refusal
from controller.session.summary import phase_errors_rad
from controller.sources.description import StreamDescription
from controller.sources.montage import mixing_matrix
from controller.sources.synthetic.signal import SyntheticParticipant, Truth
from controller.sources.timing import judge_timing
from drivers.base import TriggerEdges, WireAction

CONFIGS = Path(__file__).parents[2] / "configs"
SHIPPED = {path.stem: load_config(path) for path in sorted(CONFIGS.glob("*.toml"))}
SIMULATED = [
    name
    for name, config in SHIPPED.items()
    if isinstance(config.source, SyntheticSource)
    # This one is there to try protocols, with the estimator that takes the least time.
    and name != "mu-protocols-simulated"
]
LOOP_S = 60.0
DATA_AGE_S = 0.002
NOWHERE = TriggerEdges(
    rise=WireAction(kind="write", descriptor=3, payload=b"\1"), fall=None
)

# With the shipped seeds the vectors are 0.90 (beta) to 0.97 long.
LEAST_RESULTANT = {"beta-c3": 0.75}
USUAL_RESULTANT = 0.8


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a preset's loop did in virtual time."""

    calibration: Calibration
    fault: Fault
    t_edge_s: Float64Array
    error_rad: Float64Array
    amplitude_ratio: float


def true_rhythm(config: Config, truth: Truth) -> tuple[Float64Array, Float64Array]:
    """Return phase and amplitude of the rhythm that the preset follows."""
    band = config.rhythm.band
    name = band if band in ("alpha", "theta") else "rhythm"
    phase: Float64Array = getattr(truth, f"{name}_phase_rad")
    amplitude: Float64Array = getattr(truth, f"{name}_amplitude_uv")
    return np.unwrap(phase), amplitude


def stream_of(source: SyntheticSource) -> StreamDescription:
    n_channels = len(source.channels)
    return StreamDescription(
        name="simulated",
        type="EEG",
        source_id="",
        hostname="",
        sfreq_hz=source.sfreq_hz,
        channel_format="float32",
        labels=source.channels,
        channel_types=("EEG",) * n_channels,
        units=("microvolts",) * n_channels,
        scale_uv=np.ones(n_channels),
    )


def outcome_of(config: Config) -> Outcome:
    """Calibrate on the participant's rest and close the loop over the next minute."""
    source: Any = config.source
    stream, sfreq_hz = stream_of(source), source.sfreq_hz
    rest_s = config.run.rest_s
    block = SyntheticParticipant(source).read(round((rest_s + LOOP_S) * sfreq_hz))
    tape = regular_tape(block.samples, sfreq_hz, data_age_s=DATA_AGE_S)
    n_rest = round(rest_s * sfreq_hz)
    tape.permits[:n_rest] = int(Permit.NONE)
    timing = judge_timing(tape.t_sample, tape.t_arrival, sfreq_hz)
    mixing = mixing_matrix(config.montage, stream)
    calibration = calibrate(
        config,
        check_rest(config),
        rest_of(tape.t_sample[:n_rest], block.samples[:n_rest], mixing, sfreq_hz),
        sfreq_hz=sfreq_hz,
        horizon_s=horizon_s(config, timing),
    )
    rules = rules_of(config, timing)
    target_rad = math.radians(config.target.phase_deg)
    program = build_program(
        sfreq_hz=sfreq_hz,
        mixing=calibration.mixing,
        scale_uv=stream.scale_uv,
        design=calibration.design,
        rules=rules,
        limits=config.limits.to_limits(),
        trials=make_trials(
            config.limits.max_pulses,
            target_phase_rad=target_rad,
            iti_s=config.timing.iti_s,
            iti_jitter_s=config.timing.iti_jitter_s,
            seed=config.timing.seed,
        ),
        edges=NOWHERE,
        pulse_s=config.output.pulse_ms / 1e3,
    )
    memory = new_memory(program, n_window=amplitude_window(rules))
    ran = run_virtual(program, memory, tape)
    edges = ran.batch.edges
    fired = edges[(edges["rises"] == 1) & (edges["refusal"] == Refusal.NONE)]
    phase, amplitude = true_rhythm(config, block.truth)
    t = tape.t_sample
    at_edges = np.interp(fired["t_due"], t, amplitude)
    return Outcome(
        calibration=calibration,
        fault=ran.fault,
        t_edge_s=np.asarray(fired["t_due"] - t[n_rest]),
        error_rad=wrap_phase(np.interp(fired["t_due"], t, phase) - target_rad),
        amplitude_ratio=float(at_edges.mean() / amplitude.mean()),
    )


def test_every_band_has_a_simulated_preset() -> None:
    bands = {SHIPPED[name].rhythm.band for name in SIMULATED}
    assert bands == set(SEARCH_HZ)


@pytest.mark.parametrize("name", SIMULATED)
def test_preset_can_be_begun(name: str) -> None:
    config = SHIPPED[name]
    assert check_rest(config).needs_rest
    # Less leaves no part of the rest to say beforehand how accurate it will be.
    assert config.run.rest_s >= 30.0


@pytest.mark.parametrize("name", SIMULATED)
def test_third_rhythm_of_a_preset_is_the_one_it_follows(name: str) -> None:
    config: Any = SHIPPED[name]
    low_hz, high_hz = config.rhythm.search_hz or SEARCH_HZ[config.rhythm.band]
    source = config.source
    followed = {"alpha": source.alpha_hz, "theta": source.theta_hz}
    frequency_hz = followed.get(config.rhythm.band, source.rhythm_hz)
    assert low_hz < frequency_hz < high_hz


@pytest.mark.slow
@pytest.mark.parametrize("name", SIMULATED)
def test_preset_fires_at_its_phase(name: str) -> None:
    config: Any = SHIPPED[name]
    outcome = outcome_of(config)
    assert outcome.fault is Fault.END_OF_TAPE
    n_most = LOOP_S / config.timing.iti_s
    assert len(outcome.t_edge_s) >= 0.5 * n_most
    assert outcome.t_edge_s.min() >= 0.0
    intervals_s = np.diff(outcome.t_edge_s)
    assert intervals_s.min() >= config.limits.min_interval_s
    least = LEAST_RESULTANT.get(name, USUAL_RESULTANT)
    assert resultant_length(outcome.error_rad) > least
    # The rhythm's own truth and the filtered one differ by some degrees.
    assert abs(circular_mean(outcome.error_rad)) < math.radians(30.0)
    # The gate prefers what is strong.
    assert outcome.amplitude_ratio > 1.02
    assert outcome.calibration.expected_sd_deg is not None
    assert outcome.calibration.expected_sd_deg < 40.0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["iir", "echt"])
@pytest.mark.parametrize("name", ["beta-c3", "slow-oscillation"])
def test_fastest_and_slowest_rhythm_suit_generic_estimators(
    name: str, kind: str
) -> None:
    config = SHIPPED[name]
    estimator = config.estimator.model_copy(update={"kind": kind})
    outcome = outcome_of(config.model_copy(update={"estimator": estimator}))
    assert len(outcome.t_edge_s) >= 5
    assert resultant_length(outcome.error_rad) > 0.7


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name for name in SIMULATED if SHIPPED[name].rhythm.frequency_hz is None]
)
def test_preset_finds_no_rhythm_where_there_is_none(name: str) -> None:
    config: Any = SHIPPED[name]
    without = {"alpha": {"alpha_uv": 0.0}, "theta": {"theta_uv": 0.0}}
    change = without.get(
        config.rhythm.band,
        {"rhythm_hz": None, "rhythm_uv": None, "rhythm_at": None, "alpha_uv": 0.0},
    )
    source = config.source.model_copy(update=change)
    with pytest.raises(RhythmTooWeak, match=f"{config.rhythm.band} peak between"):
        outcome_of(config.model_copy(update={"source": source}))


def test_slow_rhythm_without_its_frequency_is_refused_before_the_rest() -> None:
    config = SHIPPED["slow-oscillation"]
    rhythm = config.rhythm.model_copy(update={"frequency_hz": None})
    with pytest.raises(ConfigError, match=r"give rhythm\.frequency_hz"):
        check_rest(config.model_copy(update={"rhythm": rhythm}))


@pytest.mark.slow
def test_slow_rhythm_can_be_calibrated_beforehand() -> None:
    config: Any = SHIPPED["slow-oscillation"]
    stream = stream_of(config.source)
    block = SyntheticParticipant(config.source).read(round(120.0 * stream.sfreq_hz))
    tape = regular_tape(block.samples, stream.sfreq_hz, data_age_s=DATA_AGE_S)
    recording = RestRecording(
        name="simulated",
        stream=stream,
        t_sample=tape.t_sample,
        raw=tape.raw,
        timing=judge_timing(tape.t_sample, tape.t_arrival, stream.sfreq_hz),
    )
    result = calibrate_rest(config, recording, lambda _done, _words: None).result
    assert result.rhythm.frequency_hz == config.rhythm.frequency_hz
    assert result.level.circ_sd_rad < math.radians(30.0)


@pytest.mark.lsl
@pytest.mark.slow
def test_mu_preset_runs_as_a_session(run_day) -> None:
    text = (CONFIGS / "mu-c3.toml").read_text(encoding="utf-8")
    for key, seconds in (("rest_s", 15), ("duration_s", 20)):
        before = next(line for line in text.splitlines() if line.startswith(key))
        text = text.replace(before, f"{key} = {seconds}")
    day = run_day(text, settle_s=stages.SETTLE_S)
    assert day.finished.error is None
    assert day.finished.exit_code == 0
    day.assert_complete()
    day.assert_every_trigger_arrived()
    day.assert_line_low()
    assert len(day.t_fired) >= 4
    assert np.all(np.diff(day.t_fired) >= 1.9)
    errors_rad = phase_errors_rad(day.session.pulses)
    assert resultant_length(errors_rad) > 0.8
    assert "Rhythm at 1" in " ".join(day.operator.notes)
