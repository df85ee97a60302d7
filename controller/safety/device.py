"""Rules about the stimulator itself: is it as it was told to be, and fit to fire?

Pure functions over what the device last said. They cannot be asked at the deadline,
since a device answers in milliseconds; whoever asks them vouches for the device for a
short while, and the interlock refuses once that while is over.
"""

import dataclasses
import enum
import math

INTENSITY_TOLERANCE_PCT_MSO = 0.5
"""Stimulators show whole percents: a read-back within half of one is the command."""


class DeviceRefusal(enum.IntEnum):
    """What stands against a pulse, or against a change of intensity."""

    NONE = 0
    SILENT = 1
    DEVICE_ERROR = 2
    NOT_ARMED = 3
    NOT_READY = 4
    COIL_OFF = 5
    COIL_TOO_HOT = 6
    INTENSITY_DIFFERS = 7
    INTENSITY_TOO_HIGH = 8
    STEP_TOO_LARGE = 9


DEVICE_SENTENCES: dict[DeviceRefusal, str] = {
    DeviceRefusal.SILENT: "the stimulator has not told its state recently enough",
    DeviceRefusal.DEVICE_ERROR: "the stimulator reports an error",
    DeviceRefusal.NOT_ARMED: "the stimulator is not armed",
    DeviceRefusal.NOT_READY: "the stimulator is not ready to fire",
    DeviceRefusal.COIL_OFF: "no coil is connected to the stimulator",
    DeviceRefusal.COIL_TOO_HOT: "the coil is hotter than limits.stimulator allows",
    DeviceRefusal.INTENSITY_DIFFERS: "the stimulator reads back another intensity than "
    "it was told",
    DeviceRefusal.INTENSITY_TOO_HIGH: "the intensity is not within limits.stimulator",
    DeviceRefusal.STEP_TOO_LARGE: "the intensity would rise by more than "
    "limits.stimulator allows at once",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRules:
    """What the study allows of its stimulator; `StimulatorLimits` checks the figures.

    Parameters
    ----------
    max_intensity_pct_mso : float
    max_intensity_step_pct : float
        Largest rise at once, percent of maximum output; it may fall by any amount.
    max_coil_c : float
    max_status_age_s : float
        How old the device's last word may be.
    """

    max_intensity_pct_mso: float
    max_intensity_step_pct: float
    max_coil_c: float
    max_status_age_s: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DeviceState:
    """What the device last said of itself, and what it had been told.

    Parameters
    ----------
    t_read : float
        When it was said, on the host clock.
    armed, ready : bool
    intensity_pct_mso : float
        As read back.
    commanded_intensity_pct_mso : float
    coil_connected : bool or None
        None where the device does not tell.
    temperature_c : float or None
        Of the coil; None where the device does not tell.
    error : str or None
        In the device's words.
    """

    t_read: float
    armed: bool
    ready: bool
    intensity_pct_mso: float
    commanded_intensity_pct_mso: float
    coil_connected: bool | None = None
    temperature_c: float | None = None
    error: str | None = None


def review_device(
    rules: DeviceRules, state: DeviceState | None, t_now: float
) -> DeviceRefusal:
    """Return what stands against a pulse by this device, or `DeviceRefusal.NONE`.

    Parameters
    ----------
    rules : DeviceRules
    state : DeviceState or None
        None if the device has said nothing yet.
    t_now : float
        On the host clock; a word from the future is as doubtful as an old one.
    """
    if state is None or not 0.0 <= t_now - state.t_read <= rules.max_status_age_s:
        return DeviceRefusal.SILENT
    return _own_word(state) or _within(rules, state)


def review_intensity(rules: DeviceRules, before: float, wanted: float) -> DeviceRefusal:
    """Return what stands against a change of intensity, or `DeviceRefusal.NONE`.

    Parameters
    ----------
    rules : DeviceRules
    before, wanted : float
        Percent of maximum stimulator output; `before` is what the device reads back.
    """
    if not 0.0 <= wanted <= rules.max_intensity_pct_mso:
        return DeviceRefusal.INTENSITY_TOO_HIGH
    if not -math.inf < wanted - before <= rules.max_intensity_step_pct:
        return DeviceRefusal.STEP_TOO_LARGE
    return DeviceRefusal.NONE


def _own_word(state: DeviceState) -> DeviceRefusal:
    """Return what the device itself says against a pulse."""
    if state.error is not None:
        return DeviceRefusal.DEVICE_ERROR
    if state.coil_connected is False:
        return DeviceRefusal.COIL_OFF
    if not state.armed:
        return DeviceRefusal.NOT_ARMED
    if not state.ready:
        return DeviceRefusal.NOT_READY
    return DeviceRefusal.NONE


def _within(rules: DeviceRules, state: DeviceState) -> DeviceRefusal:
    """Return which of the study's rules the device's state breaks."""
    hottest_c = -math.inf if state.temperature_c is None else state.temperature_c
    if not hottest_c <= rules.max_coil_c:
        return DeviceRefusal.COIL_TOO_HOT
    read, told = state.intensity_pct_mso, state.commanded_intensity_pct_mso
    if not abs(read - told) <= INTENSITY_TOLERANCE_PCT_MSO:
        return DeviceRefusal.INTENSITY_DIFFERS
    highest = max(read, told)
    if not 0.0 <= min(read, told) <= highest <= rules.max_intensity_pct_mso:
        return DeviceRefusal.INTENSITY_TOO_HIGH
    return DeviceRefusal.NONE
