"""Every ready protocol checks clean, is cited, and is balanced wherever it is cut."""

import pytest

from controller.protocol.canonical import json_schema
from controller.protocol.dose import planned_dose
from controller.protocol.expectation import expectation_of
from controller.protocol.protocol_file import load_protocol
from controller.protocol.randomise import imbalance
from controller.protocol.review import broken_rules
from controller.protocol.trial_list import cells_of, trial_list
from controller.rig.stimulator.device_rules import device_rules
from tests.protocol.conftest import READY

NAMES = sorted(path.stem for path in READY.glob("*.toml"))
PULSES = {
    "accelerated-theta-burst": 1800,
    "ctbs": 600,
    "itbs-phase-locked": 600,
    "mu-single-pulse": 240,
    "power-gated": 240,
    "rtms-10hz-alpha": 600,
    "sici-icf-mu": 400,
    "starter": 90,
    "theta-working-memory": 160,
}


def test_there_are_eight_and_a_starter() -> None:
    assert set(NAMES) == set(PULSES)


@pytest.mark.parametrize("name", NAMES)
def test_it_breaks_no_rule(name) -> None:
    protocol = load_protocol(READY / f"{name}.toml")
    assert broken_rules(protocol, rmt_pct_mso=50) == []


@pytest.mark.parametrize("name", NAMES)
def test_it_is_cited(name) -> None:
    protocol = load_protocol(READY / f"{name}.toml")
    assert bool(protocol.citation) or name == "starter"


@pytest.mark.parametrize("name", NAMES)
def test_its_dose(name) -> None:
    protocol = load_protocol(READY / f"{name}.toml")
    dose = planned_dose(protocol, trial_list(protocol))
    assert dose.per_session == PULSES[name]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_balanced_at_every_cut(name) -> None:
    protocol = load_protocol(READY / f"{name}.toml")
    trials = trial_list(protocol)
    for place, stage in protocol.stimulating_stages():
        cells = cells_of(protocol, stage)
        known = [(cell.condition.name, cell.target_rad) for cell in cells]
        names = [cell.condition.name for cell in cells]
        places = [
            names.index(trial.condition)
            if names.count(trial.condition) == 1
            else known.index((trial.condition, trial.target_phase_rad))
            for trial in trials
            if trial.stage == place
        ]
        assert imbalance(places, [cell.condition.weight for cell in cells]) <= 1.0


@pytest.mark.parametrize(
    ("name", "device"),
    [
        ("mu-single-pulse", "magstim-rapid"),
        ("power-gated", "magpro-r30"),
        ("rtms-10hz-alpha", "magpro-r30"),
        ("itbs-phase-locked", "magpro-x100"),
        ("sici-icf-mu", "magstim-bistim"),
    ],
)
def test_a_stimulator_can_give_it(name, device) -> None:
    protocol = load_protocol(READY / f"{name}.toml")
    broken = broken_rules(protocol, device=device_rules(device), rmt_pct_mso=50)
    assert broken == []


def test_a_stimulator_that_cannot_is_told() -> None:
    protocol = load_protocol(READY / "itbs-phase-locked.toml")
    broken = broken_rules(protocol, device=device_rules("magstim-200"), rmt_pct_mso=50)
    assert any("20 ms apart, but the magstim-200" in each for each in broken)


def test_accelerated_sessions_fit_into_a_day() -> None:
    protocol = load_protocol(READY / "accelerated-theta-burst.toml")
    dose = planned_dose(protocol, trial_list(protocol))
    assert (dose.per_day, dose.total) == (18_000, 90_000)
    assert protocol.simulation_only
    session_s = expectation_of(protocol, trial_list(protocol)).duration_s
    assert 10 * session_s + 9 * protocol.schedule.min_pause_s < 86_400


def test_the_schema_knows_every_key_of_every_ready_protocol() -> None:
    import tomllib

    schema = json_schema()
    known = set(schema["properties"])
    for definition in schema["$defs"].values():
        known |= set(definition.get("properties", {}))

    def keys(value):
        if isinstance(value, dict):
            for key, inner in value.items():
                yield key
                yield from keys(inner)
        if isinstance(value, list):
            for inner in value:
                yield from keys(inner)

    for path in READY.glob("*.toml"):
        assert set(keys(tomllib.loads(path.read_text()))) <= known
