import itertools
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.protocol.draws import Draws
from controller.protocol.randomise import (
    SECTORS,
    imbalance,
    intervals_s,
    order_of,
    random_phases_rad,
    shadows_of,
)

GOLDEN = [853, 588, 958, 362, 539, 703]
GOLDEN_ORDER = [4, 0, 1, 3, 6, 2, 7, 5]
WEIGHTS = st.lists(st.integers(1, 6), min_size=1, max_size=6)


@given(weights=WEIGHTS, n=st.integers(1, 200), seed=st.integers(0, 999))
def test_blocks_are_balanced_wherever_the_run_is_cut(weights, n, seed) -> None:
    places = order_of(weights, n, "blocked", Draws(seed))
    assert len(places) == n
    # The slow twin: count anew at every cut point.
    divisor = math.gcd(*weights)
    for cut in range(n + 1):
        counts = Counter(places[:cut])
        shares = [counts[i] * divisor / weight for i, weight in enumerate(weights)]
        assert max(shares) - min(shares) <= 1.0
    assert imbalance(places, weights) <= 1.0


def test_an_unbalanced_order_is_told() -> None:
    assert imbalance([0, 0, 0, 1], [1, 1]) == 3.0
    assert imbalance([0, 0, 1], [2, 1]) == 1.0


def test_blocks_differ_from_each_other() -> None:
    places = order_of([1, 1, 1], 300, "blocked", Draws(1))
    blocks = {tuple(places[i : i + 3]) for i in range(0, 300, 3)}
    assert len(blocks) == 6


def test_independent_order_remembers_nothing() -> None:
    """What comes next is as likely after each condition as after the other."""
    places = order_of([1, 1], 8000, "independent", Draws(3))
    pairs = Counter(itertools.pairwise(places))
    for pair in itertools.product((0, 1), repeat=2):
        assert pairs[pair] == pytest.approx(2000, abs=150)


def test_listed_order_is_as_listed() -> None:
    assert order_of([2, 4], 7, "listed", Draws(1)) == [0, 1, 1, 0, 1, 1, 0]


@given(
    n=st.integers(0, 300),
    share=st.just(0.0) | st.floats(0.001, 0.999),
    seed=st.integers(0, 99),
)
def test_shadows_keep_their_share_wherever_the_run_is_cut(n, share, seed) -> None:
    shadows = shadows_of(n, share, Draws(seed))
    assert len(shadows) == n
    for cut in range(n + 1):
        assert abs(sum(shadows[:cut]) - share * cut) <= 1.0 + 1e-9


@pytest.mark.parametrize("share", [-0.1, 1e-9, 1.0, math.nan])
def test_a_share_that_is_none_is_refused(share) -> None:
    with pytest.raises(ValueError, match="share"):
        shadows_of(10, share, Draws(1))


@given(n=st.integers(1, 200), seed=st.integers(0, 99))
def test_random_phases_are_even_around_the_circle(n, seed) -> None:
    phases = random_phases_rad(n, Draws(seed))
    assert all(-math.pi <= phase <= math.pi for phase in phases)
    sectors = Counter(
        int((phase / (2 * math.pi) + 0.5) * SECTORS) % SECTORS for phase in phases
    )
    counts = [sectors[i] for i in range(SECTORS)]
    assert max(counts) - min(counts) <= 1


@given(iti_s=st.floats(1, 60), share=st.floats(0, 0.9), seed=st.integers(0, 99))
def test_intervals_stay_within_their_jitter(iti_s, share, seed) -> None:
    gaps = intervals_s(50, iti_s, share * iti_s, Draws(seed))
    assert all(iti_s * (1 - share) <= gap <= iti_s * (1 + share) for gap in gaps)


def test_draws_are_the_same_in_ten_years() -> None:
    draws = Draws("golden", 1)
    assert [draws.below(1000) for _ in range(6)] == GOLDEN
    assert Draws("golden", 1).shuffled(range(8)) == GOLDEN_ORDER


def test_names_of_streams_do_not_run_together() -> None:
    assert Draws("ab", "c").unit() != Draws("a", "bc").unit()


@given(n=st.integers(1, 50), seed=st.integers(0, 50))
def test_draws_lie_below_their_bound(n, seed) -> None:
    draws = Draws(seed)
    assert all(0 <= draws.below(n) < n for _ in range(20))


def test_nothing_cannot_be_drawn_from() -> None:
    with pytest.raises(ValueError, match="out of 0"):
        Draws(1).below(0)


def test_numbers_are_even_over_their_range() -> None:
    draws = Draws("even")
    counts = Counter(draws.below(7) for _ in range(7000))
    # Five standard deviations of a binomial count.
    assert all(abs(counts[i] - 1000) < 147 for i in range(7))
