"""What the optional gates are told, field by field, and what a veto remembers."""

from typing import Any

import numpy as np

from controller.kernels.jit import new_records

GATES = np.dtype(
    [
        ("asked", "i8"),  # HoldReason bits of the gates that are configured
        ("min_snr_db", "f8"),
        ("min_peak_ratio", "f8"),
        ("max_frequency_sd_hz", "f8"),
        ("max_frequency_offset_hz", "f8"),
        ("min_probability", "f8"),
        ("tolerance_rad", "f8"),  # that the probability speaks of
        ("spectrum_decimation", "i8"),  # samples to one of the spectrum's
        ("spectrum_stride", "i8"),  # of those from one spectrum to the next
        ("inside_first", "i8"),  # rows of the spectrum: the band ...
        ("inside_end", "i8"),
        ("lower_first", "i8"),  # ... its flanks ...
        ("lower_end", "i8"),
        ("upper_first", "i8"),
        ("upper_end", "i8"),
        ("below_end", "i8"),  # ... and all that lies outside
        ("above_first", "i8"),
        ("frequency_stride", "i8"),  # samples from one look at the phase to the next
        ("frequency_minimum", "i8"),  # looks before the gate may open
        ("frequency_follow", "f8"),  # weight of the newest look
        ("coupling_row", "i8"),  # virtual channel of the second site
        ("coupling_re", "f8"),  # pole of both sites' filters
        ("coupling_im", "f8"),
        ("coupling_follow", "f8"),  # weight of the newest sample
        ("coupling_settle", "i8"),  # samples until the filters have settled
        ("coupling_minimum", "i8"),  # samples before the gate may open
        ("min_coherence", "f8"),
        ("max_coherence", "f8"),
        ("lag_from_rad", "f8"),
        ("lag_width_rad", "f8"),
        ("second_re", "f8"),  # pole of the second band's filter
        ("second_im", "f8"),
        ("second_gain_re", "f8"),
        ("second_gain_im", "f8"),
        ("second_hz", "f8"),
        ("second_minimum", "i8"),
        ("second_from_rad", "f8"),
        ("second_width_rad", "f8"),
        ("second_amplitude_uv", "f8"),
    ],
    align=True,
)

VETO = np.dtype(
    [
        ("channel", "i8"),
        ("amplitude_uv", "f8"),  # from the baseline; infinite where not asked for
        ("rms_uv", "f8"),
        ("hold_s", "f8"),
        ("baseline_follow", "f8"),  # weight of the newest sample
        ("slow_follow", "f8"),
        ("rms_follow", "f8"),
        ("rms_minimum", "i8"),  # samples before a running RMS means something
    ],
    align=True,
)

VETO_NOW = np.dtype(
    [
        ("baseline_uv", "f8"),  # NaN before the first sample
        ("slow_uv", "f8"),  # what the high-pass takes off
        ("mean_square", "f8"),
        ("n", "i8"),  # samples since the estimator was last reset
        ("t_veto", "f8"),  # newest sample that vetoed
    ],
    align=True,
)

N_RESONATORS = 3
RESONATOR_STATES = 5


def no_gates() -> dict[str, Any]:
    """Return the fields of `Program` for one without optional gates."""
    return {
        "gates": new_records(GATES),
        "vetoes": new_records(VETO, 0),
        "spectrum_re": np.zeros((1, 1)),
        "spectrum_im": np.zeros((1, 1)),
        "spectrum_taps": np.ones(1),
    }
