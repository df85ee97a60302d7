"""The map from host time to device time: drift, slow exchanges, jumps."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.device_clock import ClockLost, ClockMap, Exchange


def read(draws, t, *, drift=0.0, offset=0.0, way_s=200e-6, jitter_s=50e-6):
    """Return an exchange with exponential jitter on both ways."""
    there = way_s / 2 + draws.expovariate(1 / jitter_s)
    back = way_s / 2 + draws.expovariate(1 / jitter_s)
    t_dev = offset + (t + there) * (1 + drift)
    return Exchange(t_before=t, t_after=t + there + back, t_dev=t_dev)


def test_map_without_an_exchange_is_refused():
    for ask in (ClockMap().to_device, ClockMap().to_host, ClockMap().bound_s):
        with pytest.raises(ClockLost, match="was not read yet"):
            ask(1.0)


def test_one_exchange_maps_its_middle_and_bounds_its_error():
    clock = ClockMap()
    clock.add(Exchange(t_before=10.0, t_after=10.001, t_dev=3.0))
    assert clock.to_device(10.0005) == pytest.approx(3.0, abs=1e-12)
    assert clock.to_host(3.0) == pytest.approx(10.0005, abs=1e-12)
    assert clock.bound_s(10.0) >= 0.0005


@given(
    st.floats(-100e-6, 100e-6),
    st.floats(-1e6, 1e6),
    st.floats(1e-5, 2e-3),
    st.integers(0, 2**32),
)
def test_error_stays_within_its_bound(drift, offset, way_s, seed):
    draws, clock = random.Random(seed), ClockMap()
    t = 1000.0
    for i in range(60):
        t += 0.01 if i < 16 else 1.0
        clock.add(read(draws, t, drift=drift, offset=offset, way_s=way_s))
        ahead = t + 0.2
        error = clock.to_device(ahead) - (offset + ahead * (1 + drift))
        assert abs(error) <= clock.bound_s(ahead) + 1e-9


@pytest.mark.parametrize("drift", [-80e-6, 0.0, 35e-6])
def test_error_is_below_a_tenth_of_a_millisecond_after_a_minute(drift):
    draws, clock = random.Random(3), ClockMap()
    for i in range(60):
        clock.add(read(draws, float(i), drift=drift, offset=-7.0))
    assert clock.drift == pytest.approx(drift, abs=5e-6)
    error = clock.to_device(61.0) - (-7.0 + 61.0 * (1 + drift))
    assert abs(error) < 100e-6


@given(st.integers(0, 2**32))
def test_slow_exchanges_do_not_bend_the_line(seed):
    draws, clock = random.Random(seed), ClockMap()
    n_slow = 0
    for i in range(60):
        fast = read(draws, float(i), drift=20e-6)
        if i > 5 and draws.random() < 0.3:
            # The answer was held up, so that the middle is far from the reading.
            fast = Exchange(
                t_before=fast.t_before, t_after=fast.t_after + 0.02, t_dev=fast.t_dev
            )
            assert not clock.add(fast)
            n_slow += 1
        else:
            clock.add(fast)
    assert clock.n_used >= 60 - n_slow - 25
    assert abs(clock.to_device(60.5) - 60.5 * (1 + 20e-6)) < 100e-6


def test_slower_link_is_accepted_in_time():
    draws, clock = random.Random(1), ClockMap()
    for i in range(20):
        clock.add(read(draws, float(i)))
    used = clock.n_used
    for i in range(20, 400):
        clock.add(read(draws, float(i), way_s=1.5e-3))
    assert clock.n_used > used + 100


def test_clock_that_jumps_is_lost_and_one_odd_reading_is_not():
    draws, clock = random.Random(1), ClockMap()
    for i in range(20):
        clock.add(read(draws, float(i)))
    assert not clock.add(read(draws, 20.0, offset=-20.0))
    assert clock.add(read(draws, 21.0))
    clock.add(read(draws, 22.0, offset=-22.0))
    clock.add(read(draws, 23.0, offset=-22.0))
    with pytest.raises(ClockLost, match="has jumped by about 22 s"):
        clock.add(read(draws, 24.0, offset=-22.0))


@pytest.mark.parametrize(
    "exchange",
    [
        Exchange(t_before=1.0, t_after=0.5, t_dev=0.0),
        Exchange(t_before=math.nan, t_after=1.0, t_dev=0.0),
        Exchange(t_before=1.0, t_after=math.inf, t_dev=0.0),
        Exchange(t_before=1.0, t_after=1.1, t_dev=math.nan),
        Exchange(t_before=-1.0, t_after=-0.9, t_dev=0.0),
    ],
)
def test_impossible_exchanges_are_refused(exchange):
    clock = ClockMap()
    clock.add(Exchange(t_before=0.0, t_after=0.001, t_dev=0.0))
    with pytest.raises(ClockLost):
        clock.add(exchange)
    assert clock.n_used == 1


@given(st.floats(-90e-6, 90e-6), st.floats(0, 1e5), st.floats(-10, 10))
def test_there_and_back_is_the_same_instant(drift, offset, away_s):
    draws, clock = random.Random(1), ClockMap()
    for i in range(10):
        clock.add(read(draws, 100.0 + i, drift=drift, offset=offset))
    t = 110.0 + away_s
    assert clock.to_host(clock.to_device(t)) == pytest.approx(t, abs=1e-8)
