"""Find the one stream that a configuration means, and open it."""

import contextlib
import dataclasses
import socket
from collections.abc import Iterator

import pylsl

from controller.config import LslSource
from controller.errors import StreamAmbiguous, StreamLost, StreamNotFound
from controller.sources.description import (
    StreamDescription,
    check_format,
    describe,
    shown,
)
from controller.sources.network import LslNetwork, configure_lsl

# liblsl asks the network in waves 0.5 s apart; who has not answered by then is absent.
_SECOND_MATCH_S = 0.7
_LISTING_S = 1.0
_SLICE_S = 1.0
_DESCRIPTION_TIMEOUT_S = 5.0
_OPEN_TIMEOUT_S = 5.0
_CLOCK_TIMEOUT_S = 5.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoundStream:
    """A stream on the network: what it says, and liblsl's handle to connect to it."""

    description: StreamDescription
    stream: pylsl.StreamInfo


def find_stream(source: LslSource) -> FoundStream:
    """Find the stream that has all the marks of `source`, and read its description.

    Raises
    ------
    StreamNotFound
        No such stream within `source.resolve_timeout_s`; the message lists those seen.
    StreamAmbiguous
        Several; the message lists them and says which mark tells them apart.
    StreamFormatError, ChannelError
        The stream was found, but its rate, samples, labels or units cannot be used.
    StreamLost
        The stream went away before its description came.
    """
    network = configure_lsl()
    predicate = " and ".join(
        f"{mark}={_quoted(value)}" for mark, value in _marks(source).items()
    )
    found = _first_match(predicate, source.resolve_timeout_s)
    if not found:
        raise StreamNotFound(_not_found(source, network))
    found = pylsl.resolve_bypred(predicate, 2, _SECOND_MATCH_S) or found
    if len(found) > 1:
        raise StreamAmbiguous(_ambiguous(source, found))
    check_format(found[0])
    description = describe(_full(found[0]), unit=source.unit)
    return FoundStream(description=description, stream=found[0])


def _first_match(predicate: str, timeout_s: float) -> list[pylsl.StreamInfo]:
    """Look in slices: while liblsl waits, nothing reaches Python, not even Ctrl-C."""
    remaining_s = timeout_s
    while remaining_s > 0.0:
        slice_s = min(_SLICE_S, remaining_s)
        found: list[pylsl.StreamInfo] = pylsl.resolve_bypred(predicate, 1, slice_s)
        if found:
            return found
        remaining_s -= slice_s
    return []


def visible_streams(wait_s: float = _LISTING_S) -> list[pylsl.StreamInfo]:
    """Return all streams on the network, without their channel descriptions."""
    configure_lsl()
    streams: list[pylsl.StreamInfo] = pylsl.resolve_streams(wait_s)
    return sorted(streams, key=lambda stream: (stream.name(), stream.source_id()))


