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
    from controller.protocol.trial_log import Progress
    from controller.rig.study import Study


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
        from controller.rig.study import Study

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
        from controller.session.seal_file import read_seal

        allocation = read_seal(self.seal)
        allocation.fits(protocol)
        return allocation.arm_of(self.code)


def run_virtually(
    config: Config, text: str, wish: StudyWish, *, out: Path, as_json: bool
) -> None:
    """Run a protocol on a virtual clock and show what came of it."""
    from controller.rig.virtual_study import run_study_virtually

    study = wish.study(config.run.participant)
    say("On a virtual clock, with a simulated participant; nothing is fired.")
    result = run_study_virtually(config, text, study, out=out, say=say)
    told: dict[str, Any] = {
        "folder": str(result.folder),
        "duration_s": round(result.lasts_s, 3),
        "dose": {"pulses": result.dose.pulses, "trains": result.dose.trains},
        **counts_of(result.progress),
    }
    if as_json:
        click.echo(json.dumps(told, indent=1))
        return
    show_counts(told)
    click.echo(f"duration  {result.lasts_s / 60.0:.1f} min of virtual time")
    click.echo(f"folder    {result.folder}")


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
