"""What the compiled core is handed: a program, its memory and its telemetry."""

from typing import Any, NamedTuple

from numba import types

from controller.core.gate_records import GATES, VETO, VETO_NOW
from controller.core.records import (
    ACTION,
    DECISION,
    EDGE,
    LOCAL,
    NOW,
    PATTERN,
    PATTERN_EDGE,
    SAMPLE,
    SETTINGS,
    TRIAL,
)
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
from controller.safety.ledger import LEDGER
from controller.safety.limits import LIMITS


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
    tracking: Float64Array  # settings of the tracker
    smoothing: Float64Array  # taps before decimation
    local: Any  # LOCAL[n_local]
    row_re: Float64Array  # rows of all local parts, one after the other
    row_im: Float64Array
    band_taps: Float64Array  # zero-phase band-passes of local parts
    confidence: Float64Array  # see core.confidence; nothing where a design has none
    log_kappas: Float64Array
    sd_table: Float64Array
    within_table: Float64Array
    trials: Any  # TRIAL[n_trials]
    patterns: Any  # PATTERN[n_patterns]
    pattern_edges: Any  # PATTERN_EDGE[...]
    actions: Any  # ACTION[n_actions]
    action_bytes: Any  # uint8[...]
    gates: Any  # GATES[1]
    vetoes: Any  # VETO[n_vetoes]
    spectrum_re: Float64Array  # (n_frequencies, n_window), oldest sample first
    spectrum_im: Float64Array
    spectrum_taps: Float64Array  # before its decimation


class Memory(NamedTuple):
    """Everything the loop changes; it can be left and entered again at any sample."""

    now: Any  # NOW[1]
    ledger: Any  # LEDGER[1]
    rate_ring: Float64Array  # (max_per_minute,) instants of the newest pulses
    raw: Float32Array  # (n_channels,) newest sample as received
    held: Float64Array  # (n_virtual,) newest conditioned sample
    origin: Float64Array  # (n_virtual,) its value at the last reset, NaN before
    inputs: Float64Array  # (n_virtual,) held - origin, what the estimator sees
    ring: Float64Array  # (n_virtual, 2 * n_taps), every sample written twice
    states: Float64Array  # (n_states,)
    states_next: Float64Array
    track: Float64Array  # the tracker's state
    decimated: Float64Array  # (1, 2 * n), row 0 smoothed, every sample written twice
    local_uv: Float64Array  # (2, n_local): what each part gave, turned on to now
    series: Float64Array  # working space of local parts
    forward: Float64Array
    backward: Float64Array
    padded: Float64Array  # a window with what its band-pass needs on either side
    coefficients: Float64Array
    previous_uv: Float64Array  # (n_channels,)
    baseline_uv: Float64Array  # (n_channels,)
    flat_run: Int64Array  # (n_channels,)
    amplitudes: Float64Array  # (n_window,) in order of time
    amplitudes_sorted: Float64Array  # the same in order of size
    recent: Float64Array  # (1, 2 * n), the first virtual channel, for the spectrum
    spectrum_ring: Float64Array  # (1, 2 * n_window), the same, decimated
    powers: Float64Array  # (n_frequencies,)
    resonators: Float64Array  # (3, 5): first site, second site, second band
    veto_now: Any  # VETO_NOW[n_vetoes]


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
        f8_vector,
        f8_vector,
        record_array_type(LOCAL),
        f8_vector,
        f8_vector,
        f8_vector,
        f8_vector,
        f8_vector,
        f8_vector,
        f8_vector,
        record_array_type(TRIAL),
        record_array_type(PATTERN),
        record_array_type(PATTERN_EDGE),
        record_array_type(ACTION),
        u1_vector,
        record_array_type(GATES),
        record_array_type(VETO),
        f8_matrix,
        f8_matrix,
        f8_vector,
    ),
    Program,
)

MEMORY_TYPE = types.NamedTuple(
    (
        record_array_type(NOW),
        record_array_type(LEDGER),
        f8_vector,
        f4_vector,
        f8_vector,
        f8_vector,
        f8_vector,
        f8_matrix,
        f8_vector,
        f8_vector,
        f8_vector,
        f8_matrix,
        f8_matrix,
        f8_vector,
        f8_vector,
        f8_vector,
        f8_vector,
        f8_vector,
        f8_vector,
        f8_vector,
        i8_vector,
        f8_vector,
        f8_vector,
        f8_matrix,
        f8_matrix,
        f8_vector,
        f8_matrix,
        record_array_type(VETO_NOW),
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
