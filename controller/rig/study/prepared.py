"""A protocol made ready for one session: its arm, trials, intensities and rows."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from controller.config import Config
from controller.config_stimulator import StimulatorSection
from controller.errors import ConfigError
from controller.protocol import core_rows
from controller.protocol.arms import protocol_of_arm, trials_of_arm
from controller.protocol.condition_forms import Yoked
from controller.protocol.core_rows import Rows, rows_of
from controller.protocol.device_rules import DeviceRules
from controller.protocol.form import Protocol
from controller.protocol.review import broken_rules
from controller.protocol.rig_rules import Rig
from controller.protocol.stage_forms import Calibration, Rest
from controller.protocol.trial_list import Trial, trial_list
from controller.protocol.trial_log import Progress
from controller.rig.dose import trigger_limits
from controller.rig.stimulator.device_rules import device_rules
from controller.session.books.yoked import yoked_times_s


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What a session does.

    Parameters
    ----------
    protocol : Protocol
        As it was written, with its blinding.
    text : str
        The file, for the records.
    seed : int
        Of the trials.
    trials : tuple of Trial
        The whole session's, as the arm gives them.
    given_as : Protocol
        As the arm gives it; the same for an open label.
    rmt_pct_mso : float or None
    yoked_s : mapping of str to tuple of float
        By condition: when another session's trials came.
    """

    protocol: Protocol
    text: str
    seed: int
    trials: tuple[Trial, ...]
    given_as: Protocol
    rmt_pct_mso: float | None = None
    yoked_s: Mapping[str, tuple[float, ...]] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(
        cls,
        protocol: Protocol,
        text: str,
        *,
        seed: int,
        arm: str | None = None,
        rmt_pct_mso: float | None = None,
        beside: Path = Path(),
    ) -> "Study":
        """Return a study of a protocol.

        Parameters
        ----------
        protocol : Protocol
        text : str
        seed : int
        arm : str, optional
            What the sealed allocation says; absent for a protocol that is not blinded.
        rmt_pct_mso : float, optional
        beside : Path
            The folder from which sessions that conditions follow are named.

        Raises
        ------
        ConfigError
            A blinded protocol without its arm.
        FileError, SealError
        """
        if (protocol.blinding is None) != (arm is None):
            raise ConfigError(
                "blinding: a protocol with arms runs with --seal and --code, and one "
                "without them runs without."
            )
        trials, given_as = trial_list(protocol, seed), protocol
        if arm is not None:
            given_as = protocol_of_arm(protocol, arm)
            trials = trials_of_arm(protocol, trials, arm, seed)
        yoked = {
            condition.name: yoked_times_s(beside / condition.when.session)
            for condition in protocol.conditions
            if isinstance(condition.when, Yoked)
        }
        return cls(
            protocol=protocol,
            text=text,
            seed=seed,
            trials=trials,
            given_as=given_as,
            rmt_pct_mso=rmt_pct_mso,
            yoked_s=yoked,
        )

    def new_progress(self) -> Progress:
        """Return where a session of it begins."""
        return Progress(self.protocol, self.trials, self.seed)

    @property
    def n_rest_stages(self) -> int:
        """How many of its stages are the rest that the estimator is designed from."""
        n = 0
        for stage in self.protocol.stages:
            if not isinstance(stage, Rest | Calibration):
                break
            n += 1
        return n

    @property
    def rest_s(self) -> float | None:
        """How long they last; None where the configuration says it."""
        stages = self.protocol.stages[: self.n_rest_stages]
        lasts_s = sum(s.duration_s for s in stages if isinstance(s, Rest | Calibration))
        return lasts_s or None

    def configured(self, config: Config) -> Config:
        """Return the configuration with what the protocol says in its place.

        That is the length of the rest; trials end the session, so it has no other end.
        """
        rest_s = config.run.rest_s if self.rest_s is None else self.rest_s
        run = config.run.model_copy(update={"rest_s": rest_s, "duration_s": None})
        return config.model_copy(update={"run": run})

    def left(self, progress: Progress) -> tuple[Trial, ...]:
        """Return the trials that a session still may give, in order."""
        return tuple(
            state.trial
            for state in progress.states
            if state.trial.stage not in progress.stages_done and state.outcome is None
        )

    def intensity_pct_mso(self, condition: str) -> float | None:
        """Return a condition's intensity, percent of output; None where it has none.

        Raises
        ------
        ConfigError
            It is in percent of a motor threshold that nobody knows.
        """
        named = self.given_as.condition(condition)
        intensity = self.given_as.intensity_of(named)
        if intensity is None or not named.gives_pulses:
            return None
        pct_mso = intensity.strongest_pct_mso(self.rmt_pct_mso)
        if pct_mso is None:
            raise ConfigError(
                f"condition {condition}: intensity is in percent of the resting motor "
                "threshold; pass it with --rmt, see phasegate threshold."
            )
        return float(round(pct_mso))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StudyPart:
    """The trials of a study that one process is to give.

    Parameters
    ----------
    study : Study
    trials : tuple of Trial
        What is left of it, in order.
    """

    study: Study
    trials: tuple[Trial, ...]

    def rows(self, *, pulse_s: float, falls: bool, rhythm_hz: float) -> Rows:
        """Return what the core is told about these trials.

        Raises
        ------
        ConfigError
            As `core_rows.rows_of`.
        """
        wiring = core_rows.Wiring(
            pulse_s=pulse_s, falls=falls, device_pairs=False, rhythm_hz=rhythm_hz
        )
        study = self.study
        return rows_of(study.given_as, self.trials, wiring, study.yoked_s)


def rig_of(config: Config) -> Rig:
    """Return what a configuration's limits say to a protocol."""
    stimulator, dose = config.limits.stimulator, config.limits.dose
    return Rig(
        limits=trigger_limits(config),
        pulse_s=config.output.pulse_ms / 1e3,
        simulated=config.output.simulated,
        max_intensity_pct_mso=(
            None if stimulator is None else stimulator.max_intensity_pct_mso
        ),
        dose=None if dose is None else dose.to_limits(),
    )


def _rules_of(stimulator: StimulatorSection | None) -> DeviceRules | None:
    if stimulator is None:
        return None
    name = stimulator.driver_name
    variant = getattr(stimulator, "variant", "rapid")
    if name == "magstim-rapid" and variant != "rapid":
        name = f"{name}-{variant}"
    # Of the others no figures are known beyond what their driver asks itself.
    rules = (
        device_rules(name)
        if name.startswith("magstim-")
        else DeviceRules(name=name, source="its driver", min_gap_s=lambda pct: 0.0)
    )
    # A session sets one intensity and makes a pair of two triggers, so pairs that the
    # device itself would make of one trigger do not count.
    return dataclasses.replace(
        rules,
        name=f"{rules.name}, triggered pulse by pulse,",
        pair_s=None,
        two_intensities=False,
    )


def require_runnable(study: Study, config: Config) -> None:
    """Refuse a protocol that breaks a rule of its own, of the rig or of the device.

    Raises
    ------
    ConfigError
        Names every field.
    """
    broken = broken_rules(
        study.protocol,
        rig=rig_of(config),
        device=_rules_of(config.stimulator),
        rmt_pct_mso=study.rmt_pct_mso,
    )
    if broken:
        raise ConfigError(
            f"The protocol {study.protocol.title!r} breaks "
            f"{'a rule' if len(broken) == 1 else f'{len(broken)} rules'}: "
            + " ".join(broken)
        )
    if config.stimulator is not None:
        for condition in study.given_as.conditions:
            study.intensity_pct_mso(condition.name)
