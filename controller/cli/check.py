"""`phasegate check CONFIG`: what a configuration will do, without doing it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.options import json_option

if TYPE_CHECKING:
    from controller.config import Config


@click.command()
@click.argument("config_path", metavar="CONFIG", type=click.Path(path_type=Path))
@click.option(
    "--profile",
    "where",
    type=click.Path(path_type=Path),
    help="Check it together with a calibration, as for `phasegate run --profile`.",
)
@click.option("--participant", help="Overrides run.participant of CONFIG.")
@json_option
def check(
    *, config_path: Path, where: Path | None, participant: str | None, as_json: bool
) -> None:
    """Validate CONFIG and say in plain words what the session will do.

    Touches neither hardware nor network. Mistakes are named one by one, and the exit
    code is 3.

    \b
    Example:
      phasegate check configs/alpha-peak-serial.toml
    """  # noqa: D301 - \b keeps the lines apart
    from rich.console import Console

    from controller.cli.plan import limit_rows, plan_rows, plan_tables
    from controller.cli.settings import Settings

    settings = Settings.read(config_path)
    settings.put("run", participant=participant)
    config, _ = settings.parsed()
    config = _checked(config, where)
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


def _checked(config: "Config", where: Path | None) -> "Config":
    """Return the configuration with what a profile says in it."""
    if where is None:
        from controller.rig.design import check_rest
        from controller.rig.spatial import check_montage

        check_rest(config)
        check_montage(config)
        return config
    from controller.rig.profile import find_profile, fitting_config, with_profile

    profile = find_profile(where, config.run.participant)
    fitting_config(profile, config)
    return with_profile(config, profile)
