"""`[stimulator]` in a file: what must stand there, and what does not go together."""

import math
from typing import Any, get_args

import pydantic
import pytest
from bad_days import config_of
from complaints import refused

from controller.cli.equipment_words import stimulator_words
from controller.config_stimulator import SimulatedMagstim200, Stimulator
from drivers.keeper.makers import STIMULATORS

LIMITS = {
    "max_intensity_pct_mso": 60.0,
    "max_intensity_step_pct": 50.0,
    "max_coil_c": 40.0,
    "max_status_age_s": 1.0,
}
TRAIN = {
    "max_pulses": 2,
    "max_train_s": 0.1,
    "min_pulse_interval_s": 0.002,
    "min_inter_train_s": 4.0,
}
KINDS = sorted(
    get_args(section.model_fields["kind"].annotation)[0]
    for section in get_args(get_args(Stimulator)[0])
)
NEEDED: dict[str, dict[str, Any]] = {
    "magstim-bistim": {"second_intensity_pct_mso": 0, "pair_interval_ms": 10},
    "duomag": {"min_interval_s": 2.0},
    "ttl": {"min_interval_s": 2.0},
}


def tables(kind: str, **keys: Any) -> dict[str, Any]:
    """Return the tables of a session with a stimulator, and an output that fits."""
    simulated = kind.startswith("simulated-")
    port = {} if simulated or kind == "ttl" else {"port": "/dev/ttyS9"}
    needed = NEEDED.get(kind.removeprefix("simulated-"), {})
    output = {"kind": "serial-byte", "port": "/dev/ttyUSB9"}
    if simulated:
        output = {"kind": "simulated-serial-byte"}
    stimulator = {"kind": kind, "intensity_pct_mso": 45} | port | needed | keys
    limits: dict[str, Any] = {"stimulator": LIMITS}
    study: dict[str, Any] = {}
    if not simulated:
        limits |= {"modality": "tms", "min_interval_s": 5.0}
        study = {"timing": {"iti_s": 6.0}}
    return {"output": output, "stimulator": stimulator, "limits": limits} | study


def test_every_driver_has_a_simulated_and_a_real_kind() -> None:
    expected = set(STIMULATORS) | {f"simulated-{name}" for name in STIMULATORS}
    assert set(KINDS) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_what_it_is(kind: str) -> None:
    stimulator = config_of(**tables(kind)).stimulator
    assert stimulator is not None
    assert stimulator.simulated == kind.startswith("simulated-")
    words = stimulator_words(stimulator)
    assert words.startswith("SIMULATED" if stimulator.simulated else "REAL: ")
    assert "45 %" in words


def test_without_a_section_a_person_does_the_rest() -> None:
    assert config_of().stimulator is None
    assert "a person" in stimulator_words(None)


@pytest.mark.parametrize(
    ("kind", "changes", "sentence"),
    [
        ("magstim-200", {"stimulator": {"port": None}}, "stimulator.port is missing"),
        ("magpro", {"limits": {}}, "no [limits.stimulator]"),
        (
            "magpro",
            {"stimulator": {"intensity_pct_mso": 61}},
            "above limits.stimulator.max_intensity_pct_mso = 60",
        ),
        ("duomag", {"stimulator": {"min_interval_s": None}}, "min_interval_s"),
        (
            "simulated-magpro",
            {"output": {"kind": "serial-byte", "port": "/dev/x"}},
            "the stimulator is simulated and the output is not",
        ),
        (
            "magpro",
            {"output": {"kind": "simulated-serial-byte"}},
            "the output is simulated and the stimulator is not",
        ),
        (
            "magstim-200",
            {"limits": {"stimulator": LIMITS, "modality": "sensory"}},
            "limits.modality is 'sensory', but this is a magnetic stimulator",
        ),
        (
            "ttl",
            {"limits": {"stimulator": LIMITS, "modality": "marker"}},
            "limits.modality is 'marker', but a marker reaches nobody",
        ),
        (
            "magstim-rapid",
            {"stimulator": {"intensity_pct_mso": 101}},
            "above 100 needs enhanced = true",
        ),
    ],
)
def test_what_does_not_go(
    kind: str, changes: dict[str, dict[str, Any]], sentence: str
) -> None:
    given = tables(kind)
    for name, keys in changes.items():
        merged = keys if name != "stimulator" else given[name] | keys
        given[name] = {key: v for key, v in merged.items() if v is not None}
    assert sentence in refused(**given)


