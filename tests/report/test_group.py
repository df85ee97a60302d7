import datetime as dt
import math

import numpy as np
import pytest
from made_session import Recipe, make_session

from controller.report.group import (
    Member,
    drift_rows,
    drifts_of,
    group_sentence,
    in_order,
    member_of,
    member_rows,
    slope_of,
)
from controller.report.group_page import group_page
from controller.report.page import report_of
from controller.session.load import load_session


def member(k, **changed):
    told = {
        "folder": f"2031050{k}T070809Z_p01",
        "participant": "p01",
        "started": dt.datetime(2031, 5, k, tzinfo=dt.UTC),
        "is_blind": False,
        "n_fired": 40,
        "n_planned": 41,
        "n_scored": 39,
        "source": "whole",
        "mean_deg": 2.0,
        "sd_deg": 20.0,
        "within_45": 0.97,
        "frequency_hz": 10.0,
        "snr_db": 9.0,
        "per_minute": 20.0,
        "refused_share": 0.02,
        "criteria": "pass",
    }
    return Member(**{**told, **changed})


def slow_slope(x, y):
    """Slope by the textbook's sums, and its standard error."""
    n, mx, my = len(x), sum(x) / len(x), sum(y) / len(y)
    sxx = sum((a - mx) ** 2 for a in x)
    slope = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True)) / sxx
    left = sum((b - my - slope * (a - mx)) ** 2 for a, b in zip(x, y, strict=True))
    return slope, math.sqrt(left / (n - 2) / sxx)


def test_slope_is_the_textbooks():
    rng = np.random.default_rng(1)
    x = np.arange(7.0)
    y = 0.3 * x + rng.normal(0, 0.4, 7)
    slope, half = slope_of(x, y)
    expected, error = slow_slope(x.tolist(), y.tolist())
    assert slope == pytest.approx(expected)
    assert half == pytest.approx(2.5705818 * error)  # Student's t, 5 degrees of freedom


def test_a_rhythm_that_slows_down_is_told():
    rng = np.random.default_rng(2)
    members = [
        member(
            k,
            frequency_hz=10.5 - 0.2 * k + rng.normal(0, 0.03),
            sd_deg=20 + rng.normal(),
        )
        for k in range(1, 8)
    ]
    by_name = {drift.name: drift for drift in drifts_of(members)}
    slow = by_name["individual frequency"]
    assert slow.is_more_than_chance
    assert slow.slope == pytest.approx(-0.2, abs=0.03)
    assert not by_name["circular SD"].is_more_than_chance
    row = next(row for row in drift_rows(drifts_of(members)) if row[0] == slow.name)
    assert row[-1] == "△ more than chance"


def test_two_sessions_tell_no_drift_and_gaps_are_left_out():
    assert drifts_of([member(1), member(2)]) == ()
    holes = [member(k, snr_db=math.nan if k == 2 else 9.0 + k) for k in range(1, 5)]
    by_name = {drift.name: drift for drift in drifts_of(holes)}
    assert by_name["rhythm over 1/f"].n == 3
    assert by_name["rhythm over 1/f"].slope == pytest.approx(1.0)


def test_order_is_that_of_time():
    late, early = member(3), member(1)
    unknown = member(2, started=None, folder="copy")
    assert in_order([unknown, late, early]) == (early, late, unknown)


def test_group_in_a_sentence():
    members = [member(1, mean_deg=10.0), member(2, mean_deg=-4.0, participant="p02")]
    told = group_sentence(members)
    assert "2 sessions of 2 participants, 80 triggers fired" in told
    assert "Mean phase error +3.0°" in told
    assert "circular SD 20.0° in the median session" in told
    nothing = group_sentence([member(1, n_scored=3)])
    assert "of none is the phase error known" in nothing


def test_a_blinded_session_tells_no_phase_error():
    blind = member(2, is_blind=True, n_scored=0, mean_deg=math.nan, sd_deg=math.nan)
    page = group_page([member(1), blind])
    assert page.n_blind == 1
    assert member_rows([blind])[0][2:5] == ["blinded"] * 3
    assert "over 1)" in page.sentence


def test_a_member_is_what_its_report_says(tmp_path):
    made = make_session(tmp_path, Recipe(duration_s=20.0, n_pulses=12))
    session = load_session(made.folder)
    found = member_of(session, report_of(session))
    error = made.summary["phase_error_deg"]
    assert (found.n_scored, found.source) == (error["n"], "whole")
    assert found.mean_deg == pytest.approx(error["mean"], abs=0.01)
    assert found.sd_deg == pytest.approx(error["sd"], abs=0.01)
    assert found.per_minute == pytest.approx(len(made.errors_rad) * 3)
    assert found.started == dt.datetime(2031, 5, 6, 7, 8, 9, tzinfo=dt.UTC)
    assert found.criteria == ""


def test_page_of_a_group_is_whole(tmp_path):
    page = group_page([member(k, sd_deg=20.0 + k) for k in range(1, 4)])
    assert page.title == "3 sessions of participant p01"
    assert page.figure.startswith('<svg role="img"')
    assert len(page.rows) == 3
