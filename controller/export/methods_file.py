"""The methods paragraph and the reporting checklists as a file to paste from."""

from pathlib import Path

from controller.errors import RecordingError
from controller.report.methods.section import as_text, methods_of
from controller.session.load import Session
from controller.session.recording.append_file import reason_of


def write_methods(session: Session, folder: Path, *, overwrite: bool = False) -> Path:
    """Write `NAME_methods.md`, and return its path.

    Parameters
    ----------
    session : Session
    folder : Path
        Made if it is not there.
    overwrite : bool
        Whether a file of the same name may be replaced.

    Raises
    ------
    RecordingError
        If the file exists already and may not be replaced, or cannot be written.
    """
    path = folder / f"{session.path.name}_methods.md"
    if path.exists() and not overwrite:
        raise RecordingError(
            f"{path} exists already; choose another folder with --out, or replace it "
            "with --overwrite."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(as_text(methods_of(session)), encoding="utf-8")
    except OSError as error:
        raise RecordingError(
            f"The methods cannot be written to {folder}: {reason_of(error)}."
        ) from error
    return path
