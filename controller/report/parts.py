"""Which folder a session with a protocol was begun in."""

import json
from pathlib import Path

from controller.session.load import Session

STUDY = "study.json"
"""Beside a protocol: `seal`, the sealed allocation, and `code`; null without arms."""

_ROWS = "rows.json"
_PARTS = "parts.jsonl"


def first_folder(session: Session) -> Path | None:
    """Return the folder that a session was begun in; None if it is not to be found.

    A session that was resumed after a crash goes on in a folder of its own, and the
    first one lists it.
    """
    path = session.path.resolve()
    if (path / STUDY).is_file() or not (path / _ROWS).is_file():
        return path
    for listing in sorted(path.parent.glob(f"*/{_PARTS}")):
        lines = listing.read_text(encoding="utf-8").split("\n")[:-1]
        if path.name in {Path(json.loads(line)["folder"]).name for line in lines}:
            return listing.parent
    return None
