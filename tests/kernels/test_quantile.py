import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from controller.kernels.quantile import insert, quantile, remove

VALUES = st.floats(-1e9, 1e9) | st.sampled_from([0.0, 1.0, 1.0, 2.0])


@given(st.lists(VALUES, min_size=1, max_size=50), st.floats(0, 1))
def test_quantile_is_that_of_numpy(values, fraction):
    ordered = np.zeros(len(values))
    for n, value in enumerate(values):
        insert(ordered, n, value)
    assert ordered.tolist() == sorted(values)
    # Two neighbours weighted by a fraction: rounding of the larger one at most.
    tolerance = 1e-12 * max(map(abs, values), default=1.0) + 1e-300
    assert quantile(ordered, len(values), fraction) == pytest.approx(
        float(np.quantile(values, fraction)), abs=tolerance
    )


class RunningWindow(RuleBasedStateMachine):
    """Insertions and removals in any order, beside a plain sorted list."""

    def __init__(self):
        super().__init__()
        self.ordered = np.zeros(30)
        self.plain = []

    @precondition(lambda self: len(self.plain) < 30)
    @rule(value=VALUES)
    def put(self, value):
        insert(self.ordered, len(self.plain), value)
        self.plain = sorted([*self.plain, value])

    @precondition(lambda self: self.plain)
    @rule(which=st.integers(0, 29))
    def take(self, which):
        value = self.plain[which % len(self.plain)]
        remove(self.ordered, len(self.plain), value)
        self.plain.remove(value)

    @invariant()
    def holds_the_same(self):
        assert self.ordered[: len(self.plain)].tolist() == self.plain


TestRunningWindow = RunningWindow.TestCase
TestRunningWindow.settings = settings(max_examples=30)


@pytest.mark.parametrize(
    ("fraction", "expected"), [(0.0, 1.0), (0.5, 2.5), (1.0, 4.0), (1 / 3, 2.0)]
)
def test_ends_and_middle(fraction, expected):
    ordered = np.array([1.0, 2.0, 3.0, 4.0, 99.0])
    assert quantile(ordered, 4, fraction) == pytest.approx(expected)


def test_no_entries_have_no_quantile():
    assert math.isnan(quantile(np.zeros(3), 0, 0.5))


@pytest.mark.parametrize("wrong", [np.zeros(4, np.float32), np.zeros(8)[::2]])
def test_another_layout_is_refused(wrong):
    for function, last in ((insert, 1.0), (remove, 1.0), (quantile, 0.5)):
        with pytest.raises(TypeError):
            function(wrong, 0, last)
        assert len(function.signatures) == 1
