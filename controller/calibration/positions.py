"""Where the electrodes of the 10-10 system sit, as seen from above.

The head is a sphere with Cz at its pole. Distances from Cz are kept (azimuthal
equidistant projection): a radius of 1 is the plane through nasion, inion and both ears.
x points right, y to the front.
"""

import math

import numpy as np

from controller.errors import ConfigError
from controller.kernels.jit import Float64Array

Position = tuple[float, float]

_RING_DEG = 72.0  # from Cz down to Fpz, T7, Oz and T8
_RIM_DEG = 90.0  # one tenth of the half circle lower: Nz, T9, Iz, T10

# Every row: its name, how far its midline electrode lies before (+) or behind Cz, and
# how far its electrodes 7 and 8 stand from the nose, around the ring; degrees.
_ROWS = (
    ("AF", 54.0, 36.0),
    ("F", 36.0, 54.0),
    ("FC", 18.0, 72.0),
    ("C", 0.0, 90.0),
    ("CP", -18.0, 108.0),
    ("P", -36.0, 126.0),
    ("PO", -54.0, 144.0),
)
# Near the ears the rows change their names.
_LATERAL = {"FC": "FT", "C": "T", "CP": "TP"}
_SINGLE = {
    "Nz": (_RIM_DEG, 0.0),
    "Fpz": (_RING_DEG, 0.0),
    "Fp1": (_RING_DEG, 18.0),
    "O1": (_RING_DEG, 162.0),
    "Oz": (_RING_DEG, 180.0),
    "I1": (_RIM_DEG, 162.0),
    "Iz": (_RIM_DEG, 180.0),
}
_MIRRORED = {"Fp1": "Fp2", "O1": "O2", "I1": "I2"}
_OLD_NAMES = {"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8"}

_FARTHEST = 2.1  # neighbours lie within so many times the distance of the nearest
_EQUALLY_NEAR = 1e-6
_TINY = 1e-12
_FEWEST_NEIGHBOURS = 2


def _on_sphere(from_pole_deg: float, from_nose_deg: float) -> Float64Array:
    """Return the unit vector (left, front, up)."""
    pole, nose = math.radians(from_pole_deg), math.radians(from_nose_deg)
    across = math.sin(pole)
    return np.array([across * math.sin(nose), across * math.cos(nose), math.cos(pole)])


def _seen_from_above(point: Float64Array) -> Position:
    radius = math.acos(min(max(point[2], -1.0), 1.0)) / math.radians(_RIM_DEG)
    across = max(math.hypot(point[0], point[1]), _TINY)
    right, front = -point[0] / across * radius, point[1] / across * radius
    # Rounded, so that what lies on the midline lies on it to the last digit.
    return round(right, 9) + 0.0, round(front, 9) + 0.0


def _arc(left: Float64Array, middle: Float64Array) -> list[Float64Array]:
    """Return quarter points of the circle through left, middle and right end."""
    right = left * np.array([-1.0, 1.0, 1.0])
    centre_line = (left + right) / 2.0 - middle
    # The circle lies in the plane that holds the left-right axis and `centre_line`.
    half, depth = float(left[0]), float(np.linalg.norm(centre_line))
    radius = (half**2 + depth**2) / (2.0 * depth)
    centre = middle + centre_line / depth * radius
    full = math.atan2(half, radius - depth)
    axis = np.array([1.0, 0.0, 0.0])
    return [
        centre + radius * (math.sin(a) * axis - math.cos(a) * centre_line / depth)
        for a in (full * k / 4.0 for k in (1, 2, 3, 4))
    ]


def _table() -> dict[str, Position]:
    table = {
        name: _seen_from_above(_on_sphere(*where)) for name, where in _SINGLE.items()
    }
    for left, right in _MIRRORED.items():
        table[right] = (-table[left][0], table[left][1])
    for row, midline_deg, nose_deg in _ROWS:
        middle = _on_sphere(midline_deg, 0.0)
        table[f"{row}z"] = _seen_from_above(middle)
        points = _arc(_on_sphere(_RING_DEG, nose_deg), middle)
        points.append(_on_sphere(_RIM_DEG, nose_deg))
        for k, point in enumerate(points):
            name = _LATERAL.get(row, row) if k >= 3 else row
            x, y = _seen_from_above(point)
            table[f"{name}{2 * k + 1}"] = (x, y)
            table[f"{name}{2 * k + 2}"] = (-x, y)
    return table


POSITIONS: dict[str, Position] = _table()
"""Right and front of each electrode, by its 10-10 name, in head radii."""


def position_of(label: str) -> Position | None:
    """Return where an electrode sits, or None if the label is not of the system.

    Old names (T3, T4, T5, T6) and any capitals are understood.
    """
    name = label.strip()
    name = name[:-1].upper() + name[-1:].lower()
    name = _OLD_NAMES.get(name, name)
    if name.startswith("FP"):
        name = "Fp" + name[2:]
    return POSITIONS.get(name)


def neighbours_of(centre: str, labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return the nearest electrodes around one: front, back, left and right.

    A side with nothing near has no neighbour; at the edge of the head there are two or
    three.

    Parameters
    ----------
    centre : str
    labels : tuple of str
        Channels to choose from; those without a known position are left out.

    Raises
    ------
    ConfigError
        If the centre has no known position, or fewer than two neighbours.
    """
    at = position_of(centre)
    if at is None:
        raise ConfigError(
            f"Where {centre!r} sits is not known, so its neighbours cannot be found; "
            "name them in montage.neighbours."
        )
    sides: dict[int, list[tuple[float, str]]] = {}
    for label in labels:
        other = position_of(label)
        if other is not None and other != at:
            right, front = other[0] - at[0], other[1] - at[1]
            # Quarters around front, right, back and left.
            side = round(math.degrees(math.atan2(right, front)) / 90.0) % 4
            sides.setdefault(side, []).append((math.hypot(right, front), label))
    closest = {side: min(sides[side])[0] for side in sorted(sides)}
    reach = _FARTHEST * min(closest.values(), default=0.0)
    # Two on one side that are equally near, like Fp1 and Fp2 before Fz, both count.
    near = [
        label
        for side, shortest in closest.items()
        for distance, label in sides[side]
        if distance <= min(reach, shortest + _EQUALLY_NEAR)
    ]
    if len(near) < _FEWEST_NEIGHBOURS:
        raise ConfigError(
            f"{centre} has {len(near)} neighbours among {', '.join(labels)}, but a "
            f"Hjorth derivation needs at least {_FEWEST_NEIGHBOURS}; name them in "
            "montage.neighbours or choose another montage."
        )
    return tuple(near)
