"""What a hunt for the motor threshold found, as a file beside the profiles."""

import dataclasses
import datetime as dt
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from controller.calibration.profile import check_participant
from controller.errors import FileError
from controller.protocol.muscle_hunt import MuscleHunt
from controller.protocol.threshold import Hunt, Verdict

_NAME = re.compile(r"threshold-(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d)\.json")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class KnownThreshold:
    """A threshold that was found.

    Parameters
    ----------
    participant : str
    rmt_pct_mso : float
        Percent of the stimulator's output.
    path : Path
    """

    participant: str
    rmt_pct_mso: float
    path: Path


def told_of(hunt: Hunt, participant: str) -> dict[str, Any]:
    """Return a hunt as its file has it.

    Parameters
    ----------
    hunt : Hunt
    participant : str
    """
    found = hunt.estimate()
    return {
        "participant": participant,
        "verdict": hunt.verdict().name.lower(),
        "rmt_pct_mso": round(found.pct_mso, 2),
        "low_pct_mso": round(found.low_pct_mso, 2),
        "high_pct_mso": round(found.high_pct_mso, 2),
        "n_pulses": len(hunt.answers),
        "answers": [dataclasses.asdict(answer) for answer in hunt.answers],
        "rules": dataclasses.asdict(hunt.rules),
    }


def told_of_muscle(
    hunt: MuscleHunt, participant: str, **further: object
) -> dict[str, Any]:
    """Return a hunt by the muscle as its file has it.

    Parameters
    ----------
    hunt : MuscleHunt
    participant : str
    **further
        What else the file tells: device, channel, session.
    """
    window = dataclasses.asdict(hunt.rules)
    if math.isinf(hunt.rules.rail_uv):
        window["rail_uv"] = None
    told = told_of(hunt.hunt, participant)
    return told | {
        "verdict": hunt.verdict().name.lower(),
        "n_pulses": len(hunt.pulses),
        "n_uncounted": hunt.n_uncounted,
        "pulses": [dataclasses.asdict(pulse) for pulse in hunt.pulses],
        "response": window,
        **further,
    }


def write_threshold(path: Path, told: Mapping[str, object]) -> None:
    """Write a hunt, in place of the same hunt's earlier state.

    Raises
    ------
    FileError
    """
    # A new file that takes the old one's place: never half a file.
    beside = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror}.") from error


def threshold_path(root: Path, participant: str, created: dt.datetime) -> Path:
    """Return where a participant's threshold goes, beside the versions of the profile.

    Parameters
    ----------
    root : Path
        Folder of all profiles.
    participant : str
    created : datetime
        Aware of its zone.

    Raises
    ------
    ConfigError
        If the participant's name cannot name a folder.
    """
    check_participant(participant)
    stamp = created.astimezone(dt.UTC).strftime("%Y-%m-%dT%H-%M-%S")
    return root / participant / f"threshold-{stamp}.json"


def read_threshold(where: Path, participant: str | None = None) -> KnownThreshold:
    """Return the threshold that a file tells, or a participant's newest that was found.

    Parameters
    ----------
    where : Path
        The file, or the folder of all profiles.
    participant : str, optional
        Whose it has to be; needed with a folder.

    Raises
    ------
    FileError
        There is none, none was found, or it is somebody else's.
    """
    if not where.is_dir():
        known = _read(where)
    else:
        if participant is None:
            raise FileError(
                f"{where} is a folder of several people's thresholds; name the file, "
                "or the participant with --participant."
            )
        known = _newest(where, participant)
    if participant not in (None, known.participant):
        raise FileError(
            f"{known.path} is the threshold of {known.participant}, not of "
            f"{participant}; choose another file."
        )
    return known


def _newest(root: Path, participant: str) -> KnownThreshold:
    check_participant(participant)
    home = root / participant
    paths = [] if not home.is_dir() else list(home.iterdir())
    for path in sorted((p for p in paths if _NAME.fullmatch(p.name)), reverse=True):
        # One that was broken off stands beside those that were found.
        if _loaded(path).get("verdict") == Verdict.FOUND.name.lower():
            return _read(path)
    raise FileError(
        f"{root} holds no motor threshold of {participant}; run `phasegate threshold` "
        "first, or give it in percent."
    )


def _loaded(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FileError(f"{path} cannot be read as a motor threshold.") from error
    if not isinstance(told, dict):
        raise FileError(f"{path} is no motor threshold; choose another file.")
    return told


def _read(path: Path) -> KnownThreshold:
    told = _loaded(path)
    verdict, rmt_pct_mso = told.get("verdict"), told.get("rmt_pct_mso")
    if verdict is None or not isinstance(rmt_pct_mso, int | float):
        raise FileError(f"{path} is no motor threshold; choose another file.")
    if verdict != Verdict.FOUND.name.lower():
        raise FileError(
            f"The hunt of {path} ended without a threshold; hunt again, or choose "
            "another file."
        )
    if not 1.0 <= rmt_pct_mso <= 100.0:
        raise FileError(
            f"{path} tells a threshold of {rmt_pct_mso:g} % of output, which none is."
        )
    return KnownThreshold(
        participant=str(told.get("participant", "unnamed")),
        rmt_pct_mso=float(rmt_pct_mso),
        path=path,
    )
