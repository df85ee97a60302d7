"""What was given, counted once, and the limits that it may not pass."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.errors import ConfigError
from controller.safety.ceilings import DOSE_CEILINGS
from controller.safety.dose import (
    NO_DOSE,
    Dose,
    DoseLimits,
    at_most,
    dose_complaint,
    dose_of_edges,
    planned_dose,
)
from controller.safety.interlock import Refusal

LIMITS = {
    "max_pulses_per_day": 1000,
    "max_pulses_total": 5000,
    "max_trains_per_session": 10,
    "max_trains_per_day": 20,
    "max_trains_total": 30,
    "max_full_pulses_per_day": 700.0,
}
EDGE = np.dtype(
    [("decision", "i8"), ("rises", "i8"), ("refusal", "i8"), ("t_fired", "f8")]
)


def edges_of(*rows):
    return np.array(list(rows), EDGE)


def test_nothing_is_nothing():
    assert dataclasses.astuple(NO_DOSE) == (0, 0, 0.0, 0.0, 0.0, 0.0)
    assert dose_of_edges(edges_of()) == NO_DOSE


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(Dose)])
@pytest.mark.parametrize("bad", [-1, -1e-9, math.nan, math.inf])
def test_no_dose_takes_another_back(field, bad):
    with pytest.raises(ValueError, match=field):
        Dose(**{field: bad})


def test_no_part_of_a_dose_is_more_than_the_plan_had():
    plan = Dose(pulses=5, trains=1, full_pulses=5.0, highest_pct_mso=40.0)
    dose = Dose(pulses=7, stimulated_s=2.0, full_pulses=3.5, highest_pct_mso=60.0)
    assert at_most(plan, dose) == Dose(pulses=5, full_pulses=3.5, highest_pct_mso=40.0)


def test_doses_add_up_and_the_strongest_stays():
    one = Dose(
        pulses=1,
        trains=2,
        stimulated_s=3.0,
        charge_c=4.0,
        full_pulses=5.0,
        highest_pct_mso=6.0,
    )
    two = Dose(
        pulses=10,
        trains=20,
        stimulated_s=30.0,
        charge_c=40.0,
        full_pulses=50.0,
        highest_pct_mso=60.0,
    )
    assert dataclasses.astuple(one + two) == (11, 22, 33.0, 44.0, 55.0, 60.0)
    assert one + two == two + one
    assert one + NO_DOSE == one


def test_edges_are_counted_once_and_refused_ones_not_at_all():
    edges = edges_of(
        (0, 1, Refusal.NONE, 1.0),
        (0, 0, Refusal.NONE, 1.01),
        (1, 1, Refusal.TOO_LATE, 3.0),
        (2, 1, Refusal.NONE, 5.0),
        (2, 0, Refusal.NONE, 5.01),
        (2, 1, Refusal.NONE, 5.5),
        (2, 1, Refusal.NONE, 6.25),
        (3, 1, Refusal.OUTPUT_FAILED, 9.0),
        (4, 1, Refusal.NONE, 11.0),
        (4, 1, Refusal.NOT_ARMED, 11.5),
    )
    dose = dose_of_edges(edges, intensity_pct_mso=50.0, charge_c=0.25)
    assert dose == Dose(
        pulses=6,
        trains=1,
        stimulated_s=1.25,
        charge_c=1.5,
        full_pulses=3.0,
        highest_pct_mso=50.0,
    )


def test_an_unknown_intensity_counts_as_full_output():
    dose = dose_of_edges(edges_of((0, 1, 0, 1.0), (1, 1, 0, 2.0)))
    assert (dose.full_pulses, dose.highest_pct_mso, dose.charge_c) == (2.0, 100.0, 0.0)
    assert dose_of_edges(edges_of((0, 1, 8, 1.0))) == NO_DOSE


def test_a_plan_is_the_most_that_may_be_given():
    plan = planned_dose(
        [1, 3, 1, 2],
        max_pulses=5,
        intensity_pct_mso=80.0,
        lasts_s=1.5,
        charge_c=0.5,
    )
    assert plan == Dose(
        pulses=5,
        trains=2,
        stimulated_s=1.5,
        charge_c=2.5,
        full_pulses=4.0,
        highest_pct_mso=80.0,
    )
    assert planned_dose([1, 1, 2], max_pulses=9).trains == 1
    assert planned_dose([1, 3], max_pulses=5) == Dose(
        pulses=4, trains=1, full_pulses=4.0, highest_pct_mso=100.0
    )


def test_a_pair_is_a_train():
    dose = dose_of_edges(edges_of((0, 1, 0, 1.0), (0, 1, 0, 1.5)))
    assert (dose.pulses, dose.trains, dose.stimulated_s) == (2, 1, 0.5)


@pytest.mark.parametrize("name", list(LIMITS))
def test_limits_of_the_dose_have_ranges_and_no_defaults(name):
    ceiling = DOSE_CEILINGS[name]
    for allowed in (ceiling.lowest, ceiling.highest):
        assert getattr(DoseLimits(**{**LIMITS, name: allowed}), name) == allowed
    for refused in (ceiling.lowest - 1, ceiling.highest + 1, math.nan, math.inf):
        with pytest.raises(ConfigError, match=rf"limits\.dose\.{name} is"):
            DoseLimits(**{**LIMITS, name: refused})
    with pytest.raises(TypeError, match=name):
        DoseLimits(**{k: v for k, v in LIMITS.items() if k != name})
    if name != "max_full_pulses_per_day":
        with pytest.raises(ConfigError, match=rf"limits\.dose\.{name} is 2\.5.*whole"):
            DoseLimits(**{**LIMITS, name: 2.5})
    else:
        assert DoseLimits(**{**LIMITS, name: 2.5})


@pytest.mark.parametrize(
    ("planned", "today", "ever", "key"),
    [
        (Dose(pulses=400), Dose(pulses=600), Dose(pulses=600), "max_pulses_per_day"),
        (Dose(pulses=900), NO_DOSE, Dose(pulses=4100), "max_pulses_total"),
        (Dose(trains=10), NO_DOSE, NO_DOSE, "max_trains_per_session"),
        (Dose(trains=5), Dose(trains=15), Dose(trains=15), "max_trains_per_day"),
        (Dose(trains=5), NO_DOSE, Dose(trains=25), "max_trains_total"),
        (
            Dose(full_pulses=300.0),
            Dose(full_pulses=400.0),
            NO_DOSE,
            "max_full_pulses_per_day",
        ),
    ],
)
def test_each_limit_at_its_edge(planned, today, ever, key):
    limits = DoseLimits(**LIMITS)
    assert dose_complaint(limits, planned=planned, today=today, ever=ever) is None
    one = Dose(
        pulses=int(planned.pulses > 0),
        trains=int(planned.trains > 0),
        full_pulses=float(planned.full_pulses > 0),
    )
    said = dose_complaint(limits, planned=planned + one, today=today, ever=ever)
    assert f"more than limits.dose.{key} = {LIMITS[key]:g}; plan less" in said


@given(
    st.lists(st.tuples(st.integers(0, 400), st.floats(0.0, 110.0)), max_size=12),
)
def test_whatever_was_given_the_next_session_stays_within(sessions):
    limits, ever = DoseLimits(**LIMITS), NO_DOSE
    for pulses, pct in sessions:
        plan = planned_dose([1] * pulses, max_pulses=3000, intensity_pct_mso=pct)
        if dose_complaint(limits, planned=plan, today=ever, ever=ever) is None:
            ever += plan
    assert ever.pulses <= 1000
    assert ever.full_pulses <= 700.0
