"""From designs, rules and wire actions to the arrays that the loop runs on."""

import dataclasses
import math
from typing import Any

import numpy as np

from controller.core.records import (
    ACTION,
    PATTERN,
    PATTERN_EDGE,
    SETTINGS,
    TRIAL,
    ActionKind,
    AmplitudeGate,
)
from controller.core.structures import Memory, Program
from controller.errors import ConfigError
from controller.estimators.base import Design
from controller.estimators.kernel_arrays import kernel_arrays, write_settings
from controller.estimators.soundness import require_sound
from controller.kernels.jit import Float64Array, new_records
from controller.protocol.core_rows import Rows
from controller.rig.programs.gate_arrays import gate_arrays
from controller.rig.programs.gate_rules import GateRules, with_second_site
from controller.safety.limits import Limits
from controller.safety.train import pattern_complaint
from drivers.base import TriggerEdges, WireAction

# A busy-wait this long hides the wake-up jitter of an unprivileged thread and is short
# enough not to starve anybody at a real-time priority.
SPIN_S = 200e-6

# Amplitudes of a 10 Hz rhythm change little within 50 ms.
AMPLITUDE_EVERY_S = 0.05

# The running threshold opens after ten seconds of amplitudes.
AMPLITUDE_MINIMUM_S = 10.0

