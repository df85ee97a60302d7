"""NIBS-BIDS: what was delivered, and why just then. After draft 6.3 of BEP037.

The draft describes pulses. What made the loop give them, or not, it leaves open; here
that stands in columns and in one block `ClosedLoop` of our own.

References
----------
BIDS extension proposal 37, non-invasive brain stimulation, draft v6.3.
"""

import dataclasses
from typing import Any

from controller import __version__
from controller.export.columns import Cell, Column, Table
from controller.export.entities import Entities
from controller.export.grid import SampleGrid
from controller.export.signals import configured
from controller.export.stimulation import Device, Position, Stimulation
from controller.session.jsonable import JsonValue, jsonable, to_page
from controller.session.load import Session

DRAFT = "BEP037 draft v6.3"
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
    "current_direction": "Direction of the induced current.",
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
    counts: list[Cell] = [
        {"fired": 1, "refused": 0}.get(str(status)) for status in picked["status"]
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
                description="Triggers that left: 0 for a refused attempt, n/a where "
                "nobody knows.",
                cells=counts,
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
        "intensity_scaling": stimulation.intensity_scaling,
        "current_direction": stimulation.current_direction,
    }


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


def position_table(positions: tuple[Position, ...]) -> Table:
    """Return `*_markers.tsv`: where the coil or electrode was."""

    def axis(name: str) -> Column:
        return Column(
            name=name,
            description=f"{name.upper()} coordinate.",
            cells=[getattr(position, f"{name}_mm") for position in positions],
            units="mm",
        )

    return Table(
        columns=(
            Column(
                name="nibs_position_id",
                description="Identifier of the position; events.tsv refers to it.",
                cells=[position.id for position in positions],
            ),
            axis("x"),
            axis("y"),
            axis("z"),
            Column(
                name="description",
                description="What is there.",
                cells=[position.description for position in positions],
            ),
        )
    )


def nibs_files(
    session: Session,
    grid: SampleGrid,
    trials: Table,
    entities: Entities,
    told: Stimulation | None,
) -> dict[str, str]:
    """Return the text of every file of `nibs/`, by name."""
    stem = entities.stem
    table, decisions = nibs_table(trials, told), decision_table(trials)
    files = {
        f"{stem}_nibs.tsv": table.text(),
        f"{stem}_nibs.json": to_page(
            {**_about(session, grid, entities, told), **table.sidecar()}
        ),
        f"{stem}_decisions.tsv": decisions.text(),
        f"{stem}_decisions.json": to_page(decisions.sidecar()),
    }
    if told is not None and told.position and told.coordinate_system is not None:
        positions = position_table(told.position)
        files[f"{stem}_markers.tsv"] = positions.text()
        files[f"{stem}_markers.json"] = to_page(positions.sidecar())
        files[f"{stem}_coordsystem.json"] = to_page(
            {
                "NIBSCoordinateSystem": told.coordinate_system.name,
                "NIBSCoordinateUnits": "mm",
                "NIBSCoordinateSystemDescription": told.coordinate_system.description,
            }
        )
    return files


def _about(
    session: Session, grid: SampleGrid, entities: Entities, told: Stimulation | None
) -> dict[str, JsonValue]:
    recording = f"bids::{entities.folder}/eeg/{entities.stem}_eeg"
    return {
        "NIBSDescription": (told.description if told else None)
        or "Triggers locked to the phase of the EEG.",
        "NIBSDraft": DRAFT,
        "ConcurrentModalities": ["eeg"],
        "IntendedFor": recording,
        "StimulatorSet": _devices("StimulatorID", told.stimulator if told else None),
        "ElementSet": _devices("NIBSElementID", told.element if told else None),
        "NavigationSystem": (told.navigation_system if told else None) or "n/a",
        "ClosedLoop": _closed_loop(session, grid),
    }


def _devices(key: str, device: Device | None) -> JsonValue:
    if device is None:
        return []
    words = {
        "Manufacturer": device.manufacturer,
        "ManufacturersModelName": device.model,
        "DeviceSerialNumber": device.serial_number,
        "Description": device.description,
    }
    return [jsonable({key: device.id} | {k: v for k, v in words.items() if v})]


def _closed_loop(session: Session, grid: SampleGrid) -> JsonValue:
    """Return why and when the loop triggered: everything that holds for all rows."""
    config, summary = configured(session), session.summary or {}
    design: dict[str, Any] = session.design
    weights = design.get("mixing")
    return jsonable(
        {
            "Trigger": "state-dependent",
            "States": ["phase", "amplitude"],
            "PhaseConvention": "0 deg is the positive peak, 180 deg the trough, "
            "-90 deg rising, 90 deg falling",
            "Target": config.get("target"),
            "Band": config.get("rhythm", {}).get("band"),
            "BandHz": design.get("band_hz"),
            "IndividualFrequencyHz": design.get("frequency_hz"),
            "SpatialFilter": None
            if weights is None
            else {
                label: float(weight)
                for label, weight in zip(
                    session.stream.labels, weights[0], strict=False
                )
                if weight
            },
            "SpatialFilterUnits": "uV per unit of the stream",
            "Estimator": summary.get("estimator")
            or config.get("estimator", {}).get("kind"),
            "FirstSampleHostClockS": grid.t_first,
            "HorizonS": design.get("horizon_s"),
            "LockS": design.get("lock_s"),
            "OutputLatencyS": design.get("output_latency_s"),
            "AmplitudeGate": config.get("gate"),
            "Timing": config.get("timing"),
            "Artifact": config.get("artifact"),
            "Limits": config.get("limits"),
            "Expected": summary.get("promise"),
            "Software": {"Name": "phasegate", "Version": _version(session)},
            "ExportedBy": {"Name": "phasegate", "Version": __version__},
            "SessionFolder": session.path.name,
        }
    )


def _version(session: Session) -> object:
    return (session.provenance or {}).get("phasegate") or "n/a"
