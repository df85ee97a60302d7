import json
import math
import re
import shutil

import numpy as np
import pytest

from controller.errors import FileError, RecordingError
from controller.report.page import write_report
from controller.report.score import score_session
from controller.report.words import (
    headline,
)
from controller.session.load import load_session

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="session")
def html(made):
    return write_report(made.folder).read_text(encoding="utf-8")


def text_of(html):
    visible = re.sub(r"<(style|svg).*?</\1>", "", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", visible).split())


def test_score_finds_where_the_pulses_really_landed(made):
    session = load_session(made.folder)
    left = session.pulses[session.pulses["refusal"] == 0]
    errors = left["achieved_phase_rad"] - left["target_phase_rad"]
    known = np.isfinite(errors)
    assert known.sum() >= len(made.errors_rad) - 1
    off = np.degrees(np.angle(np.exp(1j * (errors - made.errors_rad))))[known]
    # Noise of 3 microvolts leaves little in a band of 4 Hz beside 6 to 14.
    assert np.median(np.abs(off)) < 3
    assert np.max(np.abs(off)) < 12


def test_summary_is_what_the_generator_made(made):
    summary = json.loads((made.folder / "summary.json").read_text())
    assert summary == made.summary
    n_fired = len(made.errors_rad)
    assert summary["pulses"]["fired"] == n_fired
    assert summary["pulses"]["refused"] == {
        "TOO_LATE": summary["pulses"]["planned"] - n_fired
    }
    assert summary["arrivals"] == {"matched": n_fired, "missing": 0, "extra": 0}
    mean = math.degrees(np.mean(made.errors_rad))
    assert summary["phase_error_deg"]["mean"] == pytest.approx(mean, abs=3)
    assert summary["latency_us"]["fire_to_arrival"]["p50"] == pytest.approx(
        200, abs=0.01
    )
    assert 0 < summary["latency_us"]["deadline_error"]["p50"] < 30


def test_scoring_again_changes_nothing(made, tmp_path):
    copy = tmp_path / made.folder.name
    shutil.copytree(made.folder, copy)
    arrivals = [
        (float(t), 1)
        for t in load_session(copy).pulses["t_observed"]
        if math.isfinite(t)
    ]
    again = score_session(copy, made.facts, arrivals)
    again["folder"] = made.summary["folder"]
    assert again == made.summary
    assert (copy / "pulses.tsv").read_text() == (made.folder / "pulses.tsv").read_text()


def test_page_says_it_in_a_sentence(made, html):
    text = text_of(html)
    error = made.summary["phase_error_deg"]
    assert headline(made.summary) in text
    assert (
        f"{made.summary['pulses']['fired']} pulses were fired at the peak (0°)" in text
    )
    assert f"(circular SD) of {error['sd']:.1f}°" in text
    assert "locked to the target" in text
    assert "Rayleigh test p" in text
    assert "For research use only." in text


def test_page_says_why_pulses_did_not_come(html):
    text = text_of(html)
    assert "the trigger would have left later than the lateness limit TOO_LATE" in text
    assert "the inter-trial interval had not passed INTERVAL" in text
    assert "the rhythm was weaker than the amplitude gate AMPLITUDE" in text


def test_page_names_what_the_session_ran_on(html):
    text = text_of(html)
    for fact in (
        "Participant P01",
        "6 May 2031, 07:08 UTC",
        "amplifier, source amp-1, on lab",
        "1000 Hz, 8: Fz, C3",
        "individual frequency 10.20 Hz",
        "min interval 1 s",
        "max lateness 1 ms",
        "real-time priority no; memory locked yes",
        "phasegate 0.1.0",
    ):
        assert fact in text


def test_page_has_all_figures_and_nothing_from_outside(html):
    labels = re.findall(r'<svg role="img" aria-label="([^"]+)"', html)
    assert len(labels) == 7
    assert not re.search(r"https?:|<script|<link|<img|@import|src=|xmlns", html)
    assert set(re.findall(r"url\((.)", html)) <= {"#"}
    assert set(re.findall(r'href="(.)', html)) <= {"#"}


def test_names_inside_figures_are_unique_and_found(html):
    names = re.findall(r'\bid="([^"]+)"', html)
    assert len(names) == len(set(names))
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', html))
    assert used <= set(names)


def test_units_are_never_case_transformed(html):
    assert "text-transform" not in html
    assert "font-variant-caps" not in html


def test_page_of_an_hour_would_stay_small(html):
    # Figures hold bins and not samples, so the size does not grow with the session.
    assert len(html.encode()) < 1_000_000


def test_page_is_the_same_every_time(made, html):
    assert write_report(made.folder).read_text(encoding="utf-8") == html


def test_report_needs_nothing_but_the_folder(made, html, tmp_path):
    moved = tmp_path / made.folder.name
    shutil.copytree(made.folder, moved)
    (moved / "report.html").unlink()
    assert write_report(moved).read_text(encoding="utf-8") == html


def test_page_without_pulses_says_so(make):
    made = make(n_pulses=0, duration_s=5.0)
    text = text_of(write_report(made.folder).read_text(encoding="utf-8"))
    assert "No pulse was fired; none was planned." in text
    assert "no pulses" in text
    assert "there is nothing to show here" in text
    assert "nan" not in text.lower().split()


def test_page_without_samples_or_decisions(make):
    made = make(n_pulses=0, duration_s=0.1)
    _cut_to_nothing(made)
    text = text_of(write_report(made.folder).read_text(encoding="utf-8"))
    assert "No sample was recorded." in text
    assert "no decision was made" in text
    assert "Nothing was timed" in text


def _cut_to_nothing(made):
    """Leave of the files what a session without a single sample leaves."""
    xdf = made.folder / "eeg.xdf"
    content = xdf.read_bytes()
    first_samples = min(
        at
        for at in (content.find(b"\x03\x00" + bytes([k, 0, 0, 0])) for k in (1, 2))
        if at > 0
    )
    # A samples chunk of more than 255 bytes has four bytes of length before its tag.
    xdf.write_bytes(content[: first_samples - 5])
    (made.folder / "decisions.jsonl").write_text("")
    score_session(made.folder, made.facts)


def test_page_of_an_ended_session_says_why_first(make):
    reason = "The stream amplifier <b>fell</b> silent; check the amplifier."
    made = make(
        duration_s=12.0, n_pulses=3, gap_at_s=6.0, exit_code=8, exit_reason=reason
    )
    html = write_report(made.folder).read_text(encoding="utf-8")
    assert "The session ended early: The stream amplifier &lt;b&gt;fell" in html
    assert "too few pulses to judge" in html
    assert "250 lost in 1 gap" in text_of(html)


@pytest.mark.parametrize("last", [1.0, float("nan")])
def test_page_of_a_session_that_a_bad_stamp_ended(make, monkeypatch, last):
    made = make(duration_s=6.0, n_pulses=1)
    session = load_session(made.folder)
    session.samples["t_sample"][-1] = last
    monkeypatch.setattr("controller.report.page.load_session", lambda _: session)
    html = write_report(made.folder).read_text(encoding="utf-8")
    assert len(re.findall("<svg", html)) == 5


def test_page_of_one_pulse_at_the_trough(make):
    made = make(duration_s=6.0, n_pulses=1, target_rad=math.pi, observed=False, seed=8)
    text = text_of(write_report(made.folder).read_text(encoding="utf-8"))
    assert "1 pulse was fired at the trough (+180°)" in text
    assert "spread" not in headline(made.summary)
    assert "call → seen by the device 0 n/a" in text


def test_unfinished_session_is_refused_in_one_sentence(make):
    made = make(duration_s=3.0, n_pulses=0)
    (made.folder / "summary.json").unlink()
    with pytest.raises(FileError, match=r"has no summary\.json: the session was not"):
        write_report(made.folder)


def test_configuration_that_is_not_toml_is_refused(make):
    made = make(duration_s=3.0, n_pulses=0)
    (made.folder / "config.toml").write_text("= 3")
    with pytest.raises(FileError, match=r"config\.toml is not valid TOML"):
        write_report(made.folder)


def test_report_on_a_full_disk_is_one_sentence(make):
    made = make(duration_s=3.0, n_pulses=0)
    (made.folder / "report.html").mkdir()
    with pytest.raises(RecordingError, match=r"report\.html cannot be written"):
        write_report(made.folder)


def test_page_tells_missing_and_extra_arrivals(made, tmp_path):
    copy = tmp_path / made.folder.name
    shutil.copytree(made.folder, copy)
    seen = load_session(copy).pulses["t_observed"]
    seen = seen[np.isfinite(seen)].tolist()
    score_session(copy, made.facts, [(t, 1) for t in [*seen[1:], seen[-1] + 7]])
    text = text_of(write_report(copy).read_text(encoding="utf-8"))
    assert "1 fired pulse was never seen by the device." in text
    assert "The device saw 1 trigger that belongs to no pulse" in text
