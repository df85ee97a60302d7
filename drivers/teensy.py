"""Trigger output on a micro-controller with our firmware: it can fire by its clock."""

import itertools
import time
from collections.abc import Callable
from typing import Final

from drivers.base import (
    Capabilities,
    DriverSettingError,
    PortLost,
    TriggerEdges,
)
from drivers.device_clock import ClockMap
from drivers.dialogue import Dialogue
from drivers.serial_box import SerialBox, StartDialogue, is_code
from drivers.serial_port import OpenPort, open_serial
from drivers.teensy_frames import (
    Command,
    encode_frame,
    encode_pulse,
    encode_pulse_at,
    encode_watchdog,
)
from drivers.teensy_link import BoardLink
from drivers.teensy_messages import (
    Identity,
    InputEdge,
    Missed,
    Pulsed,
    parse_input_edges,
)

BAUD: Final = 115200

_N_LINES: Final = 8
_WIDTHS_US: Final = range(10, 100_001)
_WATCHDOGS_MS: Final = range(50, 60_001)
_MIN_INTERVAL_S: Final = 10e-3
_USB_FRAME_S: Final = 1e-3
_FIRST_EXCHANGES: Final = 16
_MIN_LEAD_S: Final = 5e-3
_MAX_LEAD_S: Final = 9.0
_DISARM: Final = encode_frame(Command.DISARM)


