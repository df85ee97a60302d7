"""Two versions of a participant's profile, side by side."""

import dataclasses
import math

import numpy as np

from controller.calibration.profile import Profile, circ_sd_deg
from controller.errors import ConfigError

# How far two calibrations of one participant differ by chance. Between the halves of
# 3 min of eyes-closed rest, (O1 + O2) / 2 of 12 people, the frequency moved by 0.17 Hz
# in the median and 0.5 at most, the SNR by 1.7 dB and 5.3 at most, and the weights of
# spatio-spectral decomposition correlated above 0.6 in 10 of 12.
RETEST_FREQUENCY_HZ = 0.5
RETEST_SNR_DB = 5.0
RETEST_SD_DEG = 5.0
LEAST_WEIGHT_CORRELATION = 0.6

_SAME_BAND = "the two are calibrations of different rhythms or participants"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRow:
    """One line of the table.

    Parameters
    ----------
    name, before, after, change : str
        As they are shown.
    notable : bool
        More than chance between two calibrations.
    """

    name: str
    before: str
    after: str
    change: str
    notable: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProfileComparison:
    """What changed from one profile to another.

    Parameters
    ----------
    rows : tuple of ComparisonRow
    sentence : str
    """

    rows: tuple[ComparisonRow, ...]
    sentence: str


def compare_profiles(before: Profile, after: Profile) -> ProfileComparison:
    """Set two profiles of one participant and band side by side.

    Parameters
    ----------
    before, after : Profile

    Raises
    ------
    ConfigError
        If they are of different participants or bands.
    """
    if (before.participant, before.band_name) != (after.participant, after.band_name):
        raise ConfigError(
            f"The {before.name} ({before.band_name}) and the {after.name} "
            f"({after.band_name}) cannot be compared: {_SAME_BAND}."
        )
    rows = (
        _row(
            "individual frequency",
            before.frequency_hz,
            after.frequency_hz,
            unit=" Hz",
            digits=2,
            limit=RETEST_FREQUENCY_HZ,
        ),
        _row(
            "SNR",
            before.snr_db,
            after.snr_db,
            unit=" dB",
            digits=1,
            limit=RETEST_SNR_DB,
        ),
        _sd_row(before, after),
        _row(
            "triggers per minute",
            before.level.triggers_per_minute,
            after.level.triggers_per_minute,
            unit="",
            digits=1,
            limit=math.inf,
        ),
        _weights_row(before, after),
    )
    return ProfileComparison(rows=rows, sentence=_sentence(rows, before, after))


def weight_correlation(before: Profile, after: Profile) -> float:
    """Return the correlation of two montages over all channels, -1 to 1.

    Not centred: a montage is the same at every scale, and zero where it reads nothing.
    """
    labels = sorted({*before.montage, *after.montage})
    a = np.array([before.montage.get(label, 0.0) for label in labels])
    b = np.array([after.montage.get(label, 0.0) for label in labels])
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def _row(
    name: str, before: float, after: float, *, unit: str, digits: int, limit: float
) -> ComparisonRow:
    change = after - before
    return ComparisonRow(
        name=name,
        before=f"{before:.{digits}f}{unit}",
        after=f"{after:.{digits}f}{unit}",
        change=f"{change:+.{digits}f}{unit}",
        notable=not abs(change) <= limit,
    )


def _sd_row(before: Profile, after: Profile) -> ComparisonRow:
    name = "expected circular SD"
    first, second = circ_sd_deg(before.level), circ_sd_deg(after.level)
    if first is not None and second is not None:
        return _row(name, first, second, unit=" deg", digits=1, limit=RETEST_SD_DEG)
    shown = ["none" if sd is None else f"{sd:.1f} deg" for sd in (first, second)]
    notable = (first is None) != (second is None)
    return ComparisonRow(
        name=name, before=shown[0], after=shown[1], change="", notable=notable
    )


def _weights_row(before: Profile, after: Profile) -> ComparisonRow:
    alike = weight_correlation(before, after)
    return ComparisonRow(
        name="spatial filter",
        before=before.filter_kind,
        after=after.filter_kind,
        change=f"r = {alike:.2f}",
        notable=not abs(alike) >= LEAST_WEIGHT_CORRELATION,
    )


def _sentence(rows: tuple[ComparisonRow, ...], before: Profile, after: Profile) -> str:
    days = abs((after.created - before.created).days)
    apart = f"{days} days apart" if days != 1 else "a day apart"
    changed = [
        f"{row.name} ({row.before} to {row.after})" for row in rows if row.notable
    ]
    if not changed:
        return (
            f"Nothing changed by more than two calibrations, here {apart}, differ by "
            "chance."
        )
    return (
        f"More than two calibrations, here {apart}, differ by chance: "
        f"{'; '.join(changed)}. Check cap, amplifier and how awake the participant is."
    )
