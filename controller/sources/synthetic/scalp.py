"""Where the electrodes of the 10-10 system sit, and what reaches them."""

import difflib
import re

import numpy as np
import numpy.typing as npt

from controller.errors import ConfigError

Positions = npt.NDArray[np.float64]

# Seen from above: nasion at y = +1, inion at y = -1, left ear at x = -1.
_ROWS = {
    "FP": 0.9,
    "AF": 0.7,
    "F": 0.5,
    "FC": 0.25,
    "FT": 0.25,
    "C": 0.0,
    "T": 0.0,
    "CP": -0.25,
    "TP": -0.25,
    "P": -0.5,
    "PO": -0.7,
    "O": -0.9,
    "I": -1.0,
}
_OLD_NAMES = {"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8"}
_LABEL = re.compile(r"([A-Z]+?)(Z|10|[1-9])")

OCCIPITAL = (0.0, -0.9)
FRONTAL = (0.0, 0.5)
EYES = (0.0, 1.1)

# Columns of a coarse grid over the scalp, as places where background activity arises.
_GRID = np.array(
    [(x, y) for x in (-0.6, 0.0, 0.6) for y in (-0.9, -0.3, 0.3, 0.9)], dtype=np.float64
)
_BACKGROUND_REACH = 0.45
_SHARED_POWER = 0.7


def electrode_positions(
    labels: tuple[str, ...], *, where: str = "source.channels"
) -> Positions:
    """Return where each electrode sits.

    Parameters
    ----------
    labels : tuple of str
    where : str
        The key that they stand in, for messages.

    Returns
    -------
    array, shape (n_channels, 2)
        Right and front, in head radii.

    Raises
    ------
    ConfigError
        A label that is not of the 10-10 system.
    """
    return np.array([_position(label, where) for label in labels], dtype=np.float64)


def reach(positions: Positions, centre: tuple[float, float], width: float) -> Positions:
    """Return how much of a source at `centre` reaches each electrode, 1 at its place.

    Parameters
    ----------
    positions : array, shape (n_channels, 2)
    centre : (x, y)
    width : float
        Distance, in head radii, over which it falls to exp(-1/2).
    """
    distance = np.linalg.norm(positions - np.asarray(centre), axis=1)
    gains: Positions = np.exp(-0.5 * (distance / width) ** 2)
    return gains


def background_mixing(positions: Positions) -> Positions:
    """Return how sources of equal power mix into channels of power one.

    Neighbouring channels share most of their background, as on a real head; the rest is
    each channel's own.

    Returns
    -------
    array, shape (n_sources, n_channels)
    """
    shared = np.array(
        [reach(positions, (x, y), _BACKGROUND_REACH) for x, y in _GRID.tolist()]
    )
    shared *= np.sqrt(_SHARED_POWER) / np.linalg.norm(shared, axis=0)
    own = np.sqrt(1 - _SHARED_POWER) * np.eye(len(positions))
    return np.vstack([shared, own])


def _position(label: str, where: str) -> tuple[float, float]:
    name = _OLD_NAMES.get(label.upper(), label.upper())
    match = _LABEL.fullmatch(name)
    if match is None or match[1] not in _ROWS:
        raise ConfigError(
            f"{where}: the simulated participant has no electrode {label!r}"
            f"{_nearest(label)}; use labels of the 10-10 system, such as Fz, C3 or O1."
        )
    y = _ROWS[match[1]]
    if match[2] == "Z":
        return 0.0, y
    number = int(match[2])
    outward = (number + 1) // 2 * 0.2
    # Rows near the ends of the head are shorter, but never narrower than the eyes.
    x = outward * max(float(np.sqrt(1 - y * y)), 0.5)
    return (-x if number % 2 else x), y


def _nearest(label: str) -> str:
    rows = [row.capitalize() if row == "FP" else row for row in _ROWS]
    known = [row + number for row in rows for number in ("z", *"123456789")]
    close = difflib.get_close_matches(label, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
