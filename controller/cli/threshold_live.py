"""`phasegate threshold CONFIG`: the threshold by the muscle, pulses by the loop."""

import contextlib
import dataclasses
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from controller.cli.arming import Arming
from controller.cli.desk import Desk
from controller.cli.display import open_display
from controller.cli.settings import Settings
from controller.cli.speech import say
from controller.cli.threshold_words import show_hunt
from controller.config import Config
from controller.errors import EXIT_INTERRUPTED, ConfigError, NotArmed

if TYPE_CHECKING:
    from controller.protocol.muscle_hunt import MuscleHunt
    from controller.rig.study.hunt import HuntPlan
    from controller.sources.description import StreamDescription

# Needs no rest: the pulses come by the clock, and its phase is not waited for.
_ESTIMATOR = "cfir"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HuntWish:
    """What the command line asks for.

    Parameters
    ----------
    config_path : Path
    highest_pct : float or None
        None for what the limits allow.
    start_pct, step_pct : float
    participant, emg : str or None
    window_ms, interval_s : tuple of float
    out : Path or None
        The result; None for beside the participant's profiles.
    profiles, sessions : Path
    arm, as_json : bool
    """

    config_path: Path
    highest_pct: float | None
    start_pct: float
    step_pct: float
    participant: str | None
    emg: str | None
    window_ms: tuple[float, float]
    interval_s: tuple[float, float]
    out: Path | None
    profiles: Path
    sessions: Path
    arm: bool
    as_json: bool


def hunt_live(wish: HuntWish, desk: Desk) -> int:
    """Hunt, show every pulse, write the result; return the exit code.

    Raises
    ------
    PhasegateError
        Also the error that ended the session.
    NoThreshold
    """
    from controller.calibration.threshold_file import (
        threshold_path,
        told_of_muscle,
        write_threshold,
    )
    from controller.rig.study.hunt import LiveHunt

    config, text = _settings(wish).parsed()
    _require_hunt(config, wish)
    _require_person(config, wish, desk)
    participant = config.run.participant
    path = wish.out or threshold_path(
        wish.profiles, participant, dt.datetime.now(dt.UTC)
    )
    plan = _plan(config, wish)
    further = {
        "channel": plan.channel,
        "stimulator": config.stimulator and config.stimulator.kind,
        "simulated": config.output.simulated,
    }

    def told(hunt: "MuscleHunt") -> dict[str, Any]:
        return told_of_muscle(hunt, participant, **further)

    leaders: list[LiveHunt] = []

    def lead(stream: "StreamDescription") -> LiveHunt:
        leaders.append(
            LiveHunt(plan, stream, lambda hunt: write_threshold(path, told(hunt)))
        )
        return leaders[0]

    with open_display() as display:
        arming = Arming(display, desk, granted=wish.arm)
        display.note("Loading the compiled loop ...")
        from controller.rig.run import run_session

        finished = run_session(
            config,
            text,
            out=wish.sessions,
            listener=display,
            confirm_arming=arming,
            ask_person=arming.ask,
            hunt=lead,
            open_stimulator=_begun_at(plan.hunt.start_pct),
        )
    say(f"Session: {finished.folder}")
    if finished.error is not None:
        raise finished.error
    hunt = leaders[0].hunt
    if not leaders[0].is_over:
        say(f"phasegate: Interrupted after {len(hunt.pulses)} pulses; no threshold.")
        return finished.exit_code or EXIT_INTERRUPTED
    further["session"] = str(finished.folder)
    write_threshold(path, told(hunt))
    say(f"Written: {path}")
    show_hunt(told(hunt), as_json=wish.as_json)
    return 0


