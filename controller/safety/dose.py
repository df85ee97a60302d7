"""What a person has been given, counted, and whether a plan would pass a limit.

Pure: records in, sums and sentences out. Where they are kept is
`controller.session.books.dose_book`.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from controller.safety.ceilings import DOSE_CEILINGS
from controller.safety.interlock import Refusal
from controller.safety.limits import check_range, check_whole

FULL_OUTPUT_PCT_MSO = 100.0
"""An intensity that nobody knows counts as this much."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """An amount of stimulation, which adds up.

    Parameters
    ----------
    pulses : int
    trains : int
        Patterns of more than one pulse.
    stimulated_s : float
        Sum over patterns of the time from the first pulse to the last.
    charge_c : float
        Coulombs through the skin; 0 where nothing flows.
    full_pulses : float
        Sum over pulses of the share of maximum stimulator output.
    highest_pct_mso : float
        Strongest pulse.

    Raises
    ------
    ValueError
        If a figure is negative or not finite.
    """

    pulses: int = 0
    trains: int = 0
    stimulated_s: float = 0.0
    charge_c: float = 0.0
    full_pulses: float = 0.0
    highest_pct_mso: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what would take a dose back."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not 0.0 <= value < math.inf:
                raise ValueError(
                    f"The argument '{field.name}' must be an amount from 0 up. "
                    f"{value} is invalid."
                )

    def __add__(self, other: Self) -> "Dose":
        """Return both together."""
        return Dose(
            pulses=self.pulses + other.pulses,
            trains=self.trains + other.trains,
            stimulated_s=self.stimulated_s + other.stimulated_s,
            charge_c=self.charge_c + other.charge_c,
            full_pulses=self.full_pulses + other.full_pulses,
            highest_pct_mso=max(self.highest_pct_mso, other.highest_pct_mso),
        )


NO_DOSE = Dose()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DoseLimits:
    """What a study may give one participant, of one modality.

    Parameters
    ----------
    max_pulses_per_day, max_pulses_total : int
        A day is any 24 hours. The pulses of one session are `Limits.max_pulses`.
    max_trains_per_session, max_trains_per_day, max_trains_total : int
    max_full_pulses_per_day : float
        Of `Dose.full_pulses`.

    Raises
    ------
    ConfigError
    """

    max_pulses_per_day: int
    max_pulses_total: int
    max_trains_per_session: int
    max_trains_per_day: int
    max_trains_total: int
    max_full_pulses_per_day: float

    def __post_init__(self) -> None:
        """Check every figure."""
        values = dataclasses.asdict(self)
        check_range("limits.dose", DOSE_CEILINGS, values)
        counts = {k: v for k, v in values.items() if k != "max_full_pulses_per_day"}
        check_whole("limits.dose", counts)


def planned_dose(
    n_pulses: Sequence[int],
    *,
    max_pulses: int,
    intensity_pct_mso: float | None = None,
    lasts_s: float = 0.0,
    charge_c: float = 0.0,
) -> Dose:
    """Return the most that a session may give.

    Parameters
    ----------
    n_pulses : sequence of int
        Pulses of each trial's pattern.
    max_pulses : int
        `Limits.max_pulses`, which no session passes.
    intensity_pct_mso : float, optional
        Strongest of the plan; full output if nobody knows.
    lasts_s : float
        From the first to the last pulse, summed over patterns.
    charge_c : float
        Of one pulse.
    """
    pulses = min(sum(n_pulses), max_pulses)
    pct = _known(intensity_pct_mso)
    return Dose(
        pulses=pulses,
        trains=sum(1 for n in n_pulses if n > 1),
        stimulated_s=lasts_s,
        charge_c=pulses * charge_c,
        full_pulses=pulses * pct / FULL_OUTPUT_PCT_MSO,
        highest_pct_mso=pct,
    )


def dose_of_edges(
    edges: Any, *, intensity_pct_mso: float | None = None, charge_c: float = 0.0
) -> Dose:
    """Return what was given, from the records of the wire actions alone.

    Parameters
    ----------
    edges : records of EDGE
        Every one is counted once; a call that failed counts, since nobody knows what
        the device saw.
    intensity_pct_mso : float, optional
        Full output if nobody knows.
    charge_c : float
        Of one pulse.
    """
    may_have_left = np.isin(edges["refusal"], (Refusal.NONE, Refusal.OUTPUT_FAILED))
    rises = edges[(edges["rises"] == 1) & may_have_left]
    trains, stimulated_s = 0, 0.0
    for decision in np.unique(rises["decision"]):
        t_fired = rises["t_fired"][rises["decision"] == decision]
        if len(t_fired) > 1:
            trains += 1
            stimulated_s += float(t_fired.max() - t_fired.min())
    pct = _known(intensity_pct_mso)
    return Dose(
        pulses=len(rises),
        trains=trains,
        stimulated_s=stimulated_s,
        charge_c=len(rises) * charge_c,
        full_pulses=len(rises) * pct / FULL_OUTPUT_PCT_MSO,
        highest_pct_mso=pct if len(rises) else 0.0,
    )


def at_most(plan: Dose, dose: Dose) -> Dose:
    """Return a dose of which nothing is more than the plan had."""
    names = [field.name for field in dataclasses.fields(Dose)]
    return Dose(
        **{name: min(getattr(plan, name), getattr(dose, name)) for name in names}
    )


def dose_complaint(
    limits: DoseLimits, *, planned: Dose, today: Dose, ever: Dose
) -> str | None:
    """Return what stands against a plan, or None.

    Parameters
    ----------
    limits : DoseLimits
    planned : Dose
        The most that the session may give.
    today : Dose
        Given in the last 24 hours.
    ever : Dose
        Given in all, the last 24 hours included.
    """
    day, total = today + planned, ever + planned
    rules = (
        ("max_pulses_per_day", day.pulses, "pulses within 24 hours"),
        ("max_pulses_total", total.pulses, "pulses in all"),
        ("max_trains_per_session", planned.trains, "trains"),
        ("max_trains_per_day", day.trains, "trains within 24 hours"),
        ("max_trains_total", total.trains, "trains in all"),
        (
            "max_full_pulses_per_day",
            day.full_pulses,
            "pulses, by their share of full output, within 24 hours",
        ),
    )
    for name, amount, words in rules:
        most = getattr(limits, name)
        if not amount <= most:
            return (
                f"With this session's plan the participant would have had {amount:g} "
                f"{words}, more than limits.dose.{name} = {most:g}; plan less, or wait."
            )
    return None


def _known(intensity_pct_mso: float | None) -> float:
    return FULL_OUTPUT_PCT_MSO if intensity_pct_mso is None else intensity_pct_mso
