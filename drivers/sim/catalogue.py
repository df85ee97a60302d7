"""The simulated devices, by name."""

from collections.abc import Mapping
from typing import Final

from drivers.sim.bbtk import BlackBoxTwin
from drivers.sim.byte_presets import ArduinoLptTwin, MmbtsTwin, TriggerBoxTwin
from drivers.sim.cedrus import CedrusTwin
from drivers.sim.duomag import DuoMagTwin
from drivers.sim.magpro import MagProTwin
from drivers.sim.magstim import MagstimTwin
from drivers.sim.serial_byte import SerialByteTwin
from drivers.sim.teensy import BoardTwin
from drivers.sim.twin import Twin
from drivers.sim.usb2ttl8 import Usb2Ttl8Twin

TWINS: Final[Mapping[str, type[Twin]]] = {
    "serial-byte": SerialByteTwin,
    "trigger-box": TriggerBoxTwin,
    "mmbts": MmbtsTwin,
    "arduino-lpt": ArduinoLptTwin,
    "usb2ttl8": Usb2Ttl8Twin,
    "bbtk": BlackBoxTwin,
    "cedrus": CedrusTwin,
    "teensy": BoardTwin,
    "magstim": MagstimTwin,
    "magpro": MagProTwin,
    "duomag": DuoMagTwin,
}

WITHOUT_TWIN: Final[Mapping[str, str]] = {
    "serial-line": "a pseudo-terminal has no control lines; "
    "the tests replace the ioctl",
    "parallel": "a parallel port is a device of the kernel; "
    "drivers.sim.parallel.SimulatedParallelPort stands in for its calls",
    "labjack": "the device is behind LJM; the tests replace the vendor's module",
    "nidaq": "the device is behind NI-DAQmx; the tests replace the vendor's module",
}
"""Trigger outputs that no process can stand in for, and why."""
