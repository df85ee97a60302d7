import dataclasses
import math

import numpy as np
import pytest

from controller.errors import ConfigError


@pytest.mark.parametrize(
    ("gain_deg", "ending"),
    [
        (None, "minute."),
        (1.2, "minute; 30 s more rest would gain about 1 deg."),
        (0.6, "minute; 30 s more rest would gain about 1 deg."),
        (3.7, "minute; 30 s more rest would gain about 4 deg."),
        (0.4, "minute; 30 s more rest would gain less than 1 deg."),
        (-2.0, "minute; 30 s more rest would gain less than 1 deg."),
        (math.nan, "minute; 30 s more rest would gain less than 1 deg."),
    ],
)
def test_the_sentence_says_what_to_expect(make_result, gain_deg, ending):
    sentence = make_result(more_rest_gain_deg=gain_deg).sentence()
    assert sentence.startswith("Expect 21 deg at 18 triggers per ")
    assert sentence.endswith(ending)


def test_without_direction_nothing_is_promised(make_result):
    levels = make_result().levels
    scattered = dataclasses.replace(levels[1], circ_sd_rad=math.inf)
    result = make_result(levels=(levels[0], scattered))
    assert result.sentence() == (
        "Expect no phase-locking at 18 triggers per minute; record more rest."
    )


@pytest.mark.parametrize(
    "change",
    [
        {"percentile": 100.0},
        {"percentile": math.nan},
        {"threshold_uv": math.inf},
        {"circ_sd_rad": -0.1},
        {"circ_sd_rad": math.nan},
        {"bias_rad": 4.0},
        {"within_45": 93.0},
        {"triggers_per_minute": math.nan},
        {"n_triggers": -1},
    ],
)
def test_impossible_levels_are_refused(make_result, change):
    with pytest.raises(ConfigError, match="A gate level cannot be"):
        dataclasses.replace(make_result().level, **change)


@pytest.mark.parametrize("recommended", [-1, 3])
def test_a_recommendation_of_nothing_is_refused(make_result, recommended):
    with pytest.raises(ConfigError, match=rf"level {recommended} of 3"):
        make_result(recommended=recommended)


def test_errors_that_are_no_numbers_are_refused(make_result):
    with pytest.raises(ConfigError, match="no finite number"):
        make_result(errors_gated_rad=np.array([0.1, np.nan]))
