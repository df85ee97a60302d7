"""Whether a replay gave what was recorded, to the last bit, and where not."""

import dataclasses
import hashlib
from typing import Any

import numpy as np

NOT_DECIDED_ON = ("t_decided",)
"""Fields that no decision depends on: readings of the live clock."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first row in which two runs differ.

    Parameters
    ----------
    row : int
    field : str
        The first that differs; empty where one run has no such row.
    recorded, replayed : int, float or None
    """

    row: int
    field: str
    recorded: float | int | None
    replayed: float | int | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Recorded rows beside replayed ones.

    Parameters
    ----------
    count : int
        Of recorded rows.
    n_replayed : int
    first_difference : Difference or None
    fingerprint, replayed_fingerprint : str
        Of all rows, without what no decision depends on.
    """

    count: int
    n_replayed: int
    first_difference: Difference | None
    fingerprint: str
    replayed_fingerprint: str

    @property
    def identical(self) -> bool:
        """Whether every recorded row came out again, and no other."""
        return self.first_difference is None


def judge(recorded: Any, replayed: Any, *, torn: bool = False) -> Verdict:
    """Compare rows of one kind.

    Parameters
    ----------
    recorded, replayed : records of one dtype
    torn : bool
        The recording ended abruptly: the replay may go on where the log was torn off.
    """
    n = len(recorded)
    if torn:
        replayed = replayed[:n]
    return Verdict(
        count=n,
        n_replayed=len(replayed),
        first_difference=first_difference(recorded, replayed),
        fingerprint=fingerprint(recorded),
        replayed_fingerprint=fingerprint(replayed),
    )


def first_difference(recorded: Any, replayed: Any) -> Difference | None:
    """Return where two arrays of records first differ in a bit."""
    n = min(len(recorded), len(replayed))
    found: tuple[int, str] | None = None
    for name in compared_fields(recorded.dtype):
        unequal = words_of(recorded[name][:n]) != words_of(replayed[name][:n])
        if unequal.any():
            row = int(np.argmax(unequal))
            if found is None or row < found[0]:
                found = row, name
    if found is not None:
        row, name = found
        return Difference(
            row=row,
            field=name,
            recorded=recorded[name][row].item(),
            replayed=replayed[name][row].item(),
        )
    if len(recorded) == len(replayed):
        return None
    return Difference(row=n, field="", recorded=None, replayed=None)


def fingerprint(rows: Any) -> str:
    """Return a digest of rows, the same for every run that decided the same."""
    digest = hashlib.sha256()
    for name in compared_fields(rows.dtype):
        digest.update(name.encode() + b"\0" + words_of(rows[name]).tobytes())
    return digest.hexdigest()


def compared_fields(dtype: Any) -> list[str]:
    """Return the names of the fields that must come out again."""
    return [name for name in dtype.names if name not in NOT_DECIDED_ON]


def words_of(values: Any) -> Any:
    """Return values as 64-bit words; all that is not finite as one word.

    The log writes null for every number that is not finite.
    """
    values = np.ascontiguousarray(values)
    if values.dtype.kind == "f":
        values = np.where(np.isfinite(values), values, np.nan)
        # One NaN: its payload and sign may be anything.
        values[np.isnan(values)] = np.nan
    return np.ascontiguousarray(values).view(np.int64)
