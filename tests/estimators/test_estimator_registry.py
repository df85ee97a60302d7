import sys
import types
from importlib.metadata import EntryPoint

import pytest

from controller.errors import ConfigError
from controller.estimators.echt import EndpointCorrectedHilbert
from controller.estimators.registry import GROUP, find_designer, list_designers


class Guest:
    """A designer from elsewhere."""

    name = "guest"
    needs_rest = False
    reads_others = False

    def design(self, brief, rest):
        return EndpointCorrectedHilbert().design(brief)


class NotADesigner:
    """Has a name, and that is all."""

    name = "nothing"


class Explosive(Guest):
    """Cannot be made."""

    def __init__(self):
        raise RuntimeError("no licence")


@pytest.fixture
def plug_in(monkeypatch):
    module = types.ModuleType("guest_estimators")
    for one in (Guest, NotADesigner, Explosive):
        setattr(module, one.__name__, one)
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def make(name, attribute, module="guest_estimators"):
        return EntryPoint(name=name, value=f"{module}:{attribute}", group=GROUP)

    return make


@pytest.mark.parametrize("name", ["echt", "iir", "kalman", "pll", "wiener"])
def test_built_in_designers_are_found_without_any_entry_point(name):
    assert find_designer(name, plug_ins=[]).name == name


def test_installed_entry_points_are_not_taken_for_plug_ins():
    catalogue = list_designers()
    assert {"echt", "iir", "wiener"} <= set(catalogue.designers)
    assert not any("taken" in problem for problem in catalogue.problems)


def test_plug_in_is_found_by_its_name(plug_in):
    assert isinstance(find_designer("guest", [plug_in("guest", "Guest")]), Guest)


def test_misspelt_name_is_answered_with_the_nearest(plug_in):
    with pytest.raises(ConfigError, match="did you mean 'wiener'"):
        find_designer("weiner", plug_ins=[])
    with pytest.raises(ConfigError, match="did you mean 'guest'"):
        find_designer("gest", [plug_in("guest", "Guest")])


def test_strange_name_is_answered_with_all():
    with pytest.raises(ConfigError, match="choose of blend, cfir, "):
        find_designer("qqqq", plug_ins=[])


@pytest.mark.parametrize(
    ("attribute", "module", "reason"),
    [
        ("Absent", "guest_estimators", "AttributeError"),
        ("Guest", "no_such_package", "ModuleNotFoundError"),
        ("Explosive", "guest_estimators", "no licence"),
        ("NotADesigner", "guest_estimators", "has no needs_rest, reads_others, design"),
    ],
)
def test_broken_plug_in_is_reported_and_stops_nothing(
    plug_in, attribute, module, reason
):
    broken = plug_in("broken", attribute, module)
    catalogue = list_designers([broken, plug_in("guest", "Guest")])
    built_in = set(list_designers([]).designers)
    assert set(catalogue.designers) == {*built_in, "guest"}
    (problem,) = catalogue.problems
    assert reason in problem
    with pytest.raises(ConfigError, match=reason):
        find_designer("broken", [broken])
    assert find_designer("wiener", [broken]).name == "wiener"


def test_plug_in_cannot_take_a_name_of_ours(plug_in):
    thief = plug_in("wiener", "Guest")
    assert find_designer("wiener", [thief]).name == "wiener"
    catalogue = list_designers([thief])
    assert catalogue.designers["wiener"].name == "wiener"
    assert "is taken" in catalogue.problems[0]


def test_of_two_plug_ins_of_one_name_the_second_is_reported(plug_in):
    twice = [plug_in("guest", "Guest"), plug_in("guest", "NotADesigner")]
    catalogue = list_designers(twice)
    assert isinstance(catalogue.designers["guest"], Guest)
    assert len(catalogue.problems) == 1
