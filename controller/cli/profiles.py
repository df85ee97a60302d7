"""`phasegate profiles DIR [PARTICIPANT]`: calibrations of one person, day by day."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.options import json_option

if TYPE_CHECKING:
    from rich.table import Table

    from controller.calibration.compare import ProfileComparison
    from controller.calibration.profile import Profile


@click.command(short_help="List calibrations in DIR, and compare two of them.")
@click.argument("root", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("participant", required=False)
@click.option(
    "--compare",
    type=click.IntRange(min=1),
    nargs=2,
    metavar="N N",
    help="Versions to compare.  [default: the last two]",
)
@json_option
def profiles(
    *,
    root: Path,
    participant: str | None,
    compare: tuple[int, int] | None,
    as_json: bool,
) -> None:
    """List the profiles in DIR, and compare versions of one participant.

    DIR is the folder that `phasegate calibrate` writes to. Without PARTICIPANT,
    everybody's profiles are listed; where there is only one participant, or one is
    named, the last two versions are compared.

    \b
    Example:
      phasegate profiles profiles
      phasegate profiles profiles P07
      phasegate profiles profiles P07 --compare 1 4
    """  # noqa: D301 - \b keeps the lines apart
    from rich.console import Console

    from controller.calibration.profile_file import load_profile
    from controller.rig.calibrate.profile import participants_in

    found = participants_in(root) if root.is_dir() else {}
    if participant is not None:
        found = {name: paths for name, paths in found.items() if name == participant}
    _require(found, root, participant)
    if compare is not None and len(found) != 1:
        raise click.UsageError("--compare needs a PARTICIPANT.")
    loaded = {name: list(map(load_profile, paths)) for name, paths in found.items()}
    comparison = None
    if len(loaded) == 1:
        ((name, versions),) = loaded.items()
        comparison = _compared(name, versions, compare)
    if as_json:
        listed = {
            "participants": {
                name: [_row(version) for version in versions]
                for name, versions in loaded.items()
            },
            "comparison": comparison and dataclasses.asdict(comparison),
        }
        click.echo(json.dumps(listed, indent=1, ensure_ascii=False))
        return
    console = Console(highlight=False)
    console.print(_versions_table(loaded))
    if comparison is not None:
        console.print()
        console.print(_comparison_table(comparison))
        click.echo(comparison.sentence)


def _require(found: dict[str, list[Path]], root: Path, participant: str | None) -> None:
    from controller.errors import FileError

    if not found:
        whose = "profile" if participant is None else f"profile of {participant}"
        raise FileError(
            f"{root} holds no {whose}; give the folder that `phasegate calibrate` "
            "writes to, ./profiles unless told otherwise."
        )


def _compared(
    participant: str, versions: "list[Profile]", wanted: tuple[int, int] | None
) -> "ProfileComparison | None":
    from controller.calibration.compare import compare_profiles
    from controller.errors import FileError

    if wanted is None:
        if len(versions) < 2:
            return None
        # The last two of one band: others are different things.
        band = versions[-1].band_name
        alike = [version for version in versions if version.band_name == band][-2:]
        return compare_profiles(*alike) if len(alike) == 2 else None
    by_number = {version.version: version for version in versions}
    missing = [number for number in wanted if number not in by_number]
    if missing:
        raise FileError(
            f"{participant} has no version {missing[0]}; choose from "
            f"{', '.join(str(number) for number in by_number)}."
        )
    before, after = wanted
    return compare_profiles(by_number[before], by_number[after])


def _row(profile: "Profile") -> dict[str, Any]:
    from controller.calibration.profile import circ_sd_deg

    return {
        "version": profile.version,
        "created": profile.created.isoformat(),
        "band": profile.band_name,
        "frequency_hz": profile.frequency_hz,
        "snr_db": profile.snr_db,
        "estimator": profile.estimator,
        "montage": profile.filter_kind,
        "expected_sd_deg": circ_sd_deg(profile.level),
        "triggers_per_minute": profile.level.triggers_per_minute,
        "rest_used_s": profile.rest_used_s,
        "sentence": profile.sentence,
    }


def _versions_table(loaded: "dict[str, list[Profile]]") -> "Table":
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("participant", "made (UTC)", "band"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Hz", "dB", "SD (deg)", "per min"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, versions in loaded.items():
        for version in versions:
            row = _row(version)
            sd = row["expected_sd_deg"]
            table.add_row(
                f"{name} v{version.version}",
                f"{version.created:%Y-%m-%d %H:%M}",
                version.band_name,
                f"{version.frequency_hz:.2f}",
                f"{version.snr_db:.1f}",
                "none" if sd is None else f"{sd:.1f}",
                f"{row['triggers_per_minute']:.1f}",
            )
    return table


def _comparison_table(comparison: "ProfileComparison") -> "Table":
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("", no_wrap=True)
    for heading in ("before", "after", "change"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in comparison.rows:
        mark = " *" if row.notable else ""
        table.add_row(row.name, row.before, row.after, row.change + mark)
    return table
