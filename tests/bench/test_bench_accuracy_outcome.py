import json
import math

import pytest

from bench.accuracy.evaluate import Measured, Promise, Result
from bench.accuracy.goals import goals_of
from bench.accuracy.outcome import NAMES, figures_at, row, to_json
from bench.accuracy.pages import html, markdown
from bench.accuracy.scores import PhaseScores, TriggerScores
from bench.accuracy.summary import contrast, estimators, median, promise_kept
from bench.accuracy.tables import tables_of

ASKED = {
    *("estimator", "recording", "circ_sd_deg", "r", "bias_deg", "sd_gate50_deg"),
    *("trigger_sd_deg", "trigger_within_45", "promised_sd_deg"),
}


def phase(sd):
    return PhaseScores(
        circ_sd_deg=sd,
        r=1.0 - sd / 100.0,
        bias_deg=-2.0,
        mean_abs_error_deg=sd,
        sd_top50_deg=sd,
        sd_top20_deg=sd,
        sd_gate50_deg=sd / 2.0,
        sd_gate20_deg=math.nan,
        gate50_open=0.5,
        gate20_open=0.0,
    )


def measured(sd):
    triggers = TriggerScores(
        sd_deg=sd / 2.0,
        bias_deg=1.0,
        within_45=0.97,
        per_minute=60.0,
        errors_deg=(-10.0, 5.0, 20.0),
    )
    return Measured(
        phase=phase(sd), gated=triggers, ungated=triggers, others={"fir-2s": phase(sd)}
    )


def result(estimator, sd, recording="s0", *, promised=math.nan, **fields):
    return Result(
        estimator=estimator,
        recording=recording,
        cell=fields.pop("cell", ""),
        words="+0.5 O1 +0.5 O2",
        frequency_hz=10.0,
        snr_db=9.0,
        has_peak=fields.pop("has_peak", True),
        by_horizon={0.01: measured(sd), 0.0: measured(sd - 1.0)},
        promise=Promise(gate50_sd_deg=promised),
        **fields,
    )


REFUSED = Result(estimator="shy", recording="s0", cell="", reason="Too | weak.")
FOUR = [
    result(name, sd + k, f"s{k}", promised=(sd + k) / 2.0 + 2.0 * k)
    for k in range(4)
    for name, sd in (("echt", 60.0), ("wiener", 40.0))
]


def test_json_has_the_rows_that_machines_ask_for():
    found = json.loads(to_json([*FOUR, REFUSED], "wiener", "occipital"))
    assert found.keys() == {"default", "rows"}
    assert found["default"] == "wiener"
    assert len(found["rows"]) == 9
    for each in found["rows"]:
        assert each.keys() >= ASKED
    first, last = found["rows"][0], found["rows"][-1]
    assert first["circ_sd_deg"] == 60.0
    assert first["sd_gate20_deg"] is None
    assert first["other_horizons"][0]["horizon_ms"] == 0.0
    assert first["other_truths"]["fir-2s"]["circ_sd_deg"] == 60.0
    assert last["reason"] == "Too | weak."
    assert last["circ_sd_deg"] is last["promised_sd_deg"] is None


def test_names_are_the_figures():
    assert tuple(figures_at(measured(40.0))) == NAMES
    assert row(REFUSED, "occipital").keys() == row(FOUR[0], "occipital").keys()


def test_estimators_are_sorted_and_the_refused_come_last():
    assert estimators([REFUSED, *FOUR]) == ["wiener", "echt", "shy"]


def test_medians_of_biases_have_no_sign():
    assert median(FOUR[:2], "bias_deg") == 2.0
    assert math.isnan(median([REFUSED], "circ_sd_deg"))


def test_contrast_is_paired_by_recording():
    alone = result("echt", 1.0, "only echt has this one")
    found = contrast([*FOUR, alone], "wiener", "echt")
    assert found.n == 4
    assert found.wins == 4
    assert found.difference_deg == 20.0
    assert found.p == pytest.approx(0.125)
    assert math.isnan(contrast(FOUR, "wiener", "wiener").p)
    assert contrast(FOUR, "wiener", "none").n == 0


def test_promise_within_three_degrees():
    chosen = [each for each in FOUR if each.estimator == "wiener"]
    assert promise_kept(chosen) == 0.5
    assert math.isnan(promise_kept([REFUSED]))


def test_goals_are_ratios_on_shared_recordings():
    alone = result("echt", 1.0, "only echt has this one")
    goals = goals_of([*FOUR, alone], "wiener", "occipital")
    first, second, sd, bias, within, promise = goals
    assert first.value == pytest.approx(41.5 / 61.5)
    assert first.verdict == "met"
    assert second.verdict == "not measured"
    assert "peap" in second.detail
    assert (sd.verdict, bias.verdict, within.verdict) == ("missed", "met", "met")
    assert promise.verdict == "missed"
    (c3, *_) = goals_of(FOUR, "echt", "c3-hjorth")
    assert (c3.value, c3.verdict) == (1.0, "missed")


def test_theta_goal_looks_at_recordings_with_a_peak_only():
    rows = [
        result("wiener", 40.0, "a"),
        result("echt", 60.0, "a"),
        result("iir", 50.0, "a"),
        result("wiener", 90.0, "b", has_peak=False),
        result("echt", 10.0, "b", has_peak=False),
    ]
    goal = goals_of(rows, "wiener", "fz")[0]
    assert goal.name == "with a peak: r, wiener / iir"
    assert goal.value == pytest.approx(0.6 / 0.5)


def test_synthetic_goals_are_one_for_each_cell():
    rows = [
        result(name, sd, f"{cell} #1", cell=cell)
        for cell in ("bursts +3 dB", "resets +3 dB")
        for name, sd in (("wiener", 40.0), ("kalman", 39.0))
    ]
    goals = goals_of(rows, "wiener", "synthetic")
    assert [goal.verdict for goal in goals] == ["missed", "missed"]
    assert goals[0].name.startswith("bursts +3 dB")


def tables(results, montage="occipital"):
    found = tables_of(results, default="wiener", reference="wiener", montage=montage)
    return {table.title: table for table in found}


def test_every_table_is_rectangular():
    found = tables([*FOUR, REFUSED])
    assert len(found) == 7
    for table in found.values():
        assert {len(line) for line in table.rows} == {len(table.header)}
    assert found["By horizon"].header == ("estimator", "0 ms", "10 ms")
    assert found["Recordings"].rows[0][0] == "s0"


def test_tables_without_anything_to_say_are_left_out():
    assert set(tables([REFUSED])) == {
        "Medians over recordings",
        "Goals",
        "Without figures",
        "Recordings",
    }


def test_markdown_keeps_its_columns_whatever_a_reason_says():
    text = markdown(list(tables([*FOUR, REFUSED]).values()), {"date": "today"})
    assert text.startswith("date: today")
    assert r"Too \| weak." in text
    assert "| wiener | 4 | 0.585 | 41.5 |" in text


def test_page_is_whole_and_needs_nothing_from_outside():
    results = [*FOUR, REFUSED]
    found = list(tables(results).values())
    page = html(results, found, {"a": "<b>"}, default="wiener", title="Accuracy")
    assert page.count("<svg") == 3
    for outside in ("<script", "http:", "https:", "url(http", "<link", "<img"):
        assert outside not in page
    assert "&lt;b&gt;" in page
    assert 'class="met"' in page
    bare = html([REFUSED], [], {}, default="wiener", title="Accuracy")
    assert "<svg" not in bare
