"""NI-DAQ: a digital line, or a counter that times the pulse, through nidaqmx."""

import atexit
import contextlib
import dataclasses
import logging
import math
import time
from collections.abc import Callable
from typing import Final, Protocol, cast

from drivers.base import (
    Capabilities,
    DriverSettingError,
    PortLost,
    PortMissing,
    TriggerCall,
    TriggerEdges,
)
from drivers.serial_box import is_code
from drivers.vendor import import_vendor

_log = logging.getLogger(__name__)

_USB_CALL_S: Final = 1e-3
_COUNTER_LOW_S: Final = 1e-5
_MIN_WIDTH_S: Final = 1e-5
_MAX_WIDTH_S: Final = 1.0
_SOURCE: Final = (
    "estimated: 0.05 to 0.2 ms for a call on PCIe and about 1 ms on USB; not measured"
)


class _DigitalChannels(Protocol):
    def add_do_chan(self, lines: str) -> object: ...


class _CounterChannels(Protocol):
    def add_co_pulse_chan_time(
        self, counter: str, *, low_time: float, high_time: float
    ) -> object: ...


class _Task(Protocol):
    do_channels: _DigitalChannels
    co_channels: _CounterChannels

    def write(self, data: bool) -> object: ...  # noqa: FBT001 - as the vendor has it
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def is_task_done(self) -> bool: ...
    def close(self) -> None: ...


class _Errors(Protocol):
    Error: type[Exception]


class _Nidaqmx(Protocol):
    Task: Callable[[], _Task]
    errors: _Errors


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Session:
    """An open task, and the vendor's error that its calls raise."""

    task: _Task
    error: type[Exception]


