"""Where the configurations are that come along."""

from pathlib import Path

import controller
from controller.errors import FileError

_PACKAGE = Path(controller.__file__).resolve().parent
_PLACES = (_PACKAGE / "_configs", _PACKAGE.parent / "configs")
"""In an installed package, and in a checkout."""


def shipped_config(name: str, places: tuple[Path, ...] = _PLACES) -> Path:
    """Return the path of a configuration that comes along.

    Parameters
    ----------
    name : str
        Such as `demo.toml`.
    places : tuple of Path
        Folders to look in, in this order.

    Raises
    ------
    FileError
        The installation lacks it.
    """
    for place in places:
        if (place / name).is_file():
            return place / name
    raise FileError(
        f"The configuration {name} is missing from this installation; reinstall "
        "phasegate."
    )
