"""Further streams on their way into the session's file."""

from collections.abc import Callable, Sequence
from typing import Protocol

from controller.session.recording.streams import Channel, StreamDescription
from controller.session.recording.xdf import XdfWriter
from controller.sources.further import Block, Connected, Item, Lost, Offset

CONNECTED = "stream connected"
LOST = "stream lost"
"""Events; both carry `sentence`."""

Tell = Callable[[str, dict[str, object]], None]


class Further(Protocol):
    """A stream that is recorded beside the EEG."""

    needed: bool

    @property
    def words(self) -> str:
        """What it is found by."""
        ...

    @property
    def n_lost(self) -> int:
        """How many samples found no place."""
        ...

    def take(self) -> list[Item]:
        """Return what has come, without waiting."""
        ...


class FurtherRecorder:
    """Puts further streams into the file, each as a stream of its own.

    Parameters
    ----------
    streams : sequence of Further
    xdf : XdfWriter
    tell : callable
        Given a kind of event and its fields.
    clock : callable
        The host clock.
    """

    def __init__(
        self,
        streams: Sequence[Further],
        xdf: XdfWriter,
        *,
        tell: Tell,
        clock: Callable[[], float],
    ) -> None:
        self._streams = streams
        self._xdf = xdf
        self._tell = tell
        self._clock = clock
        self._numbers: dict[int, int] = {}
        self._told_lost = [0] * len(streams)
        self.n_samples = 0

    @property
    def n_missing(self) -> int:
        """How many streams that are needed are not connected."""
        return sum(
            stream.needed and index not in self._numbers
            for index, stream in enumerate(self._streams)
        )

    def turn(self) -> bool:
        """Record what has come; return whether there was anything.

        Raises
        ------
        RecordingError
            If the disk is full or gone.
        """
        moved = False
        for index, stream in enumerate(self._streams):
            for item in stream.take():
                moved = True
                self._take(index, item)
            if stream.n_lost > self._told_lost[index]:
                n_lost = stream.n_lost - self._told_lost[index]
                self._told_lost[index] = stream.n_lost
                self._say(LOST, index, f"{n_lost} of its samples found no place")
        return moved

    def _take(self, index: int, item: Item) -> None:
        match item:
            case Connected():
                self._connect(index, item)
            case Block():
                self._xdf.append([(self._numbers[index], item.stamps, item.values)])
                self.n_samples += len(item.stamps)
            case Offset():
                self._xdf.clock_offset(self._numbers[index], item.t, item.offset_s)
            case Lost():
                self._numbers.pop(index, None)
                self._say(LOST, index, item.words)

    def _connect(self, index: int, found: Connected) -> None:
        description = StreamDescription(
            name=found.name,
            kind=found.kind,
            sfreq_hz=found.sfreq_hz,
            sample_format=found.sample_format,
            channels=tuple(
                Channel(label=one.label, unit=one.unit, kind=one.kind)
                for one in found.channels
            ),
            source_id=found.source_id,
            hostname=found.hostname,
        )
        self._numbers[index] = self._xdf.add_stream(
            description, t_now=self._clock(), own_clock=False
        )
        self._say(CONNECTED, index, f"it is recorded, {len(found.channels)} channels")

    def _say(self, kind: str, index: int, words: str) -> None:
        sentence = f"The stream with {self._streams[index].words}: {words}."
        self._tell(kind, {"t": self._clock(), "sentence": sentence})
