"""A session as a BIDS recording, with the loop's decisions beside it.

The recording is written by mne-bids; the events, which it would round to samples, and
everything about the closed loop are ours.
"""

import dataclasses
import json
import tempfile
from pathlib import Path
from typing import Any, Literal

from controller import __version__
from controller.errors import FileError, RecordingError
from controller.export.bids_events import event_table
from controller.export.bids_folder import Placed, place
from controller.export.columns import Table
from controller.export.entities import Entities, Wanted, entities_of
from controller.export.grid import SampleGrid, grid_of
from controller.export.happenings import GAP, PADDING, Happening
from controller.export.hed import HED_VERSION
from controller.export.mne_objects import annotated_raw, require
from controller.export.nibs_files import nibs_files
from controller.export.signals import ExportedChannel, channels_of, configured
from controller.export.stimulation import Stimulation, recorded_stimulation
from controller.session.jsonable import to_page
from controller.session.load import Session, load_session
from controller.session.recording.append_file import reason_of

BidsFormat = Literal["BrainVision", "EDF"]
BIDS_VERSION = "1.9.0"

_TEMPLATE_NOTE = (
    "Positions of a template head by the electrodes' names (10-05 system), as MNE "
    "ships it; they were not measured on the participant."
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BidsWish:
    """What an export shall be.

    Parameters
    ----------
    root : Path
        The data set's folder; made if it is not there.
    wanted : Wanted
        Labels other than the session's own.
    kind : {"BrainVision", "EDF"}
    stimulation : Stimulation or None
        What a person told; else what the session knows of its stimulator.
    reference : str or None
        Where the amplifier's reference was.
    line_hz : float or None
        Of the mains.
    authors : tuple of str
        Of the data set, if it is made now.
    overwrite : bool
        Whether another export under the same labels may be replaced.
    taken : frozenset of str
        Stems that other sessions of the same export have; the run is counted up
        until it has one of its own, unless a run is wanted.
    """

    root: Path
    wanted: Wanted = dataclasses.field(default_factory=Wanted)
    kind: BidsFormat = "BrainVision"
    stimulation: Stimulation | None = None
    reference: str | None = None
    line_hz: float | None = None
    authors: tuple[str, ...] = ()
    overwrite: bool = False
    taken: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BidsExport:
    """What became of one export.

    Parameters
    ----------
    stem : str
        Beginning of the names of its files.
    recording : Path
        The recording's header or EDF file.
    placed : Placed
        Which files were written, and which stood there already, the same.
    n_pulses, n_decisions : int
    """

    stem: str
    recording: Path
    placed: Placed
    n_pulses: int
    n_decisions: int


def export_bids(folder: Path, wish: BidsWish) -> BidsExport:
    """Export one session folder into a BIDS data set.

    An export that is there already is left as it is if it would come out the same.

    Raises
    ------
    MissingExtra
        The extra `io` is not installed.
    FileError, ChannelError
        A session that cannot be read, or not exported.
    ConfigError
        Labels that BIDS does not allow.
    RecordingError
        If another export stands there and may not be overwritten, or on a full disk.
    """
    require("mne", "mne_bids", "pybv" if wish.kind == "BrainVision" else "edfio")
    session = load_session(folder)
    if not session.is_live:
        raise FileError(
            f"The session {folder} was decided on a virtual clock, so there are no "
            "pulses to tell others of; export the session whose samples it has."
        )
    entities = entities_of(session, wish.wanted)
    while wish.wanted.run is None and entities.stem in wish.taken:
        entities = dataclasses.replace(entities, run=entities.run + 1)
    try:
        with tempfile.TemporaryDirectory(prefix="phasegate-bids-") as made:
            trials = _write(session, entities, wish, Path(made))
            placed = place(Path(made), wish.root, entities, overwrite=wish.overwrite)
    except OSError as error:
        raise RecordingError(
            f"The export to {wish.root} cannot be written: {reason_of(error)}."
        ) from error
    suffix = ".vhdr" if wish.kind == "BrainVision" else ".edf"
    name = f"{entities.stem}_eeg{suffix}"
    return BidsExport(
        stem=entities.stem,
        recording=wish.root / entities.folder / "eeg" / name,
        placed=placed,
        n_pulses=sum(status == "fired" for status in trials["status"]),
        n_decisions=len(trials),
    )


def _write(session: Session, entities: Entities, wish: BidsWish, root: Path) -> Table:
    """Write the whole data set of one recording into an empty folder."""
    grid = grid_of(session)
    raw, found, trials = annotated_raw(session, grid)
    _write_recording(raw, session, entities, wish, root)
    eeg = root / entities.folder / "eeg"
    if wish.kind == "EDF":
        found = (*found, *_padding(grid))
    stimulation = wish.stimulation or recorded_stimulation(session)
    events = event_table(found, trials, grid.sfreq_hz, stimulation)
    _write_text(eeg / f"{entities.stem}_events.tsv", events.text())
    _write_text(
        eeg / f"{entities.stem}_events.json",
        to_page({**events.sidecar(), "StimulusPresentation": _software()}),
    )
    _complete_sidecar(eeg / f"{entities.stem}_eeg.json", session, found, wish)
    for path in eeg.glob("*_coordsystem.json"):
        _merge_json(path, {"EEGCoordinateSystemDescription": _TEMPLATE_NOTE})
    _correct_channels(eeg / f"{entities.stem}_channels.tsv", channels_of(session))
    nibs = root / entities.folder / "nibs"
    nibs.mkdir()
    files = nibs_files(session, grid, trials, entities, stimulation)
    for name, text in files.items():
        _write_text(nibs / name, text)
    _write_text(root / "dataset_description.json", to_page(_data_set(wish.authors)))
    _write_text(root / "README", _README)
    _write_text(root / ".bidsignore", _IGNORED)
    return trials


def _write_recording(
    raw: Any, session: Session, entities: Entities, wish: BidsWish, root: Path
) -> None:
    import mne_bids

    line_hz = wish.line_hz or configured(session).get("source", {}).get("line_hz")
    with raw.info._unlock():  # noqa: SLF001
        raw.info["line_freq"] = float(line_hz) if line_hz else None
    path = mne_bids.BIDSPath(
        root=root,
        subject=entities.subject,
        session=entities.session,
        task=entities.task,
        run=f"{entities.run:02d}",
        datatype="eeg",
    )
    try:
        mne_bids.write_raw_bids(
            raw, path, format=wish.kind, allow_preload=True, verbose="ERROR"
        )
    except ValueError as error:
        raise FileError(
            f"{session.path} cannot be written as {wish.kind}: {error}"
        ) from error


def _padding(grid: SampleGrid) -> list[Happening]:
    """Return what MNE adds behind a recording, so that EDF's records are whole."""
    if not grid.sfreq_hz.is_integer():
        return []
    n_missing = -grid.n_rows % round(grid.sfreq_hz)
    return [
        Happening(
            kind=PADDING,
            onset_s=grid.n_rows / grid.sfreq_hz,
            duration_s=n_missing / grid.sfreq_hz,
        )
    ] * (n_missing > 0)


def _complete_sidecar(
    path: Path,
    session: Session,
    found: tuple[Happening, ...],
    wish: BidsWish,
) -> None:
    has_gaps = any(h.kind == GAP for h in found)
    config = configured(session)
    sidecar: dict[str, object] = {
        # mne-bids tells the maker from the file's format, which is no evidence.
        "Manufacturer": "n/a",
        "TaskDescription": str(config.get("title", "")) or "n/a",
        "EEGReference": wish.reference or "n/a",
        "EEGGround": "n/a",
        "SoftwareFilters": "n/a",
        "HardwareFilters": "n/a",
        "RecordingType": "discontinuous" if has_gaps else "continuous",
        "SoftwareVersions": f"phasegate {(session.provenance or {}).get('phasegate')}",
    }
    _merge_json(path, sidecar)


def _correct_channels(path: Path, channels: tuple[ExportedChannel, ...]) -> None:
    """Put back the types that MNE has no word for; take out what nobody knows."""
    header, *rows = path.read_text(encoding="utf-8-sig").splitlines()
    names = header.split("\t")
    kinds = {channel.label: channel.bids_kind for channel in channels}
    lines = [header]
    for row in rows:
        cells = dict(zip(names, row.split("\t"), strict=True))
        cells["type"] = kinds.get(cells["name"], cells["type"])
        # MNE fills in the whole range; the amplifier's filters are not told to us.
        cells |= {"low_cutoff": "n/a", "high_cutoff": "n/a"}
        lines.append("\t".join(cells.values()))
    _write_text(path, "\n".join(lines) + "\n")


def _merge_json(path: Path, entries: dict[str, object]) -> None:
    told = json.loads(path.read_text(encoding="utf-8-sig"))
    path.write_text(to_page({**told, **entries}), encoding="utf-8")


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _software() -> dict[str, str]:
    return {"SoftwareName": "phasegate", "SoftwareVersion": __version__}


def _data_set(authors: tuple[str, ...]) -> dict[str, object]:
    told: dict[str, object] = {"Authors": list(authors)} if authors else {}
    return {
        "Name": "Closed-loop sessions",
        **told,
        "BIDSVersion": BIDS_VERSION,
        "HEDVersion": HED_VERSION,
        "DatasetType": "raw",
        "GeneratedBy": [
            {
                "Name": "phasegate",
                "Version": __version__,
                "Description": "phasegate export",
            }
        ],
    }


_README = """\
EEG with triggers locked to its phase, recorded and exported by phasegate.

Every recording has its pulses, refused pulses, markers and gaps in eeg/*_events.tsv.
`onset` is rounded to a sample there; `trigger_time_s` is the exact instant.

nibs/ follows a draft of NIBS-BIDS (BEP037 v6.3), which is not part of BIDS yet:
*_nibs.tsv has a row for every attempt to stimulate, *_decisions.tsv one for every
decision, every "no" and its reasons included. The files beside them explain columns.
"""

_IGNORED = """\
# NIBS-BIDS (BEP037) is a draft that validators do not know yet.
**/nibs
**/nibs/
"""
