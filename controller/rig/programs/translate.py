"""From the configuration's units to the engine's."""

import dataclasses
import math

from controller.config import Config
from controller.core.records import AmplitudeGate
from controller.rig.programs.program import Rules
from controller.sources.timing import StreamTiming

_GATES = {
    "open": AmplitudeGate.OPEN,
    "absolute": AmplitudeGate.ABSOLUTE,
    "percentile": AmplitudeGate.PERCENTILE,
}

# A deadline is fixed no later than one arrival before it, half an arrival and two
# milliseconds to spare for the thread to wake up.
_LOCK_ARRIVALS = 1.5
_LOCK_SPARE_S = 0.002


def lock_s(config: Config, timing: StreamTiming) -> float:
    """Return how long before a trigger its decision is fixed, in seconds."""
    if config.timing.lock_ms is not None:
        return config.timing.lock_ms / 1e3
    return _LOCK_ARRIVALS * timing.arrival_interval_s + _LOCK_SPARE_S


def horizon_s(config: Config, timing: StreamTiming) -> float:
    """Return how far after its newest sample an estimate is needed, in seconds.

    Data age, then what is left to the deadline when it is fixed, half an arrival
    before the latest moment on average, then the output's latency.
    """
    to_deadline_s = lock_s(config, timing) - 0.5 * timing.arrival_interval_s
    latency_s = config.output.latency_s
    # In this order NaN stays NaN, which the design then refuses.
    return timing.data_age_p50_s + max(to_deadline_s, 0.0) + latency_s


def artifact_rules(config: Config) -> Rules:
    """Return what holds from the first sample on, in microvolts and seconds."""
    rail_uv = config.source.rail_uv
    return Rules(
        artifact_amplitude_uv=config.artifact.amplitude_uv,
        artifact_gradient_uv_per_s=config.artifact.gradient_uv_per_ms * 1e3,
        artifact_flat_s=config.artifact.flat_s,
        rail_uv=math.inf if rail_uv is None else rail_uv,
        artifact_hold_s=config.artifact.hold_s,
    )


def rules_of(config: Config, timing: StreamTiming) -> Rules:
    """Return gates, artifact rules and timing in seconds and microvolts."""
    return dataclasses.replace(
        artifact_rules(config),
        amplitude_gate=_GATES[config.gate.amplitude],
        threshold_uv=config.gate.threshold_uv or 0.0,
        quantile=config.gate.percentile / 100.0,
        window_s=config.gate.window_s,
        refractory_s=config.timing.refractory_s,
        output_latency_s=config.output.latency_s,
        lock_s=lock_s(config, timing),
    )
