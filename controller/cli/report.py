"""`phasegate report SESSION...`: what a session proves, as one page."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.options import json_option
from controller.cli.speech import say
from controller.errors import RecordingError

if TYPE_CHECKING:
    from controller.report.group import Member
    from controller.report.page import Page


@click.command(short_help="Write the report of each SESSION, a page of its own.")
@click.argument(
    "sessions",
    metavar="SESSION...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path),
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("reports"),
    show_default="./reports",
    help="Where the pages go; session folders stay as they are.",
)
@click.option(
    "--allocation",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The study's sealed allocation, if it is not where the session found it.",
)
@click.option(
    "--group",
    is_flag=True,
    help="One page more, of all sessions together, with their drift.",
)
@json_option
def report(
    *,
    sessions: tuple[Path, ...],
    out: Path,
    allocation: Path | None,
    group: bool,
    as_json: bool,
) -> None:
    """Write the report of each SESSION, a page of its own that can be printed.

    It shows where the pulses landed, condition by condition, and how sure that is; what
    they evoked; how punctual they were; the dose; why pulses did not come; what went
    otherwise than planned; whether the protocol's criteria are met; and what to paste
    into a paper. A blinded session's report stays blind until its allocation was
    unsealed, `phasegate blind open`.

    \b
    Example:
      phasegate report sessions/20310506T070809Z_p07_alpha
      phasegate report sessions/*_p07_* --group --out reports
    """  # noqa: D301 - \b keeps the lines apart
    from controller.report.group import in_order, member_of
    from controller.report.page import TEMPLATE, report_of, write_page
    from controller.report.told import told_of
    from controller.session.load import load_session

    _make(out)
    told: list[dict[str, Any]] = []
    members = []
    for folder in sessions:
        say(f"Reading {folder.name} ...")
        session = load_session(folder)
        page = report_of(session, allocation=allocation)
        path = out / f"{folder.resolve().name}.html"
        write_page(path, TEMPLATE, page)
        told.append({"folder": str(folder), "page": str(path), **told_of(page)})
        members.append(member_of(session, page))
        if not as_json:
            _show(page, path)
    together = _write_group(in_order(members), out) if group else None
    if as_json:
        answer = {"sessions": told, "group": together}
        click.echo(json.dumps(answer, indent=1, ensure_ascii=False))
    elif together is not None:
        click.echo(f"{together['sentence']}\n  page  {together['page']}")


def _write_group(members: "tuple[Member, ...]", out: Path) -> dict[str, Any]:
    from controller.report.group import drifts_of, group_sentence
    from controller.report.group_page import TEMPLATE, group_page
    from controller.report.page import write_page
    from controller.session.jsonable import jsonable

    path = out / "group.html"
    write_page(path, TEMPLATE, group_page(members))
    drifts = [dataclasses.asdict(drift) for drift in drifts_of(members)]
    return {
        "page": str(path),
        "sentence": group_sentence(members),
        "order": [member.folder for member in members],
        "drifts": jsonable(drifts),
    }


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordingError(
            f"The folder {out} cannot be made: {error.strerror}; choose another one "
            "with --out."
        ) from error


def _show(page: "Page", path: Path) -> None:
    click.echo(f"{page.verdict.sign} {page.verdict.words}: {page.headline}")
    for each in page.criteria:
        click.echo(f"  {each.sign} {each.name}: {each.found}; asked for {each.asked}")
    click.echo(f"  page  {path}")
