import dataclasses
import datetime as dt
import math

import pytest

from controller.calibration.fit import OLD_AFTER, ProfileMismatch, check_fits
from controller.errors import ConfigError

CREATED = dt.datetime(2026, 11, 22, 10, 3, 20, tzinfo=dt.UTC)


@pytest.fixture
def check(make_profile):
    profile = dataclasses.replace(make_profile(), version=3)

    def run(**other):
        given = {
            "participant": "P01",
            "sfreq_hz": 250.0,
            "labels": ("O2", "O1", "Fz"),
            "now": CREATED + dt.timedelta(days=7),
            "montage": {"O2": 0.5, "O1": 0.5, "Fz": 0.0},
            "band_name": "alpha",
            "estimator": "wiener",
            "horizon_s": 0.0126,
        }
        return check_fits(profile, **given | other)

    return run


def test_what_fits_fits_without_a_word(check):
    assert check() == ()
    nothing_asked = dict.fromkeys(("montage", "band_name", "estimator", "horizon_s"))
    assert check(**nothing_asked) == ()
    assert check(sfreq_hz=250.01) == ()


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"participant": "P02"}, "profile v0003 of P01 cannot be used for P02"),
        ({"sfreq_hz": 500.0}, "made at 250 Hz, but the stream runs at 500 Hz"),
        ({"sfreq_hz": 251.0}, "runs at 251 Hz"),
        ({"sfreq_hz": math.nan}, "runs at nan Hz"),
        ({"labels": ("O1", "Fz")}, "reads O2, which the stream does not have"),
        ({"montage": {"O1": 1.0}}, r"montage O1 \+0.5, O2 \+0.5, but .* O1 \+1;"),
        ({"montage": {"O1": 0.5, "O2": -0.5}}, r"O2 -0\.5"),
        ({"montage": {"O1": 0.5, "O2": math.nan}}, "O2 .nan"),
        ({"montage": {"O1": 0.5, "O2": 0.5, "Fz": 1e-5}}, "Fz"),
        ({"montage": {}}, "asks for nothing"),
        ({"band_name": "theta"}, "for the band 'alpha', but the session asks for 'the"),
        ({"estimator": "echt"}, "estimator 'wiener', but the session asks for 'echt'"),
        ({"horizon_s": 0.02}, r"12\.5 ms ahead, but .* add up to 20\.0 ms"),
        ({"horizon_s": math.nan}, "nan ms"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(check, other, words):
    with pytest.raises(ProfileMismatch, match=words) as caught:
        check(**other)
    assert isinstance(caught.value, ConfigError)
    assert str(caught.value).endswith(".")


def test_age_is_a_warning(check):
    assert check(now=CREATED + OLD_AFTER) == ()
    (warning,) = check(now=CREATED + OLD_AFTER + dt.timedelta(days=1))
    assert "is 91 days old; calibrate again if" in warning
    (warning,) = check(now=CREATED - dt.timedelta(hours=2))
    assert "is of the future, 2026-11-22 10:03 UTC" in warning