# Rounding leaves this much of a gain that is zero by design.
_DIRECT_CURRENT = 1e-6


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Gates, artifact rules and timing, in seconds, radians and microvolts.

    Parameters
    ----------
    amplitude_gate : AmplitudeGate
    threshold_uv : float
        For the absolute gate.
    quantile : float
        For the running gate, from 0 to 1.
    window_s : float
        Length of the running gate's window.
    artifact_amplitude_uv : float
        Largest distance of a channel from its own slow baseline.
    artifact_gradient_uv_per_s : float
    artifact_flat_s : float
        A channel that does not change for so long is flat.
    rail_uv : float
        The amplifier's largest output; infinite where unknown.
    artifact_hold_s : float
        How long after an artifact nothing is fired.
    refractory_s : float
    output_latency_s : float
        From the call to the edge at the device.
    lock_s : float
        A deadline closer than this is decided and kept.
    gates : GateRules or None
        All further gates.
    """

    amplitude_gate: AmplitudeGate = AmplitudeGate.OPEN
    threshold_uv: float = 0.0
    quantile: float = 0.5
    window_s: float = 60.0
    artifact_amplitude_uv: float = 150.0
    artifact_gradient_uv_per_s: float = 50e3
    artifact_flat_s: float = 0.2
    rail_uv: float = math.inf
    artifact_hold_s: float = 0.5
    refractory_s: float = 0.0
    output_latency_s: float = 0.0
    lock_s: float = 0.0025
    gates: GateRules | None = None


def build_program(
    *,
    sfreq_hz: float,
    mixing: Float64Array,
    scale_uv: Float64Array,
    design: Design | None,
    rules: Rules,
    limits: Limits,
    trials: Any,
    edges: TriggerEdges | None,
    pulse_s: float,
    rows: Rows | None = None,
) -> Program:
    """Return the program of one stretch of a session.

    Parameters
    ----------
    sfreq_hz : float
    mixing : array, shape (n_virtual, n_channels)
        Microvolts of the virtual channels per unit of the stream; a coupling gate's
        second site is added below.
    scale_uv : array, shape (n_channels,)
        Microvolts per unit of the stream.
    design : Design or None
        None records without estimating, as during rest.
    rules : Rules
    limits : Limits
    trials : records of TRIAL
        At least one.
    edges : TriggerEdges or None
        The trigger's wire actions; None for a program that cannot fire.
    pulse_s : float
        Time from rise to fall.
    rows : Rows, optional
        What a protocol's trials and patterns are, instead of `trials` and a single
        pulse; a row is given once it is offered.

    Raises
    ------
    ConfigError
        The design's arrays do not fit together, or it lets direct current through,
        which the loop relies on it not to do, or a gate asks for what the stream or the
        design does not have.
    """
    if design is not None:
        require_sound(design, sfreq_hz)
        _require_rows(design, mixing)
        _require_no_direct_current(design)
        mixing = with_second_site(mixing, rules.gates)
    _require_channels(mixing, scale_uv, rules)
    if not len(trials) > 0:
        raise ConfigError("A session needs at least one trial; raise max_pulses.")
    actions, action_bytes, pattern_edges = _wire(edges, pulse_s)
    settings = _settings(sfreq_hz, design, rules)
    patterns = new_records(PATTERN)
    patterns.n_edges = len(pattern_edges) if edges is not None else 0
    if rows is not None:
        _require_running_gate(rows, rules)
        _require_phase_at_bursts(rows, design, rules)
        settings.offered = 1
        trials = rows.trial_records()
        patterns, pattern_edges = rows.pattern_records(falls=is_lowered(edges))
        if edges is None:
            patterns.n_edges = 0
    require_allowed(limits, patterns, pattern_edges)
    return Program(
        settings=settings,
        limits=limits.to_record(),
        mixing=_floats(mixing),
        used=np.flatnonzero(np.any(mixing != 0.0, axis=0)).astype(np.int64),
        scale=_floats(scale_uv),
        **kernel_arrays(design, mixing.shape[0]),
        trials=trials,
        patterns=patterns,
        pattern_edges=pattern_edges,
        actions=actions,
        action_bytes=action_bytes,
        **gate_arrays(
            rules.gates, design, sfreq_hz=sfreq_hz, n_virtual=mixing.shape[0]
        ),
    )


def _require_running_gate(rows: Rows, rules: Rules) -> None:
    by_power = any(row.power_side != 0 for row in rows.rows)
    if by_power and rules.amplitude_gate is not AmplitudeGate.PERCENTILE:
        raise ConfigError(
            "The protocol has conditions by power, which are told by the running "
            'amplitude, but gate.amplitude is not "percentile"; set it to that.'
        )


def _require_phase_at_bursts(rows: Rows, design: Design | None, rules: Rules) -> None:
    """Refuse bursts that shall meet a phase which is not known again by then."""
    if design is None or rules.refractory_s == 0.0:
        return
    without_s = rules.refractory_s + design.warm_up_s
    for row in rows.rows:
        if row.burst > 0 and not row.earliest_s >= without_s:
            raise ConfigError(
                'pattern.lock is "each", but a burst may follow the one before after '
                f"{row.earliest_s:.3g} s, and timing.refractory_s with the estimator's "
                f"warm-up leaves {without_s:.3g} s without a phase; set it to 0, or "
                'lock = "first".'
            )


def require_allowed(limits: Limits, patterns: Any, pattern_edges: Any) -> None:
    """Refuse patterns that the limits of trains would cut off in their middle.

    Parameters
    ----------
    limits : Limits
    patterns : records of PATTERN
    pattern_edges : records of PATTERN_EDGE

    Raises
    ------
    ConfigError
    """
    for pattern in patterns:
        first = int(pattern.first_edge)
        edges = pattern_edges[first : first + int(pattern.n_edges)]
        rises_s = edges.offset_s[edges.rises == 1]
        complaint = pattern_complaint(limits, (rises_s - rises_s[:1]).tolist())
        if complaint is not None:
            raise ConfigError(complaint)


def all_done(program: Program, memory: Memory) -> bool:
    """Return whether the last trial's pulse is over, its falling edge included."""
    is_over = bool(np.isinf(memory.now.t_next_edge[0]))
    return is_over and bool(memory.now.trial[0] >= len(program.trials))


def is_lowered(edges: TriggerEdges | None) -> bool:
    """Return whether the line comes down by a call of its own."""
    return edges is None or edges.fall is not None


def amplitude_window(rules: Rules) -> int:
    """Return how many entries the running amplitude window has."""
    return max(1, round(rules.window_s / AMPLITUDE_EVERY_S))


def make_trials(
    n_trials: int,
    *,
    target_phase_rad: float,
    iti_s: float,
    iti_jitter_s: float,
    seed: int,
) -> Any:
    """Return trials whose intervals are drawn beforehand, uniformly and seeded."""
    trials = new_records(TRIAL, n_trials)
    trials.target_phase_rad = target_phase_rad
    jitter = np.random.default_rng(seed).uniform(-1.0, 1.0, n_trials)
    trials.iti_s = iti_s + iti_jitter_s * jitter
    return trials


