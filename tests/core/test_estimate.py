import math

import numpy as np
import pytest
from scenario import (
    SFREQ_HZ,
    brief_of,
    cosine,
    fir_design,
    iir_design,
    memory_of,
    program_of,
    vector_program,
)

from controller.core.reasons import Artifact, HoldReason
from controller.engine.virtual import Tape, regular_tape, run_virtual
from controller.estimators.offline import run_design
from controller.rig.programs.program import Rules
from controller.safety.interlock import Refusal

DESIGNS = pytest.mark.parametrize(
    "design", [fir_design(brief_of()), iir_design(brief_of())], ids=["fir", "iir"]
)


def run(program, raw, **options):
    tape = regular_tape(raw, SFREQ_HZ, data_age_s=2e-4, **options)
    return run_virtual(program, memory_of(program), tape)


@DESIGNS
def test_estimate_is_that_of_the_design_run_offline(design):
    raw = cosine(3.0, noise_uv=6.0)
    samples = run(program_of(design), raw).batch.samples
    exact = raw.astype(np.float64)
    wanted = run_design(design, (exact - exact[0]).T)
    valid = np.isfinite(samples["phase_rad"])
    # The twin filters by FFT: ten digits of some tens of microvolts.
    np.testing.assert_allclose(
        samples["amplitude_uv"][valid], np.abs(wanted)[valid], atol=1e-9
    )
    away = np.angle(np.exp(1j * (samples["phase_rad"] - np.angle(wanted))[valid]))
    assert np.abs(away).max() < 1e-8


@DESIGNS
def test_the_first_trusted_sample_is_the_last_of_the_warm_up(design):
    samples = run(program_of(design), cosine(2.0)).batch.samples
    n_warm = math.ceil(design.warm_up_s * SFREQ_HZ)
    assert np.flatnonzero(np.isfinite(samples["phase_rad"]))[0] == n_warm - 1
    assert np.isfinite(samples["phase_rad"][n_warm - 1 :]).all()


@DESIGNS
@pytest.mark.parametrize("offset_uv", [-40e3, 5e3])
def test_an_electrodes_offset_leaves_the_phase_alone(design, offset_uv):
    raw = cosine(4.0)
    program = program_of(design)
    plain = run(program, raw).batch.samples[-500:]
    shifted = run(program, raw + np.float32(offset_uv)).batch.samples[-500:]
    away = np.angle(np.exp(1j * (plain["phase_rad"] - shifted["phase_rad"])))
    # float32 resolves 40 mV to 4 nV.
    assert np.abs(away).max() < 1e-3


@DESIGNS
def test_after_a_gap_the_estimator_fills_up_anew(design):
    program = program_of(design)
    raw = cosine(5.0)
    kept = np.ones(5000, bool)
    kept[3000:3003] = False
    whole = regular_tape(raw, SFREQ_HZ)
    tape = Tape(
        t_sample=whole.t_sample[kept],
        t_arrival=whole.t_arrival[kept],
        permits=whole.permits[kept],
        raw=raw[kept],
    )
    result = run_virtual(program, memory_of(program), tape)
    known = np.isfinite(result.batch.samples["phase_rad"])
    n_warm = math.ceil(design.warm_up_s * SFREQ_HZ)
    assert known[2999]
    assert not known[3000 : 3000 + n_warm - 1].any()
    assert known[3000 + n_warm - 1 :].all()
    assert (result.memory.now.n_gaps[0], result.memory.now.n_lost[0]) == (1, 3)


@DESIGNS
def test_one_sample_that_is_no_number_does_not_stay(design):
    raw = cosine(5.0)
    raw[2000] = math.nan
    samples = run(program_of(design), raw).batch.samples
    assert samples["artifacts"][2000] == Artifact.NON_FINITE
    assert not samples["artifacts"][2001:].any()
    last = samples[-200:]
    turn = 2.0 * np.pi * 10.0 * (last["t_sample"] + 0.004)
    assert np.abs(np.angle(np.exp(1j * (last["phase_rad"] - turn)))).max() < 0.02


