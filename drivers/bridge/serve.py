"""The bridge itself: one datagram for each edge, refused if it comes too late.

The kernel stamps each datagram as the controller's loop sends it. When the bridge gets
to it, perhaps only after the system has let it wait, the datagram has an age; a rise
that is too old is refused and said back. A fall is never refused.
"""

import contextlib
import math
import os
import socket
import struct
import time
from collections.abc import Callable
from typing import Final, cast

from drivers.base import CalledOutput, DriverError, DriverSettingError, TriggerCall
from drivers.guardian import Host
from drivers.registry import find_drivers

FALL: Final = 0
"""The code that asks for rest; a rise carries its code, 1 to 65535."""

_CODE: Final = struct.Struct("<H")
_FIRST_WORD_S: Final = 10.0
_CHECK_EVERY_S: Final = 0.5
_PRIORITY: Final = 40

# Python names it on no system; the number is that of Linux.
_SO_TIMESTAMPNS: Final = 35
_STAMP: Final = struct.Struct("qq")


def encode_edge(code: int) -> bytes:
    """Return the datagram that asks for a code, `FALL` for rest."""
    return _CODE.pack(code)


def serve(host: Host, now: Callable[[], float] = time.monotonic) -> int:
    """Be the bridge until the host ends; return the exit code.

    Raises
    ------
    DriverError
        If the device cannot be opened, or fails.
    """
    word = host.first_word(_FIRST_WORD_S)
    if word is None:
        return 0
    driver = make_driver(str(word["driver"]), cast(dict[str, object], word["settings"]))
    edges = socket.socket(fileno=int(cast(int, word["descriptor"])))
    edges.setblocking(False)  # noqa: FBT003 - the standard library's way
    edges.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    with contextlib.closing(driver):
        driver.open()
        host.say("open", real_time=_ask_for_priority())
        try:
            Bridge(
                host, driver, edges, float(cast(float, word["max_age_s"])), now
            ).run()
        finally:
            with contextlib.suppress(DriverError):
                driver.lower()
    host.say("ended")
    return 0


def make_driver(name: str, settings: dict[str, object]) -> CalledOutput:
    """Return the driver of a called output, not open.

    Raises
    ------
    DriverSettingError
        If there is none of this name, or its settings do not fit.
    """
    maker = find_drivers().driver(name)
    try:
        return cast(CalledOutput, maker(**settings))
    except TypeError as error:
        raise DriverSettingError(
            f"The driver {name} cannot be made with these settings ({error}); correct "
            "output.settings."
        ) from error


class Bridge:
    """Takes datagrams and moves the line.

    Parameters
    ----------
    host : Host
    driver : CalledOutput
        Open.
    edges : socket
        Where datagrams come.
    max_age_s : float
        Of a rise that is still carried out.
    now : callable
        Host clock.
    """

    def __init__(
        self,
        host: Host,
        driver: CalledOutput,
        edges: socket.socket,
        max_age_s: float,
        now: Callable[[], float],
    ) -> None:
        self._host = host
        self._driver = driver
        self._edges = edges
        self._max_age_s = max_age_s
        self._now = now

    def run(self) -> None:
        """Carry edges out until the host ends.

        Raises
        ------
        PortLost
            If the device failed.
        """
        descriptor = self._edges.fileno()
        while not self._host.gone:
            ready = self._host.wait(_CHECK_EVERY_S, descriptor)
            if descriptor in ready and not self._take():
                return
            self._host.words()
            if not ready:
                self._driver.check()
                self._host.say("well", t=self._now())

    def _take(self) -> bool:
        """Carry out what has come; return whether the other end is still there."""
        while True:
            try:
                datagram, extra, _, _ = self._edges.recvmsg(16, 64)
            except BlockingIOError:
                return True
            if not datagram:
                return False
            (code,) = _CODE.unpack(datagram)
            age_s = _age_s(extra)
            if code == FALL:
                self._report(0, self._driver.lower(), age_s)
            elif 0.0 <= age_s <= self._max_age_s:
                self._report(code, self._driver.fire(code), age_s)
            else:
                self._host.say(
                    "refused", t=self._now(), code=code, age_s=_finite(age_s)
                )

    def _report(self, code: int, call: TriggerCall, age_s: float) -> None:
        self._host.say(
            "edge",
            code=code,
            t_before=call.t_before,
            t_after=call.t_after,
            age_s=_finite(age_s),
        )


def _age_s(extra: list[tuple[int, int, bytes]]) -> float:
    """Return how long ago a datagram was sent; infinite if the kernel did not say."""
    for level, kind, stamp in extra:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, nanoseconds = _STAMP.unpack(stamp[: _STAMP.size])
            age_ns = time.time_ns() - int(seconds) * 1_000_000_000 - int(nanoseconds)
            return age_ns / 1e9
    return math.inf


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _ask_for_priority() -> bool:
    """Ask for a real-time priority, and return whether the system gave it."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))
    except (AttributeError, OSError):
        return False
    return True
