"""The arrays that the compiled core works on, field by field.

`SETTINGS` and the design are read only while the loop runs, `NOW` is the loop's whole
state, and `SAMPLE`, `DECISION` and `EDGE` are rows of its telemetry. Instants are
seconds on the host clock, phases radians with 0 at the positive peak, voltages
microvolts.
"""

import enum

import numpy as np


class Kernel(enum.IntFlag):
    """Which compiled parts a design runs on; their outputs are added."""

    NONE = 0
    FIR = 1
    STATE_SPACE = 2
    LOCAL = 4


class TrackerKind(enum.IntEnum):
    """What follows the phase of a recursive part's output."""

    NONE = 0
    PLL = 1
    ZERO_CROSSING = 2


class LocalMethod(enum.IntEnum):
    """How a local part comes from the last seconds to an estimate."""

    FORECAST = 0
    FILTERED_FORECAST = 1
    PEAK_TIMING = 2


class AmplitudeGate(enum.IntEnum):
    """How the amplitude threshold is found."""

    OPEN = 0
    ABSOLUTE = 1
    PERCENTILE = 2


class TrialKind(enum.IntEnum):
    """What a trial waits for once its interval is over."""

    PHASE = 0
    ANY_PHASE = 1
    CLOCK = 2  # open loop: whatever the EEG does
    YOKED = 3  # by the clock, at the times of another session


class ActionKind(enum.IntEnum):
    """How the loop carries out a wire action."""

    WRITE = 0
    IOCTL = 1


SETTINGS = np.dtype(
    [
        ("interval_s", "f8"),  # nominal, sample to sample
        ("kernel", "i8"),  # Kernel
        ("tracker", "i8"),  # TrackerKind
        ("horizon_s", "f8"),  # how far ahead of its sample the estimate looks
        ("frequency_hz", "f8"),  # the rhythm's, to extrapolate over milliseconds
        ("warm_up_samples", "i8"),
        ("turn_re", "f8"),  # rotation of the rhythm from sample to sample
        ("turn_im", "f8"),
        ("update_samples", "i8"),  # the filters run once in so many, then turn on
        ("decimation", "i8"),  # samples to one of the local parts'
        ("output_latency_s", "f8"),  # call of write to edge at the device
        ("lock_s", "f8"),  # a deadline closer than this is decided and kept
        ("spin_s", "f8"),  # busy-wait just before a deadline, bounded
        ("refractory_s", "f8"),
        ("offered", "i8"),  # 1: no trial is taken up unless it is offered
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
        ("update_wait", "i8"),  # samples to the filters' next run
        ("decimated_at", "i8"),
        ("decimated_wait", "i8"),  # samples to the next decimated one
        ("n_decimated", "i8"),  # since the estimator was last reset
        ("linear_re_uv", "f8"),  # what filters and recursion gave
        ("linear_im_uv", "f8"),
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
        ("offer", "i8"),  # taken up last; -1 before the first
        ("t_trial_edge", "f8"),  # first edge of the trial before, planned
        ("t_anchor", "f8"),  # where a yoked stage's times begin; -inf while unknown
        ("t_next_edge", "f8"),  # next wire action, +inf when none
        ("t_onset_write", "f8"),  # planned first write of the pulse under way
        ("edge", "i8"),
        ("edge_last", "i8"),
        ("edge_first", "i8"),
        ("pulse", "i8"),  # place in its pattern of the pulse that is next
        ("pulses_left", "i8"),  # pulses that the pattern under way still has
        ("line_high", "i8"),
        ("decision", "i8"),  # decision that the pulse under way belongs to
        ("fault", "i8"),  # Fault
        ("fault_value", "f8"),
        ("fault_channel", "i8"),
        ("slow_uv", "f8"),  # the amplitude's running average; NaN while unknown
        ("sd_rad", "f8"),  # expected error of the phase; NaN while unknown
        ("p_within", "f8"),  # probability that it lies within tolerance
        ("snr_db", "f8"),  # what the optional gates look at, NaN while unknown
        ("peak_ratio", "f8"),
        ("frequency_sd_hz", "f8"),
        ("frequency_offset_hz", "f8"),
        ("coherence", "f8"),
        ("phase_lag_rad", "f8"),  # how far the first site is ahead
        ("second_phase_rad", "f8"),  # at the deadline looked at last
        ("second_amplitude_uv", "f8"),
        ("veto_channel", "i8"),  # at the deadline looked at last; -1 for none
        ("recent_at", "i8"),
        ("n_recent", "i8"),
        ("spectrum_wait", "i8"),
        ("spectrum_at", "i8"),
        ("n_spectrum", "i8"),
        ("frequency_wait", "i8"),
        ("n_frequency", "i8"),
        ("phase_before_rad", "f8"),
        ("frequency_mean_hz", "f8"),
        ("frequency_variance", "f8"),
        ("cross_re", "f8"),
        ("cross_im", "f8"),
        ("power_here", "f8"),
        ("power_there", "f8"),
        ("second_re_uv", "f8"),
        ("second_im_uv", "f8"),
    ],
    align=True,
)

LOCAL = np.dtype(
    [
        ("method", "i8"),  # LocalMethod
        ("n_fit", "i8"),  # decimated samples fitted, at most
        ("n_least", "i8"),  # and at least: before, there is no estimate
        ("stride", "i8"),  # decimated samples from one fit to the next
        ("first_row", "i8"),  # in row_re and row_im: past, data and forecast
        ("n_back", "i8"),
        ("n_data", "i8"),
        ("n_ahead", "i8"),
        ("first_coefficient", "i8"),
        ("order", "i8"),
        ("first_tap", "i8"),  # of the zero-phase band-pass
        ("n_taps", "i8"),
        ("n_trim", "i8"),  # samples left off where the band-pass has no future
        ("period", "f8"),  # decimated samples from peak to peak
        ("ahead", "f8"),  # decimated samples from the newest to the horizon
        ("re", "f8"),  # factor of the part in the sum
        ("im", "f8"),
    ],
    align=True,
)

TRIAL = np.dtype(
    [
        ("kind", "i8"),  # TrialKind
        ("target_phase_rad", "f8"),
        ("iti_s", "f8"),  # after the first pulse of the trial, or burst, before
        ("at_s", "f8"),  # of a yoked trial: after its stage's first
        ("pattern", "i8"),
        ("condition", "i8"),
        ("burst", "i8"),  # place in a trial that meets its phase several times
        ("more", "i8"),  # 1: the trial goes on in the next row
        ("as_if", "i8"),  # 1: recorded as if, never fired
        ("n_before", "i8"),  # pulses of its bursts before this one
        ("n_left", "i8"),  # and from this one on; 0: those of its pattern
        ("power_side", "i8"),  # 1: strong rhythms only, -1: weak ones, 0: the gate's
        ("power_quantile", "f8"),
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
        ("sd_rad", "f8"),
        ("p_within", "f8"),
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
        ("sd_rad", "f8"),
        ("p_within", "f8"),
        ("snr_db", "f8"),  # NaN where no gate asks for it
        ("peak_ratio", "f8"),
        ("frequency_sd_hz", "f8"),
        ("frequency_offset_hz", "f8"),
        ("coherence", "f8"),
        ("phase_lag_rad", "f8"),
        ("second_phase_rad", "f8"),
        ("second_amplitude_uv", "f8"),
        ("veto_channel", "i8"),  # -1 for none
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
