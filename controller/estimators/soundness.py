"""What a design must keep before compiled code, which checks no index, works on it."""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from controller.core.records import Kernel, LocalMethod, TrackerKind
from controller.errors import ConfigError
from controller.estimators.base import Design, LocalPart, StateSpace, Tracker
from controller.estimators.local_conformance import check_local
from controller.kernels import trackers

# Nominal rates are told twice; they differ by rounding, if at all.
_SAME_RATE = 1e-6

# An estimate that turns on for longer follows nobody's rhythm any more.
_LONGEST_TURN_CYCLES = 0.5

_LENGTHS = ("n_fit", "n_least", "order", "n_data", "n_ahead", "n_back", "n_trim")


def require_sound(design: Design, sfreq_hz: float) -> None:
    """Refuse a design whose arrays do not fit together, or whose recursion runs away.

    Parameters
    ----------
    design : Design
    sfreq_hz : float
        Of the stream that it is to run on.

    Raises
    ------
    ConfigError
        With the first thing that is wrong.
    """
    wrong = next(_wrong(design, sfreq_hz), None)
    if wrong is not None:
        raise ConfigError(
            f"The design of the estimator {design.name} cannot run: {wrong}; choose "
            "another one, or mend the plug-in."
        )


def _wrong(design: Design, sfreq_hz: float) -> Iterator[str]:
    if not abs(design.brief.sfreq_hz - sfreq_hz) <= _SAME_RATE * sfreq_hz:
        yield (
            f"it was made for {design.brief.sfreq_hz:g} Hz, but the stream runs at "
            f"{sfreq_hz:g} Hz"
        )
    yield from _wrong_kernel(design)
    if not 0.0 <= design.warm_up_s < math.inf:
        yield f"its warm-up is {design.warm_up_s:g} s"
    if design.fir is not None:
        yield from _wrong_fir(design.fir, design.warm_up_s, sfreq_hz)
    if design.state_space is not None:
        yield from _wrong_state_space(design.state_space)
    if design.tracker is not None:
        yield from _wrong_tracker(design, design.tracker, sfreq_hz)
    if design.local:
        yield from _wrong_local(design, sfreq_hz)


def _wrong_kernel(design: Design) -> Iterator[str]:
    brought = Kernel.NONE
    if design.fir is not None:
        brought |= Kernel.FIR
    if design.state_space is not None:
        brought |= Kernel.STATE_SPACE
    if design.local:
        brought |= Kernel.LOCAL
    if brought == Kernel.NONE or brought != design.kernel:
        yield (
            f"its kernel is {Kernel(design.kernel)!s}, but it brings what belongs to "
            f"{brought!s}"
        )


def _wrong_fir(
    fir: npt.NDArray[np.complex128], warm_up_s: float, sfreq_hz: float
) -> Iterator[str]:
    if fir.ndim != 2 or fir.size == 0:
        yield f"fir has the shape {fir.shape} and not (n_virtual, n_taps)"
    # What stood in the ring before a gap must have left the window.
    elif not math.ceil(warm_up_s * sfreq_hz) >= fir.shape[1]:
        yield (
            f"its warm-up of {warm_up_s:g} s is shorter than its filter of "
            f"{fir.shape[1] / sfreq_hz:g} s"
        )


def _wrong_state_space(system: StateSpace) -> Iterator[str]:
    shapes = [np.shape(getattr(system, name)) for name in StateSpace.__slots__]
    n_states, n_virtual = shapes[0][0] if shapes[0] else 0, np.size(system.feedthrough)
    wanted = [
        (n_states, n_states),
        (n_states, n_virtual),
        (n_states,),
        (n_virtual,),
    ]
    if shapes != wanted or n_states < 1 or n_virtual < 1:
        yield f"the recursion's arrays have the shapes {shapes}, which do not fit"
        return
    if np.iscomplexobj(system.transition) or np.iscomplexobj(system.drive):
        yield "the recursion's transition or drive is complex"
        return
    if not (np.isfinite(system.transition).all() and np.isfinite(system.drive).all()):
        yield "the recursion holds NaN or infinities"
        return
    radius = float(np.abs(np.linalg.eigvals(system.transition)).max())
    if not radius < 1.0:
        yield f"its recursion is not stable (spectral radius {radius:.6g})"


def _wrong_tracker(design: Design, tracker: Tracker, sfreq_hz: float) -> Iterator[str]:
    values = tracker.settings
    if design.state_space is None:
        yield "a tracker needs a recursion to follow"
    elif tracker.kind not in (TrackerKind.PLL, TrackerKind.ZERO_CROSSING):
        yield f"there is no tracker of the kind {tracker.kind!s}"
    elif len(values) != trackers.SETTINGS_LENGTH or not np.isfinite(values).all():
        yield (
            f"a tracker has {trackers.SETTINGS_LENGTH} finite settings, but it brings "
            f"{values}"
        )
    elif not (
        abs(values[trackers.INTERVAL_S] * sfreq_hz - 1.0) <= _SAME_RATE
        and 0.0
        < values[trackers.LOWEST_HZ]
        <= values[trackers.FREQUENCY_HZ]
        <= values[trackers.HIGHEST_HZ]
    ):
        yield f"the tracker's rate or frequencies are wrong: {values}"


def _wrong_local(design: Design, sfreq_hz: float) -> Iterator[str]:
    decimation = design.decimation
    if decimation is None:
        yield "it has local parts, but no decimation"
        return
    if not (_is_whole(decimation.factor) and decimation.factor >= 1):
        yield f"its decimation is by {decimation.factor!r}"
    if decimation.taps.ndim != 1 or decimation.taps.size == 0:
        yield f"the taps before decimation have the shape {decimation.taps.shape}"
    # Lengths first: the rest is counted from them.
    for part in design.local:
        yield from _wrong_lengths(part)
    for part in design.local:
        yield from _wrong_part(part)
        turns_on = part.method != LocalMethod.FORECAST or part.n_back > 0
        turn_s = part.stride * decimation.factor / sfreq_hz
        if turns_on and not turn_s * design.brief.frequency_hz <= _LONGEST_TURN_CYCLES:
            yield f"a local part would turn on for {turn_s:g} s from fit to fit"
    for sentence in check_local(design):
        yield sentence.removesuffix(".")


def _wrong_lengths(part: LocalPart) -> Iterator[str]:
    for name in _LENGTHS:
        length = getattr(part, name)
        if not (_is_whole(length) and length >= 0):
            yield f"{name} of a local part is {length!r}"
    if not (_is_whole(part.stride) and part.stride >= 1):
        yield f"stride of a local part is {part.stride!r}"


def _wrong_part(part: LocalPart) -> Iterator[str]:
    if part.method not in list(LocalMethod):
        yield f"there is no local method {part.method!r}"
    if not np.isfinite([part.weight.real, part.weight.imag, part.ahead]).all():
        yield "weight or ahead of a local part is no finite number"
    if part.method == LocalMethod.FORECAST:
        return
    if part.taps.ndim != 1 or not np.isfinite(part.taps).all():
        yield "a local part's band-pass is not one row of finite numbers"
    if part.n_back != 0:
        yield "a local part that filters its window has no backcast"
    if not 0.5 <= part.period < math.inf:
        yield f"the period of a local part is {part.period!r} samples"


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
