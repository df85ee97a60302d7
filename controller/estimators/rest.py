"""What a personal designer asks of the rest recording before it looks at it."""

import numpy as np

from controller.errors import ConfigError, RhythmTooWeak
from controller.estimators.base import Brief
from controller.estimators.spectrum import require_finite
from controller.kernels.jit import Float64Array

MINIMUM_REST_S = 15.0


def require_rows(name: str, brief: Brief, rest: Float64Array | None) -> Float64Array:
    """Return a rest recording that is there, long enough and finite.

    Parameters
    ----------
    name : str
        The designer's.
    brief : Brief
    rest : array, shape (n_virtual, n_samples), optional
        Microvolts.

    Raises
    ------
    ConfigError
        If there is none, or it has no rows.
    RhythmTooWeak
        If it is too short.
    SignalFault
        If it holds a sample that is not a finite number.
    """
    if rest is None:
        raise ConfigError(
            f"The estimator {name} is designed from a rest recording and got none; "
            "give run.rest_s, or choose echt or iir."
        )
    if rest.ndim != 2 or rest.shape[0] < 1:
        raise ConfigError(
            f"The estimator {name} got a rest recording of the shape {rest.shape}; "
            "give (n_virtual, n_samples)."
        )
    if not rest.shape[1] / brief.sfreq_hz >= MINIMUM_REST_S:
        raise RhythmTooWeak(
            f"The rest recording lasts {rest.shape[1] / brief.sfreq_hz:.1f} s, but the "
            f"estimator {name} needs at least {MINIMUM_REST_S:g} s; give a longer "
            "run.rest_s, or choose echt or iir."
        )
    require_finite(rest, "The rest recording")
    return rest


def require_rest(name: str, brief: Brief, rest: Float64Array | None) -> Float64Array:
    """Return the one virtual channel of a rest recording, shape (n_samples,).

    Parameters
    ----------
    name : str
        The designer's.
    brief : Brief
    rest : array, shape (1, n_samples), optional
        Microvolts.

    Raises
    ------
    ConfigError
        If there is none, or not of one virtual channel.
    RhythmTooWeak
        If it is too short.
    SignalFault
        If it holds a sample that is not a finite number.
    """
    if rest is not None and (rest.ndim != 2 or rest.shape[0] != 1):
        raise ConfigError(
            f"The estimator {name} reads one virtual channel, but the rest recording "
            f"has the shape {rest.shape}; give (1, n_samples)."
        )
    return np.ascontiguousarray(require_rows(name, brief, rest)[0])
