"""The summary: the figures of a session, for people's scripts and for the report."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from controller.core.reasons import HoldReason, Outcome
from controller.kernels.circular import circular_mean, circular_sd, wrap_phase
from controller.session.jsonable import JsonValue, jsonable
from controller.session.pulses import fired, refusal_name

QUANTILES = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "max": 1.0}
NEAR_DEG = 45.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """What the summary says beside what the records show.

    Parameters
    ----------
    title, participant : str
    duration_s : float
        Of the closed loop.
    n_received, n_lost, n_gaps : int
        Samples, as the loop counted them.
    privileges : mapping
        What the operating system granted the loop.
    rhythm : mapping
        `band`, `frequency_hz`, `band_hz`, and what calibration found besides.
    estimator : str
    target_phase_deg : float
    exit_code : int
    exit_reason : str
        One sentence, or a word for a session that ended as planned.
    n_extra_arrivals : int
        Arrivals at the device that belong to no pulse.
    stimulator : mapping or None
        `kind`, `intensity_pct_mso`, and of a simulated one `pulses` and `missed`; None
        without one.
    """

    title: str
    participant: str
    duration_s: float
    n_received: int
    n_lost: int
    n_gaps: int
    privileges: Mapping[str, object]
    rhythm: Mapping[str, object]
    estimator: str
    target_phase_deg: float
    exit_code: int
    exit_reason: str
    n_extra_arrivals: int = 0
    stimulator: Mapping[str, object] | None = None


def build_summary(
    folder: str, facts: SessionFacts, decisions: Any, pulses: Any
) -> dict[str, JsonValue]:
    """Return the summary of a session.

    Parameters
    ----------
    folder : str
        The session's path.
    facts : SessionFacts
    decisions : array of DECISION
    pulses : array of PULSE
        With arrivals and achieved phases where there are any.
    """
    left = fired(pulses)
    return {
        "folder": folder,
        "title": facts.title,
        "participant": facts.participant,
        "duration_s": jsonable(float(facts.duration_s)),
        "estimator": facts.estimator,
        "target_phase_deg": facts.target_phase_deg,
        "rhythm": jsonable(facts.rhythm),
        "pulses": {
            "planned": len(pulses),
            "fired": len(left),
            "refused": _refused(pulses),
        },
        "decisions": {"count": len(decisions), "held": _held(decisions)},
        "phase_error_deg": phase_error_deg(left),
        "latency_us": latency_us(decisions, left),
        "arrivals": _arrivals(left, facts.n_extra_arrivals),
        "stimulator": jsonable(facts.stimulator),
        "samples": {
            "received": facts.n_received,
            "lost": facts.n_lost,
            "gaps": facts.n_gaps,
        },
        "privileges": jsonable(facts.privileges),
        "exit": {"code": facts.exit_code, "reason": facts.exit_reason},
    }


def phase_errors_rad(pulses: Any) -> Any:
    """Return achieved minus target phase of the pulses that were scored, wrapped."""
    errors = pulses["achieved_phase_rad"] - pulses["target_phase_rad"]
    return wrap_phase(errors[np.isfinite(errors)])


def phase_error_deg(pulses: Any) -> dict[str, JsonValue]:
    """Return count, circular mean and SD, and the share within 45 degrees."""
    errors = phase_errors_rad(pulses)
    if len(errors) == 0:
        return {"n": 0, "mean": None, "sd": None, "within_45": None}
    return {
        "n": len(errors),
        "mean": jsonable(float(np.degrees(circular_mean(errors)))),
        "sd": jsonable(float(np.degrees(circular_sd(errors)))),
        "within_45": float(np.mean(np.abs(errors) <= np.radians(NEAR_DEG))),
    }


def latencies_s(decisions: Any, pulses: Any) -> dict[str, Any]:
    """Return every latency that was measured, by name, seconds.

    `sample_to_decision` runs from a sample's stamp to the decision made on it,
    `deadline_error` from the planned call to the call, and `fire_to_arrival` from the
    call to the device's record.
    """
    by_name = {
        "sample_to_decision": decisions["t_decided"] - decisions["t_sample"],
        "deadline_error": pulses["t_fired"] - pulses["t_write"],
        "fire_to_arrival": pulses["t_observed"] - pulses["t_fired"],
    }
    return {name: values[np.isfinite(values)] for name, values in by_name.items()}


def latency_us(decisions: Any, pulses: Any) -> dict[str, JsonValue]:
    """Return count and percentiles of every latency, microseconds."""
    return {
        name: _quantiles(values * 1e6)
        for name, values in latencies_s(decisions, pulses).items()
    }


def _arrivals(pulses: Any, n_extra: int) -> dict[str, JsonValue]:
    matched = int(np.count_nonzero(np.isfinite(pulses["t_observed"])))
    return {"matched": matched, "missing": len(pulses) - matched, "extra": n_extra}


def _quantiles(values: Any) -> dict[str, JsonValue]:
    quantiles: dict[str, JsonValue] = {"n": len(values)}
    for name, q in QUANTILES.items():
        quantiles[name] = float(np.quantile(values, q)) if len(values) else None
    return quantiles


def _refused(pulses: Any) -> dict[str, JsonValue]:
    refusals, counts = np.unique(pulses["refusal"], return_counts=True)
    by_name = {
        refusal_name(int(refusal)): int(n)
        for refusal, n in zip(refusals, counts, strict=True)
    }
    by_name.pop("NONE", None)
    return _most_frequent_first(by_name)


def _held(decisions: Any) -> dict[str, JsonValue]:
    holds = decisions["holds"][decisions["outcome"] == Outcome.HELD]
    by_name = {
        str(reason.name): int(np.count_nonzero(holds & int(reason)))
        for reason in HoldReason
    }
    return _most_frequent_first(by_name)


def _most_frequent_first(by_name: Mapping[str, int]) -> dict[str, JsonValue]:
    ordered = sorted(by_name.items(), key=lambda item: -item[1])
    return {name: n for name, n in ordered if n > 0}
