"""Simulated stimulators in virtual time: a clock that is moved, and a direct link."""

from drivers.base import PortLost
from drivers.sim.machine import Machine, TwinEvent


class VirtualClock:
    """A clock that stands still until it is moved.

    Parameters
    ----------
    t : float
        Its first instant, seconds.
    """

    def __init__(self, t: float = 100.0) -> None:
        self.t = t

    def now(self) -> float:
        """Return the present instant, seconds."""
        return self.t

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.t += max(0.0, seconds)


class DirectLink:
    """A link straight into a machine; waiting for bytes moves the clock.

    Parameters
    ----------
    machine : Machine
    clock : VirtualClock
    """

    def __init__(self, machine: Machine, clock: VirtualClock) -> None:
        self.name = "direct"
        self._machine = machine
        self._clock = clock
        self._arrived = b""
        self._is_open = False
        self.events: list[TwinEvent] = []
        self.dead = False

    def open(self) -> None:
        """Open."""
        self._is_open = True

    def close(self) -> None:
        """Close; what has arrived is forgotten."""
        self._is_open = False
        self._arrived = b""

    def write(self, payload: bytes) -> None:
        """Hand `payload` to the machine.

        Raises
        ------
        PortLost
            If closed, or the machine is unplugged or dead.
        """
        self._check()
        self._machine.receive(payload, self._clock.now())
        self.catch_up()

    def read(self, n_max: int, timeout_s: float) -> bytes:
        """Return what has arrived, after moving the clock if nothing has.

        Raises
        ------
        PortLost
        """
        self._check()
        self.catch_up()
        t_end = self._clock.now() + timeout_s
        while not self._arrived and self._clock.now() < t_end:
            self._clock.t = max(self._clock.now(), min(t_end, self._machine.t_next()))
            self.catch_up()
        taken, self._arrived = self._arrived[:n_max], self._arrived[n_max:]
        return taken

    def pass_time(self, seconds: float) -> None:
        """Let time pass without reading."""
        self._clock.move(seconds)
        self.catch_up()

    def edge(self) -> None:
        """Make a rising edge on the trigger input."""
        self._machine.edge(self._clock.now())
        self.catch_up()

    def catch_up(self) -> None:
        """Let the machine do what was due by now."""
        self._arrived += self._machine.advance(self._clock.now())
        self.events += self._machine.take_events()

    def _check(self) -> None:
        if not self._is_open:
            raise PortLost("The direct link is not open; call open() first.")
        if self.dead or self._machine.unplugged:
            raise PortLost("The simulated device is gone; start a new one.")