def _require_no_direct_current(design: Design) -> None:
    """Local parts need no check: they take the mean off their window."""
    gains: list[tuple[Any, float]] = []
    if design.fir is not None:
        gains.append((design.fir.sum(axis=1), float(np.abs(design.fir).sum())))
    if design.state_space is not None:
        system = design.state_space
        rest = np.eye(len(system.transition)) - system.transition
        steady = np.linalg.solve(rest, system.drive)
        scale = float(np.abs(system.readout) @ np.abs(steady).sum(axis=1)) + 1.0
        gains.append((system.readout @ steady + system.feedthrough, scale))
    # Each on its own: a large part must not excuse a small one.
    for gain, scale in gains:
        largest = float(np.max(np.abs(gain)))
        # An infinite gain would excuse itself: it is its own scale.
        if math.isfinite(scale) and largest <= _DIRECT_CURRENT * scale:
            continue
        raise ConfigError(
            f"The estimator {design.name} lets direct current through (gain "
            f"{largest:.2g}), so an electrode's offset would bend its phase; choose "
            "another one, or mend the plug-in."
        )


def _require_rows(design: Design, mixing: Float64Array) -> None:
    if design.n_virtual > len(mixing):
        raise ConfigError(
            f"The estimator {design.name} reads {design.n_virtual} virtual channels, "
            f"but the montage gives {len(mixing)}; choose another one, or mend the "
            "plug-in."
        )


def _require_channels(
    mixing: Float64Array, scale_uv: Float64Array, rules: Rules
) -> None:
    """Refuse arrays that compiled code, which checks no index, would read beyond."""
    n_channels = mixing.shape[1]
    vetoing = (
        [] if rules.gates is None else [veto.channel for veto in rules.gates.vetoes]
    )
    if scale_uv.shape != (n_channels,) or not all(
        0 <= channel < n_channels for channel in vetoing
    ):
        raise ConfigError(
            f"The montage reads {n_channels} channels, the stream tells the unit of "
            f"{scale_uv.size}, and {vetoing} shall veto; correct the montage and "
            "gate.veto."
        )


def _settings(sfreq_hz: float, design: Design | None, rules: Rules) -> Any:
    settings = new_records(SETTINGS)
    write_settings(settings, design, sfreq_hz)
    # The first estimate may have been turned on from one before the warm-up's end.
    settings.warm_up_samples += settings.update_samples - 1
    settings.spin_s = SPIN_S
    settings.output_latency_s = rules.output_latency_s
    settings.lock_s = rules.lock_s
    settings.refractory_s = rules.refractory_s
    settings.amplitude_gate = rules.amplitude_gate
    settings.amplitude_uv = rules.threshold_uv
    settings.amplitude_quantile = rules.quantile
    settings.amplitude_stride = max(1, round(AMPLITUDE_EVERY_S * sfreq_hz))
    settings.amplitude_minimum = round(AMPLITUDE_MINIMUM_S / AMPLITUDE_EVERY_S)
    settings.artifact_amplitude_uv = rules.artifact_amplitude_uv
    settings.artifact_gradient_uv = rules.artifact_gradient_uv_per_s / sfreq_hz
    settings.artifact_flat_samples = max(2, round(rules.artifact_flat_s * sfreq_hz))
    settings.artifact_rail_uv = rules.rail_uv
    settings.artifact_hold_s = rules.artifact_hold_s
    return settings


def _wire(edges: TriggerEdges | None, pulse_s: float) -> tuple[Any, Any, Any]:
    calls: list[WireAction] = []
    if edges is not None:
        calls = [edges.rise] if edges.fall is None else [edges.rise, edges.fall]
    actions = new_records(ACTION, max(1, len(calls)))
    pattern_edges = new_records(PATTERN_EDGE, max(1, len(calls)))
    payload = b""
    for index, call in enumerate(calls):
        actions.kind[index] = (
            ActionKind.WRITE if call.kind == "write" else ActionKind.IOCTL
        )
        actions.descriptor[index] = call.descriptor
        actions.request[index] = call.request
        actions.first_byte[index] = len(payload)
        actions.n_bytes[index] = len(call.payload)
        pattern_edges.offset_s[index] = index * pulse_s
        pattern_edges.action[index] = index
        pattern_edges.rises[index] = 1 if index == 0 else 0
        payload += call.payload
    return actions, np.frombuffer(payload or b"\0", np.uint8).copy(), pattern_edges


def _floats(values: Any) -> Float64Array:
    # A copy: the compiled loop refuses arrays that are read-only.
    return np.array(values, np.float64, order="C")
