"""Finding drivers by name, with good and broken plug-ins beside our own."""

from importlib.metadata import EntryPoint

import pytest

from drivers.base import DriverSettingError
from drivers.line import SerialLineTrigger
from drivers.registry import GROUP, find_drivers
from drivers.serial_byte import SerialByteTrigger


def plug_in(name: str, value: str) -> EntryPoint:
    return EntryPoint(name=name, value=value, group=GROUP)


def test_our_own_drivers_are_found():
    found = find_drivers([])
    assert found.driver("serial-byte") is SerialByteTrigger
    assert found.driver("serial-line") is SerialLineTrigger
    assert not found.broken


def test_good_plug_in_is_found():
    found = find_drivers([plug_in("other", "drivers.serial_byte:SerialByteTrigger")])
    assert found.driver("other") is SerialByteTrigger


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("no.such.module:Driver", "ModuleNotFoundError"),
        ("drivers.serial_byte:NoSuchClass", "AttributeError"),
        ("drivers.registry:GROUP", "is not a class or function"),
    ],
)
def test_broken_plug_in_is_reported_and_stops_nothing(value, words):
    good = plug_in("good", "drivers.line:SerialLineTrigger")
    found = find_drivers([plug_in("bad", value), good])
    assert words in found.broken["bad"]
    assert found.driver("good") is SerialLineTrigger
    with pytest.raises(DriverSettingError, match=r"bad \("):
        found.driver("bad")


def test_plug_in_that_raises_anything_at_import_is_reported(tmp_path, monkeypatch):
    (tmp_path / "broken_plug_in.py").write_text("raise RuntimeError('no licence')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = find_drivers([plug_in("bad", "broken_plug_in:Driver")])
    assert "RuntimeError: no licence" in found.broken["bad"]


def test_plug_in_cannot_take_the_name_of_another_driver():
    taken = plug_in("serial-byte", "drivers.line:SerialLineTrigger")
    found = find_drivers([taken])
    assert found.driver("serial-byte") is SerialByteTrigger
    assert "its name is taken" in found.broken["serial-byte"]


def test_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(DriverSettingError, match="did you mean serial-byte"):
        find_drivers([]).driver("serial-bite")
    with pytest.raises(DriverSettingError, match="install its plug-in"):
        find_drivers([]).driver("xyzzy")


def test_installed_plug_ins_are_looked_for():
    assert set(find_drivers().usable) >= {"serial-byte", "serial-line"}
