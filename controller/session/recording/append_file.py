"""A file that only grows, by whole pieces, without a buffer in this process."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from controller.errors import RecordingError

SystemWrite = Callable[[int, bytes | memoryview], int]


class AppendFile:
    """A new file that takes whole pieces or nothing.

    What has been appended survives the end of this process, however it ends. Where the
    disk takes only part of a piece, that part is cut off again.

    Parameters
    ----------
    path : Path
        Must not exist yet.
    write : callable
        Stands in for `os.write`.
    resume : bool
        Go on at the end of a file that is there already.

    Raises
    ------
    RecordingError
        If the file cannot be made.
    """

    def __init__(
        self, path: Path, *, write: SystemWrite = os.write, resume: bool = False
    ) -> None:
        self.path = path
        self._write = write
        way = 0 if resume else os.O_CREAT | os.O_EXCL
        try:
            self._descriptor: int | None = os.open(
                path, os.O_WRONLY | os.O_APPEND | way, 0o644
            )
            self.n_bytes = os.fstat(self._descriptor).st_size
        except OSError as error:
            raise RecordingError(
                f"The recording file {path} cannot be made: {reason_of(error)}."
            ) from error

    def append(self, piece: bytes) -> None:
        """Write `piece` at the end of the file.

        Raises
        ------
        RecordingError
            If the disk did not take all of it; none of it is then in the file.
        """
        if self._descriptor is None:
            raise RecordingError(f"The recording file {self.path} is closed already.")
        try:
            _write_whole(self._write, self._descriptor, piece)
        except OSError as error:
            self._cut_back()
            raise RecordingError(
                f"The disk took no more of {self.path}: {reason_of(error)}; what was "
                "written before is intact."
            ) from error
        self.n_bytes += len(piece)

    def sync(self) -> None:
        """Hand what was appended to the disk; may run beside `append`.

        Raises
        ------
        RecordingError
            If the disk reports that it lost what it had taken.
        """
        if self._descriptor is None:
            return
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise RecordingError(
                f"The disk could not keep {self.path}: {reason_of(error)}."
            ) from error

    def close(self) -> None:
        """Hand the file to the disk and close it; a second call does nothing.

        Raises
        ------
        RecordingError
            If the disk reports that it lost what it had taken.
        """
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        try:
            os.fsync(descriptor)
        except OSError as error:
            raise RecordingError(
                f"The disk could not finish {self.path}: {reason_of(error)}."
            ) from error
        finally:
            os.close(descriptor)

    def _cut_back(self) -> None:
        try:
            os.truncate(self.path, self.n_bytes)
        except OSError as error:
            raise RecordingError(
                f"The disk took part of a piece of {self.path}, which could not be cut "
                f"off again ({reason_of(error)}); readers drop a torn last piece."
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _write_whole(write: SystemWrite, descriptor: int, piece: bytes) -> None:
    left = memoryview(piece)
    while len(left) > 0:
        n_written = write(descriptor, left)
        if not n_written > 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        left = left[n_written:]


def reason_of(error: OSError) -> str:
    """Return what the operating system said, as words inside a sentence."""
    if error.errno == errno.ENOSPC:
        return "the disk is full, free some space"
    if error.errno == errno.EDQUOT:
        return "this user's share of the disk is used up, free some space"
    if error.errno == errno.EFBIG:
        return "the file may not grow any more, see `ulimit -f`"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "this user may not write there"
    words = error.strerror or str(error)
    return words[0].lower() + words[1:]
