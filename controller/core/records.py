"""The arrays that the compiled core works on, field by field.

`SETTINGS` and the design are read only while the loop runs, `NOW` is the loop's whole
state, and `SAMPLE`, `DECISION` and `EDGE` are rows of its telemetry. Instants are
seconds on the host clock, phases radians with 0 at the positive peak, voltages
microvolts.
"""

import enum
from typing import Any, NamedTuple

import numpy as np
from numba import types

from controller.kernels.jit import (
    Float32Array,
    Float64Array,
    Int64Array,
    f4_matrix,
    f4_vector,
    f8_matrix,
    f8_vector,
    i8_vector,
    record_array_type,
    u1_vector,
)
from controller.safety.interlock import LEDGER
from controller.safety.limits import LIMITS


class Kernel(enum.IntEnum):
    """Which compiled estimator a design runs on."""

    NONE = 0
    FIR = 1
    STATE_SPACE = 2


class AmplitudeGate(enum.IntEnum):
    """How the amplitude threshold is found."""

    OPEN = 0
    ABSOLUTE = 1
    PERCENTILE = 2


class ActionKind(enum.IntEnum):
    """How the loop carries out a wire action."""

    WRITE = 0
    IOCTL = 1


SETTINGS = np.dtype(
    [
        ("interval_s", "f8"),  # nominal, sample to sample
        ("kernel", "i8"),  # Kernel
        ("horizon_s", "f8"),  # how far ahead of its sample the estimate looks
        ("frequency_hz", "f8"),  # the rhythm's, to extrapolate over milliseconds
        ("warm_up_samples", "i8"),
        ("output_latency_s", "f8"),  # call of write to edge at the device
        ("lock_s", "f8"),  # a deadline closer than this is decided and kept
        ("spin_s", "f8"),  # busy-wait just before a deadline, bounded
        ("refractory_s", "f8"),
        ("amplitude_gate", "i8"),  # AmplitudeGate
        ("amplitude_uv", "f8"),
        ("amplitude_quantile", "f8"),
        ("amplitude_stride", "i8"),  # samples between entries of the running window
        ("amplitude_minimum", "i8"),  # entries before the running gate may open
        ("artifact_amplitude_uv", "f8"),
        ("artifact_gradient_uv", "f8"),  # per sample
        ("artifact_flat_samples", "i8"),
        ("artifact_rail_uv", "f8"),
        ("artifact_hold_s", "f8"),
    ],
    align=True,
)

NOW = np.dtype(
    [
        ("n_samples", "i8"),
        ("n_decisions", "i8"),
        ("n_edges", "i8"),
        ("n_warm", "i8"),  # samples since the estimator was last reset
        ("ring_at", "i8"),
        ("t_sample", "f8"),
        ("t_arrival", "f8"),
        ("permits", "i8"),  # Permit bits of the newest sample
        ("artifacts", "i8"),  # Artifact bits of the newest sample
        ("artifact_channel", "i8"),
        ("t_artifact", "f8"),  # newest sample with an artifact
        ("t_clean", "f8"),  # newest sample without one
        ("n_gaps", "i8"),
        ("n_lost", "i8"),
        ("re_uv", "f8"),  # analytic estimate at t_sample + horizon
        ("im_uv", "f8"),
        ("phase_rad", "f8"),
        ("amplitude_uv", "f8"),
        ("threshold_uv", "f8"),
        ("valid", "i8"),
        ("amplitude_skip", "i8"),
        ("amplitude_at", "i8"),
        ("amplitude_n", "i8"),
        ("tracking", "i8"),  # 1 while crossings are decided, 0 without a phase
        ("t_attempt", "f8"),  # target crossing decided last
        ("t_pulse_edge", "f8"),  # last pulse's edge, planned
        ("t_blind_from", "f8"),  # refractory: samples from here ...
        ("t_blind_until", "f8"),  # ... to here are not used
        ("blind", "i8"),
        ("trial", "i8"),
        ("t_next_edge", "f8"),  # next wire action, +inf when none
        ("t_onset_write", "f8"),  # planned first write of the pulse under way
        ("edge", "i8"),
        ("edge_last", "i8"),
        ("line_high", "i8"),
        ("decision", "i8"),  # decision that the pulse under way belongs to
        ("fault", "i8"),  # Fault
        ("fault_value", "f8"),
        ("fault_channel", "i8"),
    ],
    align=True,
)

TRIAL = np.dtype(
    [
        ("target_phase_rad", "f8"),
        ("iti_s", "f8"),  # earliest pulse, after the pulse before
        ("pattern", "i8"),
        ("condition", "i8"),
    ],
    align=True,
)

PATTERN = np.dtype([("first_edge", "i8"), ("n_edges", "i8")], align=True)

PATTERN_EDGE = np.dtype(
    [
        ("offset_s", "f8"),  # from the pulse's first edge
        ("action", "i8"),
        ("rises", "i8"),  # 1: stimulates, must not be late; 0: lowers the line
    ],
    align=True,
)

ACTION = np.dtype(
    [
        ("kind", "i8"),  # ActionKind
        ("descriptor", "i8"),
        ("request", "i8"),  # of an ioctl
        ("first_byte", "i8"),
        ("n_bytes", "i8"),
    ],
    align=True,
)

