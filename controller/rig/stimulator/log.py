"""What a simulated stimulator made of the triggers that reached it."""

import dataclasses
import json
from pathlib import Path


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StimulatorLog:
    """Counts of a simulated stimulator's own log.

    Parameters
    ----------
    pulses : int
    missed : int
        Triggers into a device that was disarmed or not charged.
    """

    pulses: int
    missed: int


def read_stimulator_log(path: Path) -> StimulatorLog:
    """Return how many triggers made a pulse, and how many were missed.

    A last line that a killed process left torn is passed over.
    """
    kinds = []
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for line in text.splitlines():
        try:
            kinds.append(json.loads(line)["kind"])
        except (ValueError, KeyError, TypeError):
            continue
    return StimulatorLog(pulses=kinds.count("pulse"), missed=kinds.count("missed"))
