"""The memory that loop, supervisor and recorder share: the loop's rings and some words.

One file in memory. The loop writes its rings there and waits for nobody; the recorder's
process puts them on the disk and owns the tails; the supervisor looks with a cursor of
its own. Whoever is killed, the file stays until everything in it is on the disk.
"""

import contextlib
import enum
import json
import mmap
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from controller.core.records import DECISION, EDGE, SAMPLE
from controller.core.structures import Telemetry
from controller.errors import FileError, RecordingError
from controller.session.recording.append_file import reason_of
from controller.session.recording.byte_ring import ByteRing
from controller.session.recording.process_marks import started_ticks

LAYOUT = "phasegate rings 1"
_SUFFIX = ".rings"
_PAGE = 4096
_MAGIC_BYTES = 64
_DECISIONS = 4096
_EDGES = 4096
_MESSAGES_BYTES = 1 << 20


class RecorderState(enum.IntEnum):
    """How far the recorder's process is."""

    STARTING = 0
    RECORDING = 1
    FINISHED = 2
    FAILED = 3


RECORDER = np.dtype(
    [
        ("state", "i8"),  # RecorderState
        ("pid", "i8"),
        ("ticks", "i8"),  # when that process began, as the system counts
        ("n_bytes", "i8"),  # handed to the system: survives the death of any process
        ("n_samples", "i8"),
        ("n_synced_bytes", "i8"),  # handed to the disk: survives a loss of power
        ("n_synced_samples", "i8"),
        ("t_beat", "f8"),  # end of the last turn, host clock
        ("t_synced", "f8"),
        ("longest_turn_s", "f8"),
        ("free_bytes", "i8"),  # on the disk of the session
        ("n_further_samples", "i8"),  # of streams beside the EEG
        ("n_further_missing", "i8"),  # needed streams that are not connected
        ("trouble", "S480"),  # one sentence, once the state is FAILED
    ],
    align=True,
)
"""Written by the recorder's process only."""

CONTROLLER = np.dtype(
    [
        ("closing", "i8"),  # 1: nothing comes any more
        ("n_messages", "i8"),  # events handed over
        ("n_messages_lost", "i8"),  # events that found no place
    ],
    align=True,
)
"""Written by the controller only."""

CONSOLE = np.dtype(
    [
        ("t_beat", "f8"),  # when it was last alive, host clock
        ("stop", "i8"),  # 1: the operator wants an end
        ("pid", "i8"),
    ],
    align=True,
)
"""Written by the operator's console only."""

# Each writer has cache lines of its own.
_HEADS, _TAILS, _MESSAGES, _NEWS, _RECORDER, _CONTROLLER = 0, 64, 128, 256, 512, 2048
_CONSOLE = 3072


class Rings:
    """A mapped block of rings.

    Parameters
    ----------
    path : Path
    memory : mmap
    header : dict
        What `create_rings` was given, and the sizes.
    offset : int
        Where the words begin.
    """

    def __init__(
        self, path: Path, memory: mmap.mmap, header: dict[str, Any], offset: int
    ) -> None:
        self.path = path
        self.header = header
        sizes = header["rings"]

        def words(at: int, dtype: Any, n: int) -> Any:
            return np.frombuffer(memory, dtype, n, offset + at)

        self.recorder = words(_RECORDER, RECORDER, 1).view(np.recarray)
        self.controller = words(_CONTROLLER, CONTROLLER, 1).view(np.recarray)
        self.console = words(_CONSOLE, CONSOLE, 1).view(np.recarray)
        n_samples, n_channels = sizes["samples"], sizes["channels"]
        places = _places(n_samples, n_channels)
        start = {name: offset + _PAGE + at for name, (at, _) in places.items()}
        self.telemetry = Telemetry(
            samples=_rows(memory, SAMPLE, n_samples, start["samples"]),
            raw=np.frombuffer(
                memory, np.float32, n_samples * n_channels, start["raw"]
            ).reshape(n_samples, n_channels),
            decisions=_rows(memory, DECISION, _DECISIONS, start["decisions"]),
            edges=_rows(memory, EDGE, _EDGES, start["edges"]),
            heads=words(_HEADS, np.int64, 3),
            tails=words(_TAILS, np.int64, 3),
        )
        self.messages = ByteRing(
            np.frombuffer(memory, np.uint8, _MESSAGES_BYTES, start["messages"]),
            words(_MESSAGES, np.int64, 2),
        )
        self.news = ByteRing(
            np.frombuffer(memory, np.uint8, _MESSAGES_BYTES, start["news"]),
            words(_NEWS, np.int64, 2),
        )

    @property
    def is_empty(self) -> bool:
        """Whether everything that was written has been taken out."""
        heads, tails = self.telemetry.heads, self.telemetry.tails
        return bool(np.all(heads == tails)) and not self.messages.waiting()[0]

    def remove(self) -> None:
        """Take the name away; the memory goes with the last process that maps it."""
        self.path.unlink(missing_ok=True)


