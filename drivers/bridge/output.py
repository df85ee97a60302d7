"""An output behind a bridge, which looks like any other to the controller's loop."""

import atexit
import dataclasses
import socket
import threading
from collections.abc import Mapping
from typing import Final

from drivers.attended import AttendedProcess, Word
from drivers.base import (
    DriverError,
    DriverSettingError,
    MissingExtra,
    PortBusy,
    PortLost,
    PortMissing,
    TriggerEdges,
    WireAction,
)
from drivers.bridge.serve import FALL, encode_edge, make_driver

_OPEN_TIMEOUT_S: Final = 20.0
_ADDED_S: Final = 1e-4
_KINDS: Final[Mapping[str, type[DriverError]]] = {
    kind.__name__: kind
    for kind in (DriverSettingError, MissingExtra, PortBusy, PortLost, PortMissing)
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BridgeSpec:
    """What a bridge opens.

    Parameters
    ----------
    driver : str
        Name of a called output, as `drivers.registry` has it.
    settings : mapping
        What it is called with.
    max_age_s : float
        A trigger that the bridge gets to later than this is refused.
    environment : mapping of str to str
        What its process has beside ours.
    """

    driver: str
    settings: Mapping[str, object]
    max_age_s: float
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BridgedEdge:
    """What became of an edge.

    Parameters
    ----------
    code : int
        0 for the return to rest.
    t_before, t_after : float or None
        Host clock on both sides of the vendor's call; None for a refused one.
    t : float
        When the line moved, at the latest; or when the edge was refused.
    age_s : float or None
        How old the request was when the bridge got to it.
    refused : bool
    """

    code: int
    t_before: float | None
    t_after: float | None
    t: float
    age_s: float | None
    refused: bool


class BridgedOutput:
    """A LabJack, an NI device or a plug-in, behind a process of its own.

    Parameters
    ----------
    spec : BridgeSpec

    Raises
    ------
    DriverSettingError
        If there is no such driver, or its settings do not fit.
    """

    def __init__(self, spec: BridgeSpec) -> None:
        behind = make_driver(spec.driver, dict(spec.settings))
        self.name = behind.name
        self.port = behind.port
        self.simulated = behind.simulated
        self.capabilities = dataclasses.replace(
            behind.capabilities,
            typical_latency_s=behind.capabilities.typical_latency_s + _ADDED_S,
            loop_fires=True,
        )
        self._spec = spec
        self._lock = threading.Lock()
        self._news: list[BridgedEdge] = []
        self._arrivals: list[tuple[float, int]] = []
        self._failure: DriverError | None = None
        self._process: AttendedProcess | None = None
        self._edges: socket.socket | None = None

    @property
    def pid(self) -> int:
        """Process id of the bridge.

        Raises
        ------
        PortLost
            If it was not started.
        """
        if self._process is None:
            raise PortLost(f"{self.name} is not open; call open() first.")
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the bridge runs."""
        return self._process is not None and self._process.alive

    def open(self) -> None:
        """Start the bridge, which opens the device and lowers its line.

        Raises
        ------
        DriverError
            As the device's own driver.
        """
        if self._edges is not None:
            raise DriverSettingError(
                f"{self.name} is open already; close it before opening it again."
            )
        try:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        except (AttributeError, OSError) as error:
            raise DriverSettingError(
                f"{self.name} needs a bridge, and this system has no sockets of the "
                f"right kind ({error}); use Linux."
            ) from error
        ours.setblocking(False)  # noqa: FBT003 - the standard library's way
        with theirs:
            self._process = AttendedProcess(
                "drivers.bridge",
                f"bridge to {self.name}",
                self._take,
                descriptors=[theirs.fileno()],
                environment=self._spec.environment,
            )
            self._edges = ours
            atexit.register(self.close)
            try:
                self._process.say(
                    "start",
                    driver=self._spec.driver,
                    settings=dict(self._spec.settings),
                    max_age_s=self._spec.max_age_s,
                    descriptor=theirs.fileno(),
                )
                self._await_open(self._process)
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """End the bridge, which lowers the line."""
        atexit.unregister(self.close)
        edges, self._edges = self._edges, None
        if edges is not None:
            edges.close()
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def edges(self, code: int) -> TriggerEdges:
        """Return the datagrams of a trigger with `code`.

        Raises
        ------
        DriverSettingError
            If the bridge is not open, or the device does not know the code.
        """
        if self._edges is None:
            raise DriverSettingError(f"{self.name} is not open; call open() first.")
        can = self.capabilities
        if type(code) is not int or code not in can.codes:
            raise DriverSettingError(
                f"{self.name} cannot send the code {code!r}; give a whole number from "
                f"{can.codes.start} to {can.codes.stop - 1}."
            )
        descriptor = self._edges.fileno()
        rise = WireAction(
            kind="write", descriptor=descriptor, payload=encode_edge(code)
        )
        fall = WireAction(
            kind="write", descriptor=descriptor, payload=encode_edge(FALL)
        )
        return TriggerEdges(rise=rise, fall=None if can.ends_by_itself else fall)

    def check(self) -> None:
        """Return if the bridge runs and its device answers.

        Raises
        ------
        PortLost
        """
        if self._process is None:
            raise PortLost(f"{self.name} is not open; open it before it is checked.")
        alive = self._process.alive
        if self._failure is not None:
            raise PortLost(str(self._failure))
        if not alive:
            raise PortLost(self._process.why_ended())

    def take_edges(self) -> list[BridgedEdge]:
        """Return what became of the edges since the last call."""
        with self._lock:
            news, self._news = self._news, []
        return news

    def arrivals(self) -> list[tuple[float, int]]:
        """Return when the line took which code, from the beginning."""
        with self._lock:
            return list(self._arrivals)

    def _take(self, word: Word) -> bool:
        """Take a word in; return whether nobody else waits for it."""
        match word["word"]:
            case "failed":
                kind = _KINDS.get(str(word["kind"]), PortLost)
                self._failure = kind(str(word["sentence"]))
            case "edge" | "refused":
                edge = _edge(word)
                with self._lock:
                    self._news.append(edge)
                    if not edge.refused:
                        self._arrivals.append((edge.t, edge.code))
                return True
        return word["word"] == "well"

    def _await_open(self, process: AttendedProcess) -> None:
        word = process.wait_for("open", "failed", timeout_s=_OPEN_TIMEOUT_S)
        if self._failure is not None:
            raise self._failure
        if word is None:
            raise PortMissing(process.why_ended())


def _edge(word: Word) -> BridgedEdge:
    def number(name: str) -> float | None:
        value = word.get(name)
        return float(value) if isinstance(value, int | float) else None

    t_after, t = number("t_after"), number("t")
    return BridgedEdge(
        code=int(number("code") or 0),
        t_before=number("t_before"),
        t_after=t_after,
        t=float(t_after if t_after is not None else t or 0.0),
        age_s=number("age_s"),
        refused=word["word"] == "refused",
    )
