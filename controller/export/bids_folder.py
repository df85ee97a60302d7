"""Put an exported recording into a data set without harming what is there."""

import dataclasses
import shutil
from pathlib import Path

from controller.errors import RecordingError
from controller.export.entities import Entities

# Tables of the whole data set: rows are added, none is changed.
_SHARED_TABLES = ("participants.tsv",)
_SHARED = ("dataset_description.json", "participants.json", "README")
_IGNORED = ".bidsignore"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What became of the files.

    Parameters
    ----------
    written, unchanged, removed : int
        How many of the recording's files were written, stood there already with the
        same content, or belonged to an overwritten export and are no more.
    """

    written: int
    unchanged: int
    removed: int


def place(made: Path, root: Path, entities: Entities, *, overwrite: bool) -> Placed:
    """Copy a data set of one recording into another.

    Parameters
    ----------
    made : Path
        The data set of one recording.
    root : Path
        Where it goes; made if it is not there.
    entities : Entities
    overwrite : bool
        Whether files of the same recording with other content may be replaced.

    Raises
    ------
    RecordingError
        If there are such files and `overwrite` is false; nothing is changed then.
    OSError
        On a full disk.
    """
    own = _of_recording(made, entities)
    there = _of_recording(root, entities)
    same = {name for name in own & there if _same(made / name, root / name)}
    left_over = {name for name in there - own if entities.stem in name}
    other = left_over | ((own & there) - same)
    if other and not overwrite:
        first = min(other)
        raise RecordingError(
            f"{root / first} stands there already with other content; choose other "
            "labels with --session or --run, or replace it with --overwrite."
        )
    for name in left_over:
        (root / name).unlink()
    for name in sorted(own - same):
        _copy(made / name, root / name)
    for name in _SHARED:
        if (made / name).is_file() and not (root / name).exists():
            _copy(made / name, root / name)
    _add_lines(made / _IGNORED, root / _IGNORED)
    scans = f"{entities.folder}/sub-{entities.subject}_ses-{entities.session}_scans.tsv"
    for table in (*_SHARED_TABLES, scans):
        _add_rows(made / table, root / table)
    return Placed(written=len(own - same), unchanged=len(same), removed=len(left_over))


def _of_recording(root: Path, entities: Entities) -> set[str]:
    """Return the files of one recording, by their place in the data set.

    Electrodes and their coordinate system belong to all recordings of a session.
    """
    folder = root / entities.folder
    stems = (
        entities.stem,
        f"{entities.without_run}_coordsystem",
        f"sub-{entities.subject}_ses-{entities.session}_space-",
    )
    return {
        str(path.relative_to(root))
        for path in folder.glob("*/*")
        if path.name.startswith(stems)
    }


def _same(one: Path, other: Path) -> bool:
    return one.read_bytes() == other.read_bytes()


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.new")
    shutil.copyfile(source, beside)
    beside.replace(target)


def _add_lines(source: Path, target: Path) -> None:
    """Add the lines that the target lacks."""
    if not target.exists():
        _copy(source, target)
        return
    kept = target.read_text(encoding="utf-8").splitlines()
    new = [
        line
        for line in source.read_text(encoding="utf-8").splitlines()
        if line not in kept
    ]
    if new:
        _replace(target, [*kept, *new])


def _replace(target: Path, lines: list[str]) -> None:
    beside = target.with_name(f".{target.name}.new")
    beside.write_text("\n".join(lines) + "\n", encoding="utf-8")
    beside.replace(target)


def _add_rows(source: Path, target: Path) -> None:
    """Add rows whose first cell the target lacks, under the target's own columns."""
    if not target.exists():
        _copy(source, target)
        return
    header, *rows = source.read_text(encoding="utf-8-sig").splitlines()
    kept = target.read_text(encoding="utf-8-sig").splitlines()
    columns = kept[0].split("\t")
    names = {line.split("\t")[0] for line in kept[1:]}
    new = []
    for row in rows:
        cells = dict(zip(header.split("\t"), row.split("\t"), strict=False))
        if row.split("\t")[0] not in names:
            new.append("\t".join(cells.get(column, "n/a") for column in columns))
    if new:
        _replace(target, [*kept, *new])
