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
from controller.safety.ceilings import CEILINGS

COUNTS = ("max_pulses", "max_per_minute")
LIMITS = (
    "min_interval_s",
    "max_pulses",
    "max_per_minute",
    "max_lateness_ms",
    "max_data_age_ms",
    "max_gap_s",
    "max_silence_s",
    "max_artifact_s",
    "max_armed_s",
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
    whole = int if key in COUNTS else float
    for edge in (ceiling.lowest, ceiling.highest):
        tables = {
            "limits": {key: whole(edge * unit)},
            "timing": {"iti_s": 4000},
            "run": {"duration_s": 1},
        }
        assert getattr(config_of(**tables).limits, key) == whole(edge * unit)
    bad = whole(ceiling.highest * unit * 2)
    said = refused(limits={key: bad}, timing={"iti_s": 4000}, run={"duration_s": 1})
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
    st.sampled_from([key for key in LIMITS if key not in COUNTS]),
)
def test_accepted_limits_are_always_within_the_ceilings(value: float, key: str) -> None:
    text = config_text(limits={key: 1}, timing={"iti_s": 4000}, run={"duration_s": 1})
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


TABLES = {
    "train": {
        "max_pulses": 3,
        "max_train_s": 0.5,
        "min_pulse_interval_s": 0.02,
        "min_inter_train_s": 5.0,
    },
    "stimulator": {
        "max_intensity_pct_mso": 80,
        "max_intensity_step_pct": 5,
        "max_coil_c": 40,
        "max_status_age_s": 1.0,
    },
    "dose": {
        "max_pulses_per_day": 1000,
        "max_pulses_total": 5000,
        "max_trains_per_session": 0,
        "max_trains_per_day": 0,
        "max_trains_total": 0,
        "max_full_pulses_per_day": 600.0,
    },
}


def with_table(name: str, **changed: object) -> str:
    rows = "".join(f"{k} = {v}\n" for k, v in (TABLES[name] | changed).items())
    return config_text() + f"[limits.{name}]\n{rows}"


@pytest.mark.parametrize("name", list(TABLES))
def test_a_table_below_the_limits_is_read_whole(name: str) -> None:
    limits = parse_config(with_table(name), where="x").limits
    assert getattr(limits, name).model_dump() == TABLES[name]
    others = set(TABLES) - {name}
    assert all(getattr(limits, other) is None for other in others)


@pytest.mark.parametrize(
    ("name", "key"), [(name, key) for name, table in TABLES.items() for key in table]
)
def test_no_key_of_a_table_has_a_default_or_is_boundless(name: str, key: str) -> None:
    missing = re.sub(
        rf"(?m)(\[limits\.{name}\](.|\n)*?)^{key} = .*\n", r"\1", with_table(name)
    )
    assert complaint(missing) == f"limits.{name}.{key} is missing; add it."
    said = complaint(with_table(name, **{key: 10**6}))
    assert said.startswith(f"limits.{name}.{key}: must be from ")


def test_tables_become_what_the_safety_code_asks_with() -> None:
    limits = parse_config(with_table("train"), where="x").limits.to_limits()
    assert limits.train is not None
    assert limits.train.max_pulses == 3
    assert parse_config(config_text(), where="x").limits.to_limits().train is None
    stimulator = parse_config(with_table("stimulator"), where="x").limits.stimulator
    assert stimulator is not None
    assert stimulator.to_rules().max_coil_c == 40
    dose = parse_config(with_table("dose"), where="x").limits.dose
    assert dose is not None
    assert dose.to_limits().max_pulses_total == 5000


def test_the_modality_narrows_the_ranges() -> None:
    said = refused(limits={"modality": "tms"})
    assert said.startswith("limits.min_interval_s: must be from 1 to 3600, not 0.25")


def test_an_arming_lasts_as_long_as_the_session() -> None:
    said = refused(limits={"max_armed_s": 10})
    assert "run.duration_s is 20 s, longer than limits.max_armed_s = 10 s" in said
