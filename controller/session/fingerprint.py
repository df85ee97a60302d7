"""Fingerprints of files that name the byte where a file differs.

A file is hashed in blocks. Beside its hash each block carries the sum of its bytes, and
the sum of its bytes times their places. Where one byte changed, the two differences
give its place and what it was, and the hash proves it; where more changed, the block is
named.
"""

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from controller.errors import FileError
from controller.session.recording.append_file import reason_of

BLOCK_BYTES = 1 << 16
_HASH_BYTES = 8


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What is kept of a file.

    Parameters
    ----------
    n_bytes : int
    sha256 : str
        Of the whole file, as `sha256sum` prints it.
    blocks : tuple of str
        Hash and both sums of each block.
    """

    n_bytes: int
    sha256: str
    blocks: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first place where a file is not what it was.

    Parameters
    ----------
    first, last : int
        Bytes, counted from 0, between which it lies; equal where it is known.
    words : str
        What differs there.
    """

    first: int
    last: int
    words: str


def fingerprint(path: Path) -> Fingerprint:
    """Return the fingerprint of a file.

    Raises
    ------
    FileError
        If the file cannot be read.
    """
    whole, blocks, n_bytes = hashlib.sha256(), [], 0
    for block in _blocks(path):
        whole.update(block)
        blocks.append(_block(block))
        n_bytes += len(block)
    return Fingerprint(n_bytes=n_bytes, sha256=whole.hexdigest(), blocks=tuple(blocks))


def first_difference(path: Path, kept: Fingerprint) -> Difference | None:
    """Return where a file first differs from what it was; None where it does not.

    Raises
    ------
    FileError
        If the file cannot be read.
    """
    at, index, whole = 0, 0, hashlib.sha256()
    for block in _blocks(path):
        left = kept.n_bytes - at
        part = block[:left]
        is_short = len(part) < min(BLOCK_BYTES, left)
        if part and not is_short and _block(part) != kept.blocks[index]:
            return _within(part, kept.blocks[index], at)
        if is_short or len(block) > left:
            break
        whole.update(block)
        at, index = at + len(block), index + 1
    n_bytes = _size(path)
    if n_bytes < kept.n_bytes:
        words = f"the file ends, {kept.n_bytes - n_bytes} bytes are missing"
        return Difference(first=n_bytes, last=n_bytes, words=words)
    if n_bytes > kept.n_bytes:
        words = f"{n_bytes - kept.n_bytes} bytes were added"
        return Difference(first=kept.n_bytes, last=kept.n_bytes, words=words)
    if whole.hexdigest() != kept.sha256:
        words = "the file does not have its hash"
        return Difference(first=0, last=max(0, n_bytes - 1), words=words)
    return None


def _within(block: bytes, kept: str, at: int) -> Difference:
    """Return where in a block of the right length the first difference is."""
    _, total, weighted = kept.split(":")
    now = np.frombuffer(block, np.uint8).astype(np.int64)
    change = int(now.sum()) - int(total)
    moment = int(now @ np.arange(len(now))) - int(weighted)
    if change and moment % change == 0 and 0 <= moment // change < len(block):
        place = moment // change
        was = block[place] - change
        if 0 <= was < 256:
            mended = bytearray(block)
            mended[place] = was
            if _block(bytes(mended)) == kept:
                words = f"it was {was:#04x} and is {block[place]:#04x}"
                return Difference(first=at + place, last=at + place, words=words)
    words = "several bytes differ"
    return Difference(first=at, last=at + len(block) - 1, words=words)


def _block(block: bytes) -> str:
    values = np.frombuffer(block, np.uint8).astype(np.int64)
    digest = hashlib.blake2b(block, digest_size=_HASH_BYTES).hexdigest()
    return f"{digest}:{values.sum()}:{values @ np.arange(len(values))}"


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                yield block
    except OSError as error:
        raise FileError(f"{path} cannot be read: {reason_of(error)}.") from error


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise FileError(f"{path} cannot be read: {reason_of(error)}.") from error
