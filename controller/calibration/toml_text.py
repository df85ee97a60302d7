"""Plain values as TOML, which Python reads but does not write."""

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence

Scalar = str | bool | int | float | dt.datetime
Value = Scalar | Sequence["Value"] | Mapping[str, "Value"]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
# What TOML does not let stand in a string, and what not even \u may write.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def to_toml(table: Mapping[str, Value]) -> str:
    """Return a document that reads back as the same table.

    Floats keep every digit. A list of tables becomes an array of tables, unless it is
    empty or mixed with other values.

    Parameters
    ----------
    table : mapping of str to value
        Text, truth values, whole and finite numbers, date-times with a zone, lists and
        tables of these.

    Raises
    ------
    ValueError
        A number that is not finite, or text that is no Unicode.
    TypeError
        Anything else that TOML has no form for.
    """
    return "\n".join(_lines(table, ())).strip("\n") + "\n"


def _lines(table: Mapping[str, Value], path: tuple[str, ...]) -> list[str]:
    # A table's own values stand before its sub-tables, or they would belong to those.
    lines = [
        f"{_key(key)} = {_inline(value)}"
        for key, value in table.items()
        if not isinstance(value, Mapping) and not _is_tables(value)
    ]
    for key, value in table.items():
        below = (*path, key)
        header = ".".join(map(_key, below))
        if isinstance(value, Mapping):
            lines += ["", f"[{header}]", *_lines(value, below)]
        elif _is_tables(value):
            assert isinstance(value, Sequence)
            for item in value:
                assert isinstance(item, Mapping)
                lines += ["", f"[[{header}]]", *_lines(item, below)]
    return lines


def _is_tables(value: Value) -> bool:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return False
    return len(value) > 0 and all(isinstance(item, Mapping) for item in value)


def _inline(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dt.datetime):
        return _instant(value)
    if isinstance(value, Mapping):
        pairs = (f"{_key(key)} = {_inline(item)}" for key, item in value.items())
        return "{ " + ", ".join(pairs) + " }" if value else "{}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(_inline, value)) + "]"
    raise TypeError(f"TOML has no form for {type(value).__name__}")


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"{value} is no finite number, which a profile must not hold")
    text = repr(float(value))
    return text if any(mark in text for mark in ".e") else f"{text}.0"


def _text(value: str) -> str:
    if _SURROGATE.search(value):
        raise ValueError(f"{value!r} is no valid Unicode text")
    plain = "".join(_ESCAPES.get(mark, mark) for mark in value)
    return '"' + _CONTROL.sub(lambda mark: f"\\u{ord(mark[0]):04x}", plain) + '"'


def _instant(value: dt.datetime) -> str:
    if value.tzinfo is None:
        raise ValueError(f"{value} names no time zone; give one")
    return value.isoformat()


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _text(key)
