import numpy as np
import pytest

from controller.report.svg import new_figure, to_svg
from controller.report.words import (
    headline,
    held_sentence,
    phase_words,
    refused_sentence,
    signed,
    verdict,
)


def summary_of(*, n=40, mean=1.0, sd=15.0, fired=40):
    return {
        "pulses": {"fired": fired, "planned": fired},
        "phase_error_deg": {"n": n, "mean": mean, "sd": sd, "within_45": 0.9},
        "target_phase_deg": 180.0,
    }


@pytest.mark.parametrize(
    ("changed", "grade"),
    [
        ({}, "good"),
        ({"mean": -10.0}, "good"),
        ({"mean": -10.1}, "fair"),
        ({"sd": 30.0}, "good"),
        ({"sd": 30.1}, "fair"),
        ({"sd": 50.1}, "poor"),
        ({"sd": None}, "poor"),
        ({"n": 10}, "good"),
        ({"n": 9}, "none"),
        ({"fired": 0, "n": 0, "mean": None, "sd": None}, "none"),
    ],
)
def test_verdict(changed, grade):
    assert verdict(summary_of(**changed)).grade == grade


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"mean": -2.0}, "landing 2.0° before it on average"),
        ({"mean": 2.0}, "landing 2.0° after it on average"),
        ({"mean": 0.01}, "landing exactly on it on average"),
        ({"sd": None}, "no preferred phase at all"),
        ({"n": 1, "fired": 1}, "1 pulse was fired at the trough (+180°)"),
        ({"n": 0}, "the phase of none could be checked afterwards"),
    ],
)
def test_headline(changed, part):
    assert part in headline(summary_of(**changed))


@pytest.mark.parametrize(
    ("phase_deg", "words"),
    [
        (0, "the peak (0°)"),
        (360, "the peak (0°)"),
        (90, "the falling flank (+90°)"),
        (-90, "the rising flank (\N{MINUS SIGN}90°)"),
        (270, "the rising flank (\N{MINUS SIGN}90°)"),
        (180, "the trough (+180°)"),
        (-180, "the trough (+180°)"),
        (45, "+45°"),
        (-22.5, "\N{MINUS SIGN}22.5°"),
    ],
)
def test_phases_have_names(phase_deg, words):
    assert phase_words(phase_deg) == words


def test_small_sentences():
    assert signed(-0.04) == "0.0"
    assert refused_sentence(3, {}) == "Every planned pulse left: nothing was refused."
    assert refused_sentence(1, {"TOO_LATE": 1}).startswith(
        "1 of 1 planned pulse did not"
    )
    assert "no gate was closed" in held_sentence(1, {})


def test_latency_of_one_straggler_does_not_hide_the_rest():
    from controller.report.figures import _range

    values = np.concatenate([np.full(99, 100.0), [50_000.0]])
    low, high = _range(values)
    assert high < 300
    assert low <= 100


@pytest.mark.parametrize("value", [0.0, 5.0, -3.0])
def test_histogram_of_equal_values_has_a_width(value):
    from controller.report.figures import _range

    low, high = _range(np.full(3, value))
    assert low <= value < high


def test_figures_leave_no_global_state():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    figure = new_figure(2, 2)
    figure.add_subplot().plot([0, 1])
    assert to_svg(figure, "a", "b").startswith('<svg role="img" aria-label="b"')
    assert dict(mpl.rcParams) == before