@pytest.mark.parametrize(
    ("train", "interval_ms", "second", "sentence"),
    [
        (None, 10, 30, "which nothing allows without limits.train"),
        ({}, 1, 30, "shorter than limits.train.min_pulse_interval_s = 0.002 s"),
        ({}, 101, 30, "longer than limits.train.max_train_s = 0.1 s"),
        (
            {"min_inter_train_s": 4.991},
            10,
            30,
            "stimulator.pair_interval_ms want 5.001 s",
        ),
        ({"min_inter_train_s": 4.99}, 10, 30, None),
        ({}, 10, 61, "above limits.stimulator.max_intensity_pct_mso = 60"),
        ({}, 2, 30, None),
        ({}, 0, 30, None),
        (None, 10, 0, None),
    ],
)
def test_pairs_need_the_limits_of_trains(
    train: dict[str, Any] | None, interval_ms: float, second: float, sentence: str
) -> None:
    given = tables(
        "magstim-bistim", second_intensity_pct_mso=second, pair_interval_ms=interval_ms
    )
    if train is not None:
        given["limits"] = given["limits"] | {"train": TRAIN | train}
    if sentence is None:
        assert config_of(**given).stimulator is not None
    else:
        assert sentence in refused(**given)


def test_intensity_may_be_a_share_of_the_motor_threshold() -> None:
    given = tables("simulated-magstim-200", intensity_pct_rmt=110, rmt_pct_mso=45.9)
    del given["stimulator"]["intensity_pct_mso"]
    stimulator = config_of(**given).stimulator
    assert stimulator is not None
    # 50.49, and never more than was asked for.
    assert stimulator.intensity_pct_mso == 50.0
    assert (stimulator.intensity_pct_rmt, stimulator.rmt_pct_mso) == (110.0, 45.9)
    given["stimulator"] |= {"intensity_pct_rmt": 120, "rmt_pct_mso": 50}
    assert config_of(**given).stimulator.intensity_pct_mso == 60.0  # type: ignore[union-attr]
    given["stimulator"]["rmt_pct_mso"] = 51
    said = refused(**given)
    assert "stimulator.intensity_pct_mso is 61" in said
    assert "max_intensity_pct_mso = 60" in said


@pytest.mark.parametrize("rmt_pct_mso", [math.nan, math.inf])
def test_share_of_no_number_is_refused(rmt_pct_mso: float) -> None:
    with pytest.raises(pydantic.ValidationError, match="finite number"):
        SimulatedMagstim200(
            kind="simulated-magstim-200",
            intensity_pct_rmt=110.0,
            rmt_pct_mso=rmt_pct_mso,
        )


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"intensity_pct_rmt": 110}, "or pass --rmt"),
        ({"intensity_pct_rmt": 110, "rmt_pct_mso": 0.5}, "rmt_pct_mso"),
        ({"intensity_pct_rmt": "110", "rmt_pct_mso": 50}, "intensity_pct_rmt"),
        ({"intensity_pct_rmt": 201, "rmt_pct_mso": 20}, "intensity_pct_rmt"),
        ({"intensity_pct_rmt": True, "rmt_pct_mso": 20}, "intensity_pct_rmt"),
        ({"intensity_pct_mso": 45, "intensity_pct_rmt": 110}, "give one of"),
    ],
)
def test_share_of_a_threshold_that_makes_no_sense(
    keys: dict[str, Any], complaint: str
) -> None:
    given = tables("simulated-magstim-200")
    del given["stimulator"]["intensity_pct_mso"]
    given["stimulator"] |= keys
    assert complaint in refused(**given)
