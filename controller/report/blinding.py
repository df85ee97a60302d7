"""Whether a report may show what tells the arms apart."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from controller.errors import FileError, SealError
from controller.report.parts import STUDY, first_folder
from controller.report.study import Study
from controller.session.books.seal_file import is_open
from controller.session.load import Session


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Blindness:
    """How much may be shown.

    Parameters
    ----------
    is_blind : bool
    sentence : str
        For people; empty for a session without blinding.
    code : str or None
        What the operator knew.
    """

    is_blind: bool
    sentence: str
    code: str | None


def blindness_of(
    session: Session, study: Study, *, allocation: Path | None = None
) -> Blindness:
    """Return whether a session's report stays blind.

    It does until the log of the sealed allocation says that everything, or this
    session's code, was opened; in doubt it does.

    Parameters
    ----------
    session : Session
    study : Study
    allocation : Path, optional
        The sealed file, where it is not where the session found it.

    Raises
    ------
    FileError
        What the session was begun with is damaged.
    SealError
        An allocation was named here, and cannot be read, or its log was changed.
    """
    told = _told(session)
    has_arms = study.protocol is not None and study.protocol.blinding is not None
    if not told and not has_arms:
        return Blindness(is_blind=False, sentence="", code=None)
    code = str(told["code"]) if told.get("code") else None
    named = allocation or (Path(told["seal"]) if told.get("seal") else None)
    try:
        opened = named is not None and is_open(named, code)
    except SealError:
        if allocation is not None:
            raise
        opened = False
    of = f" Code {code}." if code else ""
    if opened:
        return Blindness(
            is_blind=False, sentence=f"The allocation was unsealed.{of}", code=code
        )
    return Blindness(
        is_blind=True,
        sentence=f"Blinded: what could tell the arms apart is left out until the "
        f"allocation is unsealed.{of}",
        code=code,
    )


def _told(session: Session) -> dict[str, Any]:
    """Return what the session was begun with that concerns its arm, if anything does.

    Of a part whose beginning is missing nobody knows: it stays blind.
    """
    first = first_folder(session)
    if first is None:
        return {"code": None}
    path = first / STUDY
    if not path.is_file():
        return {}
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return {key: told[key] for key in ("seal", "code") if told[key] is not None}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileError(f"{path} is damaged: nobody knows who may see it.") from error
