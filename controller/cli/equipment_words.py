"""What stands at the end of the line, in plain words: output, stimulator, arming."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from controller.config import Config
from controller.config_output import OutputSection
from controller.config_stimulator import StimulatorSection

_PLAIN: Final[Mapping[str, str]] = {
    "serial-line": "control line of a serial port",
    "trigger-box": "Brain Products TriggerBox",
    "mmbts": "Neurospec MMBT-S",
    "arduino-lpt": "Arduino with a parallel port",
    "usb2ttl8": "LabHackers USB2TTL8",
    "bbtk": "Black Box ToolKit USB TTL module",
    "cedrus": "Cedrus XID device",
    "parallel": "parallel port",
    "teensy": "micro-controller",
    "labjack": "LabJack",
    "nidaq": "NI device",
}


def output_words(output: OutputSection) -> str:
    """Return where triggers go, in a sentence."""
    latency = (
        f"; {output.latency_s * 1e3:g} ms from call to pulse are made up for"
        if output.latency_s
        else ""
    )
    return f"{_kind_words(output)}{latency}"


_STIMULATORS: Final[Mapping[str, str]] = {
    "magstim-200": "Magstim 200²",
    "magstim-bistim": "BiStim²",
    "magstim-rapid": "Rapid²",
    "magpro": "MagPro",
    "duomag": "DuoMAG",
    "ttl": "stimulator that only a person knows",
}


def stimulator_words(stimulator: StimulatorSection | None) -> str:
    """Return what stands behind the trigger line, in a sentence."""
    if stimulator is None:
        return "none named: a person sets, arms and watches it"
    name = _STIMULATORS[stimulator.driver_name]
    at = f" at {stimulator.intensity_pct_mso:g} % of maximum output"
    if stimulator.simulated:
        return f"SIMULATED {name}{at}"
    how = "armed by a person" if stimulator.by_person else "armed and watched from here"
    return f"REAL: {name} on {port_words(stimulator)}{at}, {how}"


def port_words(section: Any) -> str:
    """Return where a device is."""
    return str(getattr(section, "port", "a process of its own"))


def arming_words(config: Config) -> str:
    """Return who arms."""
    if config.output.simulated:
        return "not needed: the output is simulated"
    return "asked for after calibration, or given beforehand by --arm"


def _kind_words(output: Any) -> str:
    width = f"{output.pulse_ms:g} ms"
    if output.kind == "simulated-serial-byte":
        return f"SIMULATED trigger box: byte {output.code}, back to 0 after {width}"
    if output.simulated:
        return (
            f"SIMULATED {_PLAIN[output.driver_name]}: code {output.code}, "
            f"{_end_words(output)}"
        )
    words: Mapping[str, Callable[[], str]] = {
        "serial-byte": lambda: (
            f"byte {output.code} to {output.port} at {output.baud} baud, back to 0 "
            f"after {width}"
        ),
        "serial-line": lambda: (
            f"{output.line.upper()} of {output.port} high for {width}"
        ),
        "labjack": lambda: (
            f"{output.line} of the LabJack {output.port} high for {width}, by way of a "
            "bridge"
        ),
        "nidaq": lambda: (
            f"{output.port} of an NI device high for {width}, by way of a bridge"
        ),
        "plug-in": lambda: (
            f"the driver {output.driver!r} of a plug-in: code {output.code}, "
            f"{_end_words(output)}"
        ),
    }
    if output.kind in words:
        return f"REAL: {words[output.kind]()}"
    return (
        f"REAL: {_PLAIN[output.kind]} at {output.port}: code {output.code}, "
        f"{_end_words(output)}"
    )


def _end_words(output: Any) -> str:
    by_device = (
        getattr(output, "switch", None) == "P"
        or getattr(output, "timed_by", None) == "device"
        or output.driver_name in ("cedrus", "teensy")
        or getattr(output, "is_counter", False)
    )
    if by_device:
        return f"ended by the device after {output.pulse_ms:g} ms"
    return f"back to rest after {output.pulse_ms:g} ms"