SAMPLE = np.dtype(
    [
        ("t_sample", "f8"),
        ("t_arrival", "f8"),
        ("permits", "i8"),
        ("artifacts", "i8"),
        ("phase_rad", "f8"),  # NaN while there is no valid estimate
        ("amplitude_uv", "f8"),
    ],
    align=True,
)

DECISION = np.dtype(
    [
        ("decision", "i8"),
        ("n_samples", "i8"),  # samples seen, the deciding one included
        ("t_sample", "f8"),
        ("t_arrival", "f8"),
        ("t_due", "f8"),  # the edge at the device
        ("t_write", "f8"),  # the call that makes it
        ("phase_rad", "f8"),  # predicted for t_sample + horizon
        ("target_phase_rad", "f8"),
        ("amplitude_uv", "f8"),
        ("threshold_uv", "f8"),
        ("artifacts", "i8"),
        ("holds", "i8"),  # HoldReason
        ("refusal", "i8"),  # Refusal
        ("outcome", "i8"),  # Outcome
        ("trial", "i8"),
        ("condition", "i8"),
        ("t_decided", "f8"),  # telemetry only: never an input of a decision
    ],
    align=True,
)

EDGE = np.dtype(
    [
        ("decision", "i8"),
        ("trial", "i8"),
        ("edge", "i8"),  # 0 is the pulse's first
        ("rises", "i8"),
        ("n_samples", "i8"),  # samples seen when it came due
        ("permits", "i8"),
        ("t_due", "f8"),  # planned call
        ("t_fired", "f8"),  # just before the call, or when it was refused
        ("t_after", "f8"),  # just after the call
        ("refusal", "i8"),  # Refusal
        ("system_error", "i8"),  # errno of a call that failed
    ],
    align=True,
)


class Program(NamedTuple):
    """Everything the loop is told and never changes."""

    settings: Any  # SETTINGS[1]
    limits: Any  # LIMITS[1]
    mixing: Float64Array  # (n_virtual, n_channels), microvolts per stream unit
    used: Int64Array  # channels that the mixing reads
    scale: Float64Array  # (n_channels,) microvolts per stream unit
    fir_re: Float64Array  # (n_virtual, n_taps), oldest sample first
    fir_im: Float64Array
    transition: Float64Array  # (n_states, n_states)
    drive: Float64Array  # (n_states, n_virtual)
    readout: Float64Array  # (2, n_states): real and imaginary part
    feedthrough: Float64Array  # (2, n_virtual)
    trials: Any  # TRIAL[n_trials]
    patterns: Any  # PATTERN[n_patterns]
    pattern_edges: Any  # PATTERN_EDGE[...]
    actions: Any  # ACTION[n_actions]
    action_bytes: Any  # uint8[...]


class Memory(NamedTuple):
    """Everything the loop changes; it can be left and entered again at any sample."""

    now: Any  # NOW[1]
    ledger: Any  # LEDGER[1]
    raw: Float32Array  # (n_channels,) newest sample as received
    held: Float64Array  # (n_virtual,) newest conditioned sample
    origin: Float64Array  # (n_virtual,) its value at the last reset, NaN before
    inputs: Float64Array  # (n_virtual,) held - origin, what the estimator sees
    ring: Float64Array  # (n_virtual, 2 * n_taps), every sample written twice
    states: Float64Array  # (n_states,)
    states_next: Float64Array
    previous_uv: Float64Array  # (n_channels,)
    baseline_uv: Float64Array  # (n_channels,)
    flat_run: Int64Array  # (n_channels,)
    amplitudes: Float64Array  # (n_window,) in order of time
    amplitudes_sorted: Float64Array  # the same in order of size


class Telemetry(NamedTuple):
    """Rings with one writer, the loop; heads and tails count rows ever written, read.

    Lengths are powers of two, so that a row's place is a mask away.
    """

    samples: Any  # SAMPLE[n]
    raw: Float32Array  # (n, n_channels), or no rows where nobody needs them again
    decisions: Any  # DECISION[n]
    edges: Any  # EDGE[n]
    heads: Int64Array  # (3,) samples, decisions, edges
    tails: Int64Array  # (3,)


PROGRAM_TYPE = types.NamedTuple(
    (
        record_array_type(SETTINGS),
        record_array_type(LIMITS),
        f8_matrix,
        i8_vector,
        f8_vector,
        f8_matrix,
        f8_matrix,
        f8_matrix,
        f8_matrix,
        f8_matrix,
        f8_matrix,
        record_array_type(TRIAL),
        record_array_type(PATTERN),
        record_array_type(PATTERN_EDGE),
        record_array_type(ACTION),
        u1_vector,
    ),
    Program,
)

MEMORY_TYPE = types.NamedTuple(
    (
        record_array_type(NOW),
        record_array_type(LEDGER),
        f4_vector,
        f8_vector,
        f8_vector,
        f8_vector,
        f8_matrix,
        f8_vector,
        f8_vector,
        f8_vector,
        f8_vector,
        i8_vector,
        f8_vector,
        f8_vector,
    ),
    Memory,
)

TELEMETRY_TYPE = types.NamedTuple(
    (
        record_array_type(SAMPLE),
        f4_matrix,
        record_array_type(DECISION),
        record_array_type(EDGE),
        i8_vector,
        i8_vector,
    ),
    Telemetry,
)
