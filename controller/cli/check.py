"""`phasegate check FILE`: what a configuration or a protocol does, without doing it."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from controller.cli.motor_threshold import (
    participant_of,
    rmt_option,
    threshold_of,
)
from controller.cli.options import json_option

if TYPE_CHECKING:
    from controller.config import Config


@click.command(short_help="Validate a configuration or protocol; say what it will do.")
@click.argument(
    "path", metavar="[FILE]", required=False, type=click.Path(path_type=Path)
)
@click.option(
    "--profile",
    "where",
    type=click.Path(path_type=Path),
    help="Check it together with a calibration, as for `phasegate run --profile`.",
)
@click.option(
    "--participant",
    help="Overrides run.participant of a configuration; with a protocol, also asks "
    "whether the next session may begin now.",
)
@click.option(
    "--protocol",
    "protocol_path",
    metavar="PROTOCOL",
    type=click.Path(path_type=Path),
    help="Check this protocol against the configuration FILE and its limits.",
)
@click.option(
    "--device",
    metavar="MODEL",
    help="Check a protocol against a stimulator's rules, such as magstim-rapid.",
)
@rmt_option("Resting motor threshold, for intensities in percent of it,")
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw a protocol's time line into this .svg, .png or .pdf.",
)
@click.option(
    "--schema", is_flag=True, help="Print the JSON schema of protocols, for editors."
)
@json_option
def check(
    *,
    path: Path | None,
    where: Path | None,
    participant: str | None,
    protocol_path: Path | None,
    device: str | None,
    rmt: str | None,
    picture: Path | None,
    schema: bool,
    as_json: bool,
) -> None:
    """Validate FILE, a configuration or a protocol, and say in words what it does.

    Touches neither hardware nor network. Mistakes are named one by one, and the exit
    code is 3.

    \b
    Example:
      phasegate check configs/alpha-peak-serial.toml
      phasegate check configs/protocols/mu-single-pulse.toml --picture line.svg
      phasegate check configs/mu-c3.toml --protocol my-protocol.toml --rmt 52
    """  # noqa: D301 - \b keeps the lines apart
    if schema:
        from controller.protocol.canonical import json_schema

        click.echo(json.dumps(json_schema(), indent=1, ensure_ascii=False))
        return
    if path is None:
        raise click.UsageError("Missing argument '[FILE]'.")
    from controller.protocol.protocol_file import is_protocol, read_text

    asked = ProtocolOptions(
        device=device,
        rmt_pct_mso=threshold_of(rmt, participant_of(path, participant)),
        picture=picture,
        participant=participant,
        as_json=as_json,
    )
    if is_protocol(read_text(path)):
        if protocol_path is not None:
            raise click.UsageError(f"--protocol goes with a configuration, not {path}.")
        _check_protocol(path, None, _triggers_per_minute(where, participant), asked)
        return
    config = _checked(
        _read(path, asked, with_protocol=protocol_path is not None), where
    )
    if protocol_path is not None:
        rate = _triggers_per_minute(where, config.run.participant)
        _check_protocol(protocol_path, config, rate, asked)
        return
    if asked.device or asked.picture:
        raise click.UsageError("--device and --picture go with a protocol.")
    _show_config(path, config, as_json=as_json)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolOptions:
    """Options that go with a protocol.

    Parameters
    ----------
    device : str or None
    rmt_pct_mso : float or None
    picture : Path or None
    participant : str or None
    as_json : bool
    """

    device: str | None
    rmt_pct_mso: float | None
    picture: Path | None
    participant: str | None
    as_json: bool


def _check_protocol(
    path: Path,
    config: "Config | None",
    triggers_per_minute: float | None,
    asked: ProtocolOptions,
) -> None:
    from controller.cli.protocol_check import ProtocolCheck, check_protocol

    check_protocol(
        ProtocolCheck(
            path=path,
            config=config,
            triggers_per_minute=triggers_per_minute,
            device=asked.device,
            rmt_pct_mso=asked.rmt_pct_mso,
            picture=asked.picture,
            participant=asked.participant,
            as_json=asked.as_json,
        )
    )


def _triggers_per_minute(where: Path | None, participant: str | None) -> float | None:
    if where is None:
        return None
    from controller.rig.calibrate.profile import find_profile

    return find_profile(where, participant or "unnamed").level.triggers_per_minute


def _read(path: Path, asked: ProtocolOptions, *, with_protocol: bool) -> "Config":
    from controller.cli.settings import Settings

    settings = Settings.read(
        path, rmt_pct_mso=asked.rmt_pct_mso, for_it=not with_protocol
    )
    settings.put("run", participant=asked.participant)
    return settings.parsed()[0]


def _show_config(path: Path, config: "Config", *, as_json: bool) -> None:
    from rich.console import Console

    from controller.cli.plan import limit_rows, plan_rows, plan_tables

    if as_json:
        described = {
            "valid": True,
            "config": str(path),
            "plan": dict(plan_rows(config)),
            "limits": [row.as_dict() for row in limit_rows(config)],
        }
        click.echo(json.dumps(described, indent=1, ensure_ascii=False))
        return
    console = Console(highlight=False)
    for table in plan_tables(config):
        console.print(table)
    click.echo(f"{path} is valid.")


def _checked(config: "Config", where: Path | None) -> "Config":
    """Return the configuration with what a profile says in it."""
    if where is None:
        from controller.rig.calibrate.design import check_rest
        from controller.rig.calibrate.spatial import check_montage

        check_rest(config)
        check_montage(config)
        return config
    from controller.rig.calibrate.profile import (
        find_profile,
        fitting_config,
        with_profile,
    )

    profile = find_profile(where, config.run.participant)
    fitting_config(profile, config)
    return with_profile(config, profile)
