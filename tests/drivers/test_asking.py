"""Every device that can answer is found by its answer, and by no other's question."""

import pytest

from drivers.asking import Answer, ask_port
from drivers.base import DriverSettingError, PortLost, PortMissing
from drivers.questions import QUESTIONS
from drivers.sim.bbtk import BlackBoxDevice
from drivers.sim.byte_presets import ByteDevice
from drivers.sim.cedrus import CedrusDevice
from drivers.sim.duomag_machine import DuoMagMachine, DuoMagSettings
from drivers.sim.line_device import LineFaults, LineLatency
from drivers.sim.magpro_machine import MagProMachine
from drivers.sim.magpro_settings import MagProTwinSettings
from drivers.sim.magstim_machine import MagstimMachine
from drivers.sim.magstim_settings import MagstimSettings
from drivers.sim.process import TwinProcess
from drivers.sim.teensy import BoardDevice
from drivers.sim.usb2ttl8 import Usb2Ttl8Device

PLAIN = (LineLatency(), LineFaults())


class MachineEnd:
    """A stimulator twin in virtual time."""

    def __init__(self, machine):
        self.machine = machine

    def write(self, payload, t):
        self.machine.receive(payload, t)

    def read(self, t):
        return self.machine.advance(t)


class BoxEnd:
    """A box in virtual time."""

    def __init__(self, device):
        self.device = device
        self.said = b""

    def write(self, payload, t):
        self.said += self.device.receive(payload, t).reply

    def read(self, t):
        said, self.said = self.said + self.device.settle(t).reply, b""
        return said


class VirtualPort:
    """Links to one device, and the clock that passes while they are read."""

    def __init__(self, end, refused_bauds=()):
        self.end = end
        self.t = 0.0
        self.refused_bauds = refused_bauds
        self.opened = []
        self.asked = []
        self.name = "port"

    def link(self, name, baud, stop_bits):
        self.baud = baud
        return self

    def now(self):
        return self.t

    def open(self):
        if self.baud in self.refused_bauds:
            raise DriverSettingError(f"{self.baud} is refused.")
        self.opened.append(self.baud)
        # What was sent before is lost with the port.
        self.t += 0.001
        self.end.read(self.t)

    def close(self):
        self.t += 0.05

    def write(self, payload):
        self.asked.append(payload)
        self.end.write(payload, self.t)

    def read(self, n_max, timeout_s):
        self.t += min(timeout_s, 0.02) or 1e-4
        return self.end.read(self.t)

    def ask(self, **options):
        return ask_port("port", open_link=self.link, now=self.now, **options)


def magstim(**settings):
    return MachineEnd(MagstimMachine(MagstimSettings(**settings)))


DEVICES = {
    "duomag": lambda: MachineEnd(DuoMagMachine(DuoMagSettings())),
    "bbtk": lambda: BoxEnd(BlackBoxDevice(*PLAIN)),
    "usb2ttl8": lambda: BoxEnd(Usb2Ttl8Device(*PLAIN)),
    "teensy": lambda: BoxEnd(BoardDevice(LineFaults(), t_start=0.0)),
    "cedrus": lambda: BoxEnd(CedrusDevice(*PLAIN)),
    "magpro": lambda: MachineEnd(MagProMachine(MagProTwinSettings())),
    "magstim-bistim": lambda: magstim(model="bistim"),
    "magstim-200": magstim,
    "magstim-rapid": lambda: magstim(model="rapid", software=(9, 1, 0)),
}
WORDS = {
    "duomag": "Deymed DuoMAG, armed at the unit, 0 %",
    "bbtk": "Black Box ToolKit USB TTL module",
    "usb2ttl8": "LabHackers USB2TTL8",
    "teensy": "board with our trigger firmware, version 1, 8 lines",
    "cedrus": "Cedrus XID device, protocol 0",
    "magpro": "MagVenture MagPro X100, serial number 1234, disabled, 0 %",
    "magstim-bistim": "Magstim BiStim², disarmed, master, BiStim in low resolution",
    "magstim-200": "Magstim 200², disarmed, 30 %",
    "magstim-rapid": "Magstim Rapid², software 9.1.0",
}


def test_every_question_has_a_device_here():
    assert [question.driver for question in QUESTIONS] == list(DEVICES)


@pytest.mark.parametrize("driver", DEVICES)
def test_device_is_found_and_says_who_it_is(driver):
    port = VirtualPort(DEVICES[driver]())
    assert port.ask() == Answer(driver=driver, words=WORDS[driver])
    assert port.t < 4.5


@pytest.mark.parametrize("driver", DEVICES)
def test_device_answers_its_own_question_alone(driver):
    for other in DEVICES:
        found = VirtualPort(DEVICES[driver]()).ask(drivers=[other])
        # A BiStim² tells its parameters as a 200² does; it is asked for its mode first.
        mine = {driver, "magstim-200"} if driver == "magstim-bistim" else {driver}
        assert (found is not None) == (other in mine), other


@pytest.mark.parametrize("driver", ["magpro", "magstim-200", "magstim-bistim"])
def test_asking_changes_nothing(driver):
    end = DEVICES[driver]()
    VirtualPort(end).ask()
    assert not end.machine.armed
    assert not getattr(end.machine._body, "remote", False)
    assert end.machine.take_events() == []


def test_box_that_only_listens_stays_unknown():
    port = VirtualPort(BoxEnd(ByteDevice(*PLAIN)))
    assert port.ask() is None
    assert len(port.opened) == len(QUESTIONS)


def test_rate_that_the_port_refuses_is_passed_over():
    port = VirtualPort(DEVICES["magpro"](), refused_bauds=(128000, 1_000_000))
    assert port.ask().driver == "magpro"
    port = VirtualPort(DEVICES["magpro"](), refused_bauds={q.baud for q in QUESTIONS})
    with pytest.raises(DriverSettingError, match="is refused"):
        port.ask()


def test_device_without_a_question_is_refused():
    with pytest.raises(DriverSettingError, match=r"mouse cannot be asked .* bbtk"):
        ask_port("port", drivers=["mouse"])


def test_port_that_is_not_there_is_missing():
    with pytest.raises(PortMissing, match="no serial port"):
        ask_port("/dev/does-not-exist")


def test_lost_port_is_lost():
    class Lost(VirtualPort):
        def read(self, n_max, timeout_s):
            raise PortLost("The port is gone.")

    with pytest.raises(PortLost):
        Lost(DEVICES["magpro"]()).ask()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["duomag", "cedrus", "magpro", "magstim"])
def test_real_port_of_a_twin_is_asked(name):
    with TwinProcess(name) as twin:
        found = ask_port(twin.port)
    assert found.driver == {"magstim": "magstim-200"}.get(name, name)
