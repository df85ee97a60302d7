"""Files of NIBS-BIDS: tables, and what holds for all their rows. BEP037, draft v6.3.

The block `ClosedLoop` is ours: the draft has none, and its discussion asks for one.
"""

from typing import Any

from controller import __version__
from controller.export.columns import Table
from controller.export.entities import Entities
from controller.export.grid import SampleGrid
from controller.export.nibs import decision_table, nibs_table, position_table
from controller.export.signals import configured
from controller.export.stimulation import Stimulation
from controller.session.jsonable import JsonValue, jsonable, to_page
from controller.session.load import Session

DRAFT = "BEP037 draft v6.3"
_ELEMENTS = {"TMS": "coil", "tES": "electrode", "TUS": "transducer"}


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
        positions = position_table(told)
        files[f"{stem}_markers.tsv"] = positions.text()
        files[f"{stem}_markers.json"] = to_page(positions.sidecar())
        files[f"{entities.without_run}_coordsystem.json"] = to_page(
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
    return {
        "NIBSDescription": (told.description if told else None)
        or "Triggers locked to the phase of the EEG.",
        "NIBSDraft": DRAFT,
        "ConcurrentModalities": ["eeg"],
        "IntendedFor": f"bids::{entities.folder}/eeg/{entities.stem}_events.tsv",
        "StimulatorSet": _stimulators(told),
        "ElementSet": _elements(told),
        "IntensitySet": _intensities(told),
        "NavigationSystem": _navigation(told),
        "ClosedLoop": _closed_loop(session, grid),
    }


def _stimulators(told: Stimulation | None) -> list[JsonValue]:
    if told is None or told.stimulator is None:
        return []
    device = told.stimulator
    return [
        _known(
            StimulatorID=device.id,
            Manufacturer=device.manufacturer,
            ManufacturerModelName=device.model,
            ManufacturerSerialNumber=device.serial_number,
            Description=device.description,
        )
    ]


def _elements(told: Stimulation | None) -> list[JsonValue]:
    if told is None or told.element is None:
        return []
    element = told.element
    return [
        _known(
            ElementID=element.id,
            ElementType=_ELEMENTS.get(told.nibs_type),
            Manufacturer=element.manufacturer,
            ModelName=element.model,
            SerialNumber=element.serial_number,
            Description=element.description,
        )
    ]


def _intensities(told: Stimulation | None) -> list[JsonValue]:
    if told is None or told.intensity_reference_value is None:
        return []
    return [
        _known(
            IntensityID=told.intensity_reference,
            Value=told.intensity_reference_value,
            Units=told.intensity_units,
        )
    ]


def _navigation(told: Stimulation | None) -> dict[str, JsonValue]:
    name = told.navigation_system if told else None
    return {} if name is None else {"Navigation": True, "NavigationModelName": name}


def _known(**words: JsonValue) -> dict[str, JsonValue]:
    return {key: value for key, value in words.items() if value is not None}


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
