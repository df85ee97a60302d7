"""What reached a simulated trigger device, and when: one JSON line for each change.

Instants are `CLOCK_MONOTONIC` in seconds. On Linux that is the clock of Lab Streaming
Layer, so they compare with EEG stamps and firing times as they are.
"""

import dataclasses
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from drivers.base import DriverError

_STANDARD_ERROR: Final = 2


class ArrivalLogError(DriverError):
    """A log of arrivals that cannot be written or read."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A byte as it shows on the trigger lines.

    Parameters
    ----------
    t_observed : float
        When the lines took this state, seconds.
    code : int
        Their state: 0 at rest.
    merged : int
        How many bytes came in the read that brought this one. Above 1 the stamp is the
        same for all of them; 0 for a change that the device made by itself.
    """

    t_observed: float
    code: int
    merged: int


class ArrivalLog:
    """Appends arrivals to a file; what was appended outlives a killed process.

    Parameters
    ----------
    path : Path or None
        File to append to; standard error if None.

    Raises
    ------
    ArrivalLogError
        If the file cannot be opened.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        if path is None:
            self._descriptor = _STANDARD_ERROR
            return
        try:
            self._descriptor = os.open(
                path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644
            )
        except OSError as error:
            raise ArrivalLogError(
                f"The log {path} cannot be opened ({error.strerror}); name a file in a "
                "folder that you may write to."
            ) from error

    def append(self, arrivals: Iterable[Arrival]) -> None:
        """Append one line for each arrival, in a single write.

        Raises
        ------
        ArrivalLogError
            If the lines could not be written in full.
        """
        self.append_records(dataclasses.asdict(one) for one in arrivals)

    def append_records(self, records: Iterable[Mapping[str, object]]) -> None:
        """Append one line for each record, in a single write.

        Raises
        ------
        ArrivalLogError
            If the lines could not be written in full.
        """
        lines = "".join(json.dumps(record) + "\n" for record in records)
        encoded = lines.encode()
        try:
            complete = os.write(self._descriptor, encoded) == len(encoded)
        except OSError as error:
            raise ArrivalLogError(
                f"The log {self._path} cannot be written ({error.strerror}); make room "
                "or name another file."
            ) from error
        if not complete:
            raise ArrivalLogError(
                f"The log {self._path} took only a part of a line; make room on its "
                "disk."
            )

    def close(self) -> None:
        """Close the file."""
        if self._path is not None:
            os.close(self._descriptor)


def read_arrivals(path: Path) -> list[Arrival]:
    """Return the arrivals in a log, in order; a last line without its end is left out.

    Raises
    ------
    ArrivalLogError
        If the log cannot be read, or a line is not an arrival.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    except (OSError, UnicodeDecodeError) as error:
        raise ArrivalLogError(f"The log {path} cannot be read: {error}.") from error
    return [_parse(line, path, number) for number, line in enumerate(lines, start=1)]


def _parse(line: str, path: Path, number: int) -> Arrival:
    try:
        fields = json.loads(line)
        return Arrival(
            t_observed=float(fields["t_observed"]),
            code=int(fields["code"]),
            merged=int(fields["merged"]),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise ArrivalLogError(
            f"Line {number} of the log {path} is not an arrival; the file is damaged "
            "from there on."
        ) from error
