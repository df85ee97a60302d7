import cmath
import dataclasses
import itertools
import math

import numpy as np
import pytest

from controller.kernels.jit import new_records
from controller.report.before_pulse import BeforePulse
from controller.report.landing_figures import circles_figure, phase_counts
from controller.report.landing_rows import (
    landing_rows,
    measured_sentence,
    method_sentence,
)
from controller.report.landing_statistics import believed_as_dict, share_within
from controller.report.landings import (
    RANDOM_FROM,
    Landings,
    blind_cells_of,
    cells_of,
    pooled,
)
from controller.report.promise import reckoning
from controller.report.study import Study
from controller.session.pulses import PULSE

NOBODY = Study(protocol=None)


def landings(*rows, method=None, artifact=False):
    """Rows of (condition, target_deg, whole_deg, before_deg, is_shadow)."""
    if method is not None:
        n_fired = sum(not row[4] for row in rows)
        spread = np.radians(np.tile([-10.0, 0.0, 10.0], (n_fired, 1)))
        method = dataclasses.replace(method, spread_rad=spread)
    table = np.array([row[:4] for row in rows], np.float64).reshape(-1, 4)
    return Landings(
        condition=table[:, 0].astype(np.int64),
        target_rad=np.radians(table[:, 1]),
        t=np.arange(len(table), dtype=np.float64),
        is_shadow=np.array([row[4] for row in rows], bool),
        whole_rad=np.radians(table[:, 2]),
        before_rad=np.radians(table[:, 3]),
        method=method,
        artifact=artifact,
    )


def around(target, spread, n, seed, *, condition=0, shadow=False):
    rng = np.random.default_rng(seed)
    return [
        (condition, target, target + e, math.nan if shadow else target + e / 2, shadow)
        for e in rng.normal(4, spread, n)
    ]


def method(bias_deg=2.0, sd_deg=12.0):
    return BeforePulse(
        phase_rad=np.zeros(1),
        spread_rad=np.zeros((1, 3)),
        bias_rad=math.radians(bias_deg),
        sd_rad=math.radians(sd_deg),
        n_mock=500,
    )


def twin(errors_deg):
    """Mean, SD, Rayleigh and V test by the textbook, one angle after the other."""
    total = 0j
    for error in errors_deg:
        total += cmath.exp(1j * math.radians(error))
    n = len(errors_deg)
    length, mean = abs(total) / n, cmath.phase(total)
    z = n * length
    rayleigh = math.exp(math.sqrt(1 + 4 * n + 4 * (n * n - z * z)) - (1 + 2 * n))
    u = length * math.cos(mean) * math.sqrt(2 * n)
    v = 0.5 * math.erfc(u / math.sqrt(2))
    return (
        math.degrees(mean),
        math.degrees(math.sqrt(-2 * math.log(length))),
        rayleigh,
        v,
    )


def test_every_condition_and_target_has_its_own_figures():
    rows = [
        *around(0, 20, 30, 1),
        *around(180, 30, 25, 2),
        *around(180, 25, 20, 3, condition=1),
    ]
    cells = cells_of(landings(*rows), NOBODY)
    assert [(c.condition, c.words, c.n_fired) for c in cells] == [
        (0, "the peak (0°)", 30),
        (0, "the trough (+180°)", 25),
        (1, "the trough (+180°)", 20),
    ]
    for cell, part in zip(cells, (rows[:30], rows[30:55], rows[55:]), strict=True):
        (whole, _) = cell.measured
        mean, sd, rayleigh, v = twin([row[2] - row[1] for row in part])
        assert whole.source == "whole"
        assert math.degrees(whole.mean_rad) == pytest.approx(mean)
        assert math.degrees(whole.sd_rad) == pytest.approx(sd)
        assert whole.rayleigh_p == pytest.approx(rayleigh)
        assert whole.v_p == pytest.approx(v)
        assert whole.interval.low < whole.mean_rad < whole.interval.high


