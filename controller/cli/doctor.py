"""`phasegate doctor [CONFIG]`: is this machine ready?"""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.desk import Desk
from controller.cli.options import json_option

if TYPE_CHECKING:
    from controller.cli.checkup.finding import Finding


@click.command(
    short_help="Examine this machine; with CONFIG also its stream and output."
)
@click.argument(
    "config_path", metavar="[CONFIG]", required=False, type=click.Path(path_type=Path)
)
@click.option(
    "--loopback",
    is_flag=True,
    help="Fire triggers into the amplifier and keep how late they are.",
)
@click.option("--pulses", default=100, show_default=True, type=click.IntRange(20, 1000))
@click.option("--trigger-channel", help="Which channel shows trigger codes.")
@json_option
@click.pass_context
def doctor(
    context: click.Context,
    *,
    config_path: Path | None,
    loopback: bool,
    pulses: int,
    trigger_channel: str | None,
    as_json: bool,
) -> None:
    """Examine this installation and machine; with CONFIG also its stream and output.

    Every line is ok, a note, or a FAULT. The exit code is 0 without faults, and
    otherwise that of the first fault.

    With CONFIG the output's port is opened and closed again, which can raise its lines
    for an instant: keep the stimulator disabled.

    With --loopback the session's own loop then fires 100 triggers, 0.3 s apart, which
    have to show in a channel of the EEG: unplug the stimulator, and lead the trigger
    line to the amplifier. The median is kept beside CONFIG, where `output.latency_ms =
    "measured"` finds it.

    \b
    Example:
      phasegate doctor
      phasegate doctor configs/alpha-peak-serial.toml
      phasegate doctor mine.toml --loopback --trigger-channel TRIG
    """  # noqa: D301 - \b keeps the lines apart
    from controller.cli.checkup.examine import examine
    from controller.cli.checkup.finding import Light

    found_all = examine(config_path)
    if loopback:
        if config_path is None:
            raise click.UsageError("--loopback needs a CONFIG.")
        found_all = itertools.chain(
            found_all,
            _loopback(config_path, pulses, trigger_channel, context.obj or Desk()),
        )
    findings = []
    for finding in found_all:
        findings.append(finding)
        if not as_json:
            click.echo(finding.as_text())
    faults = [found for found in findings if found.light is Light.FAULT]
    code = faults[0].exit_code if faults else 0
    if as_json:
        report = {
            "findings": [finding.as_dict() for finding in findings],
            "faults": len(faults),
            "exit": {"code": code},
        }
        click.echo(json.dumps(report, indent=1, ensure_ascii=False))
    elif faults:
        click.echo(f"\n{len(faults)} of {len(findings)} lines are faults.")
    else:
        click.echo("\nNo faults.")
    context.exit(code)


def _loopback(
    path: Path, n_pulses: int, channel: str | None, desk: Desk
) -> "Iterator[Finding]":
    """Yield the loopback's findings; a person has to agree where the output is real."""
    from controller.cli.arming import Arming
    from controller.cli.checkup.loopback import examine_loopback
    from controller.cli.display import PlainDisplay

    arming = Arming(PlainDisplay(), desk, granted=False)
    yield from examine_loopback(
        path,
        n_pulses=n_pulses,
        channel=channel,
        confirm=lambda where: desk.person_is_there() and arming(where),
    )
