"""Trackers behind the causal quadrature: phase-locked loop and zero crossings."""

import dataclasses
import math

from controller.core.records import TrackerKind
from controller.estimators.base import Brief, Design, Tracker
from controller.estimators.iir import CausalQuadrature
from controller.kernels import trackers
from controller.kernels.jit import Float64Array

_LOOP_SHARE = 0.15
"""Natural frequency of the loop, as a share of the individual frequency."""

_LOOP_DAMPING = math.sqrt(0.5)

_PERIOD_WEIGHT = 0.25
"""Weight of a new half cycle in the running period: a memory of two cycles."""

_SETTLED = 0.01  # share of a wrong start that is left at the end of the warm-up


class PhaseLockedLoop:
    """Phase-locked loop of second order on the causal quadrature's output.

    The recursion is that of the estimator iir at horizon 0, so that the phase it hands
    on is right at the individual frequency. The loop's tracked frequency, kept inside
    the band, carries the phase to the horizon.

    References
    ----------
    Gardner (2005), Phaselock Techniques, 3rd edition, chapters 2 and 4.
    """

    name = "pll"
    needs_rest = False
    reads_others = False

    def design(self, brief: Brief, rest: Float64Array | None = None) -> Design:
        """Return recursion and loop for a brief; a rest recording is not looked at."""
        natural_rad_s = 2.0 * math.pi * _LOOP_SHARE * brief.frequency_hz
        interval_s = 1.0 / brief.sfreq_hz
        return _tracked_design(
            self.name,
            brief,
            TrackerKind.PLL,
            phase_gain=2.0 * _LOOP_DAMPING * natural_rad_s * interval_s,
            frequency_gain=natural_rad_s**2 * interval_s / (2.0 * math.pi),
            settling_s=-math.log(_SETTLED) / (_LOOP_DAMPING * natural_rad_s),
        )


class ZeroCrossing:
    """Phase counted from the last zero crossing of the causal quadrature's real part.

    The recursion is that of the estimator iir at horizon 0; crossings are interpolated
    between samples, and the running period carries the phase to the horizon.
    """

    name = "zero-crossing"
    needs_rest = False
    reads_others = False

    def design(self, brief: Brief, rest: Float64Array | None = None) -> Design:
        """Return recursion and tracker for a brief; a rest is not looked at."""
        half_cycles = math.log(_SETTLED) / math.log(1.0 - _PERIOD_WEIGHT)
        return _tracked_design(
            self.name,
            brief,
            TrackerKind.ZERO_CROSSING,
            phase_gain=1.0,
            frequency_gain=_PERIOD_WEIGHT,
            settling_s=0.5 * half_cycles / brief.frequency_hz,
        )


def _tracked_design(
    name: str,
    brief: Brief,
    kind: TrackerKind,
    *,
    phase_gain: float,
    frequency_gain: float,
    settling_s: float,
) -> Design:
    now = dataclasses.replace(brief, horizon_s=0.0)
    base = CausalQuadrature().design(now)
    settings = [0.0] * trackers.SETTINGS_LENGTH
    settings[trackers.INTERVAL_S] = 1.0 / brief.sfreq_hz
    settings[trackers.FREQUENCY_HZ] = brief.frequency_hz
    settings[trackers.LOWEST_HZ], settings[trackers.HIGHEST_HZ] = brief.band_hz
    settings[trackers.HORIZON_S] = brief.horizon_s
    settings[trackers.PHASE_GAIN] = phase_gain
    settings[trackers.FREQUENCY_GAIN] = frequency_gain
    return dataclasses.replace(
        base,
        name=name,
        brief=brief,
        tracker=Tracker(kind=kind, settings=tuple(settings)),
        warm_up_s=base.warm_up_s + settling_s,
    )
