"""`*_events.tsv`: what happened, with exact instants beside the rounded ones."""

from controller.export.columns import Cell, Column, Table
from controller.export.happenings import KINDS, Happening
from controller.export.hed import TAGS
from controller.export.nibs import attempts_of
from controller.export.stimulation import Stimulation

# Of the trial table; trigger_time_s stands for every row, not for trials only.
_OF_TRIALS = (
    "decision",
    "trial",
    "condition",
    "status",
    "reason",
    "target_phase_deg",
    "predicted_phase_deg",
    "phase_offline_deg",
    "band_low_hz",
    "band_high_hz",
    "amplitude_uv",
    "t_decision",
    "t_trigger_sent",
    "t_pulse_observed",
    "latency_ms",
    "lateness_ms",
)


def event_table(
    found: tuple[Happening, ...],
    trials: Table,
    sfreq_hz: float,
    stimulation: Stimulation | None,
) -> Table:
    """Return one row per happening, by onset.

    Parameters
    ----------
    found : tuple of Happening
    trials : Table
        Of the same session.
    sfreq_hz : float
    stimulation : Stimulation or None
        Its first position, if any, is that of every pulse.
    """
    samples = [round(h.onset_s * sfreq_hz) for h in found]
    ids = attempts_of(trials).ids
    position = (
        stimulation.position[0].id if stimulation and stimulation.position else (None)
    )
    own = (
        Column(
            name="onset",
            description="After the first sample, rounded to a sample.",
            cells=[sample / sfreq_hz for sample in samples],
            units="s",
        ),
        Column(
            name="duration",
            description="0 for an instant.",
            cells=[h.duration_s for h in found],
            units="s",
        ),
        Column(
            name="trial_type",
            description="What happened.",
            cells=[h.kind for h in found],
            levels=KINDS,
        ),
        Column(
            name="sample",
            description="Number of the sample nearest to it, from 0.",
            cells=list(samples),
        ),
        Column(
            name="trigger_time_s",
            description="The same instant after the first sample, not rounded: for "
            "pulses, when the edge was at the device as it observed it, else as sent "
            "plus the output's latency.",
            cells=[h.onset_s for h in found],
            units="s",
        ),
        Column(
            name="text",
            description="Text of a marker, name of a stage, sentence of a fault.",
            cells=[None if h.trial is not None else h.value for h in found],
        ),
        Column(
            name="nibs_event_id",
            description="The attempt to stimulate, in nibs/*_nibs.tsv.",
            cells=[None if h.trial is None else ids.get(h.trial) for h in found],
        ),
        Column(
            name="nibs_position_id",
            description="Where the stimulator was, in nibs/*_markers.tsv.",
            cells=[None if h.trial is None else position for h in found],
        ),
    )
    tags = Column(
        name="HED",
        description="Hierarchical event descriptor, by a fixed mapping.",
        cells=[TAGS[h.kind] for h in found],
    )
    picked = [_beside(column, found) for column in trials.only(*_OF_TRIALS).columns]
    return Table(columns=(*own, *picked, tags))


def _beside(column: Column, found: tuple[Happening, ...]) -> Column:
    cells: list[Cell] = [
        None if h.trial is None else column.cells[h.trial] for h in found
    ]
    return Column(
        name=column.name,
        description=column.description,
        cells=cells,
        units=column.units,
        levels=column.levels,
    )
