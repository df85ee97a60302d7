"""`phasegate doctor [CONFIG]`: is this machine ready?"""

import json
from pathlib import Path

import click

from controller.cli.options import json_option


@click.command(
    short_help="Examine this machine; with CONFIG also its stream and output."
)
@click.argument(
    "config_path", metavar="[CONFIG]", required=False, type=click.Path(path_type=Path)
)
@json_option
@click.pass_context
def doctor(context: click.Context, *, config_path: Path | None, as_json: bool) -> None:
    """Examine this installation and machine; with CONFIG also its stream and output.

    Every line is ok, a note, or a FAULT. The exit code is 0 without faults, and
    otherwise that of the first fault.

    With CONFIG the output's port is opened and closed again, which can raise its lines
    for an instant: keep the stimulator disabled.

    \b
    Example:
      phasegate doctor
      phasegate doctor configs/alpha-peak-serial.toml
    """  # noqa: D301 - \b keeps the lines apart
    from controller.cli.checkup.examine import examine
    from controller.cli.checkup.finding import Light

    findings = []
    for finding in examine(config_path):
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
