import dataclasses
import datetime as dt
import math
import re

import numpy as np
import pytest

from controller.calibration.bad_channels import BadChannel
from controller.calibration.positions import POSITIONS
from controller.calibration.spatial_filter import SpatialFilter
from controller.errors import RecordingError
from controller.report.calibration_page import expected_verdict, write_calibration_page
from controller.report.topography import topography_figure, without_position
from controller.report.words import MINUS

CREATED = dt.datetime(2026, 11, 22, 10, 3, 20, tzinfo=dt.UTC)


@pytest.fixture
def page(make_result, tmp_path):
    def make(**other):
        path = tmp_path / "calibration.html"
        result = make_result(**other)
        write_calibration_page(result, path, created=CREATED, version="0.1.0")
        return path.read_text(encoding="utf-8")

    return make


def text_of(html):
    visible = re.sub(r"<(style|svg).*?</\1>", "", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", visible).split())


def test_the_page_says_what_to_expect(page):
    html = page()
    shown = text_of(html)
    assert "Expect 21 deg at 18 triggers per minute; 30 s more rest would" in shown
    assert "Calibration of P01" in shown
    assert "2026-11-22 10:03 UTC, alpha at rest, from amplifier" in shown
    assert "10.0 of 120.0 s of rest were not used" in shown
    assert f"percentile 60 14.0 21.0° {MINUS}1.5° 93% 18.0 54" in shown
    assert html.count('class="chosen"') == 1
    assert "ready for phase-locked pulses" in shown
    assert "Not drawn, because their place is not known: Weird." in shown
    assert "For research use only." in shown


def test_the_page_needs_nothing_from_outside(page):
    html = page()
    assert html.count("<svg") == 4
    assert "<script" not in html
    assert not re.search(r"https?://|src=|@import|<link", html)
    names = re.findall(r'\bid="([^"]+)"', html)
    assert len(names) == len(set(names))


def test_bad_channels_and_warnings_are_said_and_escaped(page, make_result):
    labels = make_result().labels
    spatial = SpatialFilter(
        kind="ssd",
        labels=labels[:4],
        weights=np.array([0.5, 0.2, -0.1, 0.0]),
        pattern=np.array([1.0, 0.5, 0.2, 0.1]),
    )
    html = page(
        spatial_filter=spatial,
        bad_channels=(BadChannel(label="Weird", reason="Weird is flat: <0.1 uV."),),
        warnings=("The cap sat loosely.",),
    )
    shown = text_of(html)
    assert "Left out: Weird is flat: &lt;0.1 uV." in shown
    assert "The cap sat loosely." in shown
    assert "5, of which 1 bad" in shown
    assert f"Cz {MINUS}0.100" not in shown
    assert f"O2 {MINUS}0.100" in shown
    assert "Heads from above: weights, pattern" in html


def test_a_hopeless_participant_has_a_page_too(page, make_result):
    hopeless = dataclasses.replace(
        make_result().level,
        circ_sd_rad=math.inf,
        n_triggers=0,
        triggers_per_minute=0.0,
        within_45=0.0,
    )
    html = page(
        levels=(hopeless,),
        recommended=0,
        errors_all_rad=np.zeros(0),
        errors_gated_rad=np.zeros(0),
        rest_used_s=120.0,
    )
    shown = text_of(html)
    assert "Expect no phase-locking" in shown
    assert "hardly any phase-locking to expect" in shown
    assert "were not used" not in shown


@pytest.mark.parametrize(
    ("sd_deg", "grade"),
    [
        (30.0, "good"),
        (30.5, "fair"),
        (50.0, "fair"),
        (50.5, "poor"),
        (math.inf, "poor"),
    ],
)
def test_the_verdict_has_three_grades(make_result, sd_deg, grade):
    level = dataclasses.replace(make_result().level, circ_sd_rad=math.radians(sd_deg))
    assert expected_verdict(level).grade == grade


def test_a_place_that_cannot_be_written_is_said(make_result, tmp_path):
    with pytest.raises(RecordingError, match=r"calibration page .* cannot be written"):
        write_calibration_page(
            make_result(), tmp_path, created=CREATED, version="0.1.0"
        )


@pytest.mark.parametrize("labels", [("O1",), tuple(POSITIONS), ("E1", "E2"), ()])
def test_any_set_of_electrodes_can_be_drawn(labels):
    svg = topography_figure({"weights": dict.fromkeys(labels, 0.0)}, ["Fz", "E9"])
    assert svg.startswith("<svg")


def test_what_cannot_be_drawn_is_named():
    assert without_position(["Fz", "EOG", "T3"]) == ["EOG"]