class NiOutput:
    """Trigger on a line or counter of an NI device, called from Python.

    Parameters
    ----------
    port : str
        A line such as Dev1/port0/line0, or with `width_s` a counter such as Dev1/ctr0.
    width_s : float or None
        Let the counter time the pulse. None moves a digital line up and down.
    name : str
        How messages and records call this output.
    simulated : bool
        Whether a simulated device stands behind the library.
    now : callable
        Host clock in seconds.

    Raises
    ------
    DriverSettingError
        If the port is empty or does not go with the width.
    """

    def __init__(
        self,
        port: str,
        width_s: float | None = None,
        name: str = "NI-DAQ",
        *,
        simulated: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        _check_settings(port, width_s, name)
        self._width_s = width_s
        self._now = now
        self._session: _Session | None = None
        self.name = name
        self.port = port
        self.simulated = simulated
        self.capabilities = ni_capabilities(width_s)

    def open(self) -> None:
        """Open the channel and lower the line.

        Raises
        ------
        MissingExtra
            If nidaqmx or NI's driver is not installed.
        PortMissing
            If there is no such channel.
        DriverSettingError
            If this output is open already.
        """
        if self._session is not None:
            raise DriverSettingError(
                f"{self.name} is open already; close it before opening it again."
            )
        nidaqmx = cast(
            _Nidaqmx,
            import_vendor(
                "nidaqmx",
                device=self.name,
                extra="nidaq",
                library="the NI-DAQmx driver of NI",
            ),
        )
        try:
            session = _Session(task=nidaqmx.Task(), error=nidaqmx.errors.Error)
        except nidaqmx.errors.Error as error:
            raise PortMissing(
                f"{self.name} cannot be used ({error}); install NI-DAQmx of NI."
            ) from error
        try:
            self._configure(session.task)
        except session.error as error:
            with contextlib.suppress(session.error):
                session.task.close()
            raise PortMissing(
                f"{self.port} of {self.name} cannot be opened ({error}); plug the "
                "device in or correct the channel."
            ) from error
        self._session = session
        atexit.register(self.close)

    def close(self) -> None:
        """Lower the line and give the channel back."""
        atexit.unregister(self.close)
        session, self._session = self._session, None
        if session is None:
            return
        try:
            self._rest(session.task)
        except session.error as error:
            _log.warning("%s: %s may still be up (%s)", self.name, self.port, error)
        finally:
            with contextlib.suppress(session.error):
                session.task.close()

    def edges(self, code: int) -> TriggerEdges:
        """Refuse, as only Python can call the vendor's library.

        Raises
        ------
        DriverSettingError
            Always.
        """
        raise DriverSettingError(
            f"{self.name} cannot send the code {code!r} from the controller's loop, "
            "which calls no vendor's library; use fire(), or another output for "
            "phase-locked triggers."
        )

    def fire(self, code: int = 1) -> TriggerCall:
        """Raise the line, or start the counter's pulse; the only code is 1.

        Raises
        ------
        DriverSettingError
            If the channel is not open, or `code` is not 1.
        PortLost
            If the device failed.
        """
        if not is_code(code, self.capabilities.codes):
            raise DriverSettingError(
                f"{self.name} cannot send the code {code!r}, as one line knows only "
                "the code 1."
            )
        return self._call(self._raise)

    def lower(self) -> TriggerCall:
        """Lower the line; cuts a counter's pulse short.

        Raises
        ------
        DriverSettingError
            If the channel is not open.
        PortLost
            If the device failed.
        """
        return self._call(self._rest)

    def check(self) -> None:
        """Return if the device still answers.

        Raises
        ------
        PortLost
        """
        if self._session is None:
            raise PortLost(f"{self.name} is not open; open it before it is checked.")
        self._call(lambda task: task.is_task_done())

    def _configure(self, task: _Task) -> None:
        if self._width_s is None:
            task.do_channels.add_do_chan(self.port)
            task.write(False)  # noqa: FBT003 - as the vendor has it
        else:
            task.co_channels.add_co_pulse_chan_time(
                self.port, low_time=_COUNTER_LOW_S, high_time=self._width_s
            )

    def _raise(self, task: _Task) -> None:
        if self._width_s is None:
            task.write(True)  # noqa: FBT003 - as the vendor has it
        else:
            # A finished counter task starts again only after it was stopped.
            task.stop()
            task.start()

    def _rest(self, task: _Task) -> None:
        if self._width_s is None:
            task.write(False)  # noqa: FBT003 - as the vendor has it
        else:
            task.stop()

    def _call(self, action: Callable[[_Task], object]) -> TriggerCall:
        if self._session is None:
            raise DriverSettingError(f"{self.name} is not open; call open() first.")
        t_before = self._now()
        try:
            action(self._session.task)
        except self._session.error as error:
            raise PortLost(
                f"{self.port} of {self.name} was lost while in use ({error}); plug "
                "the device in again and start a new run."
            ) from error
        return TriggerCall(t_before=t_before, t_after=self._now())


def ni_capabilities(width_s: float | None) -> Capabilities:
    """Return what a line, or a counter with this width, can do."""
    shortest_s = _USB_CALL_S if width_s is None else width_s
    return Capabilities(
        codes=range(1, 2),
        ends_by_itself=width_s is not None,
        min_pulse_s=shortest_s,
        min_gap_s=shortest_s + _USB_CALL_S,
        typical_latency_s=_USB_CALL_S,
        source=_SOURCE,
        loop_fires=False,
    )


def _check_settings(port: str, width_s: float | None, name: str) -> None:
    if not port:
        raise DriverSettingError(
            f"The channel of {name} is empty; give one such as Dev1/port0/line0."
        )
    if width_s is None:
        if "/ctr" in port:
            raise DriverSettingError(
                f"{port} is a counter, which needs the width of its pulse; give "
                "width_s, or a digital line."
            )
        return
    if not (_MIN_WIDTH_S <= width_s <= _MAX_WIDTH_S and math.isfinite(width_s)):
        raise DriverSettingError(
            f"The width of {name} is {width_s!r} s, but must be from {_MIN_WIDTH_S:g} "
            f"to {_MAX_WIDTH_S:g}."
        )
    if "/ctr" not in port:
        raise DriverSettingError(
            f"{port} is no counter, and only counters time a pulse; give one such as "
            "Dev1/ctr0, or leave width_s out."
        )
