"""Set a design beside the offline truth on a rest recording, and take out its bias."""

import cmath
import dataclasses
import math

import numpy as np

from controller.errors import RhythmTooWeak
from controller.estimators.base import Brief, Design, Designer, StateSpace
from controller.estimators.offline import run_design
from controller.estimators.truth import advance, analytic_truth, filter_s
from controller.kernels.circular import circular_mean
from controller.kernels.jit import ComplexArray, Float64Array


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """Estimate and truth at the same instants, warm-up and filter edges left out.

    Parameters
    ----------
    estimate : complex array, shape (n_samples,)
    truth : complex array, shape (n_samples,)
    first : int
        Sample of the recording that the first entry belongs to.
    """

    estimate: ComplexArray
    truth: ComplexArray
    first: int

    @property
    def error_rad(self) -> Float64Array:
        """Phase of the estimate minus that of the truth."""
        return np.asarray(np.angle(self.estimate * self.truth.conj()))


def compare(design: Design, rest: Float64Array) -> Comparison:
    """Run a design over a recording beside the truth at its horizon.

    Parameters
    ----------
    design : Design
    rest : array, shape (n_virtual, n_samples)
        Microvolts, without gaps.

    Raises
    ------
    RhythmTooWeak
        If the recording is too short to leave a second for the comparison.
    ConfigError, SignalFault
        As `run_design` and `analytic_truth`.
    """
    brief = design.brief
    estimate = run_design(design, rest)
    edge_s = filter_s(brief.band_hz)
    first = math.ceil(max(edge_s, design.warm_up_s) * brief.sfreq_hz)
    last = estimate.size - math.ceil((edge_s + brief.horizon_s) * brief.sfreq_hz)
    if not last - first >= brief.sfreq_hz:
        raise RhythmTooWeak(
            f"The rest recording lasts {estimate.size / brief.sfreq_hz:.1f} s, too "
            f"short to compare the estimator {design.name} with the offline phase; "
            "record more rest."
        )
    truth = advance(
        analytic_truth(rest[0], brief.sfreq_hz, brief.band_hz),
        brief.sfreq_hz,
        brief.frequency_hz,
        brief.horizon_s,
    )
    return Comparison(
        estimate=estimate[first:last], truth=truth[first:last], first=first
    )


def designed(designer: Designer, brief: Brief, rest: Float64Array | None) -> Design:
    """Return the design that a session runs on, without its constant bias.

    Designers that look at the rest take their bias out themselves.

    Parameters
    ----------
    designer : Designer
    brief : Brief
    rest : array, shape (n_virtual, n_samples), optional
        Microvolts, without gaps. Without it a generic design keeps its bias.

    Raises
    ------
    RhythmTooWeak, ConfigError, SignalFault
        As the designer and `aligned`.
    """
    design = designer.design(brief, rest)
    if rest is None or designer.needs_rest:
        return design
    return aligned(design, rest)


def aligned(design: Design, rest: Float64Array) -> Design:
    """Return the design without the constant bias it shows on a rest recording.

    The circular mean of its phase error becomes 0 and its median amplitude that of the
    truth. A personal predictor needs it as much as a generic one: both are off by some
    degrees that stay the same for hours.

    Parameters
    ----------
    design : Design
    rest : array, shape (n_virtual, n_samples)
        Microvolts, without gaps.

    Raises
    ------
    RhythmTooWeak
        If the recording is too short, or nothing of it is in the band.
    ConfigError, SignalFault
        As `run_design` and `analytic_truth`.
    """
    beside = compare(design, rest)
    estimated_uv = float(np.median(np.abs(beside.estimate)))
    true_uv = float(np.median(np.abs(beside.truth)))
    if not (estimated_uv > 0.0 and true_uv > 0.0):
        raise RhythmTooWeak(
            "The rest recording has no amplitude in the rhythm's band; check that the "
            "channels of the montage are connected."
        )
    factor = cmath.rect(true_uv / estimated_uv, -circular_mean(beside.error_rad))
    return _times(design, factor)


def _times(design: Design, factor: complex) -> Design:
    system = design.state_space
    if system is not None:
        system = StateSpace(
            transition=system.transition,
            drive=system.drive,
            readout=system.readout * factor,
            feedthrough=system.feedthrough * factor,
        )
    fir = None if design.fir is None else design.fir * factor
    local = tuple(
        dataclasses.replace(part, weight=part.weight * factor) for part in design.local
    )
    return dataclasses.replace(design, fir=fir, state_space=system, local=local)