def _settings(wish: HuntWish) -> Settings:
    """Return the configuration as a hunt needs it, and as it is recorded.

    The intensity in it is the highest: for that the dose is counted.
    """
    from controller.estimators.rhythm import SEARCH_HZ

    settings = Settings.read(wish.config_path, rmt_pct_mso=None)
    tables = settings.tables
    stimulator = tables.get("stimulator")
    if stimulator is None:
        raise ConfigError(
            f"{wish.config_path} has no [stimulator] whose intensity could be set; add "
            "it, or answer yes and no: `phasegate threshold --highest PERCENT`."
        )
    rhythm = tables["rhythm"]
    low_hz, high_hz = rhythm.get("search_hz") or SEARCH_HZ[rhythm["band"]]
    rhythm.setdefault("frequency_hz", (low_hz + high_hz) / 2.0)
    named = tables["montage"].get("ssd")
    if named is not None:
        tables["montage"] = {"weights": {named: 1.0}}
    tables["estimator"] = {"kind": _ESTIMATOR}
    tables.pop("gate", None)
    tables["timing"] = {"iti_s": wish.interval_s[0]}
    settings.put("run", rest_s=0, participant=wish.participant)
    tables["run"].pop("duration_s", None)
    for key in ("intensity_pct_rmt", "rmt_pct_mso"):
        stimulator.pop(key, None)
    allowed = tables["limits"]["stimulator"]["max_intensity_pct_mso"]
    stimulator["intensity_pct_mso"] = wish.highest_pct or allowed
    settings.changed = True
    return settings


def _require_hunt(config: Config, wish: HuntWish) -> None:
    """Refuse what cannot hunt, before anything is opened."""
    from controller.config_stimulator import BistimPair

    stimulator = config.stimulator
    assert stimulator is not None
    if stimulator.driver_name == "ttl":
        raise ConfigError(
            f"The stimulator of {wish.config_path} is set by a person, so nothing "
            "confirms its intensity; answer yes and no: `phasegate threshold --highest "
            "PERCENT`."
        )
    if isinstance(stimulator, BistimPair) and stimulator.makes_pairs:
        raise ConfigError(
            "A motor threshold is of single pulses; set "
            "stimulator.second_intensity_pct_mso to 0."
        )


def _plan(config: Config, wish: HuntWish) -> "HuntPlan":
    from controller.protocol.motor_response import ResponseRules
    from controller.protocol.muscle_hunt import MOST_UNCOUNTED
    from controller.protocol.threshold import N_LEAST, N_MOST, HuntRules
    from controller.rig.study.hunt import HuntPlan, muscle_channel

    assert config.stimulator is not None
    highest_pct = config.stimulator.intensity_pct_mso
    most = config.limits.max_pulses - MOST_UNCOUNTED
    if not most >= N_LEAST:
        raise ConfigError(
            f"limits.max_pulses is {config.limits.max_pulses}, but a hunt may take "
            f"{MOST_UNCOUNTED + N_LEAST} pulses at the least; raise it."
        )
    rail_uv = config.source.rail_uv
    from_ms, to_ms = wish.window_ms
    response = ResponseRules(from_s=from_ms / 1e3, to_s=to_ms / 1e3)
    if rail_uv is not None:
        response = dataclasses.replace(response, rail_uv=rail_uv)
    return HuntPlan(
        hunt=HuntRules(
            highest_pct=highest_pct,
            start_pct=min(wish.start_pct, highest_pct),
            step_pct=wish.step_pct,
            n_most=min(N_MOST, most),
        ),
        response=response,
        channel=muscle_channel(config.source, wish.emg),
        iti_s=wish.interval_s,
        seed=config.timing.seed,
        output_latency_s=config.output.latency_s,
    )


def _begun_at(start_pct: float) -> Any:
    """Return what opens the stimulator at the first pulse's intensity."""

    def opened(
        stimulator: Any, limits: Any, **further: Any
    ) -> contextlib.AbstractContextManager[Any]:
        from controller.rig.stimulator.stimulators import opened_stimulator

        begins = stimulator.model_copy(update={"intensity_pct_mso": start_pct})
        return opened_stimulator(begins, limits, **further)

    return opened


def _require_person(config: Config, wish: HuntWish, desk: Desk) -> None:
    """Refuse a real output that nobody can arm."""
    if config.output.simulated or wish.arm or desk.person_is_there():
        return
    raise NotArmed(
        f"{wish.config_path} fires a real output, and nobody is at a terminal to arm "
        "it; start it from a terminal, or pass --arm."
    )