def test_a_stream_that_begins_with_no_number_starts_with_the_first_one():
    raw = cosine(3.0) + np.float32(30e3)
    raw[:7] = math.nan
    program = program_of("fir")
    samples = run(program, raw).batch.samples
    first = np.flatnonzero(np.isfinite(samples["phase_rad"]))[0]
    assert first == 7 + 255
    assert samples["amplitude_uv"][first] == pytest.approx(10.0, abs=0.1)


class TestRefractory:
    REFRACTORY_S = 0.15

    def fired(self, spoil_uv=0.0, warm_up_samples=20):
        """Return a run whose second second has a pulse, and what followed."""
        program = vector_program(
            rules=Rules(
                refractory_s=self.REFRACTORY_S,
                artifact_amplitude_uv=math.inf,
                artifact_gradient_uv_per_s=math.inf,
            ),
            warm_up_samples=warm_up_samples,
            iti_s=0.6,
        )
        turn = 2.0 * np.pi * 10.0 * np.arange(2000) / SFREQ_HZ
        raw = 10.0 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        raw[0] = 0.0
        tape = regular_tape(raw.astype(np.float32), SFREQ_HZ, data_age_s=2e-4)
        first = run_virtual(program, memory_of(program), tape)
        t_edge = first.batch.edges["t_due"][0]
        blind = (tape.t_sample >= t_edge) & (tape.t_sample < t_edge + self.REFRACTORY_S)
        spoiled = tape.raw.copy()
        spoiled[blind] += np.float32(spoil_uv)
        again = run_virtual(
            program,
            memory_of(program),
            Tape(
                t_sample=tape.t_sample,
                t_arrival=tape.t_arrival,
                permits=tape.permits,
                raw=spoiled,
            ),
        )
        return again, blind

    def test_samples_after_a_pulse_are_not_used_and_the_estimator_refills(self):
        result, blind = self.fired()
        known = np.isfinite(result.batch.samples["phase_rad"])
        places = np.flatnonzero(blind)
        assert len(places) == pytest.approx(150, abs=1)
        assert known[places[0] - 1]
        assert not known[blind].any()
        after = places[-1] + 1
        assert not known[after : after + 19].any()
        assert known[after + 19]

    def test_what_a_pulse_leaves_in_the_data_reaches_no_phase(self):
        quiet, _ = self.fired()
        spoiled, blind = self.fired(spoil_uv=5e3)
        for name in ("phase_rad", "amplitude_uv"):
            assert np.array_equal(
                quiet.batch.samples[name], spoiled.batch.samples[name], equal_nan=True
            )
        assert blind.any()

    def test_refractory_time_is_recorded_by_its_name(self):
        result, blind = self.fired()
        held = result.batch.decisions
        held = held[held["holds"] == int(HoldReason.REFRACTORY)]
        assert len(held) >= 2
        assert np.isnan(held["t_due"]).all()
        assert blind[held["n_samples"][0] - 1]
        rises = result.batch.edges[result.batch.edges["rises"] == 1]
        assert (rises["refusal"] == Refusal.NONE).all()
        assert (np.diff(rises["t_fired"]) >= 0.6 - 1e-9).all()


@pytest.mark.parametrize("value", [math.inf, 1e200])
def test_an_estimate_that_has_run_away_has_no_phase(value):
    """Infinity has one, and would pass every gate on amplitude."""
    program = vector_program()
    program.fir_re[0, 0] = value
    raw = np.zeros((1000, 2), np.float32)
    raw[1:] = cosine(0.999, n_channels=2)
    run_ = run(program, raw)
    assert np.isnan(run_.batch.samples["phase_rad"][1:]).all()
    assert np.isnan(run_.batch.samples["amplitude_uv"][1:]).all()
    assert len(run_.calls) == 0
