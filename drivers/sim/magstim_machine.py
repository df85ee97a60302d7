"""A simulated Magstim: bytes to commands and replies to bytes, in time.

The status in a reply is that from before the command took effect, except after `Q` and
`R`; this is how a published simulation of the maker's protocol behaves.
"""

import math
from typing import Final

from drivers.magstim import codec
from drivers.sim.machine import TwinEvent
from drivers.sim.magstim_body import MagstimBody
from drivers.sim.magstim_commands import BadData, Conflict, MagstimCommands
from drivers.sim.magstim_frames import FrameSplitter, command_lengths
from drivers.sim.magstim_settings import MagstimSettings
from drivers.sim.outbox import Outbox, seeded_latency

_BYTE_S: Final = 10 / 9600
_REPLY_S: Final = (3e-3, 10e-3)
_SHORTEST: Final = 3
_STATUS_AFTER: Final = frozenset("QR")
_ANSWERED_WITHOUT_REMOTE: Final = frozenset("QRJF\\xNIoX")
_LOCKED_DURING_A_TRAIN: Final = frozenset("@BD[^_n")


class MagstimMachine:
    """The machine of one Magstim.

    Parameters
    ----------
    settings : MagstimSettings
    """

    def __init__(self, settings: MagstimSettings) -> None:
        self._settings = settings
        self._body = MagstimBody(settings)
        code = settings.unlock_code
        self._unlock = None if code is None else codec.unlock(code)
        self._locked = settings.is_locked
        self._commands = MagstimCommands(settings, self._body, self._unlock)
        lengths = command_lengths(settings.model, settings.software)
        self._letters = frozenset(lengths)
        self._splitter = FrameSplitter(lengths, len(self._unlock or b""))
        self._out = Outbox(_BYTE_S, settings.faults)
        self._reply_s = seeded_latency(settings.seed, *_REPLY_S)
        self._t = -math.inf

    @property
    def armed(self) -> bool:
        """Whether it is armed or ready."""
        return self._body.enabled

    @property
    def unplugged(self) -> bool:
        """Whether its cable has come off."""
        return self._out.unplugged

    def receive(self, received: bytes, t: float) -> None:
        """Take bytes from the host."""
        self._pass(t)
        for command in self._splitter.feed(received, self._t):
            self._obey(command)

    def edge(self, t: float) -> None:
        """Take a rising edge on the trigger input."""
        self._body.trigger(t)

    def advance(self, t: float) -> bytes:
        """Let time pass and return the bytes that have left by then."""
        self._pass(t)
        return self._out.take(self._t)

    def t_next(self) -> float:
        """Return when something happens by itself."""
        return min(self._out.t_next(), self._body.t_next(), self._splitter.t_expiry())

    def take_events(self) -> list[TwinEvent]:
        """Return what happened since the last call."""
        events, self._body.events = self._body.events, []
        return events

    def _pass(self, t: float) -> None:
        t_expiry = self._splitter.t_expiry()
        if t_expiry <= t:
            self._t = max(self._t, t_expiry)
            self._body.advance(self._t)
            for command in self._splitter.expire(self._t):
                self._obey(command)
        self._t = max(self._t, t)
        self._body.advance(self._t)

    def _obey(self, command: bytes) -> None:
        letter = chr(command[0])
        if self._locked and not self._answers_locked(command):
            return
        if letter not in self._letters:
            self._answer(b"?", len(command))
            return
        try:
            self._check(command)
            before = self._body.status()
            data = self._commands.obey(letter, command[1:-1])
        except BadData:
            self._refuse(command, b"?")
            return
        except Conflict:
            self._body.hear()
            self._refuse(command, b"S")
            return
        self._body.hear()
        if letter == "N":
            echo = b"N" if self._settings.short_version else b"ND"
            self._answer(codec.frame(echo + data), len(command))
            return
        status = self._body.status() if letter in _STATUS_AFTER else before
        head = command[:1] + bytes([status.to_byte()])
        self._answer(codec.frame(head + data), len(command))

    def _answers_locked(self, command: bytes) -> bool:
        if command == self._unlock:
            self._locked = False
        return not self._locked or command[:1] == b"N"

    def _check(self, command: bytes) -> None:
        if len(command) < _SHORTEST or command[-1] != codec.checksum(command[:-1]):
            raise BadData
        letter = chr(command[0])
        if letter not in _ANSWERED_WITHOUT_REMOTE and not self._body.remote:
            raise Conflict
        busy = self._body.train_running or self._body.resting
        if busy and letter in _LOCKED_DURING_A_TRAIN:
            raise Conflict

    def _refuse(self, command: bytes, mark: bytes) -> None:
        self._answer(codec.frame(command[:1] + mark), len(command))

    def _answer(self, reply: bytes, n_received: int) -> None:
        self._out.send(reply, self._t + n_received * _BYTE_S + self._reply_s())
        after = self._settings.coil_removed_after
        if after is not None and self._out.n_frames >= after:
            self._body.remove_coil()
