"""What a stream says about its units, as a factor to microvolts."""

import unicodedata

import numpy as np
import numpy.typing as npt

from controller.errors import ChannelError

# Symbols keep their case, for a megavolt is no millivolt; words may be written any way.
# The numbers are powers of ten of a volt, which is how mne-lsl writes units.
_SYMBOLS = {"uV": 1.0, "µV": 1.0, "mV": 1e3, "V": 1e6, "-6": 1.0, "-3": 1e3, "0": 1e6}
# What mne-realtime calls the volt: it looks up the number of that unit among all the
# constants of mne, and this one, which has the same number, comes first.
_SYMBOLS["FIFFB_ISOTRAK"] = 1e6
_WORDS = {
    "microvolt": 1.0,
    "microvolts": 1.0,
    "millivolt": 1e3,
    "millivolts": 1e3,
    "volt": 1e6,
    "volts": 1e6,
}
_SAYS_NOTHING = {"", "none", "unknown", "n/a", "na"}


def microvolts_per_unit(unit: str) -> float | None:
    """Return how many microvolts one `unit` is, or None for a unit we do not know.

    Both code points of the sign in "µV", micro and Greek mu, mean the same.
    """
    name = unit.strip().replace("\N{GREEK SMALL LETTER MU}", "\N{MICRO SIGN}")
    if name in _SYMBOLS:
        return _SYMBOLS[name]
    return _WORDS.get(unicodedata.normalize("NFKC", name).lower())


def stream_scale_uv(
    *,
    units: tuple[str | None, ...],
    labels: tuple[str, ...],
    types: tuple[str, ...],
    configured: str | None,
    stream: str,
) -> npt.NDArray[np.float64]:
    """Return the factor from stream units to microvolts of every channel.

    Parameters
    ----------
    units : tuple of str or None
        What the stream says of each channel.
    labels, types : tuple of str
        Of the same channels.
    configured : str or None
        `source.unit` of the configuration, for channels whose unit is not told.
    stream : str
        The stream's name, for messages.

    Returns
    -------
    array, shape (n_channels,)
        NaN for a channel that is not EEG and has no unit of voltage.

    Raises
    ------
    ChannelError
        An EEG channel whose unit is absent or unknown, or contradicts `configured`.
    """
    scale_uv = np.full(len(units), np.nan)
    for channel, (unit, label, kind) in enumerate(
        zip(units, labels, types, strict=True)
    ):
        is_eeg = kind.upper() == "EEG"
        told = None if (unit or "").strip().lower() in _SAYS_NOTHING else unit
        factor = microvolts_per_unit(told or configured or "")
        if factor is not None:
            scale_uv[channel] = factor
        if is_eeg:
            _check_unit(told, factor, configured, f"channel {label} of stream {stream}")
    return scale_uv


def _check_unit(
    told: str | None, factor: float | None, configured: str | None, where: str
) -> None:
    if told is None and configured is None:
        raise ChannelError(
            f"The unit of {where} is not told in its description; say what it is with "
            'source.unit = "uV", "mV" or "V".'
        )
    if factor is None:
        raise ChannelError(
            f"The unit of {where} is {told!r}, which is none of microvolts, millivolts "
            "and volts; correct it in the program that streams."
        )
    if told is not None and configured not in (None, told):
        meant = microvolts_per_unit(configured or "")
        if meant != factor:
            raise ChannelError(
                f"The unit of {where} is {told!r}, but source.unit says "
                f"{configured!r}; remove source.unit, or correct it where it is wrong."
            )
