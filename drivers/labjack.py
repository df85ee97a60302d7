"""LabJack T4 and T7: one digital line, moved by calls of the vendor's LJM library."""

import atexit
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Final, Literal, Protocol, cast

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

_CALL_S: Final = 2.2e-3
_DEVICES: Final = ("ANY", "T4", "T7")
_CONNECTIONS: Final = ("ANY", "USB", "ETHERNET", "WIFI")
_LINES: Final = tuple(
    [f"FIO{n}" for n in range(8)]
    + [f"EIO{n}" for n in range(8)]
    + [f"CIO{n}" for n in range(4)]
)

CAPABILITIES: Final = Capabilities(
    codes=range(1, 2),
    ends_by_itself=False,
    min_pulse_s=_CALL_S,
    min_gap_s=2 * _CALL_S,
    typical_latency_s=_CALL_S,
    source="stated by the maker: command and response over USB take 0.6 ms on a "
    "high-speed hub, else 2.1 to 2.3 ms, and 1.0 ms over Ethernet; not measured",
    loop_fires=False,
)


class Ljm(Protocol):
    """The part of `labjack.ljm` that is used here."""

    LJMError: type[Exception]

    def openS(self, device: str, connection: str, identifier: str) -> int:  # noqa: N802
        """Open a device and return its handle."""
        ...

    def eWriteName(self, handle: int, name: str, value: float) -> None:  # noqa: N802
        """Write a register."""
        ...

    def eReadName(self, handle: int, name: str) -> float:  # noqa: N802
        """Read a register."""
        ...

    def close(self, handle: int) -> None:
        """Close a device."""
        ...


class LabJackLine:
    """Trigger on a digital line of a LabJack T4 or T7, called from Python.

    The line has 3.3 V. Reading a line of a T4 or T7 makes it an input, so it is only
    ever written.

    Parameters
    ----------
    port : str
        Serial number, name or address of the device, or ANY for the first one.
    line : str
        Such as FIO4.
    device : {"ANY", "T4", "T7"}
    connection : {"ANY", "USB", "ETHERNET", "WIFI"}
    name : str
        How messages and records call this output.
    simulated : bool
        Whether a simulated device stands behind the library.
    now : callable
        Host clock in seconds.

    Raises
    ------
    DriverSettingError
        If a name is empty or not known.
    """

    def __init__(
        self,
        port: str = "ANY",
        line: str = "FIO4",
        name: str = "LabJack",
        *,
        device: Literal["ANY", "T4", "T7"] = "ANY",
        connection: Literal["ANY", "USB", "ETHERNET", "WIFI"] = "ANY",
        simulated: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        if not port:
            raise DriverSettingError(
                "The identifier of the LabJack is empty; give its serial number, or "
                "ANY."
            )
        for value, allowed in (
            (line, _LINES),
            (device, _DEVICES),
            (connection, _CONNECTIONS),
        ):
            if value not in allowed:
                raise DriverSettingError(
                    f"{name} knows no {value!r}; choose one of {', '.join(allowed)}."
                )
        self._line = line
        self._device = device
        self._connection = connection
        self._now = now
        self._ljm: Ljm | None = None
        self._handle = -1
        self.name = name
        self.port = port
        self.simulated = simulated
        self.capabilities = CAPABILITIES

    def open(self) -> None:
        """Open the device and lower the line.

        Raises
        ------
        MissingExtra
            If LJM is not installed.
        PortMissing
            If there is no such device.
        DriverSettingError
            If this output is open already.
        """
        if self._ljm is not None:
            raise DriverSettingError(
                f"{self.name} is open already; close it before opening it again."
            )
        ljm = cast(
            Ljm,
            import_vendor(
                "labjack.ljm",
                device=self.name,
                extra="labjack",
                library="the LJM library of LabJack",
            ),
        )
        try:
            handle = ljm.openS(self._device, self._connection, self.port)
        except ljm.LJMError as error:
            raise PortMissing(
                f"No LabJack {self._device} answers as {self.port} over "
                f"{self._connection} ({error}); plug it in or correct its identifier."
            ) from error
        try:
            ljm.eWriteName(handle, self._line, 0)
        except ljm.LJMError as error:
            with contextlib.suppress(ljm.LJMError):
                ljm.close(handle)
            raise DriverSettingError(
                f"{self._line} of {self.name} cannot be lowered ({error}); choose a "
                "line that is a digital output."
            ) from error
        self._ljm, self._handle = ljm, handle
        atexit.register(self.close)

    def close(self) -> None:
        """Lower the line and close the device."""
        atexit.unregister(self.close)
        ljm, self._ljm = self._ljm, None
        if ljm is None:
            return
        try:
            ljm.eWriteName(self._handle, self._line, 0)
        except ljm.LJMError as error:
            _log.warning("%s: %s may still be up (%s)", self.name, self._line, error)
        finally:
            with contextlib.suppress(ljm.LJMError):
                ljm.close(self._handle)

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
        """Raise the line; the only code of a line is 1.

        Raises
        ------
        DriverSettingError
            If the device is not open, or `code` is not 1.
        PortLost
            If the device failed.
        """
        if not is_code(code, self.capabilities.codes):
            raise DriverSettingError(
                f"{self.name} cannot send the code {code!r}, as one line knows only "
                "the code 1."
            )
        return self._write(1)

    def lower(self) -> TriggerCall:
        """Lower the line.

        Raises
        ------
        DriverSettingError
            If the device is not open.
        PortLost
            If the device failed.
        """
        return self._write(0)

    def check(self) -> None:
        """Return if the device still answers.

        Raises
        ------
        PortLost
        """
        if self._ljm is None:
            raise PortLost(f"{self.name} is not open; open it before it is checked.")
        try:
            self._ljm.eReadName(self._handle, "SERIAL_NUMBER")
        except self._ljm.LJMError as error:
            raise self._lost(error) from error

    def _write(self, level: int) -> TriggerCall:
        if self._ljm is None:
            raise DriverSettingError(f"{self.name} is not open; call open() first.")
        t_before = self._now()
        try:
            self._ljm.eWriteName(self._handle, self._line, level)
        except self._ljm.LJMError as error:
            raise self._lost(error) from error
        return TriggerCall(t_before=t_before, t_after=self._now())

    def _lost(self, error: Exception) -> PortLost:
        return PortLost(
            f"{self.name} was lost while in use ({error}); plug it in again and start "
            "a new run."
        )
