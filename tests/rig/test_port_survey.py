"""Ports are listed unopened; drivers say what they can do without a device."""

import types

import pytest

from controller.errors import OutputNotFound
from controller.rig.outputs.abilities import output_abilities, stimulator_abilities
from controller.rig.outputs.ports import FoundPort, asked_port, list_ports_here
from drivers.base import DriverSettingError
from drivers.registry import BUILT_IN, FoundDrivers
from drivers.sim.process import TwinProcess


def port(device, **known):
    blank = dict.fromkeys(
        ("description", "manufacturer", "serial_number", "vid", "pid")
    )
    return types.SimpleNamespace(device=device, **{**blank, **known})


def test_ports_are_described_and_sorted(tmp_path):
    (tmp_path / "ttyUSB0").touch()
    (tmp_path / "parport0").touch()
    names = tmp_path / "serial" / "by-id"
    names.mkdir(parents=True)
    (names / "usb-FTDI_A1").symlink_to("../../ttyUSB0")
    found = list_ports_here(
        lambda: [
            port(
                str(tmp_path / "ttyUSB0"),
                description="FT232R USB UART",
                serial_number="A1",
                vid=0x0403,
                pid=0x6001,
            ),
            port(str(tmp_path / "ttyS0"), description="n/a"),
            port(str(tmp_path / "ttyACM0"), vid=0x9999, pid=1),
        ],
        tmp_path,
    )
    by_name = {one.name.rsplit("/", 1)[1]: one for one in found}
    assert list(by_name) == ["parport0", "ttyACM0", "ttyS0", "ttyUSB0"]
    usb = by_name["ttyUSB0"]
    assert (usb.usb, usb.serial_number) == ("0403:6001", "A1")
    assert usb.stable_name == str(names / "usb-FTDI_A1")
    assert "bbtk" in usb.may_be
    assert by_name["ttyACM0"].may_be == ()
    assert by_name["ttyS0"].description == ""
    assert by_name["parport0"].may_be == ("parallel",)
    assert not any(one.asked for one in found)


def test_machine_without_ports_has_none(tmp_path):
    assert list_ports_here(list, tmp_path) == []


@pytest.mark.slow
def test_asked_port_keeps_what_was_known_of_it():
    with TwinProcess("bbtk") as twin:
        known = FoundPort(name=twin.port, description="a twin")
        asked = asked_port(twin.port, [known])
    assert (asked.description, asked.asked) == ("a twin", True)
    assert asked.answer.driver == "bbtk"


def test_port_that_is_not_there_is_not_found():
    with pytest.raises(OutputNotFound, match="no serial port"):
        asked_port("/dev/does-not-exist", [])


def test_every_built_in_output_says_what_it_can_do():
    abilities = {one.name: one for one in output_abilities()}
    assert set(BUILT_IN) <= set(abilities)
    for name in BUILT_IN:
        told = abilities[name].as_dict()
        assert told["codes"][0] >= 1
        assert told["min_pulse_s"] > 0
        assert not abilities[name].plug_in
    assert not abilities["labjack"].can.loop_fires


def test_plug_ins_are_told_as_far_as_they_can_be():
    class Picky:
        def __init__(self, first, second):
            """Want more than a port."""

    class Refuses:
        def __init__(self, port):
            raise DriverSettingError("The port is no port.")

    found = FoundDrivers(
        usable={"picky": Picky, "refuses": Refuses},
        broken={"broken": "It does not load; uninstall it."},
    )
    picky, refuses, broken = output_abilities(found)
    assert (picky.can, refuses.can, broken.can) == (None, None, None)
    assert all(one.plug_in for one in (picky, refuses, broken))
    assert broken.as_dict()["problem"] == "It does not load; uninstall it."


def test_every_stimulator_says_what_it_can_do():
    abilities = {one.name: one.as_dict() for one in stimulator_abilities()}
    assert abilities["magstim-bistim"]["paired"]
    assert abilities["magpro"]["confirms_pulses"]
    assert not abilities["duomag"]["arms_remotely"]
    assert abilities["ttl"]["fire_latency_s"] is None
    assert abilities["magstim-rapid"]["trains"]