class LslInlet:
    """The connection to one stream, opened and closed by the loop's own thread.

    Parameters
    ----------
    found : FoundStream
    buffer_s : int
        Seconds of samples that liblsl keeps; beyond, it silently drops the oldest,
        which shows as a gap.
    """

    def __init__(self, found: FoundStream, *, buffer_s: int = 60) -> None:
        self.description = found.description
        self._stream = found.stream
        self._buffer_s = buffer_s
        self._inlet: pylsl.StreamInlet | None = None

    def open(self) -> None:
        """Connect, and begin to receive.

        Call it in the thread that will pull, after that thread got its priority:
        liblsl starts its receiver thread here, and that one inherits the caller's
        scheduling policy, affinity and timer slack.

        Raises
        ------
        StreamLost
        """
        # A recovering inlet would hide a lost stream and hand out samples of another
        # session after it; the loop has to know, disarm and say so.
        self._inlet = pylsl.StreamInlet(
            self._stream,
            max_buflen=self._buffer_s,
            max_chunklen=0,
            recover=False,
            processing_flags=0,
        )
        try:
            with _lost_named(self.description.name):
                self._inlet.open_stream(_OPEN_TIMEOUT_S)
        except StreamLost:
            self.close()
            raise

    @property
    def handle(self) -> int:
        """Address of liblsl's inlet, for the functions that pull from it."""
        handle: int = self._open_inlet.obj.value
        return handle

    def clock_offset_s(self) -> float:
        """Return what to add to the stream's time stamps to get host clock instants.

        Exactly 0 for a stream of this machine, whose stamps already are on the host
        clock: a measured correction would only add the asymmetry of its probes.

        Raises
        ------
        StreamLost
            The other machine did not answer.
        """
        if self.description.hostname == socket.gethostname():
            return 0.0
        with _lost_named(self.description.name):
            offset_s: float = self._open_inlet.time_correction(_CLOCK_TIMEOUT_S)
        return offset_s

    def flush(self) -> int:
        """Drop the samples received and not pulled yet; return how many."""
        dropped: int = self._open_inlet.flush()
        return dropped

    def close(self) -> None:
        """Disconnect; the handle is invalid from here on."""
        if self._inlet is not None:
            self._inlet.close_stream()
            self._inlet = None

    @property
    def _open_inlet(self) -> pylsl.StreamInlet:
        if self._inlet is None:
            raise StreamLost(
                f"Stream {self.description.name!r} is not open; open the inlet first."
            )
        return self._inlet


@contextlib.contextmanager
def _lost_named(name: str) -> Iterator[None]:
    """Turn what liblsl raises for a stream that does not answer into `StreamLost`."""
    try:
        yield
    except (TimeoutError, RuntimeError) as error:  # pylsl's LostError is the latter
        raise StreamLost(
            f"Stream {name!r} was found but does not answer ({error}); check that the "
            "program that streams still runs and that no firewall blocks LSL's ports."
        ) from error


def _full(stream: pylsl.StreamInfo) -> pylsl.StreamInfo:
    with _lost_named(stream.name()):
        inlet = pylsl.StreamInlet(stream, max_buflen=1, recover=False)
        return inlet.info(_DESCRIPTION_TIMEOUT_S)


def _marks(source: LslSource) -> dict[str, str]:
    marks = {"name": source.name, "type": source.type, "source_id": source.source_id}
    return {mark: value for mark, value in marks.items() if value is not None}


def _quoted(value: str) -> str:
    """Return `value` as an XPath 1.0 literal, which knows no escapes."""
    if "'" not in value:
        return f"'{value}'"
    parts = [f"'{part}'" for part in value.split("'")]
    return "concat(" + ', "\'", '.join(parts) + ")"


def _wanted(source: LslSource) -> str:
    return " and ".join(f"{mark} {value!r}" for mark, value in _marks(source).items())


def _not_found(source: LslSource, network: LslNetwork) -> str:
    visible = visible_streams()
    if visible:
        seen = "visible are: " + "; ".join(shown(stream) for stream in visible)
        advice = "correct [source], or start the program that streams"
    else:
        seen = "no stream is visible at all"
        advice = "start the program that streams, and check network and firewall"
    where = {
        LslNetwork.DEFAULT: "",
        LslNetwork.LOCAL: " on this machine",
        LslNetwork.USER: " with your lsl_api.cfg",
    }[network]
    return (
        f"No stream with {_wanted(source)} was found{where} within "
        f"{source.resolve_timeout_s:g} s; {seen}; {advice}."
    )


def _ambiguous(source: LslSource, found: list[pylsl.StreamInfo]) -> str:
    candidates = "; ".join(shown(stream) for stream in found)
    telling = [
        mark
        for mark in ("source_id", "name", "type")
        if len({getattr(stream, mark)() for stream in found}) == len(found)
    ]
    advice = (
        f"add {' or '.join(telling)} to [source] to tell them apart"
        if telling
        else "they differ in no mark, so stop the one that is not meant"
    )
    return f"More than one stream has {_wanted(source)}: {candidates}; {advice}."
