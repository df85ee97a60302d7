import datetime as dt
import math

import numpy as np
import pytest

from controller.calibration.profile import profile_of
from controller.calibration.result import CalibrationResult, GateLevel
from controller.calibration.spatial_filter import weighted
from controller.estimators.rhythm import find_rhythm

CREATED = dt.datetime(2026, 11, 22, 10, 3, 20, tzinfo=dt.UTC)
SFREQ_HZ = 250.0


def noise(rng, shape, exponent=1.0):
    """Make 1/f^exponent noise of SD 1 along the last axis."""
    n_samples = shape[-1]
    lines = rng.standard_normal((*shape[:-1], n_samples // 2 + 1, 2)) @ [1.0, 1j]
    lines[..., 0] = 0.0
    lines[..., 1:] /= np.arange(1, n_samples // 2 + 1) ** (exponent / 2.0)
    made = np.fft.irfft(lines, n_samples)
    return made / made.std(axis=-1, keepdims=True)


def level(percentile=60.0, circ_sd_deg=21.0, triggers_per_minute=18.0, **other):
    given = {
        "percentile": percentile,
        "threshold_uv": 8.0 + percentile / 10.0,
        "circ_sd_rad": math.radians(circ_sd_deg),
        "bias_rad": math.radians(-1.5),
        "within_45": 0.93,
        "triggers_per_minute": triggers_per_minute,
        "n_triggers": 54,
    }
    return GateLevel(**given | other)


@pytest.fixture(scope="session")
def rhythm():
    rng = np.random.default_rng(4)
    at = np.arange(round(30 * SFREQ_HZ)) / SFREQ_HZ
    rest = 8.0 * np.cos(2 * np.pi * 10.2 * at) + 4.0 * noise(rng, at.shape)
    return find_rhythm(rest, SFREQ_HZ, "alpha")


@pytest.fixture
def make_result(rhythm):
    def make(**other):
        labels = ("O1", "Oz", "O2", "Cz", "Weird")
        given = {
            "participant": "P01",
            "source_name": "amplifier",
            "source_sha256": "0f" * 32,
            "sfreq_hz": SFREQ_HZ,
            "labels": labels,
            "rhythm": rhythm,
            "spatial_filter": weighted(labels, {"O1": 0.5, "O2": 0.5}),
            "bad_channels": (),
            "rest_used_s": 110.0,
            "rest_recorded_s": 120.0,
            "estimator": "wiener",
            "horizon_s": 0.0125,
            "levels": (level(0.0, 42.0, 38.0), level(), level(80.0, 15.0, 9.0)),
            "recommended": 1,
            "errors_all_rad": np.linspace(-2.0, 2.0, 200),
            "errors_gated_rad": np.linspace(-0.6, 0.5, 50),
            "more_rest_gain_deg": 1.2,
        }
        return CalibrationResult(**given | other)

    return make


@pytest.fixture
def make_profile(make_result):
    def make(*, created=CREATED, arrays=None, settings=None, **other):
        if arrays is None:
            arrays = {"fir": np.arange(6).reshape(1, 6) * (1 - 0.5j)}
        return profile_of(
            make_result(**other),
            created=created,
            code_version="0.1.0",
            arrays=arrays,
            estimator_settings={"ar_order": 20} if settings is None else settings,
        )

    return make
