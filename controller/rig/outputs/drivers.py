"""From a section of the configuration to the driver that it names, and to its twin."""

import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from controller.config_output import OutputSection, PlugInOutput
from drivers.base import DriverSettingError, TriggerOutput
from drivers.bbtk import BlackBoxTtl
from drivers.bridge.output import BridgedOutput, BridgeSpec
from drivers.byte_boxes import arduino_lpt, mmbts, trigger_box
from drivers.cedrus import CedrusXid
from drivers.line import SerialLineTrigger
from drivers.parallel import ParallelPort
from drivers.registry import find_drivers
from drivers.serial_byte import SerialByteTrigger
from drivers.sim.line_twins import VENDOR_PATH
from drivers.sim.port_calls import library
from drivers.teensy import MicrocontrollerTrigger
from drivers.usb2ttl8 import Usb2Ttl8

# Sections differ in their keys; which goes with which maker, the two tables below say.
Maker = Callable[[Any, str, bool], TriggerOutput]


def _us(output: Any) -> int:
    width_us: int = round(output.pulse_ms * 1e3)
    return width_us


def _serial_byte(output: Any, port: str, simulated: bool) -> TriggerOutput:  # noqa: FBT001
    # The twin is as fast as a pseudo-terminal, whatever the rate.
    baud = 115200 if simulated else output.baud
    return SerialByteTrigger(port, baud, simulated=simulated)


def _usb2ttl8(output: Any, port: str, simulated: bool) -> TriggerOutput:  # noqa: FBT001
    width_us = _us(output) if output.timed_by == "device" else None
    return Usb2Ttl8(port, width_us=width_us, simulated=simulated)


_MAKERS: Final[Mapping[str, Maker]] = {
    "serial-byte": _serial_byte,
    "serial-line": lambda o, port, simulated: SerialLineTrigger(
        port, o.line, simulated=simulated
    ),
    "trigger-box": lambda _, port, simulated: trigger_box(port, simulated=simulated),
    "mmbts": lambda o, port, simulated: mmbts(port, o.switch, simulated=simulated),
    "arduino-lpt": lambda _, port, simulated: arduino_lpt(port, simulated=simulated),
    "usb2ttl8": _usb2ttl8,
    "bbtk": lambda _, port, simulated: BlackBoxTtl(port, simulated=simulated),
    "cedrus": lambda o, port, simulated: CedrusXid(
        port, int(o.pulse_ms), simulated=simulated
    ),
    "parallel": lambda _, port, simulated: ParallelPort(port, simulated=simulated),
    "teensy": lambda o, port, simulated: MicrocontrollerTrigger(
        port, _us(o), watchdog_ms=o.watchdog_ms, simulated=simulated
    ),
}


def _labjack(output: Any, port: str) -> dict[str, object]:
    return {
        "port": port,
        "line": output.line,
        "device": getattr(output, "device", "ANY"),
        "connection": getattr(output, "connection", "ANY"),
        "simulated": output.simulated,
    }


def _nidaq(output: Any, port: str) -> dict[str, object]:
    width_s = output.pulse_ms / 1e3 if output.is_counter else None
    if output.simulated:
        port = "Dev1/ctr0" if output.is_counter else "Dev1/port0/line0"
    return {"port": port, "width_s": width_s, "simulated": output.simulated}


_BRIDGED: Final[Mapping[str, Callable[[Any, str], dict[str, object]]]] = {
    "labjack": _labjack,
    "nidaq": _nidaq,
}
# Where the stand-ins for the vendors' modules look for the twin's port.
_TWIN_AT: Final = {"labjack": "PHASEGATE_LABJACK", "nidaq": "PHASEGATE_NIDAQ"}
_PRELOADED: Final = frozenset({"serial-line", "parallel"})


def make_output(output: OutputSection, *, port: str, max_age_s: float) -> TriggerOutput:
    """Return the driver that a section names, not open yet.

    Parameters
    ----------
    output : OutputSection
    port : str
        Of the device, or of its twin.
    max_age_s : float
        Where a bridge stands between: a trigger that it gets to later is refused.

    Raises
    ------
    DriverError
        A setting that the driver cannot take, or a plug-in that is not there.
    """
    if isinstance(output, PlugInOutput):
        return _plug_in(output, max_age_s)
    name = output.driver_name
    if name in _BRIDGED:
        return BridgedOutput(
            BridgeSpec(
                driver=name,
                settings=_BRIDGED[name](output, port),
                max_age_s=max_age_s,
                environment=_stand_in(name, port) if output.simulated else {},
            )
        )
    return _MAKERS[name](output, port, output.simulated)


def twin_arguments(output: OutputSection) -> tuple[str, ...]:
    """Return the arguments with which the twin is what the section says."""
    switch = getattr(output, "switch", None)
    return () if switch is None else ("--switch", switch)


def check_twin(output: OutputSection) -> None:
    """Return if this process can use the twin of an output.

    Raises
    ------
    DriverSettingError
        If the twin answers calls that only a preloaded library makes.
    """
    if not output.simulated or output.driver_name not in _PRELOADED:
        return
    needed = str(library())
    if needed not in os.environ.get("LD_PRELOAD", "").split(":"):
        raise DriverSettingError(
            f"output.kind is {output.kind!r}, whose calls a preloaded library answers; "
            f"start the program as `LD_PRELOAD={needed} phasegate ...`, or choose "
            "another simulated output."
        )


def _stand_in(name: str, port: str) -> dict[str, str]:
    """Return the environment in which the vendor's module is the twin's."""
    paths = [str(VENDOR_PATH), os.environ.get("PYTHONPATH", "")]
    return {
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        _TWIN_AT[name]: port,
    }


def _plug_in(output: PlugInOutput, max_age_s: float) -> TriggerOutput:
    maker = find_drivers().driver(output.driver)
    try:
        driver = maker(**output.settings)
    except TypeError as error:
        raise DriverSettingError(
            f"The driver {output.driver} cannot be made with these settings "
            f"({error}); correct output.settings."
        ) from error
    if driver.capabilities.loop_fires:
        return driver
    spec = BridgeSpec(
        driver=output.driver, settings=output.settings, max_age_s=max_age_s
    )
    return BridgedOutput(spec)
