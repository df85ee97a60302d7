"""How a session stands, and who shows it."""

import dataclasses
from typing import Protocol


@dataclasses.dataclass(slots=True, kw_only=True)
class Status:
    """How the session stands, for whoever shows it; changed in place.

    Parameters
    ----------
    stage : str
    elapsed_s : float
        Since the stage began.
    duration_s : float or None
        Planned for the stage.
    fired : int
    refused, held : dict of str to int
        By reason.
    data_age_s, phase_rad, sd_rad, amplitude_uv, threshold_uv : float
        Of the newest sample; NaN where there is none. `sd_rad` is how far off the phase
        may be.
    n_samples : int
    n_bytes : int
        Written to disk.
    lag_s : float
        Since the recorder last finished a turn.
    n_lost_events : int
        Events that the recorder was too far behind to take.
    """

    stage: str = ""
    elapsed_s: float = 0.0
    duration_s: float | None = None
    fired: int = 0
    refused: dict[str, int] = dataclasses.field(default_factory=dict)
    held: dict[str, int] = dataclasses.field(default_factory=dict)
    data_age_s: float = float("nan")
    phase_rad: float = float("nan")
    sd_rad: float = float("nan")
    amplitude_uv: float = float("nan")
    threshold_uv: float = float("nan")
    n_samples: int = 0
    n_bytes: int = 0
    lag_s: float = 0.0
    n_lost_events: int = 0


class Listener(Protocol):
    """Whoever shows a session to a person."""

    def note(self, sentence: str) -> None:
        """Say something once."""
        ...

    def update(self, status: Status) -> None:
        """Show how the session stands; called some twenty times a second."""
        ...
