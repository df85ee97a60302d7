import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.errors import ConfigError
from controller.protocol.pattern_forms import (
    Burst,
    ContinuousThetaBurst,
    Custom,
    IntermittentThetaBurst,
    Paired,
    Sequence,
    Single,
    Train,
)
from controller.protocol.patterns import edges_of, layout_of


def milliseconds(pattern) -> list[float]:
    return [round(pulse * 1e3, 6) for pulse in layout_of(pattern).pulses_s]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (Single(), [0]),
        (Paired(kind="paired", interval_ms=2), [0, 2]),
        (Burst(kind="burst", n_pulses=3, interval_ms=20), [0, 20, 40]),
        (Sequence(kind="sequence", intervals_ms=(20, 35, 50)), [0, 20, 55, 105]),
        (Train(kind="train", frequency_hz=10, n_pulses=4), [0, 100, 200, 300]),
        (Custom(kind="custom", offsets_ms=(0, 7, 8)), [0, 7, 8]),
        (
            IntermittentThetaBurst(kind="itbs", n_bursts=2),
            [0, 20, 40, 200, 220, 240],
        ),
        (
            ContinuousThetaBurst(
                kind="ctbs", n_bursts=2, pulses_per_burst=2, bursts_per_s=4
            ),
            [0, 20, 250, 270],
        ),
    ],
    ids=lambda each: getattr(each, "kind", ""),
)
def test_pulses_come_where_the_pattern_says(pattern, expected) -> None:
    assert milliseconds(pattern) == expected


def test_itbs_as_published_has_thirty_pulses_in_under_two_seconds() -> None:
    layout = layout_of(IntermittentThetaBurst(kind="itbs"))
    assert layout.n_pulses == 30
    assert layout.duration_s == pytest.approx(1.84)
    assert layout.peak_frequency_hz == pytest.approx(50)
    assert layout.duty(10.0) == pytest.approx(0.186)


def test_ctbs_as_published_has_600_pulses_in_forty_seconds() -> None:
    layout = layout_of(ContinuousThetaBurst(kind="ctbs"))
    assert layout.n_pulses == 600
    assert layout.duration_s == pytest.approx(39.84)


def test_a_long_train_keeps_its_frequency_to_the_last_pulse() -> None:
    layout = layout_of(Train(kind="train", frequency_hz=30, n_pulses=3000))
    assert layout.pulses_s[-1] == pytest.approx(2999 / 30, abs=1e-12)


@pytest.mark.parametrize("kind", [IntermittentThetaBurst, ContinuousThetaBurst])
def test_each_burst_may_have_a_decision_of_its_own(kind) -> None:
    name = "itbs" if kind is IntermittentThetaBurst else "ctbs"
    layout = layout_of(kind(kind=name, n_bursts=4, lock="each"))
    assert layout.decisions == (0, 3, 6, 9)
    for segment in layout.segments_s():
        assert segment == pytest.approx((0.0, 0.02, 0.04))


@pytest.mark.parametrize(
    ("pattern", "repetitive"),
    [
        (Single(), False),
        (Paired(kind="paired", interval_ms=999), False),
        (Burst(kind="burst", n_pulses=3, interval_ms=20), False),
        (Burst(kind="burst", n_pulses=3, interval_ms=250), False),
        (Burst(kind="burst", n_pulses=3, interval_ms=251), True),
        (Train(kind="train", frequency_hz=50, n_pulses=2), True),
    ],
)
def test_what_counts_as_repetitive(pattern, repetitive) -> None:
    assert layout_of(pattern).repetitive is repetitive


@pytest.mark.parametrize(
    "offsets", [(0, 0.5), (0, 5, 5), (0, 5, 4)], ids=["close", "equal", "back"]
)
def test_pulses_out_of_order_or_too_close_are_refused(offsets) -> None:
    with pytest.raises(ConfigError, match="less than 1 ms apart or out of order"):
        layout_of(Custom(kind="custom", offsets_ms=offsets))


def test_a_list_that_does_not_begin_at_zero_is_refused() -> None:
    with pytest.raises(ConfigError, match="begins with 5"):
        layout_of(Custom(kind="custom", offsets_ms=(5, 10)))


def test_bursts_that_run_into_each_other_are_refused() -> None:
    crowded = IntermittentThetaBurst(
        kind="itbs", pulses_per_burst=10, frequency_hz=20, bursts_per_s=5
    )
    with pytest.raises(ConfigError, match="fewer pulses in a burst"):
        layout_of(crowded)


@pytest.mark.parametrize("pulse_s", [0.02, 0.03, 0.0, -1.0, math.nan])
def test_a_line_still_high_at_the_next_pulse_is_refused(pulse_s) -> None:
    layout = layout_of(Burst(kind="burst", n_pulses=2, interval_ms=20))
    with pytest.raises(ConfigError, match=r"output\.pulse_ms"):
        edges_of(layout, pulse_s)


@given(
    gaps=st.lists(st.floats(1, 500), min_size=1, max_size=40),
    share=st.floats(0.01, 0.99),
)
def test_edges_rise_and_fall_in_turn_and_ascend(gaps, share) -> None:
    layout = layout_of(Sequence(kind="sequence", intervals_ms=tuple(gaps)))
    (edges,) = edges_of(layout, share * layout.min_gap_s)
    assert [edge.rises for edge in edges] == [True, False] * layout.n_pulses
    offsets = [edge.offset_s for edge in edges]
    assert all(a < b for a, b in itertools.pairwise(offsets))
    rises = tuple(edge.offset_s for edge in edges if edge.rises)
    assert rises == layout.pulses_s
