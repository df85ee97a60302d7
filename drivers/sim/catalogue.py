"""The simulated devices, by name."""

from collections.abc import Mapping
from typing import Final

from drivers.sim.bbtk import BlackBoxTwin
from drivers.sim.byte_presets import ArduinoLptTwin, MmbtsTwin, TriggerBoxTwin
from drivers.sim.cedrus import CedrusTwin
from drivers.sim.duomag import DuoMagTwin
from drivers.sim.line_twins import (
    LabJackTwin,
    NidaqTwin,
    ParallelTwin,
    SerialLineTwin,
)
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
    "serial-line": SerialLineTwin,
    "parallel": ParallelTwin,
    "labjack": LabJackTwin,
    "nidaq": NidaqTwin,
}

BEHIND_CALLS: Final = frozenset({"serial-line", "parallel", "labjack", "nidaq"})
"""Twins of outputs that are no byte protocol: see `drivers.sim.line_twins`."""

ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "magstim-200": ("magstim",),
    "magstim-200-2": ("magstim",),
    "magstim-bistim": ("magstim", "--model", "bistim"),
    "bistim": ("magstim", "--model", "bistim"),
    "magstim-rapid": ("magstim", "--model", "rapid"),
    "rapid": ("magstim", "--model", "rapid"),
    "magventure": ("magpro",),
    "magpro-r30": ("magpro", "--model", "r30"),
    "magpro-x100": ("magpro", "--model", "x100"),
    "deymed": ("duomag",),
    "triggerbox": ("trigger-box",),
    "mmbt-s": ("mmbts",),
    "neurospec": ("mmbts",),
    "labhackers": ("usb2ttl8",),
    "blackbox": ("bbtk",),
    "c-pod": ("cedrus", "--product", "c-pod"),
    "cpod": ("cedrus", "--product", "c-pod"),
    "stimtracker": ("cedrus", "--product", "stimtracker"),
    "arduino": ("arduino-lpt",),
    "firmware": ("teensy",),
    "rts": ("serial-line",),
    "dtr": ("serial-line",),
    "lpt": ("parallel",),
    "parport": ("parallel",),
    "ljm": ("labjack",),
    "nidaqmx": ("nidaq",),
    "ni-daq": ("nidaq",),
}
"""Other names that people type, and what they stand for."""