def test_before_the_pulse_is_corrected_for_bias_and_spread():
    rows = around(90, 16, 40, 4)
    (cell,) = cells_of(landings(*rows, method=method()), NOBODY)
    before = cell.measured[1]
    mean, sd, _, _ = twin([row[3] - row[1] for row in rows])
    assert math.degrees(before.mean_rad) == pytest.approx(mean - 2.0)
    assert math.degrees(before.sd_rad) == pytest.approx(math.hypot(sd, 12.0))
    half = 1.959964 * before.sd_rad / math.sqrt(40)
    assert before.interval.high - before.interval.low == pytest.approx(2 * half)
    # Not as sure as phases that only look so narrow.
    length = math.exp(-(before.sd_rad**2) / 2)
    n = 40
    exponent = math.sqrt(1 + 4 * n + 4 * (n**2 - (n * length) ** 2)) - (1 + 2 * n)
    assert before.rayleigh_p == pytest.approx(math.exp(exponent))


@pytest.mark.parametrize(
    ("n_shadows", "artifact", "believed"),
    [
        (10, True, "shadows"),
        (9, True, "before"),
        (9, False, "whole"),
        (0, True, "before"),
    ],
)
def test_the_source_to_believe(n_shadows, artifact, believed):
    rows = [*around(0, 20, 20, 1), *around(0, 20, n_shadows, 2, shadow=True)]
    told = landings(*rows, method=method(), artifact=artifact)
    (cell,) = cells_of(told, NOBODY)
    assert cell.best.source == believed
    assert (cell.n_fired, cell.n_shadows) == (20, n_shadows)
    shown = {"shadows": n_shadows}.get(believed, 20)
    assert cell.n_each == (3 if believed == "before" else 1)
    assert len(cell.phases_rad) == shown * cell.n_each
    marked = [row[1] for row in landing_rows((cell,)) if row[1].startswith("✓")]
    assert len(marked) == 1


def test_where_nothing_was_fired_all_are_as_good_as_shadows():
    rows = [*around(0, 20, 30, 1), *around(0, 20, 15, 2, shadow=True)]
    told = dataclasses.replace(landings(*rows), is_live=False)
    assert cells_of(told, NOBODY)[0].best.source == "whole"


def test_artifact_without_anything_better_is_told():
    rows = [(0, 0, 5, math.nan, False)] * 12
    told = landings(*rows, artifact=True)
    (cell,) = cells_of(told, NOBODY)
    assert cell.best.source == "whole"
    assert "not to be believed" in method_sentence(told)
    assert "No stretch without pulses" in method_sentence(told)
    assert method_sentence(landings(*rows)) == ""


def test_random_phases_are_one_cell():
    rng = np.random.default_rng(5)
    targets = rng.uniform(-180, 180, RANDOM_FROM + 5)
    rows = [
        (2, t, t + e, math.nan, False)
        for t, e in zip(targets, rng.normal(0, 9, 12), strict=True)
    ]
    (cell,) = cells_of(landings(*rows), NOBODY)
    assert (cell.words, cell.target_rad) == ("random phases", None)
    mean, sd, _, _ = twin([row[2] - row[1] for row in rows])
    assert math.degrees(cell.measured[0].mean_rad) == pytest.approx(mean)
    assert math.degrees(cell.measured[0].sd_rad) == pytest.approx(sd)
    # The circle shows where they landed, which is everywhere.
    np.testing.assert_allclose(np.degrees(cell.phases_rad), [row[2] for row in rows])


def test_by_the_clock_there_is_no_error_and_no_v_test():
    rows = [(0, math.nan, phase, math.nan, False) for phase in range(0, 360, 20)]
    (cell,) = cells_of(landings(*rows), NOBODY)
    assert cell.words == "by the clock"
    assert cell.measured[0].v_p is None
    assert cell.measured[0].rayleigh_p > 0.9


def test_too_few_are_not_tested_and_nothing_is_not_scored():
    (few,) = cells_of(landings(*around(0, 10, 4, 1)), NOBODY)
    assert few.measured[0].rayleigh_p is None
    assert few.measured[0].interval is None
    (none,) = cells_of(landings((0, 0, math.nan, math.nan, False)), NOBODY)
    assert (none.best, none.measured) == (None, ())
    assert landing_rows((none,))[0][1] == "1 fired, none scored"
    assert cells_of(landings(), NOBODY) == ()


