import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.errors import SignalFault, StreamFormatError, StreamLost
from controller.sources.timing import judge_timing


def regular(n: int = 2000, rate_hz: float = 1000.0) -> np.ndarray:
    return 5000.0 + np.arange(n) / rate_hz


def test_regular_stream() -> None:
    t = regular()
    timing = judge_timing(t, t + 2e-4, 1000.0)
    assert timing.effective_hz == pytest.approx(1000.0, rel=1e-6)
    assert timing.interval_jitter_s < 1e-9
    assert timing.n_gaps == 0
    assert timing.block_samples == 1
    assert timing.arrival_interval_s == pytest.approx(1e-3, rel=1e-6)
    assert timing.data_age_p50_s == pytest.approx(2e-4, abs=1e-9)
    assert timing.data_age_max_s == pytest.approx(2e-4, abs=1e-9)


def test_blocks_are_seen() -> None:
    t = regular(2000)
    block = np.arange(2000) // 10
    arrival = t[block * 10 + 9] + 1e-3 + 1e-6 * (np.arange(2000) % 10)
    timing = judge_timing(t, arrival, 1000.0)
    assert timing.block_samples == 10
    assert timing.arrival_interval_s == pytest.approx(10e-3, rel=0.01)
    assert timing.data_age_max_s == pytest.approx(10e-3, rel=0.01)


def test_longer_of_two_alternating_blocks_counts() -> None:
    t = regular(1400, 200.0)
    ends = np.cumsum(np.tile([3, 4], 200)) - 1
    arrival = t[ends[np.searchsorted(ends, np.arange(1400))]] + 1e-3
    timing = judge_timing(t, arrival, 200.0)
    assert timing.arrival_interval_s == pytest.approx(4 / 200)


@given(
    starts=st.lists(st.integers(20, 1900), max_size=4, unique=True),
    missing=st.integers(1, 700),
)
def test_gaps_alone_are_regular(starts: list[int], missing: int) -> None:
    t = regular(2000)
    for start in starts:
        t[start:] += missing * 1e-3
    timing = judge_timing(t, t + 1e-4, 1000.0)
    assert timing.n_gaps == len(starts)
    assert timing.effective_hz == pytest.approx(1000.0, rel=1e-3)


@pytest.mark.parametrize("ratio", [0.979, 1.021, 0.5, 2.0])
def test_wrong_rate_is_refused(ratio: float) -> None:
    t = regular(2000, 500.0 * ratio)
    with pytest.raises(StreamFormatError, match="announces 500 Hz"):
        judge_timing(t, t, 500.0)


@pytest.mark.parametrize("ratio", [0.981, 1.019])
def test_rate_within_two_percent_is_accepted(ratio: float) -> None:
    t = regular(2000, 500.0 * ratio)
    assert judge_timing(t, t, 500.0).effective_hz == pytest.approx(500.0 * ratio)


def test_stamps_taken_at_push_are_accepted() -> None:
    rng = np.random.default_rng(3)
    t = regular(1000, 250.0) + rng.normal(0.0, 3e-4, 1000)
    timing = judge_timing(t, t, 250.0)
    assert timing.interval_jitter_s == pytest.approx(3e-4 * np.sqrt(2), rel=0.15)


def test_irregular_stamps_are_refused() -> None:
    rng = np.random.default_rng(4)
    t = 100.0 + np.cumsum(rng.exponential(1 / 250.0, 1000))
    with pytest.raises(StreamFormatError, match="irregular"):
        judge_timing(t, t, 250.0)


@pytest.mark.parametrize(
    ("shift_s", "what"), [(0.0, "repeats"), (-0.1, "before the stamp")]
)
def test_repeated_and_backward_stamps_are_refused(shift_s: float, what: str) -> None:
    t = np.arange(1000) / 250.0
    t[500:] += shift_s
    if what == "repeats":
        t[500] = t[499]
    with pytest.raises(SignalFault, match=what) as caught:
        judge_timing(t, t, 250.0)
    assert "sample 501 " in str(caught.value)


def test_stamp_that_is_no_number_is_refused() -> None:
    t = regular()
    t[7] = np.nan
    with pytest.raises(SignalFault, match="finite"):
        judge_timing(t, t, 1000.0)


@pytest.mark.parametrize("behind_s", [5.1, -5.1, 1.7e9])
def test_clock_of_another_world_is_refused(behind_s: float) -> None:
    t = regular()
    with pytest.raises(StreamFormatError, match="clock"):
        judge_timing(t, t + behind_s, 1000.0)


def test_too_few_samples() -> None:
    t = regular(39)
    with pytest.raises(StreamLost, match="Only 39 samples"):
        judge_timing(t, t, 1000.0)
