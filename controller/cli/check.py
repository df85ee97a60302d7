"""`phasegate check CONFIG`: what a configuration will do, without doing it."""

import json
from pathlib import Path

import click

from controller.cli.options import json_option


@click.command()
@click.argument("config_path", metavar="CONFIG", type=click.Path(path_type=Path))
@json_option
def check(*, config_path: Path, as_json: bool) -> None:
    """Validate CONFIG and say in plain words what the session will do.

    Touches neither hardware nor network. Mistakes are named one by one, and the exit
    code is 3.

    \b
    Example:
      phasegate check configs/alpha-peak-serial.toml
    """  # noqa: D301 - \b keeps the lines apart
    from rich.console import Console

    from controller.cli.plan import limit_rows, plan_rows, plan_tables
    from controller.config import load_config
    from controller.rig.design import check_rest

    config = load_config(config_path)
    check_rest(config)
    if as_json:
        described = {
            "valid": True,
            "config": str(config_path),
            "plan": dict(plan_rows(config)),
            "limits": [row.as_dict() for row in limit_rows(config)],
        }
        click.echo(json.dumps(described, indent=1, ensure_ascii=False))
        return
    console = Console(highlight=False)
    for table in plan_tables(config):
        console.print(table)
    click.echo(f"{config_path} is valid.")
