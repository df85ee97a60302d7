"""`phasegate run CONFIG --protocol FILE`: which study, which arm, its outcome."""

import collections
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.cli.speech import say
from controller.config import Config
from controller.errors import ConfigError, FileError

if TYPE_CHECKING:
    from controller.cli.settings import Settings
    from controller.protocol.trial_log import Progress
    from controller.rig.study.conduct import Plan
    from controller.rig.study.prepared import Study


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StudyWish:
    """What the command line says of a protocol.

    Parameters
    ----------
    protocol : Path
    rmt_pct_mso : float or None
        The participant's resting motor threshold.
    seal : Path or None
        The sealed allocation of a blinded protocol.
    code : str or None
        The participant's code in it.
    visit : int
        Which of the participant's sessions it is, from 1.
    """

    protocol: Path
    rmt_pct_mso: float | None = None
    seal: Path | None = None
    code: str | None = None
    visit: int = 1

    def study(self, participant: str) -> "Study":
        """Return the study; its trials are the participant's and the visit's own.

        Raises
        ------
        ConfigError, FileError, SealError
        """
        from controller.protocol.protocol_file import parse_protocol
        from controller.protocol.trial_list import session_seed
        from controller.rig.study.prepared import Study

        try:
            text = self.protocol.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise FileError(f"The protocol {self.protocol} cannot be read.") from error
        protocol = parse_protocol(text, where=str(self.protocol))
        seed = session_seed(protocol.randomisation.seed, participant, self.visit)
        return Study.of(
            protocol,
            text,
            seed=seed,
            arm=self._arm(protocol),
            rmt_pct_mso=self.rmt_pct_mso,
            beside=self.protocol.parent,
        )

    def _arm(self, protocol: Any) -> str | None:
        if (self.seal is None) != (self.code is None):
            raise ConfigError("Give --seal and --code together.")
        if self.seal is None or self.code is None:
            return None
        from controller.session.books.seal_file import read_seal

        allocation = read_seal(self.seal)
        allocation.fits(protocol)
        return allocation.arm_of(self.code)


def led(
    settings: "Settings", wish: StudyWish, *, unattended: bool, profile: Path | None
) -> tuple[Config, str, "Plan"]:
    """Return configuration, its text, and the plan of a session that is led live.

    Raises
    ------
    ConfigError
        The protocol breaks a rule, or nobody could do what it asks for.
    FileError, SealError
    """
    from controller.cli.keyboard import Keyboard
    from controller.rig.study.conduct import Nobody, Plan
    from controller.rig.study.prepared import require_runnable
    from controller.session.books.study_file import Begun

    config, _ = settings.parsed()
    if unattended and not config.output.simulated:
        raise ConfigError(
            "--unattended says go to whatever a protocol waits for, which is for "
            "simulated outputs only; leave it out."
        )
    participant = config.run.participant
    study = wish.study(participant)
    settings.put("run", rest_s=study.rest_s)
    strongest = _strongest_pct_mso(study, set_by_us=config.stimulator is not None)
    if config.stimulator is not None and strongest is not None:
        # The protocol's own take the place of the configuration's.
        settings.tables["stimulator"].pop("intensity_pct_rmt", None)
        settings.tables["stimulator"].pop("rmt_pct_mso", None)
        settings.put("stimulator", intensity_pct_mso=strongest)
    config, text = settings.parsed()
    require_runnable(study, config)
    if config.stimulator is None and strongest is not None:
        say(f"Set the stimulator to {strongest:g} %: the configuration has none.")
    begun = Begun(
        seed=study.seed,
        participant=participant,
        rmt_pct_mso=wish.rmt_pct_mso,
        seal=None if wish.seal is None else str(wish.seal.resolve()),
        code=wish.code,
        beside=str(wish.protocol.parent.resolve()),
        profile=None if profile is None else str(profile.resolve()),
    )
    operator = Nobody() if unattended else Keyboard()
    return config, text, Plan(study=study, begun=begun, operator=operator)


def _strongest_pct_mso(study: "Study", *, set_by_us: bool) -> float | None:
    named = {study.intensity_pct_mso(trial.condition) for trial in study.trials} - {
        None
    }
    if len(named) > 1 and not set_by_us:
        raise ConfigError(
            "The protocol's conditions differ in intensity, but the configuration has "
            "no [stimulator] that could be set between trials; add one."
        )
    return max((pct for pct in named if pct is not None), default=None)


def taken_up(first: Path, *, unattended: bool) -> tuple[Config, str, "Plan"]:
    """Return configuration, its text, and the plan of a session that goes on.

    Raises
    ------
    FileError, RecordingError, ConfigError
    """
    from controller.cli.keyboard import Keyboard
    from controller.rig.study.conduct import Nobody, Plan
    from controller.rig.study.resume import resume

    resumed = resume(first)
    say(
        f"Taking up {resumed.first.name}: {resumed.n_pulses} pulses were given, "
        f"{resumed.n_left} trials are left."
    )
    if unattended and not resumed.config.output.simulated:
        raise ConfigError("--unattended is for simulated outputs only; leave it out.")
    plan = Plan(
        study=resumed.study,
        begun=resumed.begun,
        operator=Nobody() if unattended else Keyboard(),
        first=resumed.first,
    )
    return resumed.config, resumed.text, plan


def run_virtually(
    config: Config, text: str, wish: StudyWish, *, out: Path, as_json: bool
) -> None:
    """Run a protocol on a virtual clock and show what came of it."""
    from controller.report.page import write_report
    from controller.report.score import score_session
    from controller.rig.records import session_facts
    from controller.rig.study.virtual_study import run_study_virtually

    study = wish.study(config.run.participant)
    say("On a virtual clock, with a simulated participant; nothing is fired.")
    result = run_study_virtually(config, text, study, out=out, say=say)
    score_session(result.folder, session_facts(config, result.outcome, None))
    report = write_report(result.folder)
    told: dict[str, Any] = {
        "folder": str(result.folder),
        "report": str(report),
        "duration_s": round(result.lasts_s, 3),
        "dose": {"pulses": result.dose.pulses, "trains": result.dose.trains},
        **counts_of(result.progress),
    }
    if as_json:
        click.echo(json.dumps(told, indent=1))
        return
    show_counts(told)
    click.echo(f"duration  {result.lasts_s / 60.0:.1f} min of virtual time")
    click.echo(f"folder    {result.folder}\nreport    {report}")


def counts_of(progress: "Progress") -> dict[str, Any]:
    """Return pulses, and for each condition what became of its trials."""
    conditions: dict[str, collections.Counter[str]] = {}
    for state in progress.states:
        counts = conditions.setdefault(state.trial.condition, collections.Counter())
        counts[state.outcome or "to come"] += 1
    return {
        "pulses": progress.n_pulses,
        "conditions": {name: dict(counts) for name, counts in conditions.items()},
    }


def show_counts(told: Mapping[str, Any]) -> None:
    """Print what became of the trials, condition by condition."""
    for name, counts in told["conditions"].items():
        words = ", ".join(f"{n} {outcome}" for outcome, n in sorted(counts.items()))
        click.echo(f"{name:<20}{words}")
    click.echo(f"pulses    {told['pulses']}")
