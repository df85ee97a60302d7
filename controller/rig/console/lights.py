"""Four lights, each by itself: no one of them speaks for another.

They are read from what the loop writes, by whoever may look into the session's memory.
"""

import dataclasses
import math
from typing import Any, Final

from controller.config import Config
from controller.core.structures import Telemetry
from controller.safety.interlock import Permit, Refusal

ARRIVES_WITHIN_S: Final = 0.5
"""A stream without a sample for so long is not arriving."""

_EDGES_LOOKED_AT: Final = 16


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Lamp:
    """One light.

    Parameters
    ----------
    name : str
    is_on : bool or None
        None where nobody can tell.
    words : str
    """

    name: str
    is_on: bool | None
    words: str


def lights_of(telemetry: Telemetry, config: Config, t_now: float) -> tuple[Lamp, ...]:
    """Return the lights: EEG, estimator, trigger line, stimulator.

    Parameters
    ----------
    telemetry : Telemetry
        The loop's rings.
    config : Config
        As run.
    t_now : float
        Host clock.
    """
    n_samples = int(telemetry.heads[0])
    if n_samples == 0:
        last = None
    else:
        last = telemetry.samples[(n_samples - 1) % len(telemetry.samples)]
    return (
        _eeg(last, config.limits.max_data_age_ms / 1e3, t_now),
        _estimator(last),
        _trigger(telemetry),
        _stimulator(last, config),
    )


def _eeg(last: Any, max_data_age_s: float, t_now: float) -> Lamp:
    name = "EEG arriving"
    if last is None:
        return Lamp(name=name, is_on=False, words="no sample yet")
    silent_s = t_now - float(last["t_arrival"])
    if not silent_s <= ARRIVES_WITHIN_S:
        words = f"nothing for {silent_s:.1f} s"
        return Lamp(name=name, is_on=False, words=words)
    age_s = float(last["t_arrival"] - last["t_sample"])
    words = f"{age_s * 1e3:.1f} ms old when it comes"
    return Lamp(name=name, is_on=age_s <= max_data_age_s, words=words)


def _estimator(last: Any) -> Lamp:
    name = "estimator valid"
    # Without an estimator, as during rest, the amplitude is exactly 0.
    if last is None or last["amplitude_uv"] == 0.0:
        return Lamp(name=name, is_on=False, words="there is none yet")
    if last["artifacts"]:
        return Lamp(name=name, is_on=False, words="artifact")
    if not math.isfinite(last["phase_rad"]):
        return Lamp(name=name, is_on=False, words="warming up, or no phase")
    return Lamp(name=name, is_on=True, words=f"{last['amplitude_uv']:.1f} uV")


def _trigger(telemetry: Telemetry) -> Lamp:
    name = "trigger line answered"
    head, n = int(telemetry.heads[2]), len(telemetry.edges)
    for place in range(head - 1, max(-1, head - 1 - _EDGES_LOOKED_AT), -1):
        edge = telemetry.edges[place % n]
        if edge["refusal"] == Refusal.OUTPUT_FAILED:
            return Lamp(name=name, is_on=False, words="the last call failed")
        if edge["refusal"] == Refusal.NONE:
            took_us = (float(edge["t_after"]) - float(edge["t_fired"])) * 1e6
            words = f"the last call took {took_us:.0f} us"
            return Lamp(name=name, is_on=True, words=words)
    return Lamp(name=name, is_on=None, words="nothing was sent yet")


def _stimulator(last: Any, config: Config) -> Lamp:
    name = "stimulator ready"
    stimulator = config.stimulator
    if stimulator is None or stimulator.driver_name == "ttl":
        return Lamp(name=name, is_on=None, words="it tells nothing; look at it")
    ready = last is not None and bool(int(last["permits"]) & Permit.DEVICE)
    words = "armed, charged, by its own word" if ready else "nobody vouches for it"
    return Lamp(name=name, is_on=ready, words=words)
