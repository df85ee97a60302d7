import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.percentiles import summarise
from bench.rows import Bound, Row

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [("<= 0.3", 0.3, 0.3000001), (">= 4000", 4000.0, 3999.9), ("<=0", 0.0, 1.0)],
)
def test_bound_admits_its_limit_and_nothing_beyond(text, inside, outside):
    bound = Bound.parse(text)
    assert bound.admits(inside)
    assert not bound.admits(outside)


@pytest.mark.parametrize("text", ["", "0.3", "< 3", "== 3", "<= x", "<= nan", ">= inf"])
def test_bound_refuses_what_bounds_nothing(text):
    with pytest.raises(ValueError, match="bound"):
        Bound.parse(text)


@pytest.mark.parametrize("relation", ["<=", ">="])
def test_nan_keeps_no_bound(relation):
    assert not Bound(relation, 1.0).admits(math.nan)


@given(relation=st.sampled_from(["<=", ">="]), limit=finite.filter(lambda x: x >= 0))
def test_loosened_bound_still_admits_the_limit(relation, limit):
    assert Bound(relation, limit).loosened(3.0).admits(limit)


@given(relation=st.sampled_from(["<=", ">="]), limit=finite)
def test_bound_reads_what_it_writes(relation, limit):
    bound = Bound(relation, float(f"{limit:g}"))
    assert Bound.parse(str(bound)) == bound


@pytest.mark.parametrize(
    ("value", "target", "budget", "holds", "verdict"),
    [
        (1.0, "<= 1", "<= 3", True, "holds"),
        (2.0, "<= 1", "<= 3", False, "target missed"),
        (4.0, "<= 1", "<= 3", False, "BUDGET BROKEN"),
        (2.0, None, "<= 3", None, "within budget"),
        (2.0, "<= 3", None, True, "BUDGET BROKEN"),
        (math.nan, "<= 1", "<= 3", False, "BUDGET BROKEN"),
    ],
)
def test_verdict_of_a_row(value, target, budget, holds, verdict):
    row = Row(
        name="a",
        value=value,
        unit="us",
        target=None if target is None else Bound.parse(target),
        budget=None if budget is None else Bound.parse(budget),
    )
    assert row.holds is holds
    assert row.verdict == verdict
    assert row.within_budget is (verdict != "BUDGET BROKEN")


def test_percentiles_of_a_known_distribution():
    summary = summarise(range(1001))
    tail = (summary.p50, summary.p99, summary.p999)
    assert tail == pytest.approx((500.0, 990.0, 999.0))
    assert (summary.maximum, summary.n) == (1000.0, 1001)
    assert summary.as_dict().keys() == {"p50", "p95", "p99", "p999", "max", "n"}


@given(values=st.lists(finite, min_size=1))
def test_percentiles_are_in_order(values):
    summary = summarise(values)
    assert min(values) <= summary.p50 <= summary.p99 <= summary.p999
    assert summary.p999 <= summary.maximum == max(values)


@pytest.mark.parametrize("values", [[], [1.0, math.nan], [math.inf]])
def test_broken_measurements_are_not_summarised(values):
    with pytest.raises(ValueError, match="measure"):
        summarise(values)
