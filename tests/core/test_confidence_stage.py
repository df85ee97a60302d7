"""The loop's own view of how sure it is, beside a plain twin."""

import dataclasses
import math

import numpy as np
import pytest
from scenario import brief_of, iir_design, program_of

from controller.core.memory import new_memory
from controller.engine.virtual import regular_tape, run_virtual
from controller.estimators.confidence import (
    Confidence,
    circular_sd_of,
    slow_amplitude,
    within,
)

SURE = Confidence(
    constant=-1.0,
    exponent=1.2,
    slow_exponent=-0.3,
    tolerance_rad=math.radians(45.0),
)


def samples_of(confidence, raw, sfreq_hz=1000.0):
    design = dataclasses.replace(
        iir_design(brief_of(0.004, 10.0, sfreq_hz)), confidence=confidence
    )
    program = program_of(design)
    memory = new_memory(program, n_window=1)
    run = run_virtual(program, memory, regular_tape(raw, sfreq_hz))
    return run.batch.samples, memory


def rhythm(n=6000, seed=4):
    t = np.arange(n) / 1000.0
    envelope = 8.0 * (1.2 + np.sin(2 * np.pi * 0.4 * t))
    noise = np.random.default_rng(seed).standard_normal(n)
    return (envelope * np.cos(2 * np.pi * 10.0 * t) + noise).astype(np.float32)[:, None]


def test_every_sample_says_what_the_twin_says():
    samples, _ = samples_of(SURE, rhythm())
    amplitude_uv = np.asarray(samples["amplitude_uv"])
    slow_uv = slow_amplitude(amplitude_uv, 1000.0)
    known = np.isfinite(amplitude_uv)
    assert known.sum() > 4000
    kappa = np.exp(SURE.log_kappa(amplitude_uv[known], slow_uv[known]))
    np.testing.assert_allclose(
        samples["sd_rad"][known], circular_sd_of(kappa), rtol=2e-3
    )
    np.testing.assert_allclose(
        samples["p_within"][known], within(kappa, SURE.tolerance_rad), atol=2e-3
    )
    assert np.isnan(samples["sd_rad"][~known]).all()


def test_without_a_model_nobody_knows():
    samples, _ = samples_of(None, rhythm(2000))
    assert np.isnan(samples["sd_rad"]).all()
    assert np.isnan(samples["p_within"]).all()


def test_a_gap_makes_the_slow_amplitude_begin_anew():
    raw = rhythm(4000)
    design = dataclasses.replace(iir_design(brief_of(0.004, 10.0)), confidence=SURE)
    program = program_of(design)
    tape = regular_tape(raw, 1000.0)
    tape.t_sample[2000:] += 0.2
    tape.t_arrival[2000:] += 0.2
    run = run_virtual(program, new_memory(program, n_window=1), tape)
    samples = run.batch.samples
    known = np.flatnonzero(np.isfinite(samples["sd_rad"]))
    first_after = int(known[known >= 2000][0])
    amplitude_uv = float(samples["amplitude_uv"][first_after])
    kappa = np.exp(SURE.log_kappa(np.array([amplitude_uv]), np.array([amplitude_uv])))
    assert samples["sd_rad"][first_after] == pytest.approx(
        float(circular_sd_of(kappa)[0]), rel=2e-3
    )


@pytest.mark.parametrize(("constant", "share"), [(-60.0, 0.25), (60.0, 1.0)])
def test_beyond_the_table_its_ends_hold(constant, share):
    extreme = dataclasses.replace(SURE, constant=constant)
    samples, _ = samples_of(extreme, rhythm(2000))
    assert samples["p_within"][-1] == pytest.approx(share, abs=0.01)


def test_split_anywhere_it_stays_the_same():
    raw = rhythm(3000)
    design = dataclasses.replace(iir_design(brief_of(0.004, 10.0)), confidence=SURE)
    program = program_of(design)
    whole, _ = samples_of(SURE, raw)
    memory = new_memory(program, n_window=1)
    run = run_virtual(program, memory, regular_tape(raw, 1000.0), slice_samples=337)
    np.testing.assert_array_equal(run.batch.samples["sd_rad"], whole["sd_rad"])
