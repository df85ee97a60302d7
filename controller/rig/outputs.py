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

_KINDS: dict[type[DriverError], type[PhasegateError]] = {
    PortMissing: OutputNotFound,
    PortBusy: OutputBusy,
    PortLost: OutputLost,
    DriverSettingError: ConfigError,
}


def raise_as_ours(error: DriverError) -> NoReturn:
    """Raise a driver's error as ours, with its sentence and our exit code."""
    raise _KINDS.get(type(error), OutputLost)(str(error)) from error


@contextlib.contextmanager
def driver_errors() -> Iterator[None]:
    """Turn errors of drivers into ours within a block."""
    try:
        yield
    except DriverError as error:
        raise_as_ours(error)


@contextlib.contextmanager
def opened_output(
    output: Output, log: Path
) -> Iterator[tuple[TriggerOutput, ReadArrivals]]:
    """Open the output of a session; it is closed, its line low, whatever happens.

    Parameters
    ----------
    output : Output
        The configuration's section.
    log : Path
        Where a simulated device logs its arrivals.

    Raises
    ------
    OutputNotFound, OutputBusy, OutputLost, ConfigError
    """
    with contextlib.ExitStack() as stack:
        with driver_errors():
            driver, read = _make(output, log, stack)
            stack.callback(driver.close)
            driver.open()
        yield driver, read


def trigger_code(output: Output) -> int:
    """Return the code that a pulse is sent with."""
    return 1 if isinstance(output, LineOutput) else output.code


def _make(
    output: Output, log: Path, stack: contextlib.ExitStack
) -> tuple[TriggerOutput, ReadArrivals]:
    match output:
        case SerialByteOutput():
            return SerialByteTrigger(output.port, output.baud), _nothing
        case LineOutput():
            return SerialLineTrigger(output.port, output.line), _nothing
        case SimulatedOutput():
            twin = stack.enter_context(TwinProcess("serial-byte", log=log))
            driver = SerialByteTrigger(twin.port, simulated=True)
            return driver, lambda: [
                (arrival.t_observed, arrival.code) for arrival in twin.arrivals()
            ]


def _nothing() -> list[tuple[float, int]]:
    return []
