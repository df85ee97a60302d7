"""What a session would have done with another configuration, on the same samples."""

import math
from pathlib import Path

import numpy as np

from controller.calibration.profile import Profile
from controller.calibration.profile_file import load_profile
from controller.config import Config
from controller.errors import ConfigError, FileError
from controller.kernels.jit import Float64Array
from controller.report.page import write_report
from controller.rig.calibrate.rest_recording import described
from controller.rig.replay.again import recorded_tape, rest_samples
from controller.rig.replay.entered import LoopInput
from controller.rig.replay.tape_session import Given, part_of, planner_of, run_on_tape
from controller.session.folder import EEG, PROFILE, PROGRAM, SessionFolder
from controller.session.load import Session
from controller.session.manifest import write_manifest

NOT_ASKED = ("source", "run")
"""Tables that say where samples come from and how long: the record's, always."""


def what_if(
    session: Session,
    loop_input: LoopInput | None,
    config: Config,
    text: str,
    root: Path,
    *,
    changes: tuple[str, ...],
) -> Path:
    """Decide a session's samples again with another configuration.

    The estimator is designed anew from the same rest. Wire actions are as late as they
    were live, one after the other; nothing is fired.

    Parameters
    ----------
    session : Session
    loop_input : LoopInput or None
        Of that session.
    config : Config
        The other configuration.
    text : str
        The same, for the records.
    root : Path
        Where the folder of the outcome goes.
    changes : tuple of str
        What is different, in words, for the records.

    Returns
    -------
    Path
        A session's folder with report and manifest, for `compare` and more questions.

    Raises
    ------
    FileError
        The session never closed its loop.
    ConfigError, ChannelError, RhythmTooWeak, RecordingError
        As a live session.
    """
    given = given_by(session, loop_input)
    title = f"What if: {config.title}" if config.title else "What if"
    planner = planner_of(
        config.model_copy(update={"title": title}),
        described(session, unit=getattr(config.source, "unit", None)),
        profile_of(session),
    )
    made = run_on_tape(
        planner,
        text,
        given,
        root,
        what_if={"of": str(session.path), "changes": list(changes)},
    )
    write_report(made)
    write_manifest(SessionFolder(made))
    return made


def given_by(session: Session, loop_input: LoopInput | None) -> Given:
    """Return what a recorded session gives to run on."""
    n_rest = rest_samples(session)
    if n_rest is None or not n_rest > 0 or loop_input is None:
        lacks = f"has no {PROGRAM}" if n_rest else "ended before its loop was closed"
        raise FileError(
            f"The session {session.path} {lacks}, so there is nothing to ask it; "
            "close the loop on its samples anew with "
            f"`phasegate replay {session.path / EEG}`."
        )
    tape = part_of(recorded_tape(session, 0), 0, len(session.samples))
    return Given(
        tape=tape,
        n_settle=_settled(session, n_rest),
        n_rest=n_rest,
        n_designed=loop_input.n_designed,
        late_s=lateness_s(session),
    )


def lateness_s(session: Session) -> Float64Array:
    """Return how late the loop woke up for its wire actions live, in turn."""
    edges = session.edges
    if edges is None:
        return np.zeros(1)
    late_s = edges["t_fired"] - edges["t_due"]
    late_s = late_s[(late_s >= 0.0) & (late_s < math.inf)]
    return np.ascontiguousarray(late_s) if len(late_s) else np.zeros(1)


def profile_of(session: Session) -> Profile | None:
    """Return the profile that a session was run with.

    Raises
    ------
    FileError
        A session with a profile whose copy is not in its folder.
    """
    if (session.path / PROFILE).is_dir():
        return load_profile(session.path / PROFILE)
    rhythm = (session.summary or {}).get("rhythm", {})
    if rhythm.get("profile"):
        raise FileError(
            f"The session {session.path} was run with {rhythm['profile']}, but holds "
            "no copy of it; it was recorded by a version that kept none."
        )
    return None


def check_changes(changes: tuple[str, ...]) -> None:
    """Refuse to ask for what the samples decide.

    Raises
    ------
    ConfigError
    """
    for change in changes:
        table = change.partition("=")[0].split(".")[0].strip()
        if table in NOT_ASKED:
            raise ConfigError(
                f"{change!r} cannot be asked of a recorded session: its samples and "
                "their times are what they are; change a gate, the target, the timing, "
                "the estimator or another table."
            )


def _settled(session: Session, n_rest: int) -> int:
    for event in session.events:
        if event.get("event") == "stage" and event.get("name") == "rest":
            n_settle = int(event.get("n_samples", 0))
            if 0 < n_settle <= n_rest:
                return n_settle
    raise FileError(
        f"The log of {session.path} does not say which samples of {EEG} came before "
        "the rest; a part of it is missing."
    )
