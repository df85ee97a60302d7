"""Autoregressive model of a recording by Burg's method, and its spectrum."""

import dataclasses

import numpy as np

from controller.errors import ConfigError, SignalFault
from controller.estimators.spectrum import require_finite
from controller.kernels.jit import Float64Array


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Autoregression:
    """The model x[n] = sum of coefficients[k] * x[n - 1 - k] + noise.

    Parameters
    ----------
    coefficients : array, shape (order,)
        Those of a stable model.
    noise_uv2 : float
        Variance of the noise.
    sfreq_hz : float
        Rate of the samples it describes.
    """

    coefficients: Float64Array
    noise_uv2: float
    sfreq_hz: float

    def power_uv2_per_hz(self, frequencies_hz: Float64Array) -> Float64Array:
        """Return the one-sided power spectral density, shape as given."""
        turn = -2j * np.pi * frequencies_hz / self.sfreq_hz
        # Horner's rule, with one complex exponential for each frequency.
        step_back = np.exp(turn)
        echo = np.zeros(frequencies_hz.shape, dtype=np.complex128)
        for coefficient in self.coefficients[::-1]:
            echo = (echo + coefficient) * step_back
        whitening = np.abs(1.0 - echo) ** 2
        return np.asarray(2.0 * self.noise_uv2 / self.sfreq_hz / whitening)


def fit_burg(samples: Float64Array, sfreq_hz: float, order: int) -> Autoregression:
    """Fit an autoregressive model that predicts forwards and backwards best.

    Parameters
    ----------
    samples : array, shape (n_samples,)
        Their mean is taken out.
    sfreq_hz : float
    order : int
        At least 1.

    Raises
    ------
    ConfigError
        If the order does not lie between 1 and half the number of samples.
    SignalFault
        If the samples are flat or one of them is not a finite number.

    References
    ----------
    Burg (1975), Maximum Entropy Spectral Analysis, Stanford University.
    """
    if not 1 <= order <= samples.size // 2:
        raise ConfigError(
            f"An autoregressive model of order {order} cannot be fitted to "
            f"{samples.size} samples; give an order from 1 to half of them."
        )
    require_finite(samples, "The recording")
    # Scaled to 1, so that flatness can be told from a small unit.
    centred = samples - samples.mean()
    scale = float(np.abs(centred).max())
    if not scale > 1e-12 * float(np.abs(samples).max()):
        raise SignalFault(
            "The recording is flat, so no autoregressive model describes it; check "
            "that the channels of the montage are connected."
        )
    coefficients, noise = _lattice(centred / scale, order)
    return Autoregression(
        coefficients=coefficients, noise_uv2=noise * scale**2, sfreq_hz=sfreq_hz
    )


def _lattice(samples: Float64Array, order: int) -> tuple[Float64Array, float]:
    """Return coefficients and the variance that is left, stage by stage."""
    forward, backward = samples[1:], samples[:-1]
    noise = float(np.mean(samples**2))
    coefficients = np.zeros(0)
    for _ in range(order):
        energy = float(forward @ forward + backward @ backward)
        if not energy > 0.0:
            # Predicted without error: more stages have nothing to add.
            coefficients = np.append(coefficients, 0.0)
            continue
        reflection = 2.0 * float(forward @ backward) / energy
        coefficients = np.append(
            coefficients - reflection * coefficients[::-1], reflection
        )
        noise *= 1.0 - reflection**2
        forward, backward = (
            (forward - reflection * backward)[1:],
            (backward - reflection * forward)[:-1],
        )
    return coefficients, noise
