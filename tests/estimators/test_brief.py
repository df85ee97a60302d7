import numpy as np
import pytest

from controller.errors import ConfigError
from controller.estimators.base import Brief


def brief(**changes):
    settings = {
        "sfreq_hz": 250.0,
        "frequency_hz": 10.0,
        "band_hz": (8.0, 12.0),
        "horizon_s": 0.01,
    }
    return Brief(**{**settings, **changes})


def test_horizon_of_zero_is_allowed():
    assert brief(horizon_s=0.0).horizon_s == 0.0


@pytest.mark.parametrize("horizon_s", [-1e-9, np.nan, np.inf])
def test_impossible_horizons_are_refused(horizon_s):
    with pytest.raises(ConfigError, match="horizon"):
        brief(horizon_s=horizon_s)


@pytest.mark.parametrize(
    "changes",
    [
        {"frequency_hz": 8.0},
        {"frequency_hz": 12.0},
        {"frequency_hz": np.nan},
        {"band_hz": (0.0, 12.0)},
        {"band_hz": (np.nan, 12.0)},
        {"band_hz": (8.0, np.nan)},
        {"sfreq_hz": 24.0},
        {"sfreq_hz": 0.0},
        {"sfreq_hz": np.nan},
        {"sfreq_hz": np.inf},
    ],
)
def test_rhythms_that_cannot_be_followed_are_refused(changes):
    with pytest.raises(ConfigError, match="cannot be followed"):
        brief(**changes)
