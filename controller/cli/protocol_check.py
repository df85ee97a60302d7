"""`phasegate check PROTOCOL`: what a protocol does, and every rule that it breaks."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from controller.cli.protocol_words import (
    dose_rows,
    duration_sentence,
    protocol_tables,
    time_line,
    when_words,
)
from controller.cli.speech import say
from controller.config import Config
from controller.errors import ConfigError, DoseExceeded, FileError
from controller.protocol.canonical import protocol_hash
from controller.protocol.condition_forms import Yoked
from controller.protocol.dose import PlannedDose, planned_dose
from controller.protocol.expectation import Expectation, expectation_of
from controller.protocol.form import Protocol
from controller.protocol.protocol_file import load_protocol
from controller.protocol.review import broken_rules
from controller.protocol.rig_rules import Rig
from controller.protocol.trial_list import most_trials, trial_list


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolCheck:
    """What a protocol is checked with.

    Parameters
    ----------
    path : Path
    config : Config or None
        The configuration that it is to run in.
    device : str or None
        Name of the stimulator's model.
    rmt_pct_mso : float or None
        The participant's resting motor threshold.
    triggers_per_minute : float or None
        What a calibration expects.
    picture : Path or None
        Where the time line is drawn.
    participant : str or None
        Whose next session is asked about.
    as_json : bool
    """

    path: Path
    config: Config | None = None
    device: str | None = None
    rmt_pct_mso: float | None = None
    triggers_per_minute: float | None = None
    picture: Path | None = None
    participant: str | None = None
    as_json: bool = False


def check_protocol(wish: ProtocolCheck) -> None:
    """Show a protocol and every rule that it breaks.

    Raises
    ------
    ConfigError
        It breaks one.
    DoseExceeded
        It breaks none, but the participant's next session may not begin now.
    """
    protocol = load_protocol(wish.path)
    broken = _broken(protocol, wish)
    shown = _shown(protocol, wish)
    if wish.picture is not None:
        from controller.report.protocol_picture import save_picture

        save_picture(wish.picture, protocol, shown[1])
    early = [] if broken else _schedule(protocol, wish, shown[0])
    if wish.as_json and not (broken or early):
        told = _told(protocol, wish, *shown)
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
        return
    if not wish.as_json:
        _print(protocol, wish, *shown)
    for sentence in broken:
        say(f"- {sentence}")
    if broken:
        one = len(broken) == 1
        rules = "a rule" if one else f"{len(broken)} rules"
        above = " It is named above." if one else " They are named above."
        named = f" {' '.join(broken)}" if wish.as_json else above
        raise ConfigError(f"{wish.path} breaks {rules}.{named}")
    if early:
        raise DoseExceeded(
            f"{wish.participant}'s next session may not begin now. {' '.join(early)}"
        )
    click.echo(f"{wish.path} breaks no rule.")
    if wish.participant is not None:
        click.echo(f"{wish.participant}'s next session may begin now.")


def _broken(protocol: Protocol, wish: ProtocolCheck) -> list[str]:
    rules = None
    if wish.device is not None:
        from controller.rig.stimulator.device_rules import device_rules

        rules = device_rules(wish.device)
    rig = None if wish.config is None else _rig(wish.config)
    broken = broken_rules(protocol, rig=rig, device=rules, rmt_pct_mso=wish.rmt_pct_mso)
    return [*broken, *_yoked(protocol, wish.path.parent)]


def _schedule(protocol: Protocol, wish: ProtocolCheck, dose: PlannedDose) -> list[str]:
    """Return why a participant's next session may not begin now, by the dose book."""
    import datetime as dt

    from controller.protocol.schedule_rules import schedule_complaints
    from controller.session.books.dose_book import DoseBook, book_path, books_folder
    from controller.session.books.visits import visits_of

    if wish.participant is None:
        return []
    book = DoseBook(book_path(books_folder(), wish.participant))
    return schedule_complaints(
        protocol,
        visits_of(book.sessions(), protocol),
        dt.datetime.now().astimezone(),
        dose.per_session,
    )


def _yoked(protocol: Protocol, beside: Path) -> Iterator[str]:
    """Yield which sessions that conditions follow are not there, or too short."""
    from controller.session.books.yoked import yoked_times_s

    for place, condition in enumerate(protocol.conditions, start=1):
        if not isinstance(condition.when, Yoked):
            continue
        key = f"conditions {place}.when.session"
        try:
            times_s = yoked_times_s(beside / condition.when.session)
        except FileError as error:
            yield f"{key}: {error}"
            continue
        for _, stage in protocol.stimulating_stages():
            follows = condition in protocol.conditions_of(stage)
            if follows and not most_trials(protocol, stage) <= len(times_s):
                yield (
                    f"{key} has {len(times_s)} trials, fewer than the stage "
                    f"{stage.name}, {most_trials(protocol, stage)}; shorten the stage."
                )


def _rig(config: Config) -> Rig:
    stimulator, dose = config.limits.stimulator, config.limits.dose
    return Rig(
        limits=config.limits.to_limits(),
        pulse_s=config.output.pulse_ms / 1e3,
        simulated=config.output.simulated,
        max_intensity_pct_mso=(
            None if stimulator is None else stimulator.max_intensity_pct_mso
        ),
        dose=None if dose is None else dose.to_limits(),
    )


def _shown(protocol: Protocol, wish: ProtocolCheck) -> tuple[PlannedDose, Expectation]:
    trials = trial_list(protocol)
    expected = expectation_of(
        protocol, trials, triggers_per_minute=wish.triggers_per_minute
    )
    return planned_dose(protocol, trials), expected


def _print(
    protocol: Protocol, wish: ProtocolCheck, dose: PlannedDose, expected: Expectation
) -> None:
    from rich.console import Console

    click.echo(f"{protocol.title}, version {protocol.version}, {protocol.modality}")
    for source in protocol.citation:
        click.echo(f"  {source}")
    click.echo(f"hash {protocol_hash(protocol)}\n")
    console = Console(highlight=False)
    for table in protocol_tables(protocol, dose, expected):
        console.print(table)
        click.echo()
    click.echo(time_line(expected))
    click.echo(duration_sentence(expected))
    if wish.picture is not None:
        click.echo(f"Time line: {wish.picture}")


def _told(
    protocol: Protocol,
    wish: ProtocolCheck,
    dose: PlannedDose,
    expected: Expectation,
) -> dict[str, Any]:
    return {
        "valid": True,
        "protocol": str(wish.path),
        "title": protocol.title,
        "version": protocol.version,
        "hash": protocol_hash(protocol),
        "duration_s": expected.duration_s,
        "assumption": expected.assumption,
        "stages": [dataclasses.asdict(segment) for segment in expected.segments],
        "conditions": [
            {
                "name": each.condition.name,
                "when": when_words(each.condition),
                "trials": each.n_trials,
                "shadows": each.n_shadows,
                "pulses": each.n_pulses,
            }
            for each in dose.conditions
        ],
        "dose": {
            what: {"planned": planned, "allowed": allowed}
            for what, planned, allowed in dose_rows(protocol, dose)
        },
    }
