"""`phasegate blind`: seal who gets which arm, prove it, and log who looked."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.options import json_option
from controller.cli.speech import say

if TYPE_CHECKING:
    from controller.protocol.allocation import Allocation

ACTIONS = ("seal", "codes", "verify", "coils", "open")


@click.command(
    short_help="Seal who gets which arm of a blinded protocol; open it later."
)
@click.argument("action", metavar="ACTION", type=click.Choice(ACTIONS))
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--participants",
    "n",
    type=click.IntRange(min=1),
    help="With seal: how many arms to draw.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("allocation.sealed"),
    show_default=True,
    help="With seal: the sealed file; the commitment goes beside it.",
)
@click.option("--commitment", metavar="HASH", help="With verify: as it was published.")
@click.option("--code", help="With open: one participant's, instead of everybody's.")
@click.option("--by", "who", metavar="NAME", help="With open and coils: who looks.")
@click.option("--why", metavar="TEXT", help="With open and coils: the reason.")
@click.option("--yes", is_flag=True, help="With open and coils: do not ask again.")
@json_option
def blind(
    *,
    action: str,
    path: Path,
    n: int | None,
    out: Path,
    commitment: str | None,
    code: str | None,
    who: str | None,
    why: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Seal a blinded protocol's allocation, and open it when the study is over.

    \b
    seal PROTOCOL   draw arms, write the sealed file and its commitment
    codes SEALED    the codes that operators use, nothing more
    verify SEALED   is it what was committed to, and who looked?
    coils SEALED    which coil gets which label, for whoever labels them; logged
    open SEALED     which arm is under a code, or under all of them; logged

    \b
    Example:
      phasegate blind seal my-study.toml --participants 40 --out study.sealed
      phasegate blind verify study.sealed --commitment 3f9a...
      phasegate blind open study.sealed --code P007 --by "Dr Who" --why "side effect"
    """  # noqa: D301 - \b keeps the lines apart
    match action:
        case "seal":
            told, words = _seal(path, n, out)
        case "codes":
            told, words = _codes(path)
        case "verify":
            told, words = _verify(path, commitment)
        case _:
            told, words = _open(action, path, code, who, why, yes=yes)
    click.echo(json.dumps(told, indent=1, ensure_ascii=False) if as_json else words)


def _seal(path: Path, n: int | None, out: Path) -> tuple[dict[str, Any], str]:
    import secrets

    from controller.protocol.allocation import NONCE_BYTES, draw_allocation
    from controller.protocol.protocol_file import load_protocol
    from controller.session.books.seal_file import write_seal

    if n is None:
        raise click.UsageError("seal needs --participants.")
    allocation = draw_allocation(
        load_protocol(path), n, secrets.token_bytes(NONCE_BYTES)
    )
    beside = write_seal(out, allocation)
    told = {"sealed": str(out), "published": str(beside), **allocation.public()}
    return told, (
        f"Sealed {n} codes, {allocation.codes[0]} to {allocation.codes[-1]}, in "
        f"{out}.\n"
        f"Commitment: {allocation.commitment}\n"
        f"Publish it before the first session ({beside} has it), and keep a copy of "
        f"{out} with somebody who meets no participant."
    )


def _codes(path: Path) -> tuple[dict[str, Any], str]:
    from controller.session.books.seal_file import read_seal

    codes = read_seal(path).codes
    return {"codes": list(codes)}, "\n".join(codes)


def _verify(path: Path, commitment: str | None) -> tuple[dict[str, Any], str]:
    from controller.protocol.allocation import require_commitment
    from controller.session.books.seal_file import openings, read_seal

    allocation = read_seal(path)
    if commitment is not None:
        require_commitment(allocation, commitment, where=str(path))
    looks = openings(path, allocation)
    told = {
        "commitment": allocation.commitment,
        "openings": [
            {"when": look.when, "who": look.who, "what": look.what, "why": look.why}
            for look in looks
        ],
    }
    lines = [f"{path} is what was committed to: {allocation.commitment}"]
    if commitment is None:
        lines.append("Compare that with the commitment that was published.")
    lines += [
        f"{look.when}  {look.who} opened {look.what}: {look.why}" for look in looks
    ] or ["Nobody has opened it with phasegate."]
    return told, "\n".join(lines)


def _open(
    action: str,
    path: Path,
    code: str | None,
    who: str | None,
    why: str | None,
    *,
    yes: bool,
) -> tuple[dict[str, Any], str]:
    import datetime as dt

    from controller.session.books.seal_file import COILS, EVERYTHING, Opening, open_seal

    if not who or not why:
        raise click.UsageError(f"{action} needs --by and --why, which the log keeps.")
    if code is not None and action == "coils":
        raise click.UsageError("--code goes with open.")
    what = COILS if action == "coils" else code or EVERYTHING
    if not yes:
        say(f"This unblinds {what} and is logged for good.")
        click.confirm("Go on?", abort=True, err=True)
    opening = Opening(
        who=who,
        why=why,
        when=dt.datetime.now().astimezone().isoformat(timespec="seconds"),
        what=what,
    )
    return _told_of(open_seal(path, opening), what)


def _told_of(allocation: "Allocation", what: str) -> tuple[dict[str, Any], str]:
    from controller.session.books.seal_file import COILS, EVERYTHING

    pairs = dict(allocation.arms)
    if what == COILS:
        pairs = dict(allocation.coils)
        if not pairs:
            return {"coils": {}}, "Arms share one coil; nothing is to be labelled."
    elif what != EVERYTHING:
        pairs = {what: allocation.arm_of(what)}
    key = "coils" if what == COILS else "arms"
    return {key: pairs}, "\n".join(f"{one}  {other}" for one, other in pairs.items())
