"""Generate a simulated participant's EEG, with the true phase of its rhythms.

The samples depend on the settings and the seed alone: they are generated in pages of
one second whatever is asked for, so no split into blocks changes any of them.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

from controller.config_source import SyntheticSource
from controller.errors import ConfigError
from controller.sources.synthetic.components import (
    Background,
    Blinks,
    FurtherChannels,
    Rhythm,
    random_generator,
)
from controller.sources.synthetic.scalp import (
    FRONTAL,
    OCCIPITAL,
    electrode_positions,
    reach,
)

Float64Array = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]

ALPHA_REACH = 0.45
"""Of the alpha rhythm over the back of the head, in head radii."""

_THETA_REACH = 0.4
_RHYTHM_REACH = 0.3  # so that a Hjorth derivation over it sees most of it

# What happens to an alpha rhythm within a cycle happens to the third one within one.
_PACE_HZ = 10.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The rhythms as they are, before noise.

    Phases are radians in (-pi, pi], 0 at the positive peak; amplitudes are microvolts
    where the rhythm is strongest. All of shape (n_samples,). Without a third rhythm its
    phase is NaN and its amplitude 0.
    """

    alpha_phase_rad: Float64Array
    alpha_amplitude_uv: Float64Array
    theta_phase_rad: Float64Array
    theta_amplitude_uv: Float64Array
    rhythm_phase_rad: Float64Array
    rhythm_amplitude_uv: Float64Array


