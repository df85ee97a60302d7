"""The study's limits as the file gives them: all there, all below their ceilings."""

import math
import re

import pytest
from bad_days import config_of, config_text
from complaints import complaint, refused
from hypothesis import given
from hypothesis import strategies as st

from controller.config import parse_config
from controller.errors import ConfigError
from controller.safety.limits import CEILINGS

LIMITS = (
    "min_interval_s",
    "max_pulses",
    "max_lateness_ms",
    "max_data_age_ms",
    "max_gap_s",
    "max_silence_s",
    "max_artifact_s",
)


@pytest.mark.parametrize("key", LIMITS)
def test_every_limit_must_be_there(key: str) -> None:
    text = re.sub(rf"(?m)^{key} = .*\n", "", config_text())
    assert complaint(text) == f"limits.{key} is missing; add it."


def test_no_limit_has_a_default() -> None:
    text = config_text()
    without = text[: text.index("[limits]")] + text[text.index("[run]") :]
    assert complaint(without) == "limits is missing; add it."
    bare = text.replace("[limits]\n", "[limits]\n[unused]\n")
    assert all(f"limits.{key} is missing" in complaint(bare) for key in LIMITS)


@pytest.mark.parametrize("key", LIMITS)
def test_limits_speak_the_units_of_the_file(key: str) -> None:
    unit = 1e3 if key.endswith("_ms") else 1
    ceiling = CEILINGS[re.sub("_ms$", "_s", key)]
    whole = int if key == "max_pulses" else float
    for edge in (ceiling.lowest, ceiling.highest):
        tables = {"limits": {key: whole(edge * unit)}, "timing": {"iti_s": 4000}}
        assert getattr(config_of(**tables).limits, key) == whole(edge * unit)
    bad = whole(ceiling.highest * unit * 2)
    said = refused(limits={key: bad}, timing={"iti_s": 4000})
    assert said == (
        f"limits.{key}: must be from {ceiling.lowest * unit:g} to "
        f"{ceiling.highest * unit:g}, not {bad:g} ({ceiling.source})."
    )


def test_every_limit_beyond_its_ceiling_is_told_at_once() -> None:
    said = refused(limits={"max_lateness_ms": 100, "max_data_age_ms": 1e4})
    assert "limits.max_lateness_ms: must be from 0.001 to 5, not 100" in said
    assert "limits.max_data_age_ms: must be from 0.1 to 200, not 10000" in said


@given(
    st.floats(allow_nan=True, allow_infinity=True, width=64),
    st.sampled_from([key for key in LIMITS if key != "max_pulses"]),
)
def test_accepted_limits_are_always_within_the_ceilings(value: float, key: str) -> None:
    text = config_text(limits={key: 1}, timing={"iti_s": 4000})
    text = text.replace(f"{key} = 1\n", f"{key} = {_toml_float(value)}\n")
    try:
        config = parse_config(text, where="x")
    except ConfigError as error:
        assert f"limits.{key}" in str(error)  # noqa: PT017
        return
    limits = config.limits.to_limits()
    for name, ceiling in CEILINGS.items():
        assert ceiling.lowest <= getattr(limits, name) <= ceiling.highest


def _toml_float(value: float) -> str:
    return f"{value!r}" if math.isfinite(value) else str(value)
