"""Whether an EDF+ or BDF+ file's data records are where its header says.

Each record carries its own time, in an annotation signal at a known place. A file that
lost or gained bytes on its way has something else there, and every sample after the
first such byte is noise; readers of the signals alone do not notice.

The commonest such damage is exact to undo: a transfer as text puts a return before
every line feed, so taking it away again gives back every byte that was not cut off.
"""

import dataclasses
import re
from pathlib import Path

from controller.errors import FileError

_TIME = re.compile(rb"[+-]\d+(\.\d+)?[\x14\x15]")
_LONGEST_TIME = 24
_FIXED_HEADER = 256
_SIGNAL_HEADER = 256
_ANNOTATIONS = ("EDF Annotations", "BDF Annotations")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    first_record: int
    record_bytes: int
    n_records: int
    annotations_at: int


def check_records(path: Path) -> None:
    """Return if every data record begins where it should.

    Files of plain EDF or BDF, whose records carry no time, are taken as they are.

    Raises
    ------
    FileError
        A header that is none, or a record that is not in its place.
    """
    content = path.read_bytes()
    try:
        layout = _layout(content)
    except ValueError as error:
        raise FileError(
            f"{path} cannot be read as {path.suffix[1:].upper()}: its header is "
            f"damaged ({error}); fetch the file again."
        ) from error
    if layout is None:
        return
    record = _misplaced(content, layout)
    if record:
        raise FileError(
            f"{path} is damaged: data record {record} of {layout.n_records} is "
            f"not where the header says{_cause(content)}; fetch the file again."
        )


def undo_text_transfer(path: Path) -> bytes | None:
    """Return the content that a file had before a transfer as text, if that is sure.

    None for a file without this damage, and for one whose records are still not in
    their places afterwards. A record that was cut off at the end is left out.
    """
    content = path.read_bytes()
    n_feeds = content.count(b"\n")
    if n_feeds == 0 or content.count(b"\r\n") != n_feeds:
        return None
    content = content.replace(b"\r\n", b"\n")
    try:
        layout = _layout(content)
    except ValueError:
        return None
    if layout is None or layout.n_records < 1 or _misplaced(content, layout):
        return None
    end = layout.first_record + layout.n_records * layout.record_bytes
    count = f"{layout.n_records:<8d}".encode()
    return content[:236] + count + content[244:end]


def _layout(content: bytes) -> _Layout | None:
    header = content[:_FIXED_HEADER].decode("latin1")
    if header[192:196] not in ("EDF+", "BDF+"):
        return None
    n_signals = int(header[252:256])
    signals = content[_FIXED_HEADER : _FIXED_HEADER + n_signals * _SIGNAL_HEADER]
    text = signals.decode("latin1")
    labels = [text[16 * n : 16 * n + 16].strip() for n in range(n_signals)]
    counts_at = 216 * n_signals
    counts = [
        int(text[counts_at + 8 * n : counts_at + 8 * n + 8]) for n in range(n_signals)
    ]
    annotations = next((n for n in range(n_signals) if labels[n] in _ANNOTATIONS), None)
    if annotations is None:
        return None
    width = 2 if header[192:195] == "EDF" else 3
    first_record, record_bytes = int(header[184:192]), width * sum(counts)
    if record_bytes <= 0:
        raise ValueError("records of no samples")
    # Whole records only: a recording cut short is still right up to there.
    n_stored = (len(content) - first_record) // record_bytes
    n_told = int(header[236:244])
    return _Layout(
        first_record=first_record,
        record_bytes=record_bytes,
        n_records=n_stored if n_told < 0 else min(n_stored, n_told),
        annotations_at=width * sum(counts[:annotations]),
    )


def _misplaced(content: bytes, layout: _Layout) -> int:
    """Return the first record, from 1, that is not in its place, or 0."""
    for record in range(layout.n_records):
        at = layout.first_record + record * layout.record_bytes + layout.annotations_at
        if not _TIME.match(content[at : at + _LONGEST_TIME]):
            return record + 1
    return 0


def _cause(content: bytes) -> str:
    """Return what became of a file in which every line feed follows a return."""
    n_feeds = content.count(b"\n")
    if n_feeds > 0 and content.count(b"\r\n") == n_feeds:
        return ", because a transfer as text has changed its line ends"
    return ""
