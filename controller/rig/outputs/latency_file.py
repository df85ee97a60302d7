"""A measured output latency, in a file beside the configuration that it belongs to.

`output.latency_ms = "measured"` stands for what is in it. It counts for the very
equipment that it was measured on, and for a while.
"""

import dataclasses
import datetime as dt
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from controller.errors import ConfigError, FileError, RecordingError
from controller.rig.outputs.loopback import Loopback
from controller.session.recording.append_file import reason_of

MEASURED: Final = "measured"
VALID_DAYS: Final = 30
"""After which cables and drivers may be others (our choice)."""

_FORM: Final = "phasegate latency 1"
_LONGEST_MS: Final = 500.0
_ADVICE: Final = "run `phasegate doctor CONFIG --loopback`"


def latency_path(config_path: Path) -> Path:
    """Return where the latency of a configuration's output is kept."""
    return config_path.with_suffix(".latency.json")


def equipment_of(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a measurement is good for: source, output and this computer.

    Parameters
    ----------
    tables : mapping
        Of the configuration file. A seed and the latency itself are no equipment.
    """
    output = {k: v for k, v in tables["output"].items() if k != "latency_ms"}
    source = {k: v for k, v in tables["source"].items() if k != "seed"}
    return {"output": output, "source": source, "computer": platform.node()}


def save_latency(
    config_path: Path, tables: Mapping[str, Any], loopback: Loopback, now: dt.datetime
) -> Path:
    """Write a measurement and return its path; one before is replaced.

    Raises
    ------
    RecordingError
        If the disk does not take it.
    """
    path = latency_path(config_path)
    content = {
        "form": _FORM,
        "measured": now.isoformat(timespec="seconds"),
        "latency_ms": round(loopback.latency_s * 1e3, 3),
        "loopback": dataclasses.asdict(loopback),
        "equipment": equipment_of(tables),
    }
    beside = path.with_name(path.name + ".new")
    try:
        beside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise RecordingError(
            f"{path} cannot be written: {reason_of(error)}."
        ) from error
    return path


def measured_latency_ms(
    config_path: Path, tables: Mapping[str, Any], now: dt.datetime
) -> float:
    """Return the latency that was measured for a configuration, milliseconds.

    Raises
    ------
    ConfigError
        It was not, or too long ago, or with other equipment.
    FileError
        The file is damaged.
    """
    path = latency_path(config_path)
    if not path.exists():
        raise ConfigError(
            f'output.latency_ms is "measured", but there is no {path}; {_ADVICE}.'
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        measured = dt.datetime.fromisoformat(content["measured"])
        latency_ms, equipment = float(content["latency_ms"]), content["equipment"]
        age_days = (now - measured).total_seconds() / 86_400
        known = content["form"] == _FORM and 0.0 <= latency_ms <= _LONGEST_MS
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise FileError(
            f"{path} is no measured latency ({error}); {_ADVICE}."
        ) from error
    if not known:
        raise FileError(f"{path} is no measured latency; {_ADVICE}.")
    if not 0.0 <= age_days <= VALID_DAYS:
        raise ConfigError(
            f"The latency in {path} was measured {age_days:.0f} days ago, and counts "
            f"for {VALID_DAYS}; {_ADVICE}."
        )
    for name, now_is in json.loads(json.dumps(equipment_of(tables))).items():
        if equipment.get(name) != now_is:
            raise ConfigError(
                f"The latency in {path} was measured with another {name} than the "
                f"configuration now names; {_ADVICE}."
            )
    return latency_ms
