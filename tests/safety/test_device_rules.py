import dataclasses
import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.safety.device import (
    DEVICE_SENTENCES,
    INTENSITY_TOLERANCE_PCT_MSO,
    DeviceRefusal,
    DeviceRules,
    DeviceState,
    review_device,
    review_intensity,
)

RULES = DeviceRules(
    max_intensity_pct_mso=60.0,
    max_intensity_step_pct=5.0,
    max_coil_c=40.0,
    max_status_age_s=0.5,
)
T = 100.0
READY = DeviceState(
    t_read=T,
    armed=True,
    ready=True,
    intensity_pct_mso=50.0,
    commanded_intensity_pct_mso=50.0,
    coil_connected=True,
    temperature_c=25.0,
)


def just_below(value):
    return math.nextafter(value, -math.inf)


def just_above(value):
    return math.nextafter(value, math.inf)


def asked(t_now=T, **changed):
    return review_device(RULES, dataclasses.replace(READY, **changed), t_now)


def test_a_ready_device_within_its_limits_may_fire():
    assert asked() is DeviceRefusal.NONE
    # What a device does not tell cannot speak against it.
    assert asked(coil_connected=None, temperature_c=None) is DeviceRefusal.NONE


def test_a_device_that_has_said_nothing_refuses():
    assert review_device(RULES, None, T) is DeviceRefusal.SILENT


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"error": "E12"}, DeviceRefusal.DEVICE_ERROR),
        ({"error": ""}, DeviceRefusal.DEVICE_ERROR),
        ({"coil_connected": False}, DeviceRefusal.COIL_OFF),
        ({"armed": False}, DeviceRefusal.NOT_ARMED),
        ({"ready": False}, DeviceRefusal.NOT_READY),
    ],
)
def test_what_the_device_says_against_itself_refuses(changed, refusal):
    assert asked(**changed) is refusal


def test_a_word_as_old_as_allowed_counts_and_an_older_one_does_not():
    assert asked(T + 0.5) is DeviceRefusal.NONE
    assert asked(just_above(T + 0.5)) is DeviceRefusal.SILENT


@pytest.mark.parametrize("t_now", [just_below(T), math.nan, math.inf, -math.inf])
def test_a_word_from_the_future_or_no_time_at_all_refuses(t_now):
    assert asked(t_now) is DeviceRefusal.SILENT


@pytest.mark.parametrize("t_read", [math.nan, math.inf, -math.inf])
def test_a_reading_without_an_instant_refuses(t_read):
    assert asked(t_read=t_read) is DeviceRefusal.SILENT


def test_the_hottest_coil_allowed_is_allowed_and_a_hotter_one_is_not():
    assert asked(temperature_c=40.0) is DeviceRefusal.NONE
    assert asked(temperature_c=just_above(40.0)) is DeviceRefusal.COIL_TOO_HOT
    assert asked(temperature_c=math.nan) is DeviceRefusal.COIL_TOO_HOT
    assert asked(temperature_c=math.inf) is DeviceRefusal.COIL_TOO_HOT


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_read_back_may_differ_by_the_display_and_no_more(side):
    shown = 50.0 + side * INTENSITY_TOLERANCE_PCT_MSO
    beyond = math.nextafter(shown, side * math.inf)
    assert asked(intensity_pct_mso=shown) is DeviceRefusal.NONE
    assert asked(intensity_pct_mso=beyond) is DeviceRefusal.INTENSITY_DIFFERS
    assert asked(commanded_intensity_pct_mso=shown) is DeviceRefusal.NONE
    assert asked(commanded_intensity_pct_mso=beyond) is DeviceRefusal.INTENSITY_DIFFERS


def test_the_tolerance_is_half_a_percent():
    assert INTENSITY_TOLERANCE_PCT_MSO == 0.5


