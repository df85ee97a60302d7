"""The trigger output that a configuration names, opened and closed."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NoReturn, Protocol

from controller.config_limits import LimitsSection
from controller.config_output import OutputSection
from controller.errors import (
    ConfigError,
    MissingExtra,
    OutputBusy,
    OutputLost,
    OutputNotFound,
    PhasegateError,
)
from controller.rig.outputs.drivers import check_twin, make_output, twin_arguments
from drivers.base import (
    DriverError,
    DriverSettingError,
    PortBusy,
    PortLost,
    PortMissing,
    TriggerOutput,
)
from drivers.base import MissingExtra as DriverMissingExtra
from drivers.bridge.output import BridgedOutput
from drivers.sim.process import TwinProcess

ReadArrivals = Callable[[], list[tuple[float, int]]]
"""What the simulated device has logged: instant and code of each arrival."""

_LATEST_S: Final = 0.005
# Widths are milliseconds in the file and seconds or microseconds in drivers.
_SAME_WIDTH_S: Final = 1e-9


class OpenOutput(Protocol):
    """`opened_output`, or the same with faults of the simulated device for a test."""

    def __call__(
        self,
        output: OutputSection,
        log: Path,
        *,
        limits: LimitsSection,
        wires: Sequence[Path],
    ) -> contextlib.AbstractContextManager[tuple[TriggerOutput, ReadArrivals]]:
        """Open the output of a session."""
        ...


_KINDS: dict[type[DriverError], type[PhasegateError]] = {
    PortMissing: OutputNotFound,
    PortBusy: OutputBusy,
    PortLost: OutputLost,
    DriverSettingError: ConfigError,
    DriverMissingExtra: MissingExtra,
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
    output: OutputSection,
    log: Path,
    *,
    limits: LimitsSection | None = None,
    wires: Sequence[Path] = (),
    twin_options: tuple[str, ...] = (),
) -> Iterator[tuple[TriggerOutput, ReadArrivals]]:
    """Open the output of a session; it is closed, its line low, whatever happens.

    Parameters
    ----------
    output : OutputSection
    log : Path
        Where a simulated device logs its arrivals.
    limits : LimitsSection, optional
        What the output has to go with; without it only the output itself is tried.
    wires : sequence of Path
        Virtual TTL lines that a simulated device drives.
    twin_options : tuple of str
        Further arguments of the simulated device's process, faults for example.

    Raises
    ------
    OutputNotFound, OutputBusy, OutputLost, ConfigError, MissingExtra
    """
    with contextlib.ExitStack() as stack:
        with driver_errors():
            port, read = str(getattr(output, "port", "")), _nothing
            check_twin(output)
            if output.simulated:
                arguments = [*twin_arguments(output), *twin_options]
                for wire in wires:
                    arguments += ["--ttl-out", str(wire)]
                twin = TwinProcess(output.driver_name, *arguments, log=log)
                stack.enter_context(twin)
                port, read = twin.port, _logged(twin)
            latest_s = _LATEST_S if limits is None else limits.max_lateness_ms / 1e3
            driver = make_output(output, port=port, max_age_s=latest_s)
            _check(output, driver, limits)
            stack.callback(driver.close)
            driver.open()
            if isinstance(driver, BridgedOutput) and not output.simulated:
                read = driver.arrivals
        yield driver, read


def _check(
    output: OutputSection, driver: TriggerOutput, limits: LimitsSection | None
) -> None:
    can, pulse_s = driver.capabilities, output.pulse_ms / 1e3
    if trigger_code(output) not in can.codes:
        raise ConfigError(
            f"output.code is {trigger_code(output)}, but the {driver.name} sends codes "
            f"from {can.codes.start} to {can.codes.stop - 1}; choose one of these."
        )
    if can.ends_by_itself and not abs(pulse_s - can.min_pulse_s) <= _SAME_WIDTH_S:
        raise ConfigError(
            f"output.pulse_ms is {output.pulse_ms:g}, but the {driver.name} ends a "
            f"pulse by itself after {can.min_pulse_s * 1e3:g} ms; write that, or set "
            "the device to another width."
        )
    if not pulse_s >= can.min_pulse_s - _SAME_WIDTH_S:
        raise ConfigError(
            f"output.pulse_ms is {output.pulse_ms:g}, but the {driver.name} cannot "
            f"make a pulse shorter than {can.min_pulse_s * 1e3:g} ms; give at least "
            "that."
        )
    if limits is not None and not can.min_gap_s <= limits.min_interval_s:
        raise ConfigError(
            f"limits.min_interval_s is {limits.min_interval_s:g} s, but the "
            f"{driver.name} needs {can.min_gap_s:g} s from one trigger to the next; "
            "give at least that."
        )


def trigger_code(output: OutputSection) -> int:
    """Return the code that a pulse is sent with."""
    return int(getattr(output, "code", 1))


def _logged(twin: TwinProcess) -> ReadArrivals:
    def read() -> list[tuple[float, int]]:
        with driver_errors():
            arrivals = twin.arrivals()
        return [(arrival.t_observed, arrival.code) for arrival in arrivals]

    return read


def _nothing() -> list[tuple[float, int]]:
    return []
