"""JSON that every reader accepts: plain types, and null for what is not a number."""

import enum
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]


def jsonable(value: object) -> JsonValue:
    """Return `value` as types that JSON has.

    Enumerations become their names, flags the list of theirs, numbers that are not
    finite null. Floats keep every digit.

    Raises
    ------
    TypeError
        If there is no such form.
    """
    if isinstance(value, enum.Flag):
        return flag_names(value)
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, np.generic | np.ndarray):
        return jsonable(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        return [jsonable(item) for item in value]
    raise TypeError(f"JSON has no form for {type(value).__name__}")


def flag_names(value: enum.Flag) -> list[JsonValue]:
    """Return the names of the bits that are set."""
    return [
        str(member.name)
        for member in type(value)
        if member.value and member.value & value.value
    ]


def to_line(value: Mapping[str, object]) -> str:
    """Return one line of JSON, without its end of line."""
    return json.dumps(
        jsonable(value), allow_nan=False, ensure_ascii=False, separators=(",", ":")
    )


def to_page(value: Mapping[str, object]) -> str:
    """Return indented JSON for people, with an end of line."""
    return (
        json.dumps(jsonable(value), allow_nan=False, ensure_ascii=False, indent=2)
        + "\n"
    )
