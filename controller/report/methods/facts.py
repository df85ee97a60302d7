"""What the methods section of a paper needs to know, read from a session's records."""

import dataclasses
import tomllib
from collections.abc import Mapping
from typing import Any

import numpy as np

from controller.config import parse_config
from controller.core.reasons import Outcome
from controller.errors import ConfigError, FileError
from controller.kernels.jit import Float64Array
from controller.report.achieved import virtual_of
from controller.report.landing_statistics import Measured
from controller.report.landings import landings_of, pooled
from controller.session.folder import CONFIG
from controller.session.load import Session
from controller.session.pulses import fired
from controller.session.summary import latencies_s


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A distribution in a few numbers.

    Parameters
    ----------
    n : int
        How many values; the others are NaN where it is 0.
    mean, sd, median, lowest, highest : float
    """

    n: int
    mean: float
    sd: float
    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Float64Array) -> "Spread | None":
        """Return the spread of the values that are finite; None if none is."""
        known = np.asarray(values, np.float64)
        known = known[np.isfinite(known)]
        if len(known) == 0:
            return None
        return cls(
            n=len(known),
            mean=float(known.mean()),
            sd=float(known.std(ddof=1)) if len(known) > 1 else 0.0,
            median=float(np.median(known)),
            lowest=float(known.min()),
            highest=float(known.max()),
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MethodsFacts:
    """What is known of a session.

    Parameters
    ----------
    settings : mapping
        The configuration; with its defaults where it is one of today's.
    summary, versions : mapping
        Empty where the session did not get as far.
    stream : str
        Name of the EEG stream.
    sfreq_hz : float
    labels : tuple of str
    weights : mapping of str to float
        Of the virtual channel, by label, those that are not zero.
    band_hz : tuple of float or None
    frequency_hz, horizon_s, output_latency_s : float or None
    targets_deg : tuple of float
        Different ones, in the order in which they came first.
    n_decisions, n_planned, n_fired : int
    achieved : Measured or None
        Achieved minus target phase, by the source to be believed.
    interval_s : Spread or None
        From pulse to pulse.
    latency_s : mapping of str to Spread
        As `latencies_s` names them.
    simulated : tuple of str
        A clause for each part of the session that was not real.
    stimulator : mapping or None
    """

    settings: Mapping[str, Any]
    summary: Mapping[str, Any]
    versions: Mapping[str, Any]
    stream: str
    sfreq_hz: float
    labels: tuple[str, ...]
    weights: Mapping[str, float]
    band_hz: tuple[float, float] | None
    frequency_hz: float | None
    horizon_s: float | None
    output_latency_s: float | None
    targets_deg: tuple[float, ...]
    n_decisions: int
    n_planned: int
    n_fired: int
    achieved: Measured | None
    interval_s: Spread | None
    latency_s: Mapping[str, Spread]
    simulated: tuple[str, ...]
    stimulator: Mapping[str, Any] | None

    def section(self, name: str) -> Mapping[str, Any]:
        """Return one table of the configuration, empty if there is none."""
        value = self.settings.get(name)
        return value if isinstance(value, Mapping) else {}


def methods_facts(session: Session, achieved: Measured | None = None) -> MethodsFacts:
    """Read the facts of a session.

    Parameters
    ----------
    session : Session
    achieved : Measured, optional
        As in the facts; found anew if absent.

    Raises
    ------
    FileError
        If the session's configuration is no TOML.
    """
    settings = _settings(session)
    summary = session.summary or {}
    design: Mapping[str, Any] = session.design
    left = fired(session.pulses)
    outcome = session.decisions["outcome"]
    planned = (outcome == Outcome.PLANNED) | (outcome == Outcome.REFUSED)
    targets = np.round(np.degrees(session.decisions["target_phase_rad"]), 2)
    band = design.get("band_hz")
    return MethodsFacts(
        settings=settings,
        summary=summary,
        versions=session.provenance or {},
        stream=next((str(e["stream"]) for e in session.events if "stream" in e), ""),
        sfreq_hz=session.stream.sfreq_hz,
        labels=session.stream.labels,
        weights=_weights(session),
        band_hz=None if band is None else (float(band[0]), float(band[1])),
        frequency_hz=_number(design, "frequency_hz"),
        horizon_s=_number(design, "horizon_s"),
        output_latency_s=_number(design, "output_latency_s"),
        targets_deg=tuple(dict.fromkeys(targets[np.isfinite(targets)].tolist())),
        n_decisions=len(session.decisions),
        n_planned=int(np.count_nonzero(planned)),
        n_fired=len(left),
        achieved=pooled(landings_of(session, left, virtual_of(session)))
        if achieved is None
        else achieved,
        interval_s=Spread.of(np.diff(np.sort(left["t_fired"]))),
        latency_s=_latencies(session, left),
        simulated=_simulated(settings),
        stimulator=_stimulator(settings, summary),
    )


def _settings(session: Session) -> Mapping[str, Any]:
    try:
        return parse_config(session.config_text, where=CONFIG).model_dump()
    except ConfigError:
        # A configuration of another version says what it says, without defaults.
        pass
    try:
        return tomllib.loads(session.config_text)
    except tomllib.TOMLDecodeError as error:
        raise FileError(
            f"{session.path / CONFIG} is not valid TOML: {error}."
        ) from error


def _weights(session: Session) -> dict[str, float]:
    mixing = session.design.get("mixing")
    if mixing is None:
        return {}
    first = np.atleast_2d(mixing)[0]
    return {
        label: float(weight)
        for label, weight in zip(session.stream.labels, first, strict=False)
        if weight
    }


def _latencies(session: Session, left: Any) -> dict[str, Spread]:
    spreads = {
        name: Spread.of(values)
        for name, values in latencies_s(session.decisions, left).items()
    }
    return {name: spread for name, spread in spreads.items() if spread is not None}


def _simulated(settings: Mapping[str, Any]) -> tuple[str, ...]:
    kinds = {
        name: str(table.get("kind", ""))
        for name, table in settings.items()
        if isinstance(table, Mapping)
    }
    clauses = {
        "the participant was simulated": kinds.get("source") == "synthetic",
        "the EEG came from a recording": kinds.get("source") == "file",
        "the trigger output was simulated": _is_twin(kinds.get("output")),
        "the stimulator was simulated": _is_twin(kinds.get("stimulator")),
    }
    return tuple(clause for clause, holds in clauses.items() if holds)


def _is_twin(kind: str | None) -> bool:
    return kind is not None and kind.startswith("simulated")


def _stimulator(
    settings: Mapping[str, Any], summary: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    told = summary.get("stimulator") or settings.get("stimulator")
    return told if isinstance(told, Mapping) else None


def _number(arrays: Mapping[str, Any], name: str) -> float | None:
    value = arrays.get(name)
    return float(value) if value is not None and np.isfinite(value) else None
