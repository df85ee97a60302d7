"""When another session's trials came, for a condition that is yoked to it."""

from pathlib import Path

import numpy as np

from controller.errors import FileError
from controller.session.pulses import fired, read_pulses

PULSE_TABLE = "pulses.tsv"


def yoked_times_s(folder: Path) -> tuple[float, ...]:
    """Return when each trial of a session was given, seconds from its first.

    A trial of several bursts counts with its first.

    Raises
    ------
    FileError
        There is no such session, or it fired nothing.
    """
    pulses = fired(read_pulses(folder / PULSE_TABLE))
    if len(pulses) == 0:
        raise FileError(
            f"The session {folder} fired nothing, so nothing can be yoked to it."
        )
    _, first = np.unique(pulses["trial"], return_index=True)
    t_fired = np.sort(pulses["t_fired"][first])
    return tuple((t_fired - t_fired[0]).tolist())
