"""A configuration file, with a few keys changed from the command line."""

import dataclasses
import datetime as dt
import json
import tomllib
from pathlib import Path
from typing import Any, Self

from controller.config import (
    Config,
    config_text,
    parse_config,
    toml_tables,
)
from controller.errors import ConfigError


@dataclasses.dataclass(slots=True, kw_only=True)
class Settings:
    """A valid configuration file, and what the command line makes of it.

    Parameters
    ----------
    path : Path
    text : str
        The file as it stands.
    tables : dict of str to dict
        The same, to be changed.
    changed : bool
        Whether it was.
    """

    path: Path
    text: str
    tables: dict[str, Any]
    changed: bool = False

    @classmethod
    def read(
        cls, path: Path, *, rmt_pct_mso: float | None = None, for_it: bool = True
    ) -> Self:
        """Read a file that is valid as it stands, or with a motor threshold.

        Parameters
        ----------
        path : Path
        rmt_pct_mso : float, optional
            The participant's, for a stimulator whose intensity is a share of it.
        for_it : bool
            Whether only the stimulator can have use for it.

        Raises
        ------
        ConfigError
        """
        text = config_text(path)
        settings = cls(path=path, text=text, tables=toml_tables(text, str(path)))
        stimulator = settings.tables.get("stimulator")
        by_threshold = isinstance(stimulator, dict) and (
            "intensity_pct_rmt" in stimulator
        )
        if rmt_pct_mso is not None and by_threshold:
            settings.put("stimulator", rmt_pct_mso=rmt_pct_mso)
        elif rmt_pct_mso is not None and for_it:
            raise ConfigError(
                f"A motor threshold was given, but {path} has no "
                "stimulator.intensity_pct_rmt that it could be for; add that, or leave "
                "--rmt away."
            )
        settings.parsed()
        return settings

    def put(self, table: str, **keys: object) -> None:
        """Set keys of a table; those that are None stay as they are."""
        given = {key: value for key, value in keys.items() if value is not None}
        if given:
            self.tables.setdefault(table, {}).update(given)
            self.changed = True

    def assign(self, change: str) -> None:
        """Carry out `TABLE.KEY=VALUE`; without a value, the key is taken out.

        Values are TOML's; what is none is text.

        Raises
        ------
        ConfigError
            No key, or one below a value.
        """
        path, equals, told = change.partition("=")
        *tables, key = (part.strip() for part in path.split("."))
        if not (equals and tables and all(tables) and key):
            raise ConfigError(
                f"{change!r} names no key and value; write gate.percentile=75 for "
                "example."
            )
        table = self.tables
        for name in tables:
            table = table.setdefault(name, {})
            if not isinstance(table, dict):
                raise ConfigError(f"{change!r}: {name} is a value, not a table.")
        if told.strip():
            table[key] = _told(told.strip())
        else:
            table.pop(key, None)
        self.changed = True

    def replay(self, recording: Path, *, speed: float | None) -> None:
        """Make the source a recording, and the output the simulated trigger box.

        An output's code, width and latency stay; a recording's speed and rail as well.
        """
        source, output = self.tables["source"], self.tables["output"]
        keeps = ("speed", "rail_uv") if source["kind"] == "file" else ()
        kept = {key: source[key] for key in keeps if key in source}
        self.tables["source"] = {"kind": "file", "path": str(recording)} | kept
        self.put("source", speed=speed)
        kept = {
            key: output[key]
            for key in ("code", "pulse_ms", "latency_ms")
            if key in output and output[key] != "measured"
        }
        self.tables["output"] = {"kind": "simulated-serial-byte"} | kept
        self.changed = True

    def average(self, channels: tuple[str, ...]) -> None:
        """Make the montage the average of some channels; its reference stays."""
        montage = self.tables["montage"]
        kept = {
            key: montage[key] for key in ("reference", "average_over") if key in montage
        }
        weight = 1.0 / len(channels)
        self.tables["montage"] = {"weights": dict.fromkeys(channels, weight)} | kept
        self.changed = True

    def parsed(self) -> tuple[Config, str]:
        """Return the configuration, and the text to keep with the session.

        Raises
        ------
        ConfigError
            What was put in contradicts the rest.
        """
        tables = self._with_latency()
        if not self.changed and tables is self.tables:
            return parse_config(self.text, where=str(self.path)), self.text
        text = f"# {self.path.name}, with changes from the command line.\n" + as_toml(
            tables
        )
        return parse_config(text, where=f"{self.path} with these options"), text

    def _with_latency(self) -> dict[str, Any]:
        """Return the tables with the output's measured latency, if it is wanted."""
        output = self.tables.get("output")
        if not isinstance(output, dict) or output.get("latency_ms") != "measured":
            return self.tables
        from controller.rig.outputs.latency_file import measured_latency_ms

        # What is wrong with the rest comes first.
        parse_config(self.text, where=str(self.path))
        now = dt.datetime.now(dt.UTC)
        latency_ms = measured_latency_ms(self.path, self.tables, now)
        return self.tables | {"output": output | {"latency_ms": latency_ms}}


def _told(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def as_toml(tables: dict[str, Any]) -> str:
    """Return TOML text of top-level keys and one level of tables.

    Deeper tables become inline tables.
    """
    lines = [
        f"{_key(key)} = {_value(value)}"
        for key, value in tables.items()
        if not isinstance(value, dict)
    ]
    for name, table in tables.items():
        if isinstance(table, dict):
            lines += ["", f"[{_key(name)}]"]
            lines += [f"{_key(key)} = {_value(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return _quoted(value)
        case list() | tuple():
            return f"[{', '.join(_value(item) for item in value)}]"
        case dict():
            items = ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items())
            return f"{{ {items} }}"
    # TOML's dates and times; no key of a configuration takes one.
    return str(value)


def _key(key: str) -> str:
    bare = key.replace("_", "").replace("-", "")
    return key if bare.isascii() and bare.isalnum() else _quoted(key)


def _quoted(text: str) -> str:
    # JSON's strings are TOML's, but for this one character.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
