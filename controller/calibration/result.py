"""What a calibration found: the numbers that profile, page and sentence are made of."""

import dataclasses
import math

import numpy as np

from controller.calibration.bad_channels import BadChannel
from controller.calibration.spatial_filter import SpatialFilter
from controller.errors import ConfigError
from controller.estimators.rhythm import Rhythm
from controller.kernels.jit import Float64Array

MORE_REST_S = 30.0
"""How much more rest `more_rest_gain_deg` speaks of."""

_WORTH_SAYING_DEG = 0.5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class GateLevel:
    """What to expect behind one amplitude gate.

    Parameters
    ----------
    percentile : float
        Of the estimated amplitude at rest; 0 is an open gate.
    threshold_uv : float
    circ_sd_rad : float
        Circular SD of the phase error at the triggers; infinite where they scatter
        over the whole cycle.
    bias_rad : float
        Circular mean of the phase error.
    within_45 : float
        Share of triggers within 45 degrees of the target, 0 to 1.
    triggers_per_minute : float
    n_triggers : int
        That these figures rest on.
    """

    percentile: float
    threshold_uv: float
    circ_sd_rad: float
    bias_rad: float
    within_45: float
    triggers_per_minute: float
    n_triggers: int

    def __post_init__(self) -> None:
        """Refuse figures that cannot be."""
        sound = (
            0.0 <= self.percentile < 100.0
            and 0.0 <= self.threshold_uv < math.inf
            and self.circ_sd_rad >= 0.0
            and -math.pi <= self.bias_rad <= math.pi
            and 0.0 <= self.within_45 <= 1.0
            and 0.0 <= self.triggers_per_minute < math.inf
            and self.n_triggers >= 0
        )
        if not sound:
            raise ConfigError(
                f"A gate level cannot be {self}; calibrate the participant again."
            )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CalibrationResult:
    """One calibration of one participant.

    Parameters
    ----------
    participant : str
    source_name : str
        Stream or file that the rest came from.
    source_sha256 : str
        Of the samples used.
    sfreq_hz : float
    labels : tuple of str
        Of all EEG channels recorded, also bad ones.
    rhythm : Rhythm
        Of the virtual channel.
    spatial_filter : SpatialFilter
        Over the channels that are not bad.
    bad_channels : tuple of BadChannel
    rest_used_s, rest_recorded_s : float
    estimator : str
        Name of the designer.
    horizon_s : float
    levels : tuple of GateLevel
        From the most open gate to the tightest.
    recommended : int
        Index of the level to use.
    errors_all_rad : array, shape (n,)
        Phase error, delivered minus target: positive is late. At every trigger of an
        open gate, or at every sample.
    errors_gated_rad : array, shape (n_gated,)
        The same behind the recommended gate.
    more_rest_gain_deg : float, optional
        By how much `MORE_REST_S` more rest would lower the circular SD; unknown if
        absent.
    warnings : tuple of str
        Sentences that a person should read.

    Raises
    ------
    ConfigError
        If there are no levels, or the recommended one is not among them.
    """

    participant: str
    source_name: str
    source_sha256: str
    sfreq_hz: float
    labels: tuple[str, ...]
    rhythm: Rhythm
    spatial_filter: SpatialFilter
    bad_channels: tuple[BadChannel, ...]
    rest_used_s: float
    rest_recorded_s: float
    estimator: str
    horizon_s: float
    levels: tuple[GateLevel, ...]
    recommended: int
    errors_all_rad: Float64Array
    errors_gated_rad: Float64Array
    more_rest_gain_deg: float | None = None
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a recommendation of nothing."""
        if not 0 <= self.recommended < len(self.levels):
            raise ConfigError(
                f"The calibration recommends gate level {self.recommended} of "
                f"{len(self.levels)}; recommend one that is there."
            )
        for errors in (self.errors_all_rad, self.errors_gated_rad):
            if not np.isfinite(errors).all():
                raise ConfigError(
                    "The calibration holds a phase error that is no finite number; "
                    "leave out what could not be scored."
                )

    @property
    def level(self) -> GateLevel:
        """The recommended level."""
        return self.levels[self.recommended]

    def sentence(self) -> str:
        """Return what to expect, as a person says it."""
        level = self.level
        rate = f"{level.triggers_per_minute:.0f} triggers per minute"
        if not math.isfinite(level.circ_sd_rad):
            return f"Expect no phase-locking at {rate}; record more rest."
        said = f"Expect {math.degrees(level.circ_sd_rad):.0f} deg at {rate}"
        gain_deg = self.more_rest_gain_deg
        if gain_deg is None:
            return f"{said}."
        more = f"{MORE_REST_S:g} s more rest would gain"
        if gain_deg >= _WORTH_SAYING_DEG:
            return f"{said}; {more} about {max(1.0, gain_deg):.0f} deg."
        return f"{said}; {more} less than 1 deg."