_TRUTHS = tuple(field.name for field in dataclasses.fields(Truth))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Consecutive samples and their truth.

    Parameters
    ----------
    samples : array, shape (n_samples, n_channels)
        Microvolts; the trigger input's channel, if there is one, shows codes.
    truth : Truth
        Of the same samples.
    """

    samples: Float32Array
    truth: Truth


class SyntheticParticipant:
    """A participant whose rhythms are known.

    Alpha is strongest over O1, Oz and O2, theta over Fz. Each rhythm waxes and wanes
    (the amplitude's coefficient of variation is about 0.4), its frequency wanders by
    some tenths of a hertz within a second or two, and its phase diffuses a little. A
    third rhythm, if there is one, is strongest at `rhythm_at`; it changes as much
    within a cycle of its own as alpha does within one. `alpha_uv`, `theta_uv` and
    `rhythm_uv` are mean amplitudes where the rhythm is strongest.
    `noise_uv` is the root mean square of the 1/f background within one octave, hence in
    the rhythm's own octave too; the broadband background is some three times that.

    Parameters
    ----------
    config : SyntheticSource
        Its seed decides all that is random.

    Raises
    ------
    ConfigError
        A label outside the 10-10 system, or a rate that does not carry the rhythms.
    """

    def __init__(self, config: SyntheticSource) -> None:
        _check_rate(config)
        self._config = config
        self._page_samples = max(1, round(config.sfreq_hz))
        rng = [random_generator(config.seed, part) for part in range(5)]
        self._alpha = Rhythm(config.alpha_hz, config.alpha_uv, config.sfreq_hz, rng[0])
        self._theta = Rhythm(config.theta_hz, config.theta_uv, config.sfreq_hz, rng[1])
        positions = electrode_positions(config.channels)
        self._alpha_gain = reach(positions, OCCIPITAL, ALPHA_REACH)
        self._theta_gain = reach(positions, FRONTAL, _THETA_REACH)
        self._background = Background(config, positions, rng[2])
        self._blinks = Blinks(config, positions, rng[3])
        self._rhythm = _third_rhythm(config, rng[4])
        self._rhythm_gain = third_gain(config, positions)
        self._further = FurtherChannels(config)
        self._n_generated = 0
        self._left: Block = self._page()

    @property
    def alpha_gain(self) -> Float64Array:
        """How much of the alpha rhythm each channel gets, shape (n_channels,)."""
        return self._alpha_gain

    @property
    def theta_gain(self) -> Float64Array:
        """How much of the theta rhythm each channel gets, shape (n_channels,)."""
        return self._theta_gain

    @property
    def rhythm_gain(self) -> Float64Array:
        """How much of the third rhythm each channel gets, shape (n_channels,)."""
        return self._rhythm_gain

    def read(self, n_samples: int) -> Block:
        """Return the next `n_samples` samples."""
        parts = [_cut(self._left, 0, n_samples)]
        missing = n_samples - len(parts[0].samples)
        self._left = _cut(self._left, n_samples, None)
        while missing > 0:
            page = self._page()
            parts.append(_cut(page, 0, missing))
            self._left = _cut(page, missing, None)
            missing -= len(parts[-1].samples)
        return _joined(parts)

    def _page(self) -> Block:
        n = self._page_samples
        alpha_phase, alpha_uv = self._alpha.read(n)
        theta_phase, theta_uv = self._theta.read(n)
        rhythm_phase, rhythm_uv = np.full(n, np.nan), np.zeros(n)
        samples = self._background.read(n)
        samples += np.outer(alpha_uv * np.cos(alpha_phase), self._alpha_gain)
        samples += np.outer(theta_uv * np.cos(theta_phase), self._theta_gain)
        if self._rhythm is not None:
            rhythm_phase, rhythm_uv = self._rhythm.read(n)
            samples += np.outer(rhythm_uv * np.cos(rhythm_phase), self._rhythm_gain)
        hum = self._line(n)
        samples += hum
        samples += self._blinks.read(n)
        samples = self._further.beside(samples, hum)
        self._n_generated += n
        return Block(
            samples=samples.astype(np.float32),
            truth=Truth(
                alpha_phase_rad=_wrapped(alpha_phase),
                alpha_amplitude_uv=alpha_uv,
                theta_phase_rad=_wrapped(theta_phase),
                theta_amplitude_uv=theta_uv,
                rhythm_phase_rad=_wrapped(rhythm_phase),
                rhythm_amplitude_uv=rhythm_uv,
            ),
        )

    def _line(self, n: int) -> Float64Array:
        config = self._config
        if config.line_uv == 0 or config.line_hz == 0:
            return np.zeros((n, 1))
        t = np.arange(self._n_generated, self._n_generated + n) / config.sfreq_hz
        hum = config.line_uv * np.cos(2 * np.pi * ((config.line_hz * t) % 1.0))
        return hum[:, np.newaxis]


def _third_rhythm(config: SyntheticSource, rng: np.random.Generator) -> Rhythm | None:
    if config.rhythm_hz is None or config.rhythm_uv is None:
        return None
    return Rhythm(
        config.rhythm_hz,
        config.rhythm_uv,
        config.sfreq_hz,
        rng,
        pace=config.rhythm_hz / _PACE_HZ,
    )


def third_gain(config: SyntheticSource, positions: Float64Array) -> Float64Array:
    """Return how much of the third rhythm reaches each position, 0 without one."""
    if config.rhythm_at is None:
        return np.zeros(len(positions))
    ((x, y),) = electrode_positions((config.rhythm_at,), where="source.rhythm_at")
    return reach(positions, (float(x), float(y)), _RHYTHM_REACH)


def _check_rate(config: SyntheticSource) -> None:
    highest_hz = max(
        config.alpha_hz, config.theta_hz, config.rhythm_hz or 0.0, config.line_hz
    )
    if not config.sfreq_hz > 2 * highest_hz:
        raise ConfigError(
            f"source.sfreq_hz is {config.sfreq_hz:g} Hz, too low for a signal of "
            f"{highest_hz:g} Hz; give more than twice that."
        )


def _wrapped(phase_rad: Float64Array) -> Float64Array:
    """Return phases in (-pi, pi]."""
    return np.pi - (np.pi - phase_rad) % (2 * np.pi)


def _cut(block: Block, start: int, stop: int | None) -> Block:
    part = slice(start, stop)
    truth = {name: getattr(block.truth, name)[part] for name in _TRUTHS}
    return Block(samples=block.samples[part], truth=Truth(**truth))


def _joined(parts: list[Block]) -> Block:
    truth = {
        name: np.concatenate([getattr(part.truth, name) for part in parts])
        for name in _TRUTHS
    }
    return Block(
        samples=np.concatenate([part.samples for part in parts]), truth=Truth(**truth)
    )
