"""`phasegate new`: write a file to begin with."""

import json
from pathlib import Path

import click

from controller.cli.options import json_option
from controller.cli.shipped import shipped_config
from controller.errors import ConfigError

STARTER = "starter"


@click.command(short_help="Write a commented protocol to begin with.")
@click.argument("kind", metavar="KIND", type=click.Choice(["protocol"]))
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--like",
    metavar="NAME",
    default=STARTER,
    show_default=True,
    help="Begin with a ready protocol instead, such as mu-single-pulse.",
)
@json_option
def new(*, kind: str, path: Path, like: str, as_json: bool) -> None:
    """Write a commented file of KIND, a protocol, to FILE, which must not exist yet.

    \b
    Example:
      phasegate new protocol my-study.toml
      phasegate new protocol my-study.toml --like itbs-phase-locked
    """  # noqa: D301 - \b keeps the lines apart
    text = _ready(like).read_text(encoding="utf-8")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise ConfigError(
            f"{path} exists already and stays as it is; choose another name."
        ) from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.") from error
    if as_json:
        click.echo(json.dumps({"kind": kind, "written": str(path)}, indent=1))
        return
    click.echo(f"Wrote {path}. Read it back with: phasegate check {path}")


def _ready(name: str) -> Path:
    folder = shipped_config(f"protocols/{STARTER}.toml").parent
    names = sorted(each.stem for each in folder.glob("*.toml"))
    if name not in names:
        raise ConfigError(
            f"There is no ready protocol {name!r}; there are {', '.join(names)}."
        )
    return folder / f"{name}.toml"
