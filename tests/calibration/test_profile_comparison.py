import dataclasses
import datetime as dt
import math

import pytest

from controller.calibration.compare import compare_profiles, weight_correlation
from controller.errors import ConfigError


def test_the_same_calibration_has_not_changed(make_profile):
    before = make_profile()
    after = dataclasses.replace(before, created=before.created + dt.timedelta(days=9))
    told = compare_profiles(before, after)
    assert [row.name for row in told.rows] == [
        "individual frequency",
        "SNR",
        "expected circular SD",
        "triggers per minute",
        "spatial filter",
    ]
    assert not any(row.notable for row in told.rows)
    assert told.sentence == (
        "Nothing changed by more than two calibrations, here 9 days apart, differ by "
        "chance."
    )


@pytest.mark.parametrize(
    ("change", "name", "shown"),
    [
        ({"frequency_hz": 11.0}, "individual frequency", "+0.79 Hz"),
        ({"snr_db": 1.0}, "SNR", " dB"),
        ({"montage": {"O1": 0.5, "C3": 0.9}}, "spatial filter", "r = 0.34"),
        ({"recommended": 0}, "expected circular SD", "+21.0 deg"),
    ],
)
def test_more_than_chance_is_said(make_profile, change, name, shown):
    before = make_profile()
    told = compare_profiles(before, dataclasses.replace(before, **change))
    (row,) = [row for row in told.rows if row.notable]
    assert row.name == name
    assert shown in row.change
    assert told.sentence.startswith("More than two calibrations, here 0 days apart")
    assert f"{name} ({row.before} to {row.after})" in told.sentence


def test_little_is_not_notable(make_profile):
    before = make_profile()
    after = dataclasses.replace(
        before, frequency_hz=before.frequency_hz - 0.3, snr_db=before.snr_db + 3.0
    )
    assert not any(row.notable for row in compare_profiles(before, after).rows)


def test_a_lost_direction_is_notable(make_profile):
    before = make_profile()
    scattered = dataclasses.replace(before.level, circ_sd_rad=math.inf)
    after = dataclasses.replace(
        before, levels=(before.levels[0], scattered, before.levels[2])
    )
    row = compare_profiles(before, after).rows[2]
    assert (row.before, row.after, row.notable) == ("21.0 deg", "none", True)
    assert not compare_profiles(after, after).rows[2].notable


def test_the_sign_of_a_montage_is_not_a_change_of_place(make_profile):
    before = make_profile()
    after = dataclasses.replace(before, montage={"O1": -2.0, "O2": -2.0})
    assert weight_correlation(before, after) == pytest.approx(-1.0)
    assert not compare_profiles(before, after).rows[4].notable


@pytest.mark.parametrize("change", [{"participant": "P02"}, {"band_name": "theta"}])
def test_strangers_are_not_compared(make_profile, change):
    before = make_profile()
    with pytest.raises(ConfigError, match="cannot be compared"):
        compare_profiles(before, dataclasses.replace(before, **change))
