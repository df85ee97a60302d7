"""A marker stream that opens and closes a gate. Whatever is in doubt, it is closed."""

import dataclasses
from collections.abc import Sequence
from typing import Protocol

import pylsl

from controller.config_gate import Marker as MarkerRules
from controller.errors import StreamAmbiguous, StreamLost
from controller.sources.network import configure_lsl

_FORGET_S = 5.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """One marker as it came.

    Parameters
    ----------
    text : str
    t_stamp : float
        As its sender stamped it, on the sender's clock.
    """

    text: str
    t_stamp: float


class MarkerInlet(Protocol):
    """Where markers come from."""

    def pull(self) -> list[Marker]:
        """Return what has come since the last call, without waiting.

        Raises
        ------
        StreamLost, StreamAmbiguous
            From here on nothing comes any more.
        """
        ...

    def close(self) -> None:
        """Disconnect."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class NamedStream:
    """A marker stream known by its name.

    Parameters
    ----------
    stream : str
    type : str or None
    """

    stream: str
    type: str | None = None


class LslMarkers:
    """The marker stream on the network, connected to as soon as it is seen.

    Parameters
    ----------
    rules : controller.config_gate.Marker or NamedStream
        Its name, its type, or both.
    synced : bool
        Stamps come on this host's clock rather than the sender's.
    """

    def __init__(
        self, rules: MarkerRules | NamedStream, *, synced: bool = False
    ) -> None:
        configure_lsl()
        marks = {"name": rules.stream, "type": rules.type}
        self._marks = {mark: value for mark, value in marks.items() if value}
        # By one mark on the network, by the other one here: no quoting to get wrong.
        mark, value = next(iter(self._marks.items()))
        self._resolver: pylsl.ContinuousResolver | None = pylsl.ContinuousResolver(
            prop=mark, value=value, forget_after=_FORGET_S
        )
        self._inlet: pylsl.StreamInlet | None = None
        self._processing = pylsl.proc_clocksync if synced else 0

    @property
    def connected(self) -> bool:
        """Whether the stream has been found."""
        return self._inlet is not None

    def pull(self) -> list[Marker]:
        """Return new markers; none while the stream has not been seen."""
        if self._inlet is None:
            self._connect()
        if self._inlet is None:
            return []
        try:
            chunk, stamps = self._inlet.pull_chunk(timeout=0.0)
        except RuntimeError as error:  # pylsl's LostError is one
            raise StreamLost(f"The marker stream {self._named()} was lost.") from error
        return [
            Marker(text=_text(sample), t_stamp=float(stamp))
            for sample, stamp in zip(chunk or [], stamps or [], strict=True)
        ]

    def close(self) -> None:
        """Disconnect; a second call does nothing."""
        self._resolver = None
        if self._inlet is not None:
            self._inlet.close_stream()
            self._inlet = None

    def _connect(self) -> None:
        if self._resolver is None:
            raise StreamLost(f"The marker stream {self._named()} was closed.")
        found = [stream for stream in self._resolver.results() if self._fits(stream)]
        if len(found) > 1:
            raise StreamAmbiguous(
                f"There are {len(found)} marker streams with {self._named()}; give "
                "gate.marker both stream and type, or stop the one that is not meant."
            )
        if found:
            self._inlet = pylsl.StreamInlet(
                found[0], recover=False, processing_flags=self._processing
            )
            self._resolver = None

    def _fits(self, stream: pylsl.StreamInfo) -> bool:
        return all(
            getattr(stream, mark)() == value for mark, value in self._marks.items()
        )

    def _named(self) -> str:
        return " and ".join(f"{mark} {value!r}" for mark, value in self._marks.items())


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GateNews:
    """What one look at the markers has brought.

    Parameters
    ----------
    is_open : bool
    markers : tuple of Marker
        All that came, also those that mean nothing here.
    trouble : str or None
        One sentence, once.
    """

    is_open: bool
    markers: tuple[Marker, ...] = ()
    trouble: str | None = None


class MarkerGate:
    """Open from an opening marker to a closing one, the timeout, or the stream's loss.

    Parameters
    ----------
    rules : controller.config_gate.Marker
    inlet : MarkerInlet
    """

    def __init__(self, rules: MarkerRules, inlet: MarkerInlet) -> None:
        self._rules = rules
        self._inlet: MarkerInlet | None = inlet
        self._t_open: float | None = None

    def look(self, t_now: float) -> GateNews:
        """Take in what has come; say whether the gate is open at `t_now`.

        The timeout counts from when a marker was seen here, on the host clock.
        """
        if self._inlet is None:
            return GateNews(is_open=False)
        try:
            markers = self._inlet.pull()
        except (StreamLost, StreamAmbiguous) as lost:
            self.close()
            return GateNews(is_open=False, trouble=str(lost))
        for marker in markers:
            if marker.text in self._rules.open:
                self._t_open = t_now
            elif marker.text in self._rules.close:
                self._t_open = None
        return GateNews(is_open=self._is_open(t_now), markers=tuple(markers))

    def close(self) -> None:
        """Disconnect; the gate stays closed. A second call does nothing."""
        self._t_open = None
        if self._inlet is not None:
            self._inlet.close()
            self._inlet = None

    def _is_open(self, t_now: float) -> bool:
        if self._t_open is None:
            return False
        timeout_s = self._rules.timeout_s
        if timeout_s is None or 0.0 <= t_now - self._t_open < timeout_s:
            return True
        # Only another marker opens it again, also if the clock should run backwards.
        self._t_open = None
        return False


def _text(sample: Sequence[object]) -> str:
    return str(sample[0])