class MicrocontrollerTrigger:
    """Trigger output on a board with the firmware in `drivers/firmware`.

    The board ends each pulse by itself, keeps a least interval and a greatest rate, and
    disarms itself when it hears nothing: call `check` more often than the watchdog.
    Code n pulses line n - 1.

    Parameters
    ----------
    port : str
        Such as `/dev/ttyACM0`.
    width_us : int
        Width of pulses.
    name : str
        How messages and records call this output.
    watchdog_ms : int
        After which the board disarms itself unheard.
    simulated : bool
        Whether a simulated twin stands behind the port.
    open_port, start_dialogue, now : callable
        Replaced in tests only.

    Raises
    ------
    DriverSettingError
        If a setting is impossible.
    """

    def __init__(
        self,
        port: str,
        width_us: int = 1000,
        name: str = "micro-controller trigger",
        *,
        watchdog_ms: int = 3000,
        simulated: bool = False,
        open_port: OpenPort = open_serial,
        start_dialogue: StartDialogue = Dialogue,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        for what, value, allowed in (
            ("width in us", width_us, _WIDTHS_US),
            ("watchdog in ms", watchdog_ms, _WATCHDOGS_MS),
        ):
            if not is_code(value, allowed):
                raise DriverSettingError(
                    f"The {what} of {name} is {value!r}, but must be a whole number "
                    f"from {allowed.start} to {allowed.stop - 1}."
                )
        self._box = SerialBox(
            port,
            BAUD,
            name,
            rest=_DISARM,
            # A frame that was cut short swallows the two that follow it.
            rest_when_lost=3 * _DISARM,
            open_port=open_port,
            start_dialogue=start_dialogue,
        )
        self._width_us = width_us
        self._watchdog_ms = watchdog_ms
        self._now = now
        self._numbers = itertools.count(1)
        self._link: BoardLink | None = None
        self.identity: Identity | None = None
        self.name = name
        self.port = port
        self.simulated = simulated
        self.capabilities = _capabilities(width_us)

    @property
    def clock(self) -> ClockMap:
        """The map from the host's clock to the board's.

        Raises
        ------
        DriverSettingError
            If the port is not open.
        """
        return self._open_link().clock

    def open(self) -> None:
        """Open the port, ask who is there, map its clock and arm it, lines low.

        Raises
        ------
        PortMissing, PortBusy
        DriverSettingError
            If no board with this firmware answers.
        """
        self._box.open(self._prepare)
        try:
            self.arm()
        except BaseException:
            self.close()
            raise

    def arm(self) -> None:
        """Arm the board again after it has disarmed itself; a person decides that.

        Raises
        ------
        DriverSettingError
            If the port is not open.
        TriggerRefused, PortLost
            If the board does not take it, or does not answer.
        """
        self._open_link().expect_ok(encode_frame(Command.ARM), Command.ARM)

    def close(self) -> None:
        """Disarm the board, which lowers all lines, and close the port."""
        self._box.close()
        self._link = None

    def edges(self, code: int) -> TriggerEdges:
        """Return the write of an immediate pulse; the board ends it.

        Raises
        ------
        DriverSettingError
            If the port is not open, or the code is not from 1 to 8.
        """
        payload = encode_pulse(self._line(code), self._width_us)
        return TriggerEdges(rise=self._box.action(payload), fall=None)

    def pulse_at(self, code: int, t: float) -> int:
        """Let the board make a pulse at an instant of the host's clock.

        Parameters
        ----------
        code : int
            1 to 8.
        t : float
            Host clock, seconds; from 5 ms to 9 s ahead.

        Returns
        -------
        int
            Number of this pulse, as `take_reports` will have it.

        Raises
        ------
        DriverSettingError
            If the port is not open, the code impossible, or the instant too near, too
            far or not finite.
        TriggerRefused
            If the board does not take it.
        PortLost
            If the board does not answer.
        """
        line = self._line(code)
        link = self._open_link()
        lead_s = t - self._now()
        if not _MIN_LEAD_S <= lead_s <= _MAX_LEAD_S:
            raise DriverSettingError(
                f"{self.name} cannot plan a pulse {lead_s * 1e3:.3f} ms ahead; give an "
                f"instant from {_MIN_LEAD_S * 1e3:g} ms to {_MAX_LEAD_S:g} s ahead."
            )
        # 0 is the number of immediate pulses.
        number = (next(self._numbers) - 1) % 0xFFFF + 1
        device_us = round(link.clock.to_device(t) * 1e6)
        frame = encode_pulse_at(number, line, self._width_us, device_us)
        link.expect_ok(frame, Command.PULSE_AT)
        return number

    def check(self) -> None:
        """Ask the board for its clock: return if it answers and is still armed.

        Raises
        ------
        PortLost
            Also if the board has disarmed itself.
        ClockLost
            If the board's clock has jumped.
        """
        if self._link is None:
            raise PortLost(f"{self.port} is not open; open it before it is checked.")
        self._link.take(self._box.check())
        if not self._link.exchange().armed:
            raise PortLost(
                f"{self.name} at {self.port} has disarmed itself, as it heard nothing "
                "for too long or was restarted; start a new run."
            )

    def take_reports(self) -> list[Pulsed | Missed]:
        """Return what the board has said of its pulses since the last call.

        Raises
        ------
        DriverSettingError
            If the port is not open.
        PortLost
        """
        link = self._open_link()
        link.take(self._box.check())
        reports = list(link.reports)
        link.reports.clear()
        return reports

    def take_input_edges(self) -> tuple[list[InputEdge], int]:
        """Return changes of the input lines, and how many the board had to forget.

        Raises
        ------
        DriverSettingError
            If the port is not open.
        PortLost
            If the board does not answer.
        """
        frame = self._open_link().ask(
            encode_frame(Command.READ_INPUT_EDGES),
            lambda one: parse_input_edges(one) is not None,
        )
        return parse_input_edges(frame) or ([], 0)

    def _open_link(self) -> BoardLink:
        if self._link is None:
            raise DriverSettingError(f"{self.port} is not open; call open() first.")
        return self._link

    def _line(self, code: int) -> int:
        if not is_code(code, self.capabilities.codes):
            raise DriverSettingError(
                f"{self.name} cannot send the code {code!r}; give a whole number from "
                f"1 to {_N_LINES}, which is the line."
            )
        return code - 1

    def _prepare(self, dialogue: Dialogue) -> None:
        link = BoardLink(self._box, self.name, self.port, self._now)
        self.identity = link.find(dialogue, _DISARM)
        link.expect_ok(encode_watchdog(self._watchdog_ms), Command.WATCHDOG)
        for _ in range(_FIRST_EXCHANGES):
            link.exchange()
        self._link = link


def _capabilities(width_us: int) -> Capabilities:
    return Capabilities(
        codes=range(1, _N_LINES + 1),
        ends_by_itself=True,
        min_pulse_s=width_us / 1e6,
        min_gap_s=max(_MIN_INTERVAL_S, width_us / 1e6),
        typical_latency_s=_USB_FRAME_S,
        source="estimated: one frame of full-speed USB for an immediate pulse; the "
        "interval is that of the firmware; not measured",
    )
