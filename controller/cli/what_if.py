"""`phasegate replay SESSION --set ...`: the same samples, with other settings."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.speech import say

if TYPE_CHECKING:
    from controller.cli.settings import Settings
    from controller.session.load import Session


def ask_session(
    folder: Path,
    changes: tuple[str, ...],
    *,
    config_path: Path | None,
    out: Path,
    as_json: bool,
) -> int:
    """Decide a session's samples with other settings; show both side by side.

    Raises
    ------
    ConfigError
        A change that makes no configuration, or one of what the samples decide.
    FileError
        No session, or one that never closed its loop.
    """
    from controller.cli.compare import show_comparison

    say(f"Deciding the samples of {folder.name} anew ...")
    from controller.report.comparison import compare_sessions
    from controller.rig.replay.entered import read_loop_input
    from controller.rig.replay.what_if import check_changes, what_if
    from controller.session.load import load_session

    check_changes(changes)
    session = load_session(folder)
    settings = settings_of(session, config_path)
    for change in changes:
        settings.assign(change)
    config, text = settings.parsed()
    told = changes if config_path is None else (str(config_path), *changes)
    made = what_if(session, read_loop_input(folder), config, text, out, changes=told)
    comparison = compare_sessions(session, load_session(made))
    if as_json:
        answer = {"folder": str(made)} | comparison.as_dict()
        click.echo(json.dumps(answer, indent=1, ensure_ascii=False))
    else:
        show_comparison(comparison)
    return 0


def settings_of(session: "Session", config_path: Path | None) -> "Settings":
    """Return a session's configuration, or another one for its samples."""
    import tomllib

    from controller.cli.settings import Settings
    from controller.rig.replay.what_if import NOT_ASKED
    from controller.session.folder import CONFIG

    own = Settings(
        path=session.path / CONFIG,
        text=session.config_text,
        tables=tomllib.loads(session.config_text),
    )
    if config_path is None:
        return own
    other = Settings.read(config_path)
    for table in NOT_ASKED:
        other.tables.pop(table, None)
        if table in own.tables:
            other.tables[table] = own.tables[table]
    other.changed = True
    return other
