"""`phasegate attend SESSION`: the operator's console of a session that runs."""

import json
from pathlib import Path

import click

from controller.cli.desk import Desk
from controller.cli.options import json_option
from controller.cli.speech import say
from controller.errors import NotArmed


@click.command()
@click.argument("path", metavar="SESSION", type=click.Path(path_type=Path))
@json_option
@click.pass_context
def attend(context: click.Context, *, path: Path, as_json: bool) -> None:
    """Attend a running session: see its lights, vouch for it, stop it.

    SESSION is the session's folder, or the folder of all sessions, of which the one
    that runs is taken. Where [console] requires it, nothing is armed before you attend,
    and the session is disarmed once this terminal falls silent: closed, suspended, or
    cut off. The space bar or s disarms and ends the session; Ctrl-C leaves the console.

    \b
    Example:
      phasegate attend sessions
      phasegate attend sessions/20310506T070809Z_p01_alpha
    """  # noqa: D301 - \b keeps the lines apart
    from controller.cli.attending import attend_until_end, session_at

    desk: Desk = context.obj or Desk()
    if not desk.person_is_there():
        raise NotArmed(
            "Nobody is at a terminal, so nobody can attend; run `phasegate attend` in "
            "a terminal of its own."
        )
    session = session_at(path)
    reason = attend_until_end(session)
    if as_json:
        click.echo(json.dumps({"folder": str(session.folder), "fault": reason}))
        return
    say(f"The session has ended. {reason or 'Its own terminal says how.'}")