@pytest.mark.parametrize("name", ["intensity_pct_mso", "commanded_intensity_pct_mso"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_an_intensity_that_is_no_figure_refuses(name, value):
    assert asked(**{name: value}) is DeviceRefusal.INTENSITY_DIFFERS


@pytest.mark.parametrize(
    ("read", "told", "refusal"),
    [
        (60.0, 60.0, DeviceRefusal.NONE),
        (0.0, 0.0, DeviceRefusal.NONE),
        (just_above(60.0), 60.0, DeviceRefusal.INTENSITY_TOO_HIGH),
        (60.0, just_above(60.0), DeviceRefusal.INTENSITY_TOO_HIGH),
        (-1e-9, 0.0, DeviceRefusal.INTENSITY_TOO_HIGH),
        (0.0, -1e-9, DeviceRefusal.INTENSITY_TOO_HIGH),
    ],
)
def test_neither_read_back_nor_command_may_pass_the_ceiling(read, told, refusal):
    said = asked(intensity_pct_mso=read, commanded_intensity_pct_mso=told)
    assert said is refusal


@pytest.mark.parametrize(
    ("before", "wanted", "refusal"),
    [
        (50.0, 55.0, DeviceRefusal.NONE),
        (50.0, just_above(55.0), DeviceRefusal.STEP_TOO_LARGE),
        (55.0, 60.0, DeviceRefusal.NONE),
        (57.0, just_above(60.0), DeviceRefusal.INTENSITY_TOO_HIGH),
        (60.0, 0.0, DeviceRefusal.NONE),
        (100.0, 60.0, DeviceRefusal.NONE),
        (0.0, just_below(0.0), DeviceRefusal.INTENSITY_TOO_HIGH),
        (50.0, math.nan, DeviceRefusal.INTENSITY_TOO_HIGH),
        (50.0, math.inf, DeviceRefusal.INTENSITY_TOO_HIGH),
        (math.nan, 10.0, DeviceRefusal.STEP_TOO_LARGE),
        (math.inf, 10.0, DeviceRefusal.STEP_TOO_LARGE),
        (-math.inf, 10.0, DeviceRefusal.STEP_TOO_LARGE),
    ],
)
def test_intensity_rises_by_steps_below_the_ceiling_and_falls_freely(
    before, wanted, refusal
):
    assert review_intensity(RULES, before, wanted) is refusal


ANY = st.floats(allow_nan=True, allow_infinity=True, width=32)


@given(st.lists(ANY, max_size=40))
def test_no_sequence_of_changes_passes_ceiling_or_step(wishes):
    taken = [0.0]
    for wanted in wishes:
        if review_intensity(RULES, taken[-1], wanted) is DeviceRefusal.NONE:
            taken.append(wanted)
    assert all(0.0 <= value <= 60.0 for value in taken)
    assert all(after - before <= 5.0 for before, after in itertools.pairwise(taken))


@given(
    t_now=ANY | st.floats(99.0, 101.0),
    read=ANY | st.floats(0.0, 70.0),
    told=ANY | st.floats(0.0, 70.0),
    hot=st.none() | ANY | st.floats(20.0, 45.0),
    coil=st.sampled_from([None, True, False]),
    armed=st.booleans(),
    ready=st.booleans(),
    error=st.sampled_from([None, "E1"]),
)
def test_a_device_may_fire_only_if_every_single_condition_holds(
    t_now, read, told, hot, coil, armed, ready, error
):
    said = asked(
        t_now,
        intensity_pct_mso=read,
        commanded_intensity_pct_mso=told,
        temperature_c=hot,
        coil_connected=coil,
        armed=armed,
        ready=ready,
        error=error,
    )
    conditions = (
        T <= t_now <= T + 0.5,
        0.0 <= read <= 60.0,
        0.0 <= told <= 60.0,
        -0.5 <= read - told <= 0.5,
        hot is None or hot <= 40.0,
        coil is not False,
        armed,
        ready,
        error is None,
    )
    assert (said is DeviceRefusal.NONE) == all(conditions)


def test_every_device_refusal_has_its_sentence():
    assert set(DEVICE_SENTENCES) == set(DeviceRefusal) - {DeviceRefusal.NONE}
    assert len(set(DEVICE_SENTENCES.values())) == len(DEVICE_SENTENCES)


def test_rules_and_state_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RULES.max_coil_c = 90.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        READY.ready = True
