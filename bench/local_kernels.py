"""Local parts: one fit and forecast, and a whole estimate, from the last seconds."""

import numpy as np

from bench.compiled_kernels import fit_and_forecast
from bench.rows import Bound, Row
from bench.scenes import alpha_brief
from bench.timing import seconds_each
from controller.estimators.offline import run_design
from controller.estimators.peap import Peap

_ORDER = 30
_N_FIT = 500
_N_AHEAD = 128
_SFREQ_HZ = 250.0


def local_rows(*, n_rounds: int) -> list[Row]:
    """Return what local parts take, in microseconds."""
    n_times = 200
    rng = np.random.default_rng(1)
    series = np.zeros(_N_FIT + _N_AHEAD)
    turn = 0.08 * np.pi * np.arange(_N_FIT)
    series[:_N_FIT] = 10.0 * np.cos(turn) + rng.standard_normal(_N_FIT)
    working = np.zeros((2, _N_FIT))
    coefficients = np.zeros(_ORDER)
    fit_s = seconds_each(
        lambda: fit_and_forecast(
            series, _N_FIT, coefficients, _N_AHEAD, working[0], working[1], n_times
        ),
        n_calls=1,
        n_rounds=n_rounds,
    )
    design = Peap().design(alpha_brief(_SFREQ_HZ))
    samples = 10.0 * np.cos(0.08 * np.pi * np.arange(2000))
    samples = (samples + rng.standard_normal(2000))[np.newaxis]
    estimate_s = seconds_each(
        lambda: run_design(design, samples), n_calls=1, n_rounds=n_rounds
    )
    return [
        Row(
            name="kernel.ar30_fit_forecast",
            value=1e6 * fit_s / n_times,
            unit="us",
            target=Bound("<=", 35.0),
            detail=f"Burg of order {_ORDER} on {_N_FIT} samples and {_N_AHEAD} ahead, "
            f"minimum of {n_rounds} rounds of {n_times}",
        ),
        Row(
            name="kernel.peap_estimate",
            value=1e6 * estimate_s / samples.shape[1],
            unit="us/sample",
            detail="PEAP of 2 s fitted at every sample of 250 Hz, likewise over "
            f"{samples.shape[1]} samples from a cold start",
        ),
    ]
