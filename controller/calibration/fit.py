"""Whether a profile fits the session that wants to use it."""

import datetime as dt
from collections.abc import Mapping

from controller.calibration.profile import Profile
from controller.errors import ConfigError

OLD_AFTER = dt.timedelta(days=90)
"""Older profiles are used, with a warning."""

_SAME_RATE = 1e-3  # relative; streams tell their nominal rate
_SAME_WEIGHT = 1e-6  # of the largest weight
_SAME_HORIZON_S = 5e-4  # two degrees of a 10 Hz rhythm


class ProfileMismatch(ConfigError):
    """A profile that was made for something else than this session."""


def check_fits(
    profile: Profile,
    *,
    participant: str,
    sfreq_hz: float,
    labels: tuple[str, ...],
    now: dt.datetime,
    montage: Mapping[str, float] | None = None,
    band_name: str | None = None,
    estimator: str | None = None,
    horizon_s: float | None = None,
) -> tuple[str, ...]:
    """Refuse a profile of something else; return what a person should be warned of.

    What the session leaves to the profile is None.

    Parameters
    ----------
    profile : Profile
    participant : str
    sfreq_hz : float
        Of the stream.
    labels : tuple of str
        Of the stream's channels.
    now : datetime
        With its zone.
    montage : mapping of str to float, optional
        Weights by label; zeros may be left out.
    band_name, estimator : str, optional
    horizon_s : float, optional

    Returns
    -------
    warnings : tuple of str
        Sentences; empty if there is nothing to say.

    Raises
    ------
    ProfileMismatch
        Another participant, rate, montage, band, estimator or horizon, or a channel
        that the stream does not have.
    """
    name = f"The {profile.name}"
    if participant != profile.participant:
        raise ProfileMismatch(
            f"{name} cannot be used for {participant}; give the profile of "
            f"{participant}, or set run.participant."
        )
    if not abs(sfreq_hz - profile.sfreq_hz) <= _SAME_RATE * profile.sfreq_hz:
        raise ProfileMismatch(
            f"{name} was made at {profile.sfreq_hz:g} Hz, but the stream runs at "
            f"{sfreq_hz:g} Hz; set the amplifier to {profile.sfreq_hz:g} Hz or "
            "calibrate again."
        )
    missing = [label for label in profile.montage if label not in labels]
    if missing:
        raise ProfileMismatch(
            f"{name} reads {', '.join(missing)}, which the stream does not have; "
            "check the montage or calibrate again."
        )
    if montage is not None:
        _check_montage(profile, montage)
    _check_named(profile, "band", band_name, profile.band_name)
    _check_named(profile, "estimator", estimator, profile.estimator)
    if horizon_s is not None:
        _check_horizon(profile, horizon_s)
    return _age_warning(profile, now)


def _check_montage(profile: Profile, montage: Mapping[str, float]) -> None:
    kept = {label: weight for label, weight in montage.items() if weight != 0.0}
    largest = max(map(abs, profile.montage.values()))
    same = kept.keys() == profile.montage.keys() and all(
        abs(weight - profile.montage[label]) <= _SAME_WEIGHT * largest
        for label, weight in kept.items()
    )
    if not same:
        raise ProfileMismatch(
            f"The {profile.name} was made with the montage {_words(profile.montage)}, "
            f"but the session asks for {_words(kept)}; use the same montage or "
            "calibrate again."
        )


def _words(montage: Mapping[str, float]) -> str:
    shown = [f"{label} {weight:+.3g}" for label, weight in list(montage.items())[:6]]
    more = f" and {len(montage) - 6} more" if len(montage) > 6 else ""
    return ", ".join(shown) + more if shown else "nothing"


def _check_named(profile: Profile, what: str, asked: str | None, kept: str) -> None:
    if asked is not None and asked != kept:
        raise ProfileMismatch(
            f"The {profile.name} was made for the {what} {kept!r}, but the session "
            f"asks for {asked!r}; choose {kept!r} or calibrate again."
        )


def _check_horizon(profile: Profile, horizon_s: float) -> None:
    if not abs(horizon_s - profile.horizon_s) <= _SAME_HORIZON_S:
        raise ProfileMismatch(
            f"The {profile.name} predicts {profile.horizon_s * 1e3:.1f} ms ahead, but "
            f"the session's latencies add up to {horizon_s * 1e3:.1f} ms; calibrate "
            "with this output."
        )


def _age_warning(profile: Profile, now: dt.datetime) -> tuple[str, ...]:
    age = now - profile.created
    if age < -dt.timedelta(minutes=1):
        when = f"{profile.created:%Y-%m-%d %H:%M} UTC"
        return (f"The {profile.name} is of the future, {when}; check the clock.",)
    if age > OLD_AFTER:
        advice = "calibrate again if cap, amplifier or participant have changed"
        return (f"The {profile.name} is {age.days} days old; {advice}.",)
    return ()
