"""Trigger boxes that take one byte for each code, by their makers' settings."""

import time
from collections.abc import Callable
from typing import Final, Literal

from drivers.base import DriverSettingError
from drivers.serial_byte import SerialByteTrigger
from drivers.serial_port import OpenPort, open_serial

_TRIGGER_BOX_BAUD: Final = 115200
_TRIGGER_BOX_IDLE: Final = 0xFF
# Never 1200: that rate sends the board of the MMBT-S into its boot loader.
_MMBTS_BAUD: Final = 9600
_MMBTS_WIDTH_S: Final = 8e-3
_ARDUINO_BAUD: Final = 115200
_ARDUINO_BOOT_S: Final = 1.0


def trigger_box(
    port: str,
    name: str = "Brain Products TriggerBox",
    *,
    restore_idle: bool = False,
    simulated: bool = False,
    open_port: OpenPort = open_serial,
) -> SerialByteTrigger:
    """Return the output for a Brain Products TriggerBox: it latches, `00` clears.

    Parameters
    ----------
    port, name, simulated, open_port
        As `SerialByteTrigger`.
    restore_idle : bool
        Send `FF` after the last `00`, the idle state that the maker's software leaves
        behind. It raises all lines: never with a stimulator on the box.
    """
    return SerialByteTrigger(
        port,
        _TRIGGER_BOX_BAUD,
        name,
        simulated=simulated,
        last_byte=_TRIGGER_BOX_IDLE if restore_idle else 0,
        open_port=open_port,
    )


def mmbts(
    port: str,
    switch: Literal["P", "S"] = "P",
    name: str = "Neurospec MMBT-S",
    *,
    simulated: bool = False,
    open_port: OpenPort = open_serial,
) -> SerialByteTrigger:
    """Return the output for a Neurospec MMBT-S, which cannot tell how it is switched.

    Parameters
    ----------
    port, name, simulated, open_port
        As `SerialByteTrigger`.
    switch : {"P", "S"}
        As on the box: P clears the lines after 8 ms and queues earlier codes, S
        latches.

    Raises
    ------
    DriverSettingError
        If there is no such switch position.
    """
    if switch not in ("P", "S"):
        raise DriverSettingError(
            f"The switch of {name} cannot be at {switch!r}; read it off the box, "
            "'P' or 'S'."
        )
    return SerialByteTrigger(
        port,
        _MMBTS_BAUD,
        name,
        simulated=simulated,
        width_s=_MMBTS_WIDTH_S if switch == "P" else None,
        open_port=open_port,
    )


def arduino_lpt(
    port: str,
    name: str = "Arduino parallel port",
    *,
    simulated: bool = False,
    open_port: OpenPort = open_serial,
    wait: Callable[[float], None] = time.sleep,
) -> SerialByteTrigger:
    """Return the output for an Arduino that shows each byte on a parallel port.

    The board restarts when its port opens and takes no bytes for a second.

    Parameters
    ----------
    port, name, simulated, open_port, wait
        As `SerialByteTrigger`.
    """
    return SerialByteTrigger(
        port,
        _ARDUINO_BAUD,
        name,
        simulated=simulated,
        boot_s=_ARDUINO_BOOT_S,
        open_port=open_port,
        wait=wait,
    )
