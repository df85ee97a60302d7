"""The trigger firmware once more, in Python: the same bytes and lines, step for step.

`drivers/firmware/phasegate_trigger/phasegate_trigger.c` is what boards run; the tests
hold the two together. Time is microseconds of the device and never goes back.
"""

import dataclasses
import math
import struct
from collections import deque
from typing import Final

from drivers.teensy_frames import (
    END,
    START,
    Command,
    Event,
    Result,
    crc8,
    encode_frame,
)

VERSION: Final = 1
N_LINES: Final = 8
MAX_PAYLOAD: Final = 16
QUEUE: Final = 8
RATE_SLOTS: Final = 60
EDGE_SLOTS: Final = 16
EDGES_PER_REPLY: Final = 3
TX_BYTES: Final = 256
MIN_INTERVAL_US: Final = 10_000
RATE_WINDOW_US: Final = 2_000_000
MIN_WIDTH_US: Final = 10
MAX_WIDTH_US: Final = 100_000
MAX_AHEAD_US: Final = 10_000_000
MAX_LATE_US: Final = 500
FRAME_TIMEOUT_US: Final = 20_000
WATCHDOG_MS: Final = 3000
MIN_WATCHDOG_MS: Final = 50
MAX_WATCHDOG_MS: Final = 60_000

