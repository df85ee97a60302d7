"""Whether the configuration is still the one that the session was begun with.

A session keeps to what it read. But somebody who changes the file meanwhile believes
something else of it than what runs, a lower intensity for example; so it ends.
"""

import dataclasses
import math
from pathlib import Path
from typing import Final

from controller.errors import ConfigChanged

_LOOK_EVERY_S: Final = 0.25


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """A configuration file as it was read.

    Parameters
    ----------
    path : Path
    text : str
    """

    path: Path
    text: str


class ConfigWatch:
    """An attendant that ends the session once its configuration file differs.

    Parameters
    ----------
    file : ConfigFile
    """

    def __init__(self, file: ConfigFile) -> None:
        self._file = file
        self._t_looked = -math.inf

    def look(self, t_now: float) -> None:
        """Read the file, four times a second.

        Raises
        ------
        ConfigChanged
            It reads otherwise, or not at all.
        """
        if t_now - self._t_looked < _LOOK_EVERY_S:
            return
        self._t_looked = t_now
        try:
            text = self._file.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise self._changed("cannot be read any more") from error
        if text != self._file.text:
            raise self._changed("was changed while the session ran")

    def stand_down(self) -> None:
        """Do nothing: there is no device behind it."""

    def _changed(self, what: str) -> ConfigChanged:
        return ConfigChanged(
            f"{self._file.path} {what}, so the session was disarmed; see what it says "
            "now, run `phasegate check` on it, and start again."
        )