def create_rings(
    n_channels: int,
    *,
    n_samples: int,
    header: Mapping[str, Any],
    directory: Path | None = None,
) -> Rings:
    """Make a new block for at least `n_samples` samples of `n_channels`.

    All of it is there from the start: the loop never waits for memory.

    Parameters
    ----------
    n_channels, n_samples : int
    header : mapping
        What whoever finds the block has to know, as JSON has it.
    directory : Path, optional
        Where; the system's place for shared memory if absent.

    Raises
    ------
    RecordingError
        If there is no room.
    """
    n_samples = 1 << max(4, (n_samples - 1).bit_length())
    full = dict(header) | {
        "rings": {"samples": n_samples, "channels": n_channels},
        "records": _records(),
        "pid": os.getpid(),
        "ticks": started_ticks(os.getpid()),
    }
    text = json.dumps(full).encode()
    offset = _rounded(_MAGIC_BYTES + len(text))
    places = _places(n_samples, n_channels)
    size = offset + _PAGE + max(at + n for at, n in places.values())
    name = f"phasegate-{os.getpid()}-{secrets.token_hex(4)}{_SUFFIX}"
    path = (directory or shared_directory()) / name
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise _no_room(path, size, error) from error
    try:
        _reserve(descriptor, size)
        memory = _mapped(descriptor, size)
        memory[_MAGIC_BYTES : _MAGIC_BYTES + len(text)] = text
        magic = f"{LAYOUT} {len(text)}\n".encode()
        memory[: len(magic)] = magic
    except OSError as error:
        path.unlink(missing_ok=True)
        raise _no_room(path, size, error) from error
    finally:
        os.close(descriptor)
    return Rings(path, memory, full, offset)


def open_rings(path: Path) -> Rings:
    """Map a block that another process made.

    Raises
    ------
    FileError
        If it is not one, or one of another version.
    """
    header, n_bytes = read_header(path)
    if header.get("records") != _records():
        raise FileError(
            f"{path} was written by another version of phasegate; recover the session "
            "with that one."
        )
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError as error:
        raise FileError(f"{path} cannot be opened: {reason_of(error)}.") from error
    try:
        memory = _mapped(descriptor, os.fstat(descriptor).st_size)
        return Rings(path, memory, header, _rounded(_MAGIC_BYTES + n_bytes))
    except (OSError, ValueError) as error:
        raise FileError(f"{path} is damaged: {error}.") from error
    finally:
        os.close(descriptor)


def read_header(path: Path) -> tuple[dict[str, Any], int]:
    """Return what stands at the head of a block, and its length in bytes.

    Raises
    ------
    FileError
    """
    try:
        with path.open("rb") as file:
            magic = file.read(_MAGIC_BYTES).partition(b"\n")[0].decode()
            layout, _, length = magic.rpartition(" ")
            if layout != LAYOUT:
                raise FileError(f"{path} holds no rings of phasegate.")
            header = json.loads(file.read(int(length)))
    except (OSError, ValueError) as error:
        raise FileError(f"{path} cannot be read: {error}.") from error
    if not isinstance(header, dict):
        raise FileError(f"{path} holds no rings of phasegate.")
    return header, int(length)


def rings_of(folder: Path, directory: Path | None = None) -> Iterator[Path]:
    """Yield the blocks that were left by a session in `folder`."""
    for path in sorted((directory or shared_directory()).glob(f"phasegate-*{_SUFFIX}")):
        with contextlib.suppress(FileError):
            if read_header(path)[0].get("folder") == str(folder.resolve()):
                yield path


def shared_directory() -> Path:
    """Return where the system keeps shared memory; ordinary files where it has none."""
    memory = Path("/dev/shm")  # noqa: S108 - there it belongs
    return memory if memory.is_dir() else Path(tempfile.gettempdir())


def _records() -> dict[str, str]:
    """Return the layout of all records, to know another version's by."""
    kinds = {"sample": SAMPLE, "decision": DECISION, "edge": EDGE}
    kinds |= {"recorder": RECORDER, "controller": CONTROLLER, "console": CONSOLE}
    return {name: str(dtype.descr) for name, dtype in kinds.items()}


def _places(n_samples: int, n_channels: int) -> dict[str, tuple[int, int]]:
    """Return offset and length of every ring, each on pages of its own."""
    lengths = {
        "samples": n_samples * SAMPLE.itemsize,
        "raw": n_samples * n_channels * 4,
        "decisions": _DECISIONS * DECISION.itemsize,
        "edges": _EDGES * EDGE.itemsize,
        "messages": _MESSAGES_BYTES,
        "news": _MESSAGES_BYTES,
    }
    places, at = {}, 0
    for name, length in lengths.items():
        places[name] = (at, length)
        at += _rounded(length)
    return places


def _rows(memory: mmap.mmap, dtype: np.dtype[Any], n: int, offset: int) -> Any:
    return np.frombuffer(memory, dtype, n, offset).view(np.recarray)


def _reserve(descriptor: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.ftruncate(descriptor, size)


def _mapped(descriptor: int, size: int) -> mmap.mmap:
    if hasattr(mmap, "MAP_POPULATE"):
        return mmap.mmap(descriptor, size, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE)
    return mmap.mmap(descriptor, size)


def _rounded(n_bytes: int) -> int:
    return -(-n_bytes // _PAGE) * _PAGE


def _no_room(path: Path, size: int, error: OSError) -> RecordingError:
    return RecordingError(
        f"There is no room for {size / 1e6:.0f} MB of shared memory in {path.parent}: "
        f"{reason_of(error)}; end other sessions, or run `phasegate recover` on those "
        "that were killed."
    )
