"""Streams that are recorded beside the EEG: EMG, markers, whatever is on the network.

Each has a thread that finds it, connects, pulls and measures its clock, so that nobody
who records has to wait for the network. A stream that is lost is looked for again, and
both are told.
"""

import contextlib
import dataclasses
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pylsl

from controller.sources.network import configure_lsl

LOOK_EVERY_S = 0.02
OFFSET_EVERY_S = 5.0
"""As often as recorders of the field measure a clock."""

_FORGET_S = 5.0
_TIMEOUT_S = 5.0
_BUFFER_S = 60
_MOST_SAMPLES = 8192
_MOST_BLOCKS = 2048
CHANNEL_FORMATS = {
    pylsl.cf_float32: "float32",
    pylsl.cf_double64: "double64",
    pylsl.cf_string: "string",
    pylsl.cf_int8: "int8",
    pylsl.cf_int16: "int16",
    pylsl.cf_int32: "int32",
    pylsl.cf_int64: "int64",
}
"""What liblsl's channel formats are called."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FurtherChannel:
    """A channel as its stream describes it."""

    label: str
    unit: str
    kind: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A stream was found and is being pulled.

    Parameters
    ----------
    name, kind, source_id, hostname : str
    sfreq_hz : float
        0 for an irregular stream.
    sample_format : str
    channels : tuple of FurtherChannel
    """

    name: str
    kind: str
    source_id: str
    hostname: str
    sfreq_hz: float
    sample_format: str
    channels: tuple[FurtherChannel, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """Samples as they came.

    Parameters
    ----------
    stamps : array, shape (n,)
        On the sender's clock.
    values : array, shape (n, n_channels), or list of str
    """

    stamps: npt.NDArray[np.float64]
    values: npt.NDArray[Any] | list[str]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """A measurement of the sender's clock.

    Parameters
    ----------
    t : float
        When, host clock.
    offset_s : float
        What to add to the sender's stamps to get host stamps.
    """

    t: float
    offset_s: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The stream is gone, or cannot be recorded; in a sentence."""

    words: str


Item = Connected | Block | Offset | Lost


class FurtherStream:
    """One stream, recorded beside the EEG.

    Parameters
    ----------
    marks : dict of str to str
        What it is found by: any of `name`, `type` and `source_id`.
    needed : bool
        Nothing may be armed without it.
    clock : callable
        The host clock.
    """

    def __init__(
        self, marks: dict[str, str], *, needed: bool, clock: Callable[[], float]
    ) -> None:
        self.marks = marks
        self.needed = needed
        self._clock = clock
        self._items: queue.Queue[Item] = queue.Queue(_MOST_BLOCKS)
        self._over = threading.Event()
        self._n_lost = 0
        self._thread = threading.Thread(
            target=self._run, name="phasegate-further", daemon=True
        )

    @property
    def words(self) -> str:
        """What it is found by, for a sentence."""
        return " and ".join(f"{mark} {value!r}" for mark, value in self.marks.items())

    @property
    def n_lost(self) -> int:
        """How many samples found no place because nobody took those before them."""
        return self._n_lost

    def start(self) -> None:
        """Begin to look for it."""
        self._thread.start()

    def take(self) -> list[Item]:
        """Return what has come since the last call, in order, without waiting."""
        items = []
        with contextlib.suppress(queue.Empty):
            while True:
                items.append(self._items.get_nowait())
        return items

    def close(self) -> None:
        """Stop pulling; what has come before can still be taken."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(2.0 * _TIMEOUT_S)

    def _run(self) -> None:
        configure_lsl()
        while not self._over.is_set():
            found = self._find()
            if found is None:
                return
            try:
                self._pull_from(found)
            except (RuntimeError, TimeoutError) as error:  # pylsl's errors are these
                self._put(Lost(words=f"it was lost ({error or 'no answer'})"))

    def _find(self) -> pylsl.StreamInfo | None:
        mark, value = next(iter(self.marks.items()))
        resolver = pylsl.ContinuousResolver(
            prop=mark, value=value, forget_after=_FORGET_S
        )
        told = False
        while not self._over.wait(10.0 * LOOK_EVERY_S):
            found = [one for one in resolver.results() if self._fits(one)]
            if len(found) == 1:
                return found[0]
            if len(found) > 1 and not told:
                told = True
                self._put(Lost(words=f"{len(found)} streams answer to it"))
        return None

    def _fits(self, stream: pylsl.StreamInfo) -> bool:
        return all(
            getattr(stream, mark)() == value for mark, value in self.marks.items()
        )

    def _pull_from(self, found: pylsl.StreamInfo) -> None:
        inlet = pylsl.StreamInlet(found, max_buflen=_BUFFER_S, recover=False)
        try:
            connected = _described(inlet.info(timeout=_TIMEOUT_S))
            inlet.open_stream(timeout=_TIMEOUT_S)
            self._put(connected)
            t_offset = -np.inf
            pull = _puller(inlet, connected)
            while not self._over.is_set():
                t_now = self._clock()
                if t_now - t_offset >= OFFSET_EVERY_S:
                    offset_s = float(inlet.time_correction(timeout=_TIMEOUT_S))
                    t_offset = self._clock()
                    self._put(Offset(t=t_offset, offset_s=offset_s))
                for block in pull():
                    self._put(block)
                self._over.wait(LOOK_EVERY_S)
            for block in pull():
                self._put(block)
        finally:
            inlet.close_stream()

    def _put(self, item: Item) -> None:
        try:
            self._items.put_nowait(item)
        except queue.Full:
            self._n_lost += len(item.stamps) if isinstance(item, Block) else 1


def _puller(
    inlet: pylsl.StreamInlet, connected: Connected
) -> Callable[[], Iterator[Block]]:
    """Return what empties an inlet's buffer, block by block."""
    n_channels = len(connected.channels)
    is_text = connected.sample_format == "string"

    def pull() -> Iterator[Block]:
        while True:
            samples, stamps = inlet.pull_chunk(timeout=0.0, max_samples=_MOST_SAMPLES)
            if not stamps:
                return
            values: npt.NDArray[Any] | list[str]
            if is_text:
                values = ["\t".join(map(str, sample)) for sample in samples]
            else:
                form = connected.sample_format.replace("double64", "float64")
                values = np.array(samples, form).reshape(-1, n_channels)
            yield Block(stamps=np.array(stamps, np.float64), values=values)

    return pull


def _described(info: pylsl.StreamInfo) -> Connected:
    n_channels = info.channel_count()
    is_text = info.channel_format() == pylsl.cf_string
    labels = info.get_channel_labels() or [None] * n_channels
    units = info.get_channel_units() or [None] * n_channels
    kinds = info.get_channel_types() or [None] * n_channels
    channels = tuple(
        FurtherChannel(label=label or f"{k + 1}", unit=unit or "", kind=kind or "")
        for k, (label, unit, kind) in enumerate(zip(labels, units, kinds, strict=True))
    )
    return Connected(
        name=info.name(),
        kind=info.type(),
        source_id=info.source_id(),
        hostname=info.hostname(),
        sfreq_hz=float(info.nominal_srate()),
        sample_format=CHANNEL_FORMATS[info.channel_format()],
        # Texts of several channels are written as one, separated by tabs.
        channels=channels[:1] if is_text else channels,
    )
