"""A stand-in for NI's nidaqmx: a device Dev1, eight lines and a counter, at the twin.

The environment variable PHASEGATE_NIDAQ holds the name of the twin's port. The lines
are Dev1/port0/line0 to line7; the pulses of the counter Dev1/ctr0 show on line 0.
"""

import os
import re
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from drivers.sim.vendor_port import TwinGone, VendorPort
from nidaqmx import errors
from nidaqmx.errors import DaqError

__all__ = ["DaqError", "Task", "errors"]

_LINE: Final = re.compile(r"Dev1/port0/line([0-7])(?::([0-7]))?")
_COUNTER: Final = "Dev1/ctr0"
_NO_DEVICE: Final = -200220
_NO_CHANNEL: Final = -200170
_NOT_STARTED: Final = -200846


class _Channels:
    """The channels of a task, digital or counter."""

    def __init__(self, task: "Task") -> None:
        self._task = task

    def add_do_chan(self, lines: str) -> None:
        """Add a line, or a range of lines such as Dev1/port0/line0:3."""
        found = _LINE.fullmatch(lines)
        if found is None:
            raise DaqError(f"Physical channel {lines} does not exist.", _NO_CHANNEL)
        first, last = int(found[1]), int(found[2] or found[1])
        self._task.use_lines(range(first, last + 1))

    def add_co_pulse_chan_time(
        self,
        counter: str,
        *,
        low_time: float = 0.01,
        high_time: float = 0.01,
        initial_delay: float = 0.0,
    ) -> None:
        """Add the counter."""
        if counter != _COUNTER:
            raise DaqError(f"Physical channel {counter} does not exist.", _NO_CHANNEL)
        del low_time, initial_delay
        self._task.use_counter(high_time)


class Task:
    """A task with lines, or with the counter.

    Parameters
    ----------
    new_task_name : str
    """

    def __init__(self, new_task_name: str = "") -> None:
        self.name = new_task_name
        try:
            self._port = VendorPort(os.environ.get("PHASEGATE_NIDAQ", ""))
        except TwinGone as error:
            raise DaqError("Device identifier is invalid.", _NO_DEVICE) from error
        self.do_channels = self.co_channels = _Channels(self)
        self._lines: Sequence[int] = ()
        self._high_s: float | None = None
        self._fall: threading.Timer | None = None

    def __enter__(self) -> Self:
        """Return this task."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the task."""
        self.close()

    def use_lines(self, bits: Sequence[int]) -> None:
        """Drive these lines."""
        self._lines = bits

    def use_counter(self, high_s: float) -> None:
        """Drive the counter's output."""
        self._high_s = high_s

    def write(self, data: bool | int | Sequence[bool]) -> int:  # noqa: FBT001
        """Set the lines: one level, a level for each, or a number for all."""
        if isinstance(data, Sequence):
            levels = [bool(level) for level in data]
        elif isinstance(data, bool):
            levels = [data] * len(self._lines)
        else:
            levels = [bool(data >> bit & 1) for bit in self._lines]
        for bit, level in zip(self._lines, levels, strict=True):
            self._set(bit, up=level)
        return 1

    def start(self) -> None:
        """Start; a counter gives its pulse."""
        if self._high_s is None:
            return
        if self._fall is not None and self._fall.is_alive():
            raise DaqError("The task is running already.", _NOT_STARTED)
        self._set(0, up=True)
        self._fall = threading.Timer(self._high_s, self._lower)
        self._fall.daemon = True
        self._fall.start()

    def stop(self) -> None:
        """Stop; a counter's output falls."""
        if self._fall is not None:
            self._fall.cancel()
            self._fall.join()
        if self._high_s is not None:
            self._set(0, up=False)

    def is_task_done(self) -> bool:
        """Return whether no pulse is being given."""
        try:
            self._port.check()
        except TwinGone as error:
            raise DaqError("Device identifier is invalid.", _NO_DEVICE) from error
        return self._fall is None or not self._fall.is_alive()

    def close(self) -> None:
        """Give the channels back."""
        if self._fall is not None:
            self._fall.cancel()
            self._fall.join()
        self._port.close()

    def _lower(self) -> None:
        try:
            self._port.set(0, up=False)
        except TwinGone:
            return

    def _set(self, bit: int, *, up: bool) -> None:
        try:
            self._port.set(bit, up=up)
        except TwinGone as error:
            raise DaqError("Device identifier is invalid.", _NO_DEVICE) from error