_LENGTHS: Final = {
    Command.READ_CLOCK: 4,
    Command.PULSE: 5,
    Command.PULSE_AT: 15,
    Command.WATCHDOG: 2,
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    t_due: int
    width_us: int
    number: int
    line: int


class TriggerFirmware:
    """The state machine of a board.

    Parameters
    ----------
    now : int
        Device time at which it starts: disarmed, all lines low, nothing planned.
    """

    def __init__(self, now: int) -> None:
        self.lines = 0
        self.armed = False
        self.n_rises = 0
        self._t_rise: dict[int, int] = {}
        self._t_fall = [0] * N_LINES
        self._rate: deque[int] = deque(maxlen=RATE_SLOTS)
        self._queue: list[_Planned | None] = [None] * QUEUE
        self._watchdog_us = WATCHDOG_MS * 1000
        self._t_frame = now
        self._edges: deque[tuple[int, int]] = deque()
        self._edges_lost = 0
        self._incoming = b""
        self._t_byte = now
        self._outgoing = b""

    def t_next(self) -> float:
        """Return when the board does something by itself, infinite if never."""
        falls = [t for i, t in enumerate(self._t_fall) if self.lines >> i & 1]
        dues = [planned.t_due for planned in self._queue if planned is not None]
        barks = [self._t_frame + self._watchdog_us] if self.armed else []
        return min([*falls, *dues, *barks], default=math.inf)

    def receive(self, byte: int, now: int) -> None:
        """Take one byte from the host."""
        if self._incoming and now - self._t_byte > FRAME_TIMEOUT_US:
            self._incoming = b""
        self._t_byte = now
        if not self._incoming and byte != START:
            return
        self._incoming += bytes([byte])
        self._look_at_frame(now)

    def tick(self, now: int) -> None:
        """Let time pass."""
        if self.armed and now - self._t_frame >= self._watchdog_us:
            self._rest()
            self._send(Event.STOPPED, b"\x01")
        for i in range(N_LINES):
            if self.lines >> i & 1 and now >= self._t_fall[i]:
                self.lines &= ~(1 << i)
        for i, planned in enumerate(self._queue):
            if planned is not None and now >= planned.t_due:
                self._queue[i] = None
                self._fire_planned(planned, now)

    def note_input(self, line: int, level: int, now: int) -> None:
        """Note a change of an input line."""
        if len(self._edges) == EDGE_SLOTS:
            self._edges_lost = min(self._edges_lost + 1, 255)
            return
        self._edges.append((now, line & 0x7F | (0x80 if level else 0)))

    def take(self, room: int = TX_BYTES) -> bytes:
        """Return waiting bytes, at most `room`."""
        taken, self._outgoing = self._outgoing[:room], self._outgoing[room:]
        return taken

    def _look_at_frame(self, now: int) -> None:
        frame = self._incoming
        if len(frame) < 3:
            return
        n_bytes = frame[2]
        wrong = len(frame) == n_bytes + 4 and frame[-1] != crc8(frame[1:-1])
        if n_bytes > MAX_PAYLOAD or wrong:
            self._incoming = b""
        elif len(frame) == n_bytes + 5:
            self._incoming = b""
            if frame[-1] == END:
                self._execute(frame[1], frame[3:-2], now)

    def _execute(self, number: int, payload: bytes, now: int) -> None:
        self._t_frame = now
        try:
            command = Command(number)
        except ValueError:
            self._send(Event.REJECTED, bytes([number, Result.UNKNOWN]))
            return
        if len(payload) != _LENGTHS.get(command, 0):
            self._send(Event.REJECTED, bytes([number, Result.BAD_LENGTH]))
            return
        if command in (Command.PULSE, Command.PULSE_AT):
            self._pulse_or_plan(command, payload, now)
        else:
            self._serve(command, payload, now)

    def _pulse_or_plan(self, command: Command, payload: bytes, now: int) -> None:
        if command is Command.PULSE:
            self._pulse(payload, now)
            return
        result = self._plan(payload, now)
        self._send(command.reply, payload[:2] + bytes([result]))

    def _serve(self, command: Command, payload: bytes, now: int) -> None:
        match command:
            case Command.IDENTIFY:
                self._send(command.reply, _IDENTITY)
            case Command.READ_CLOCK:
                self._send(command.reply, payload + struct.pack("<QB", now, self.armed))
            case Command.ARM:
                self.armed = True
                self._answer(command, Result.OK)
            case Command.DISARM:
                self._rest()
                self._answer(command, Result.OK)
            case Command.WATCHDOG:
                self._answer(command, self._set_watchdog(payload))
            case Command.READ_INPUT_EDGES:
                self._read_edges()

    def _pulse(self, payload: bytes, now: int) -> None:
        line, width_us = struct.unpack("<BI", payload)
        result = _check_pulse(line, width_us)
        if result is Result.OK:
            result = self._review(line, now)
        self._answer(Command.PULSE, result)
        if result is Result.OK:
            self._raise_line(0, line, width_us, now)

    def _plan(self, payload: bytes, now: int) -> Result:
        number, line, width_us, t_due = struct.unpack("<HBIQ", payload)
        result = _check_pulse(line, width_us)
        if result is not Result.OK:
            return result
        if not self.armed:
            return Result.DISARMED
        if t_due <= now:
            return Result.PAST
        if t_due - now > MAX_AHEAD_US:
            return Result.TOO_FAR
        if None not in self._queue:
            return Result.QUEUE_FULL
        self._queue[self._queue.index(None)] = _Planned(
            t_due=t_due, width_us=width_us, number=number, line=line
        )
        return Result.OK

    def _set_watchdog(self, payload: bytes) -> Result:
        (watchdog_ms,) = struct.unpack("<H", payload)
        if not MIN_WATCHDOG_MS <= watchdog_ms <= MAX_WATCHDOG_MS:
            return Result.BAD_VALUE
        self._watchdog_us = watchdog_ms * 1000
        return Result.OK

    def _read_edges(self) -> None:
        n_edges = min(EDGES_PER_REPLY, len(self._edges))
        payload = bytes([n_edges, self._edges_lost])
        for _ in range(n_edges):
            payload += struct.pack("<QB", *self._edges.popleft())
        self._edges_lost = 0
        self._send(Command.READ_INPUT_EDGES.reply, payload)

    def _fire_planned(self, planned: _Planned, now: int) -> None:
        result = Result.LATE
        if now - planned.t_due <= MAX_LATE_US:
            result = self._review(planned.line, now)
        if result is Result.OK:
            self._raise_line(planned.number, planned.line, planned.width_us, now)
            return
        payload = struct.pack("<HBB", planned.number, planned.line, result)
        self._send(Event.MISSED, payload)

    def _review(self, line: int, now: int) -> Result:
        if not self.armed:
            return Result.DISARMED
        if self.lines >> line & 1:
            return Result.TOO_SOON
        if line in self._t_rise and now - self._t_rise[line] < MIN_INTERVAL_US:
            return Result.TOO_SOON
        if len(self._rate) == RATE_SLOTS and now - self._rate[0] < RATE_WINDOW_US:
            return Result.TOO_MANY
        return Result.OK

    def _raise_line(self, number: int, line: int, width_us: int, now: int) -> None:
        self.lines |= 1 << line
        self.n_rises += 1
        self._t_rise[line] = now
        self._t_fall[line] = now + width_us
        self._rate.append(now)
        self._send(Event.PULSED, struct.pack("<HBQ", number, line, now))

    def _rest(self) -> None:
        self.armed = False
        self.lines = 0
        self._queue = [None] * QUEUE

    def _answer(self, command: Command, result: Result) -> None:
        self._send(command.reply, bytes([result]))

    def _send(self, command: int, payload: bytes) -> None:
        frame = encode_frame(command, payload)
        # A frame that does not fit is left out whole: the host then sees no answer.
        if len(self._outgoing) + len(frame) <= TX_BYTES:
            self._outgoing += frame


_IDENTITY: Final = struct.pack(
    "<2sBBIHIH",
    b"PG",
    VERSION,
    N_LINES,
    MIN_INTERVAL_US,
    RATE_SLOTS,
    RATE_WINDOW_US,
    WATCHDOG_MS,
)


def _check_pulse(line: int, width_us: int) -> Result:
    if line >= N_LINES:
        return Result.BAD_LINE
    if not MIN_WIDTH_US <= width_us <= MAX_WIDTH_US:
        return Result.BAD_VALUE
    return Result.OK