def test_blind_cells_are_the_same_whatever_the_arm():
    """A sham at random phases, or with a weaker artifact, must look like the other."""
    rng = np.random.default_rng(6)
    errors = rng.normal(3, 15, 20)
    active = [(0, 180, 180 + 9 * e, 180 + e, False) for e in errors]
    sham = [
        (0, t, t - e, t + e, False)
        for t, e in zip(rng.uniform(-180, 180, 20), errors, strict=True)
    ]
    told = [
        blind_cells_of(landings(*rows, method=method(), artifact=seen), NOBODY)
        for rows, seen in ((active, True), (sham, False))
    ]
    (one,), (other,) = told
    np.testing.assert_allclose(one.phases_rad, other.phases_rad, atol=1e-12)
    assert landing_rows((one,)) == landing_rows((other,))
    assert [m.source for m in one.measured] == ["before"]


def test_circles_count_every_phase_once():
    phases = np.radians([-179.9, -90, 0, 1, 2, 179.9])
    counts, edges = phase_counts(phases)
    slow = [
        sum(low <= phase < high for phase in phases)
        for low, high in itertools.pairwise(edges)
    ]
    assert counts.tolist() == slow
    assert counts.sum() == 6


def test_a_circle_for_each_condition():
    rows = [*around(0, 20, 12, 1), *around(90, 20, 12, 2, condition=1)]
    svg = circles_figure(cells_of(landings(*rows), NOBODY))
    assert svg.startswith('<svg role="img"')
    assert circles_figure(()) == ""


@pytest.mark.parametrize(("mean", "sd"), [(0, 0.3), (0.4, 0.5), (-2.5, 0.8), (1, 1.6)])
def test_share_within_is_that_of_drawn_directions(mean, sd):
    drawn = np.random.default_rng(9).normal(mean, sd, 200_000)
    near = np.abs(np.angle(np.exp(1j * drawn))) <= 0.785
    assert share_within(mean, sd, 0.785) == pytest.approx(near.mean(), abs=0.005)


def test_share_within_at_the_ends():
    assert share_within(0.1, 0.0, 0.785) == 1.0
    assert share_within(1.0, 0.0, 0.785) == 0.0
    assert share_within(1.0, math.inf, math.pi / 4) == pytest.approx(0.25)


def test_pooled_errors_leave_out_what_aimed_at_nothing():
    rows = [*around(0, 20, 15, 1), *around(180, 20, 15, 2)]
    clock = [(3, math.nan, phase, math.nan, False) for phase in (10, 100, 250)]
    told = pooled(landings(*rows, *clock))
    mean, sd, _, _ = twin([row[2] - row[1] for row in rows])
    assert (told.source, told.n) == ("whole", 30)
    assert math.degrees(told.mean_rad) == pytest.approx(mean)
    assert math.degrees(told.sd_rad) == pytest.approx(sd)
    near = sum(abs(row[2] - row[1]) <= 45 for row in rows) / 30
    assert told.within_45 == pytest.approx(near)
    assert believed_as_dict(told)["sd"] == pytest.approx(sd)
    assert "From fired pulses, whole recording; 95 %" in measured_sentence(told)
    assert pooled(landings(*clock)) is None


def test_a_promise_is_held_against_what_is_believed():
    """An artifact that spoils the whole recording must not break a kept promise."""
    rows = around(0, 15, 60, 7)
    spoiled = [(c, t, t + 60, b, s) for c, t, _, b, s in rows]
    told = landings(*spoiled, method=method(bias_deg=2.0, sd_deg=16.0), artifact=True)
    summary = {
        "rhythm": {
            "expected_sd_deg": 17.0,
            "expected_bias_deg": 0.0,
            "expected_within_45": 0.98,
            "expected_n": 60,
        },
        "duration_s": 100.0,
    }
    pulses = new_records(PULSE, 60)
    pulses["achieved_phase_rad"] = np.radians(60.0)
    kept = reckoning(summary, pulses, pooled(told))
    assert kept.outcome == "kept"
    assert reckoning(summary, pulses).outcome == "worse"
