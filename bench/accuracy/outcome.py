"""Results as rows of figures under the names that records use."""

import json
import math
from collections.abc import Sequence

import numpy as np

from bench.accuracy.evaluate import Measured, Result


def figures_at(measured: Measured) -> dict[str, float]:
    """Return all figures of one horizon by name; NaN where there is none."""
    phase, gated, ungated = measured.phase, measured.gated, measured.ungated
    return {
        "circ_sd_deg": phase.circ_sd_deg,
        "r": phase.r,
        "bias_deg": phase.bias_deg,
        "mean_abs_error_deg": phase.mean_abs_error_deg,
        "sd_top50_deg": phase.sd_top50_deg,
        "sd_top20_deg": phase.sd_top20_deg,
        "sd_gate50_deg": phase.sd_gate50_deg,
        "sd_gate20_deg": phase.sd_gate20_deg,
        "gate50_open": phase.gate50_open,
        "gate20_open": phase.gate20_open,
        "trigger_sd_deg": gated.sd_deg,
        "trigger_bias_deg": gated.bias_deg,
        "trigger_within_45": gated.within_45,
        "triggers_per_minute": gated.per_minute,
        "ungated_trigger_sd_deg": ungated.sd_deg,
        "ungated_trigger_bias_deg": ungated.bias_deg,
        "ungated_trigger_within_45": ungated.within_45,
        "ungated_triggers_per_minute": ungated.per_minute,
    }


NAMES = (
    *("circ_sd_deg", "r", "bias_deg", "mean_abs_error_deg"),
    *("sd_top50_deg", "sd_top20_deg", "sd_gate50_deg", "sd_gate20_deg"),
    *("gate50_open", "gate20_open"),
    *("trigger_sd_deg", "trigger_bias_deg", "trigger_within_45"),
    "triggers_per_minute",
    *("ungated_trigger_sd_deg", "ungated_trigger_bias_deg"),
    *("ungated_trigger_within_45", "ungated_triggers_per_minute"),
)


def figures(result: Result) -> dict[str, float]:
    """Return the figures of the main horizon and the promise; NaN where there are none.

    Parameters
    ----------
    result : Result
    """
    main = result.main
    found = dict.fromkeys(NAMES, math.nan) if main is None else figures_at(main)
    found["promised_sd_deg"] = result.promise.gate50_sd_deg
    found["promised_all_sd_deg"] = result.promise.sd_deg
    found["sure_share"] = result.sureness.share
    found["sure_landed"] = result.sureness.landed
    return found


def row(result: Result, montage: str) -> dict[str, object]:
    """Return a result as a JSON object; what there is not is null."""
    first = next(iter(result.by_horizon), math.nan)
    fields: dict[str, object] = {
        "estimator": result.estimator,
        "recording": result.recording,
        **figures(result),
        "montage": montage,
        "montage_made": result.words,
        "horizon_ms": 1e3 * first,
        "frequency_hz": result.frequency_hz,
        "peak_db": result.snr_db,
        "has_peak": result.has_peak,
        "truth_r": result.truth_r,
        "other_truths": {
            name: {"circ_sd_deg": scores.circ_sd_deg, "r": scores.r}
            for name, scores in (result.main.others if result.main else {}).items()
        },
        "other_horizons": [
            {"horizon_ms": 1e3 * horizon_s, **figures_at(measured)}
            for horizon_s, measured in result.by_horizon.items()
            if horizon_s != first
        ],
        "reason": result.reason or None,
    }
    cleaned: dict[str, object] = _without_nan(fields)  # type: ignore[assignment]
    return cleaned


def to_json(results: Sequence[Result], default: str, montage: str) -> str:
    """Return the rows as JSON, with the name of the default estimator."""
    rows = [row(result, montage) for result in results]
    return (
        json.dumps({"default": default, "rows": rows}, indent=1, allow_nan=False) + "\n"
    )


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_nan(inner) for inner in value]
    # numpy's floats are floats as well; its booleans and integers do not occur.
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
