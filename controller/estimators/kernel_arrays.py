"""From a design to the arrays and settings that the compiled kernels read."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from controller.core.records import LOCAL, Kernel
from controller.estimators.base import Design, LocalPart
from controller.estimators.confidence import no_confidence
from controller.kernels import trackers
from controller.kernels.jit import ComplexArray, Float64Array, new_records

# An estimate turned on over a millisecond is as good as a new one.
_LONGEST_TURN_S = 1e-3


def kernel_arrays(design: Design | None, n_virtual: int) -> dict[str, Any]:
    """Return the fields of `Program` that make the estimator.

    Parameters
    ----------
    design : Design or None
        None gives empty arrays, for a stretch without estimates.
    n_virtual : int
        Virtual channels of the program; the first ones are the design's.
    """
    system = None if design is None else design.state_space
    n_states = 1 if system is None else system.transition.shape[0]
    local = () if design is None else design.local
    fir = _padded(None if design is None else design.fir, n_virtual)
    zero = np.zeros((n_states, n_states))
    rows = [part.row for part in local]
    smoothing = np.ones(1)
    if design is not None and design.decimation is not None:
        smoothing = design.decimation.taps
    return {
        "fir_re": _floats(fir.real),
        "fir_im": _floats(fir.imag),
        "transition": _floats(zero if system is None else system.transition),
        "drive": _padded_drive(None if system is None else system.drive, n_virtual),
        "readout": _split(np.zeros(n_states) if system is None else system.readout),
        "feedthrough": _padded_feedthrough(
            None if system is None else system.feedthrough, n_virtual
        ),
        "tracking": _tracking(design),
        "smoothing": _floats(smoothing),
        "local": _local_records(local),
        "row_re": _joined(row.real for row in rows),
        "row_im": _joined(row.imag for row in rows),
        "band_taps": _joined(part.taps for part in local),
        **_confidence(design),
    }


def write_settings(settings: Any, design: Design | None, sfreq_hz: float) -> None:
    """Fill in the estimator's fields of `SETTINGS`; without a design, there is none."""
    settings.interval_s = 1.0 / sfreq_hz
    settings.kernel = int(Kernel.NONE)
    settings.update_samples = 1
    settings.decimation = 1
    if design is None:
        return
    brief = design.brief
    turn = 2.0 * math.pi * brief.frequency_hz / sfreq_hz
    settings.kernel = int(design.kernel)
    settings.horizon_s = brief.horizon_s
    settings.frequency_hz = brief.frequency_hz
    settings.turn_re = math.cos(turn)
    settings.turn_im = math.sin(turn)
    settings.warm_up_samples = math.ceil(design.warm_up_s * sfreq_hz)
    if design.tracker is not None:
        settings.tracker = int(design.tracker.kind)
    if design.decimation is not None:
        settings.decimation = design.decimation.factor
    # A recursion must see every sample.
    if design.state_space is None:
        settings.update_samples = max(1, math.floor(_LONGEST_TURN_S * sfreq_hz + 1e-9))


def _confidence(design: Design | None) -> dict[str, Float64Array]:
    if design is None or design.confidence is None:
        return no_confidence()
    return design.confidence.arrays()


def _tracking(design: Design | None) -> Float64Array:
    if design is None or design.tracker is None:
        return np.zeros(trackers.SETTINGS_LENGTH)
    return np.array(design.tracker.settings)


def _local_records(local: tuple[LocalPart, ...]) -> Any:
    records = new_records(LOCAL, len(local))
    first_row = first_tap = 0
    # A model under way comes first; then the weights that each part keeps, and a mean.
    first_coefficient = max((part.order for part in local), default=0)
    for index, part in enumerate(local):
        for name in (
            "method",
            "n_fit",
            "n_least",
            "stride",
            "n_back",
            "n_data",
            "n_ahead",
            "order",
            "n_trim",
            "period",
            "ahead",
        ):
            records[name][index] = getattr(part, name)
        records.first_row[index] = first_row
        records.first_tap[index] = first_tap
        records.first_coefficient[index] = first_coefficient
        records.n_taps[index] = part.taps.size
        records.re[index] = part.weight.real
        records.im[index] = part.weight.imag
        first_row += part.row.size
        first_tap += part.taps.size
        first_coefficient += 2 * part.order + 1
    return records


def _padded(fir: ComplexArray | None, n_virtual: int) -> ComplexArray:
    """Return the weights oldest sample first, with rows of 0 for further channels."""
    if fir is None:
        return np.zeros((n_virtual, 1), np.complex128)
    padded = np.zeros((n_virtual, fir.shape[1]), np.complex128)
    padded[: fir.shape[0]] = fir[:, ::-1]
    return padded


def _padded_drive(drive: Float64Array | None, n_virtual: int) -> Float64Array:
    if drive is None:
        return np.zeros((1, n_virtual))
    padded = np.zeros((drive.shape[0], n_virtual))
    padded[:, : drive.shape[1]] = drive
    return padded


def _padded_feedthrough(feedthrough: Any, n_virtual: int) -> Float64Array:
    padded = np.zeros(n_virtual, np.complex128)
    if feedthrough is not None:
        padded[: feedthrough.size] = feedthrough
    return _split(padded)


def _split(values: Any) -> Float64Array:
    return np.ascontiguousarray(np.stack([np.real(values), np.imag(values)]), float)


def _joined(pieces: Iterable[Any]) -> Float64Array:
    return np.concatenate([np.zeros(0), *pieces])


def _floats(values: Any) -> Float64Array:
    return np.ascontiguousarray(values, np.float64)
