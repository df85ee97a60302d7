"""The trigger output that a configuration names, opened and closed."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from controller.config import LineOutput, Output, SerialByteOutput, SimulatedOutput
from controller.errors import (
    ConfigError,
    OutputBusy,
    OutputLost,
    OutputNotFound,
    PhasegateError,
)
from drivers.base import (
    DriverError,
    DriverSettingError,
    PortBusy,
    PortLost,
    PortMissing,
    TriggerOutput,
)
from drivers.line import SerialLineTrigger
from drivers.serial_byte import SerialByteTrigger
from drivers.sim.process import TwinProcess

ReadArrivals = Callable[[], list[tuple[float, int]]]
"""What the simulated device has logged: instant and code of each arrival."""

OpenOutput = Callable[
    [Output, Path],
    contextlib.AbstractContextManager[tuple[TriggerOutput, ReadArrivals]],
]
"""`opened_output`, or the same with faults of the simulated device for a test."""

_KINDS: dict[type[DriverError], type[PhasegateError]] = {
    PortMissing: OutputNotFound,
    PortBusy: OutputBusy,
    PortLost: OutputLost,
    DriverSettingError: ConfigError,
}


def raise_as_ours(error: DriverError) -> NoReturn:
    """Raise a driver's error as ours, with its sentence and our exit code."""
    # By descent: a plug-in may have kinds of its own below these.
    ours = (our for theirs, our in _KINDS.items() if isinstance(error, theirs))
    raise next(ours, OutputLost)(str(error)) from error


@contextlib.contextmanager
def driver_errors() -> Iterator[None]:
    """Turn errors of drivers into ours within a block."""
    try:
        yield
    except DriverError as error:
        raise_as_ours(error)


@contextlib.contextmanager
def opened_output(
    output: Output, log: Path, *, twin_options: tuple[str, ...] = ()
) -> Iterator[tuple[TriggerOutput, ReadArrivals]]:
    """Open the output of a session; it is closed, its line low, whatever happens.

    Parameters
    ----------
    output : Output
        The configuration's section.
    log : Path
        Where a simulated device logs its arrivals.
    twin_options : tuple of str
        Further arguments of the simulated device's process, faults for example.

    Raises
    ------
    OutputNotFound, OutputBusy, OutputLost, ConfigError
    """
    with contextlib.ExitStack() as stack:
        with driver_errors():
            driver, read = _make(output, log, twin_options, stack)
            stack.callback(driver.close)
            driver.open()
        _check_width(output.pulse_ms / 1e3, driver)
        yield driver, read


def _check_width(pulse_s: float, driver: TriggerOutput) -> None:
    shortest_s = driver.capabilities.min_pulse_s
    if not pulse_s >= shortest_s:
        raise ConfigError(
            f"output.pulse_ms is {pulse_s * 1e3:g}, but the {driver.name} cannot make "
            f"a pulse shorter than {shortest_s * 1e3:g} ms; give at least that."
        )


def trigger_code(output: Output) -> int:
    """Return the code that a pulse is sent with."""
    return 1 if isinstance(output, LineOutput) else output.code


def _make(
    output: Output,
    log: Path,
    twin_options: tuple[str, ...],
    stack: contextlib.ExitStack,
) -> tuple[TriggerOutput, ReadArrivals]:
    match output:
        case SerialByteOutput():
            return SerialByteTrigger(output.port, output.baud), _nothing
        case LineOutput():
            return SerialLineTrigger(output.port, output.line), _nothing
        case SimulatedOutput():
            twin = stack.enter_context(
                TwinProcess("serial-byte", *twin_options, log=log)
            )
            driver = SerialByteTrigger(twin.port, simulated=True)
            return driver, lambda: _logged(twin)


def _logged(twin: TwinProcess) -> list[tuple[float, int]]:
    with driver_errors():
        arrivals = twin.arrivals()
    return [(arrival.t_observed, arrival.code) for arrival in arrivals]


def _nothing() -> list[tuple[float, int]]:
    return []
