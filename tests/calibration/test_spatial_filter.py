import numpy as np
import pytest

from controller.calibration.spatial_filter import (
    SpatialFilter,
    average_referenced,
    hjorth,
    weighted,
)
from controller.errors import ChannelError, ConfigError

LABELS = ("F3", "P3", "T3", "Cz", "C3", "O1")


def test_given_weights_mix_by_label():
    made = weighted(LABELS, {"C3": 2.0, "F3": -1.0})
    samples = np.random.default_rng(1).standard_normal((6, 9))
    assert made.apply(samples) == pytest.approx(2.0 * samples[4] - samples[0])
    assert made.montage == {"F3": -1.0, "C3": 2.0}


def test_a_channel_without_weight_may_hold_anything():
    samples = np.ones((6, 3))
    samples[0] = np.nan
    assert weighted(LABELS, {"C3": 1.0}).apply(samples) == pytest.approx([1, 1, 1])


def test_hjorth_finds_its_neighbours_and_ignores_what_all_share():
    found = hjorth(LABELS, "C3")
    assert found.montage == {
        "F3": -0.25,
        "P3": -0.25,
        "T3": -0.25,
        "Cz": -0.25,
        "C3": 1.0,
    }
    assert found.apply(np.ones((6, 2))) == pytest.approx([0.0, 0.0])
    named = hjorth(LABELS, "C3", ("Cz", "O1"))
    assert named.montage == {"Cz": -0.5, "C3": 1.0, "O1": -0.5}


def test_average_reference_takes_the_mean_away():
    samples = np.random.default_rng(2).standard_normal((6, 5))
    made = average_referenced(LABELS, {"C3": 1.0})
    assert made.apply(samples) == pytest.approx(samples[4] - samples.mean(axis=0))
    some = average_referenced(LABELS, {"C3": 1.0}, ("O1", "Cz"))
    assert some.apply(samples) == pytest.approx(samples[4] - samples[[3, 5]].mean(0))


def test_balanced_weights_need_no_average():
    made = average_referenced(LABELS, {"C3": 1.0, "O1": -1.0})
    assert made.montage == {"C3": 1.0, "O1": -1.0}


def test_pattern_is_the_mixing_of_a_single_source():
    mixing = np.array([0.1, 0.2, 0.0, 0.5, 2.0, -0.3])
    made = hjorth(LABELS, "C3").with_pattern(np.outer(mixing, mixing))
    seen = made.weights @ mixing
    assert made.pattern == pytest.approx(mixing / seen)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: weighted(LABELS, {"C3": 0.0}), "are zero"),
        (lambda: weighted(LABELS, {"C3": float("nan")}), "no finite"),
        (lambda: hjorth(LABELS, "C3", ("Cz",)), "at least two neighbours, not 1"),
        (lambda: hjorth(LABELS, "C3", ("Cz", "C3")), "names C3 more than once"),
        (lambda: average_referenced(LABELS, {"C3": 1.0}, ("C3",)), "at least two"),
        (lambda: weighted(("C3", "C3"), {"C3": 1.0}), "names C3 more than once"),
        (
            lambda: SpatialFilter(kind="x", labels=LABELS, weights=np.ones(2)),
            r"have the shape \(2,\)",
        ),
        (lambda: weighted(LABELS, {"C3": 1.0}).apply(np.ones((2, 4))), r"\(2, 4\)"),
        (lambda: hjorth(LABELS, "C3").with_pattern(np.zeros((6, 6))), "nothing in"),
    ],
)
def test_refusals(make, words):
    with pytest.raises(ConfigError, match=words):
        make()


def test_unknown_channels_are_named():
    with pytest.raises(ChannelError, match="'C4', which the recording does not have"):
        weighted(LABELS, {"C4": 1.0})
    with pytest.raises(ChannelError, match="'Oz'"):
        hjorth(LABELS, "Oz")
