"""What a designer is asked, what it answers, and how one is found by name."""

import dataclasses
import math
from typing import Protocol

import numpy as np

from controller.core.records import Kernel, LocalMethod, TrackerKind
from controller.errors import ConfigError
from controller.estimators.confidence import Confidence
from controller.kernels.jit import ComplexArray, Float64Array


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """The task of one design.

    Parameters
    ----------
    sfreq_hz : float
        Rate of the stream.
    frequency_hz : float
        The rhythm's individual frequency.
    band_hz : tuple of float
        Pass band around it.
    horizon_s : float
        How far after its newest sample the estimate shall hold, not negative.

    Raises
    ------
    ConfigError
        If the frequency does not lie inside the band, or the band not between 0 and
        half the rate, or the horizon is negative or not finite.
    """

    sfreq_hz: float
    frequency_hz: float
    band_hz: tuple[float, float]
    horizon_s: float

    def __post_init__(self) -> None:
        """Refuse what no designer can meet."""
        low_hz, high_hz = self.band_hz
        half_hz = self.sfreq_hz / 2.0
        if not 0.0 < low_hz < self.frequency_hz < high_hz < half_hz < math.inf:
            raise ConfigError(
                f"A rhythm at {self.frequency_hz:g} Hz in the band {low_hz:g}-"
                f"{high_hz:g} Hz cannot be followed at {self.sfreq_hz:g} Hz; the "
                "frequency must lie inside the band and the band below half the rate."
            )
        if not 0.0 <= self.horizon_s < math.inf:
            raise ConfigError(
                f"The horizon is {self.horizon_s:g} s, but an estimate can only hold "
                "now or later; give latencies that are not negative."
            )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StateSpace:
    """Linear recursion x' = A x + B u, z = C x' + D u with a complex output.

    `z` is read after the newest input has been taken in.

    Parameters
    ----------
    transition : array, shape (n_states, n_states)
    drive : array, shape (n_states, n_virtual)
    readout : complex array, shape (n_states,)
    feedthrough : complex array, shape (n_virtual,)
    """

    transition: Float64Array
    drive: Float64Array
    readout: ComplexArray
    feedthrough: ComplexArray


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tracker:
    """A step that follows the phase of the recursive part's output.

    Parameters
    ----------
    kind : TrackerKind
    settings : tuple of float
        As `controller.kernels.trackers` reads them.
    """

    kind: TrackerKind
    settings: tuple[float, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decimation:
    """The lower rate that local parts run at.

    Parameters
    ----------
    factor : int
        Samples of the stream to one decimated sample.
    taps : array, shape (n_taps,)
        Symmetric low-pass, applied before.
    """

    factor: int
    taps: Float64Array

    @property
    def delay_samples(self) -> float:
        """Group delay of the low-pass in samples of the stream."""
        return (self.taps.size - 1) / 2.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LocalPart:
    """An estimate from the last seconds alone; lengths in decimated samples.

    Parameters
    ----------
    method : LocalMethod
    n_fit : int
        Newest samples that the model is fitted to, at most.
    n_least : int
        And at least: the part has no estimate before.
    order : int
        Of the autoregressive model.
    n_data, n_ahead, n_back : int
        Newest samples, forecast and backcast that `row` weighs. A backcast needs
        `n_fit`, `n_least` and `n_data` to be the same.
    row : complex array, shape (n_back + n_data + n_ahead,)
        Oldest first; gives the analytic signal at the horizon.
    stride : int
        Decimated samples from one fit to the next.
    taps : array, shape (n_taps,)
        Zero-phase band-pass of the methods that filter their window: symmetric, an odd
        number, fewer than `2 * n_least`.
    n_trim : int
        Samples left off either end of the band-passed window.
    period, ahead : float
        Samples of one cycle, for the methods that filter their window; and, for peak
        timing, from the newest to the horizon.
    weight : complex
        Factor of the part in the sum of all parts.
    """

    method: LocalMethod
    n_fit: int
    n_least: int
    order: int
    n_data: int
    n_ahead: int
    n_back: int = 0
    row: ComplexArray
    stride: int = 1
    taps: Float64Array = dataclasses.field(default_factory=lambda: np.zeros(0))
    n_trim: int = 0
    period: float = 0.0
    ahead: float = 0.0
    weight: complex = 1.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """An estimator, ready for its kernel.

    The output is the analytic signal of the rhythm in microvolts, `horizon_s` after the
    newest sample.

    Parameters
    ----------
    name : str
        The designer's.
    brief : Brief
        What was asked for.
    kernel : Kernel
        The parts it runs on; their outputs are added.
    fir : complex array, shape (n_virtual, n_taps), optional
        `fir[c, k]` multiplies the sample `k` before the newest.
    state_space : StateSpace, optional
    tracker : Tracker, optional
    decimation : Decimation, optional
        Needed by local parts.
    local : tuple of LocalPart
    confidence : Confidence, optional
        How sure an estimate is.
    warm_up_s : float
        Time from a reset to the first trustworthy estimate.
    """

    name: str
    brief: Brief
    kernel: Kernel
    fir: ComplexArray | None = None
    state_space: StateSpace | None = None
    tracker: Tracker | None = None
    decimation: Decimation | None = None
    local: tuple[LocalPart, ...] = ()
    confidence: Confidence | None = None
    warm_up_s: float

    @property
    def n_virtual(self) -> int:
        """How many virtual channels the design reads, the followed one included."""
        n_rows = 1
        if self.fir is not None:
            n_rows = max(n_rows, int(self.fir.shape[0]))
        if self.state_space is not None:
            n_rows = max(n_rows, int(self.state_space.drive.shape[1]))
        return n_rows


class Designer(Protocol):
    """Turns a brief, and perhaps a rest recording, into a design."""

    name: str
    needs_rest: bool
    reads_others: bool

    def design(self, brief: Brief, rest: Float64Array | None) -> Design:
        """Return the design.

        Parameters
        ----------
        brief : Brief
        rest : array, shape (n_virtual, n_samples), optional
            Rest recording in microvolts, without gaps. Row 0 is the virtual channel
            that is followed; other channels come after it only if `reads_others`.

        Raises
        ------
        ConfigError
            If the brief cannot be met.
        RhythmTooWeak
            If the rest recording cannot carry the design.
        """
        ...
