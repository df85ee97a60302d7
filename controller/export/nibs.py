"""Tables of NIBS-BIDS: what was delivered, and why just then. BEP037, draft v6.3.

The draft lists sets of parameters and does not speak of closed loops. Here every
attempt to stimulate is a set of its own, for the state of the brain that it waited for
is one of its parameters; columns of our own tell it, as the draft's readers propose.

References
----------
BIDS extension proposal 37, non-invasive brain stimulation, draft v6.3; discussion of
closed loops: bids-specification, issue 2417.
"""

import dataclasses
import itertools

from controller.export.columns import Cell, Column, Table
from controller.export.stimulation import Stimulation

_ATTEMPTED = ("fired", "uncertain", "refused")
_CLOSED_LOOP = (
    "target_phase_deg",
    "predicted_phase_deg",
    "phase_offline_deg",
    "band_low_hz",
    "band_high_hz",
    "amplitude_uv",
    "threshold_uv",
    "expected_sd_deg",
    "t_decision",
    "t_trigger_sent",
    "t_pulse_observed",
    "latency_ms",
    "lateness_ms",
    "trigger_time_s",
    "status",
    "reason",
)


# What a person told, one value for all pulses.
_TOLD = {
    "nibs_type": "Kind of stimulation.",
    "stimulator_id": "The stimulator, in StimulatorSet.",
    "nibs_element_id": "Coil, electrode or transducer, in ElementSet.",
    "stimulus_shape": "Shape of the pulse.",
    "stimulus_intensity": "As set at the stimulator by its operator.",
    "intensity_reference": "What the intensity was scaled to.",
    "intensity_scaling": "Intensity as a multiple of the reference.",
    "first_inflection": "Direction of the first deflection of the induced current.",
    "current_direction": "Direction of the current in the coil's windings.",
}


_VALIDATION = {
    "observed": "the device recorded it",
    "not_verified": "the trigger left; the device keeps no record",
    "unknown": "the trigger output failed in the call",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Which rows of the trial table were attempts to stimulate.

    Parameters
    ----------
    rows : tuple of int
    ids : dict of int to str
        `nibs_event_id` of each of them.
    """

    rows: tuple[int, ...]
    ids: dict[int, str]


def attempts_of(trials: Table) -> Attempts:
    """Return the attempts, numbered by their decisions."""
    rows = tuple(
        row for row, status in enumerate(trials["status"]) if status in _ATTEMPTED
    )
    return Attempts(rows=rows, ids={row: f"d{trials['decision'][row]}" for row in rows})


def nibs_table(trials: Table, stimulation: Stimulation | None) -> Table:
    """Return `*_nibs.tsv`: one row per attempt, delivered or not.

    Parameters
    ----------
    trials : Table
        As from `trial_table`.
    stimulation : Stimulation or None
        What a person told of it; cells are n/a without.
    """
    attempts = attempts_of(trials)
    picked = trials.picked(attempts.rows)
    told = _told(stimulation)
    units = (stimulation.intensity_units if stimulation else None) or ""
    ids: list[Cell] = [attempts.ids[row] for row in attempts.rows]
    numbers_fired = itertools.count(1)
    counts: list[Cell] = [
        next(numbers_fired) if status == "fired" else None
        for status in picked["status"]
    ]
    validated = [
        _validation(status, t)
        for status, t in zip(picked["status"], picked["t_pulse_observed"], strict=True)
    ]
    return Table(
        columns=(
            Column(
                name="nibs_event_id",
                description="Identifier of the attempt; events.tsv refers to it.",
                cells=ids,
            ),
            *(
                Column(
                    name=name,
                    description=description,
                    cells=[told.get(name)] * len(attempts.rows),
                    units=units if name == "stimulus_intensity" else "",
                )
                for name, description in _TOLD.items()
            ),
            Column(
                name="stimulus_count",
                description="Counter of the triggers that left; n/a for one that did "
                "not, or where nobody knows.",
                cells=counts,
            ),
            Column(
                name="stimulus_validation",
                description="Whether the device's own record has the pulse; n/a for a "
                "refused one.",
                cells=validated,
                levels=_VALIDATION,
            ),
            *picked.only(*_CLOSED_LOOP).columns,
        )
    )


def _told(stimulation: Stimulation | None) -> dict[str, Cell]:
    if stimulation is None:
        return {}
    stimulator, element = stimulation.stimulator, stimulation.element
    return {
        "nibs_type": stimulation.nibs_type,
        "stimulator_id": stimulator.id if stimulator else None,
        "nibs_element_id": element.id if element else None,
        "stimulus_shape": stimulation.stimulus_shape,
        "stimulus_intensity": stimulation.stimulus_intensity,
        "intensity_reference": stimulation.intensity_reference,
        "intensity_scaling": _scaling(stimulation),
        "first_inflection": stimulation.first_inflection,
        "current_direction": stimulation.current_direction,
    }


def _scaling(stimulation: Stimulation) -> Cell:
    is_absolute = stimulation.intensity_reference == "absolute"
    return "absolute" if is_absolute else stimulation.intensity_scaling


def _validation(status: Cell, t_observed: Cell) -> Cell:
    if status == "fired":
        return "not_verified" if t_observed is None else "observed"
    return "unknown" if status == "uncertain" else None


def decision_table(trials: Table) -> Table:
    """Return every decision, every no included, with the attempt it led to."""
    attempts = attempts_of(trials)
    ids: list[Cell] = [attempts.ids.get(row) for row in range(len(trials))]
    link = Column(
        name="nibs_event_id",
        description="The attempt that came of it, in nibs.tsv; n/a for a no.",
        cells=ids,
    )
    first = trials.only("decision", "trial", "condition", "t_sample", "t_due")
    return Table(columns=(link, *first.columns, *trials.only(*_CLOSED_LOOP).columns))


def position_table(told: Stimulation) -> Table:
    """Return `*_markers.tsv`: where the coil or electrode was."""

    def axis(name: str) -> Column:
        return Column(
            name=f"position_{name}",
            description=f"{name.upper()} coordinate of the point stimulated.",
            cells=[getattr(position, f"{name}_mm") for position in told.position],
            units="mm",
        )

    element = told.element.id if told.element else None
    return Table(
        columns=(
            Column(
                name="nibs_position_id",
                description="Identifier of the position; events.tsv refers to it.",
                cells=[position.id for position in told.position],
            ),
            Column(
                name="nibs_element_id",
                description="Coil, electrode or transducer that was there.",
                cells=[element] * len(told.position),
            ),
            Column(
                name="position_description",
                description="What is there.",
                cells=[position.description for position in told.position],
            ),
            axis("x"),
            axis("y"),
            axis("z"),
        )
    )
