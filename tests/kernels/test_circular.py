import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.kernels.circular import (
    circular_mean,
    circular_sd,
    phase_to_wait,
    resultant_length,
    wrap,
    wrap_phase,
)

PI = math.pi
ANGLES = st.floats(-1e3, 1e3)


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        (0.0, 0.0),
        (PI, PI),
        (-PI, PI),
        (3 * PI, PI),
        (1.5 * PI, -0.5 * PI),
        (-1.5 * PI, 0.5 * PI),
        (2 * PI, 0.0),
    ],
)
def test_wrap_keeps_pi_and_drops_minus_pi(phase, expected):
    assert wrap(phase) == pytest.approx(expected, abs=1e-15)
    assert wrap_phase(phase) == pytest.approx(expected, abs=1e-15)


def test_wrap_at_the_float_beyond_pi_stays_inside():
    assert wrap(math.nextafter(PI, 4.0)) == PI
    assert wrap(math.nextafter(-PI, -4.0)) == pytest.approx(PI)
    inside = math.nextafter(-PI, 0.0)
    assert wrap(inside) == inside
    assert wrap_phase(inside) == inside


@given(ANGLES)
def test_wrap_lies_in_its_interval_and_points_the_same_way(phase):
    wrapped = wrap(phase)
    assert -PI < wrapped <= PI
    assert math.cos(wrapped) == pytest.approx(math.cos(phase), abs=1e-9)
    assert math.sin(wrapped) == pytest.approx(math.sin(phase), abs=1e-9)
    assert wrap_phase([phase])[0] == wrapped


@given(ANGLES, ANGLES)
def test_wait_turns_phase_into_target_within_one_turn(phase, target):
    rotation = phase_to_wait(phase, target)
    assert 0.0 <= rotation < 2 * PI
    assert math.cos(phase + rotation) == pytest.approx(math.cos(target), abs=1e-9)
    assert math.sin(phase + rotation) == pytest.approx(math.sin(target), abs=1e-9)


def test_wait_is_zero_at_the_target_and_nearly_a_turn_just_after():
    assert phase_to_wait(0.3, 0.3) == 0.0
    assert phase_to_wait(1e-3, 0.0) == pytest.approx(2 * PI - 1e-3)
    assert phase_to_wait(0.0, 1e-3) == pytest.approx(1e-3)


def test_wait_never_rounds_up_to_a_whole_turn():
    assert phase_to_wait(1e-18, 0.0) == 0.0


def test_nan_and_infinity_are_not_turned_into_a_phase():
    assert math.isnan(wrap(math.nan))
    assert math.isnan(wrap(math.inf))
    assert math.isnan(phase_to_wait(math.nan, 0.0))
    assert math.isnan(phase_to_wait(0.0, math.nan))
    assert math.isnan(circular_mean([0.0, math.nan]))
    assert math.isnan(circular_sd([0.0, math.nan]))


def test_mean_crosses_the_seam():
    assert circular_mean([PI - 0.1, -PI + 0.1]) == pytest.approx(PI)
    assert circular_mean([0.1, 0.3]) == pytest.approx(0.2)


def test_mean_of_troughs_is_plus_pi():
    assert circular_mean([-PI, -PI]) == PI


def test_two_directions_give_the_textbook_values():
    # Two unit vectors 2a apart: R = cos a.
    assert resultant_length([-0.4, 0.4]) == pytest.approx(math.cos(0.4))
    assert circular_sd([-0.4, 0.4]) == pytest.approx(
        math.sqrt(-2.0 * math.log(math.cos(0.4)))
    )


def test_equal_phases_have_no_spread():
    assert resultant_length(np.full(1000, 0.7)) == pytest.approx(1.0)
    assert circular_sd(np.full(1000, 0.7)) == pytest.approx(0.0, abs=1e-7)


def test_opposite_phases_spread_without_bound():
    assert circular_sd([0.0, 0.5 * PI, PI, -0.5 * PI]) > 8.0


def test_sd_of_narrow_normal_phases_is_their_sd():
    phases = np.random.default_rng(3).normal(1.0, 0.2, 20_000)
    assert circular_sd(phases) == pytest.approx(0.2, rel=0.02)


@given(st.lists(ANGLES, min_size=1, max_size=20), ANGLES)
def test_rotation_moves_no_spread(phases, turn):
    before = resultant_length(phases)
    assert resultant_length(np.asarray(phases) + turn) == pytest.approx(
        before, abs=1e-9
    )
    assert 0.0 <= before <= 1.0


@pytest.mark.parametrize("statistic", [circular_mean, circular_sd, resultant_length])
def test_no_phases_are_refused(statistic):
    with pytest.raises(ValueError, match="empty"):
        statistic([])


def test_compiled_scalars_compile_nothing_new():
    with pytest.raises(TypeError):
        wrap("peak")
    assert len(wrap.signatures) == 1
    assert len(phase_to_wait.signatures) == 1
