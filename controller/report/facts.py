"""The report's figures in a row and its table of facts."""

import dataclasses
import tomllib
from collections.abc import Mapping
from typing import Any

from controller.errors import FileError
from controller.report.words import believed_error, count, signed
from controller.session.folder import CONFIG, started_of
from controller.session.load import Session

MISSING = "not known"
NOT_MEASURED = "n/a"

_UNITS = {
    "_uv_per_ms": " µV/ms",
    "_ms": " ms",
    "_s": " s",
    "_hz": " Hz",
    "_uv": " µV",
    "_deg": "°",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class KeyFigure:
    """One figure with its name, as shown."""

    name: str
    value: str


def key_figures(summary: dict[str, Any], *, blind: bool = False) -> list[KeyFigure]:
    """Return the figures that stand in a row on top; no phase errors if `blind`."""
    pulses, error = summary["pulses"], believed_error(summary)
    late = summary["latency_us"]["deadline_error"]["p99"]
    within = error["within_45"]
    row = {
        "fired / planned": f"{pulses['fired']} / {pulses['planned']}",
    }
    errors = {
        "mean phase error": _degrees(error["mean"]),
        "circular SD": NOT_MEASURED if error["sd"] is None else f"{error['sd']:.1f}°",
        "within 45°": NOT_MEASURED if within is None else f"{within:.0%}",
    }
    others = {
        "deadline error, p99": NOT_MEASURED if late is None else f"{late:,.0f} µs",
        "samples lost": f"{summary['samples']['lost']:,}",
    }
    row |= others if blind else errors | others
    return [KeyFigure(name=name, value=value) for name, value in row.items()]


def subtitle(session: Session, summary: dict[str, Any]) -> str:
    """Return participant, date and duration in one line."""
    parts = [f"Participant {summary['participant']}"] if summary["participant"] else []
    started = started_of(session.path.name)
    if started is not None:
        parts.append(started.strftime("%d %B %Y, %H:%M UTC").lstrip("0"))
    parts.append(_duration(summary["duration_s"]))
    return " · ".join(parts)


def fact_rows(session: Session, summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what the session was and ran on, row by row."""
    config = config_of(session)
    provenance = session.provenance or {}
    stream, labels = session.stream, ", ".join(session.stream.labels)
    return [
        ("Session folder", session.path.name),
        ("Participant", summary["participant"] or MISSING),
        ("Stream", _stream(session)),
        (
            "Rate and channels",
            f"{stream.sfreq_hz:g} Hz, {len(stream.labels)}: {labels}",
        ),
        ("Samples", _samples(summary["samples"])),
        ("Montage", _listing(config.get("montage", {}))),
        ("Rhythm", _rhythm(summary["rhythm"])),
        ("Estimator", str(summary["estimator"])),
        ("Gate", _listing(config.get("gate", {})) or "the default"),
        ("Timing", _listing(config.get("timing", {}))),
        ("Output", _listing(config.get("output", {}))),
        ("Limits", _listing(config.get("limits", {}))),
        ("Privileges", _listing(summary["privileges"]) or "none"),
        ("Machine", _machine(provenance)),
        ("Versions", _versions(provenance)),
        ("End", f"{summary['exit']['reason']} (exit code {summary['exit']['code']})"),
    ]


def config_of(session: Session) -> dict[str, Any]:
    """Return the tables of a session's configuration, as they stand in the file.

    Raises
    ------
    FileError
        If it is no TOML.
    """
    try:
        return tomllib.loads(session.config_text)
    except tomllib.TOMLDecodeError as error:
        raise FileError(
            f"{session.path / CONFIG} is not valid TOML: {error}."
        ) from error


def _stream(session: Session) -> str:
    names = [event.get("stream") for event in session.events]
    parts = {
        "": next(filter(None, names), None),
        "source ": session.stream.source_id,
        "on ": session.stream.hostname,
    }
    return _join(*(mark + part for mark, part in parts.items() if part)) or MISSING


def _samples(samples: Mapping[str, int]) -> str:
    text = f"{samples['received']:,} received, {samples['lost']:,} lost"
    if samples["gaps"]:
        text += f" in {count(samples['gaps'], 'gap', 'gaps')}"
    return text


def _rhythm(rhythm: Mapping[str, Any]) -> str:
    words = [str(rhythm["band"])] if rhythm.get("band") else []
    if rhythm.get("frequency_hz") is not None:
        words.append(f"individual frequency {rhythm['frequency_hz']:.2f} Hz")
    if rhythm.get("band_hz"):
        low_hz, high_hz = rhythm["band_hz"]
        words.append(f"band {low_hz:.1f} to {high_hz:.1f} Hz")
    if rhythm.get("snr_db") is not None:
        words.append(f"{rhythm['snr_db']:.1f} dB over the background")
    if rhythm.get("profile"):
        words.append(f"from {rhythm['profile']}")
    return ", ".join(words) or MISSING


def _machine(provenance: Mapping[str, Any]) -> str:
    system = f"{provenance.get('system', '')} {provenance.get('kernel', '')}".strip()
    cpu = provenance.get("cpu")
    return _join(f"{provenance['n_cpu']} x {cpu}" if cpu else None, system) or MISSING


def _versions(provenance: Mapping[str, Any]) -> str:
    versions = {
        "phasegate": provenance.get("phasegate"),
        "Python": provenance.get("python"),
        **provenance.get("packages", {}),
    }
    known = [f"{name} {version}" for name, version in versions.items() if version]
    return ", ".join(known) or MISSING


def _listing(table: Mapping[str, Any]) -> str:
    return "; ".join(_entry(key, value) for key, value in table.items())


def _entry(key: str, value: object) -> str:
    if key == "kind":
        return _value(value)
    for suffix, unit in _UNITS.items():
        if key.endswith(suffix):
            name = key.removesuffix(suffix).replace("_", " ")
            return f"{name} {_value(value)}{unit}"
    return f"{key.replace('_', ' ')} {_value(value)}"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_value(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_value(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _duration(duration_s: float | None) -> str:
    if duration_s is None:
        return "duration not known"
    minutes, seconds = divmod(round(duration_s), 60)
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"


def _degrees(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{signed(value)}°"


def _join(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)
