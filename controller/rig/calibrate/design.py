"""From the rest at the beginning of a session to the design that its loop runs on."""

import dataclasses
import math

from controller.calibration.profile import Profile
from controller.config import Config
from controller.errors import ConfigError, RhythmTooWeak
from controller.estimators.accuracy import accuracy_of, confident, held_out
from controller.estimators.align import designed
from controller.estimators.base import Brief, Design, Designer
from controller.estimators.registry import find_designer
from controller.estimators.rest import MINIMUM_REST_S as LEAST_TO_DESIGN_S
from controller.estimators.rhythm import (
    MINIMUM_REST_S,
    SEARCH_HZ,
    band_around,
    find_rhythm,
    require_findable,
)
from controller.kernels.jit import Float64Array
from controller.rig.calibrate.promise import (
    Promise,
    promise_of_profile,
    promise_of_rest,
)
from controller.rig.calibrate.rest import Rest


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """What the rest gave.

    Parameters
    ----------
    design : Design
    mixing : array, shape (n_virtual, n_channels)
        Microvolts of the virtual channels that the design reads per stream unit.
    snr_db : float or None
        Height of the rhythm's peak; None where its frequency was given.
    promise : Promise, optional
        Accuracy to expect behind the gate, from a profile, or from each third of the
        rest with a design from the other two; absent without enough rest.
    profile_name : str, optional
        Where it all comes from, if not from this session's rest.
    """

    design: Design
    mixing: Float64Array
    snr_db: float | None
    promise: Promise | None = None
    profile_name: str | None = None

    @property
    def expected_sd_deg(self) -> float | None:
        """Circular standard deviation to expect behind the gate."""
        return None if self.promise is None else self.promise.sd_deg

    def sentence(self) -> str:
        """Return what was found, for the operator."""
        parts = [f"Rhythm at {self.design.brief.frequency_hz:.2f} Hz"]
        if self.snr_db is not None:
            parts.append(f"{self.snr_db:.1f} dB over the background")
        if self.expected_sd_deg is not None:
            parts.append(
                f"expect a circular SD of {self.expected_sd_deg:.0f} deg behind the "
                "gate"
            )
        said = ", ".join(parts) + "."
        return said if self.profile_name is None else f"{self.profile_name}: {said}"


def check_rest(config: Config) -> Designer:
    """Return the designer, having checked that the session plans the rest it needs.

    Raises
    ------
    ConfigError
    """
    designer = find_designer(config.estimator.kind)
    check_frequency(config)
    rest_s = config.run.rest_s
    # What settling adds to it is no figure to rely on.
    if designer.needs_rest and not rest_s >= LEAST_TO_DESIGN_S:
        raise ConfigError(
            f"The estimator {designer.name} is designed from rest, but run.rest_s is "
            f"{rest_s:g}; give it at least {LEAST_TO_DESIGN_S:g}."
        )
    if config.rhythm.frequency_hz is None and not rest_s >= MINIMUM_REST_S:
        raise ConfigError(
            f"In {rest_s:g} s of rest the individual frequency cannot be found; give "
            f"rhythm.frequency_hz, or a run.rest_s of at least {LEAST_TO_DESIGN_S:g}."
        )
    return designer


def check_frequency(config: Config) -> None:
    """Refuse a rhythm whose frequency is neither given nor can be found.

    Raises
    ------
    ConfigError
    """
    rhythm = config.rhythm
    low_hz, high_hz = rhythm.search_hz or SEARCH_HZ[rhythm.band]
    if rhythm.frequency_hz is None:
        require_findable(rhythm.band)
        return
    if low_hz <= rhythm.frequency_hz <= high_hz:
        return
    raise ConfigError(
        f"rhythm.frequency_hz is {rhythm.frequency_hz:g}, but the {rhythm.band} band "
        f"is {low_hz:g} to {high_hz:g} Hz; correct it, or widen rhythm.search_hz."
    )


def calibrate(
    config: Config,
    designer: Designer,
    rest: Rest,
    *,
    sfreq_hz: float,
    horizon_s: float,
    profile: Profile | None = None,
) -> Calibration:
    """Find the rhythm and design the estimator.

    Parameters
    ----------
    config : Config
    designer : Designer
    rest : Rest
        May be empty if nothing needs it.
    sfreq_hz, horizon_s : float
    profile : Profile, optional
        That the rest is from: its promise is taken over.

    Raises
    ------
    RhythmTooWeak
        No usable rhythm, or too little rest.
    """
    rhythm = config.rhythm
    is_rest = rest.uv.shape[1] >= MINIMUM_REST_S * sfreq_hz
    if not is_rest and (designer.needs_rest or rhythm.frequency_hz is None):
        raise RhythmTooWeak(
            f"Only {rest.uv.shape[1] / sfreq_hz:.1f} s of the rest came without gap or "
            f"bad sample, but {MINIMUM_REST_S:g} s in one piece are needed; mend the "
            "stream, or give a longer run.rest_s."
        )
    snr_db = None
    if rhythm.frequency_hz is None:
        found = find_rhythm(rest.uv[0], sfreq_hz, rhythm.band, rhythm.search_hz)
        frequency_hz, snr_db = found.frequency_hz, found.snr_db
    else:
        frequency_hz = rhythm.frequency_hz
    brief = Brief(
        sfreq_hz=sfreq_hz,
        frequency_hz=frequency_hz,
        band_hz=band_around(frequency_hz, rhythm.band),
        horizon_s=horizon_s,
    )
    rest_uv = rest.uv if is_rest else None
    design = designed(designer, brief, rest_uv)
    promise = None
    if rest_uv is not None:
        design, promise = _judged(config, designer, design, rest_uv)
    if profile is not None:
        snr_db, promise = profile.snr_db, promise_of_profile(profile, config.gate)
    return Calibration(
        design=design,
        mixing=rest.mixing[: design.n_virtual],
        snr_db=snr_db,
        promise=promise,
        profile_name=None if profile is None else profile.name,
    )


def _judged(
    config: Config, designer: Designer, design: Design, rest_uv: Float64Array
) -> tuple[Design, Promise | None]:
    """Return the design knowing how sure it is, and the accuracy to expect."""
    gate = config.gate
    percentile = gate.closed_below
    try:
        held = held_out(designer, design.brief, rest_uv)
        expected = accuracy_of(held, percentile=percentile)
        design = confident(design, held, math.radians(gate.tolerance_deg))
    except RhythmTooWeak:
        return design, None
    gated = expected.gated
    if not math.isfinite(gated.circular_sd_rad):
        return design, None
    return design, promise_of_rest(
        held,
        percentile,
        design.brief.sfreq_hz,
        gated.circular_sd_rad,
        gated.bias_rad,
    )
