"""What is known of a MagPro, brought up to date by each of its messages."""

import math

from drivers.magpro.codes import Mode, Page, Wave
from drivers.magpro.grids import max_rate_hz
from drivers.magpro.messages import (
    AmplitudeChanged,
    CoilReported,
    ExtendedStatus,
    Flags,
    Message,
    PageChanged,
    PulseGiven,
    Status,
)
from drivers.stimulator import Now, PulseReport

_STEEPNESS = "A/µs"


class MagProState:
    """The last that the device said of itself.

    Parameters
    ----------
    now : callable
    """

    def __init__(self, now: Now) -> None:
        self._now = now
        self.flags = Flags(
            mode=Mode.STANDARD, wave=Wave.BIPHASIC, enabled=False, model=0
        )
        self.amplitude = 0
        self.temperature_c = math.nan
        self.coil = 0
        self.page: int = Page.MAIN
        self.train_running = False
        self.t_pulse = -math.inf
        self.reports: list[PulseReport] = []

    def take(self, message: Message) -> None:
        """Take in one message."""
        match message:
            case ExtendedStatus():
                self._take_status(message.status)
                self.page = message.page
                self.train_running = message.train_running
            case Status():
                self._take_status(message)
            case AmplitudeChanged():
                self.amplitude = message.amplitude_a
                self.flags = message.flags
            case CoilReported():
                self.temperature_c = message.temperature_c
                self.coil = message.coil
                self.flags = message.flags
            case PageChanged():
                self.page = message.page
                self.train_running = message.train_running
                self.flags = message.flags
            case PulseGiven():
                self._take_pulse(message)
            case _:
                pass

    def take_reports(self) -> list[PulseReport]:
        """Return the pulses reported since the last call."""
        reports, self.reports = self.reports, []
        return reports

    def shortest_interval_s(self) -> float:
        """Return the time between pulses at the highest rate of model and mode."""
        return 1 / max_rate_hz(self.flags.model, self.flags.mode, self.flags.wave)

    def _take_status(self, status: Status) -> None:
        self.flags = status.flags
        self.temperature_c = status.temperature_c
        self.coil = status.coil
        self.amplitude = status.amplitude_a

    def _take_pulse(self, message: PulseGiven) -> None:
        self.flags = message.flags
        self.t_pulse = self._now()
        realised = float(message.realised_a)
        self.reports.append(
            PulseReport(t_read=self.t_pulse, realised=realised, unit=_STEEPNESS)
        )


def makes_several(mode: Mode, wave: Wave) -> bool:
    """Return whether each trigger makes a pair or a burst."""
    return mode in (Mode.TWIN, Mode.DUAL) or wave is Wave.BIPHASIC_BURST


def obstacle(
    state: MagProState,
    hottest_c: float,
    wanted: int | None,
    page: Page,
    *,
    several: bool = False,
) -> str | None:
    """Return what stands against a pulse, in words, None if nothing is known.

    Parameters
    ----------
    state : MagProState
    hottest_c : float
        No pulses above this temperature.
    wanted : int or None
        The amplitude that was set, percent.
    page : Page
        That must be shown.
    several : bool
        Whether a trigger shall make several pulses: a pair or a burst.
    """
    if not state.temperature_c <= hottest_c:
        return (
            f"the coil has {state.temperature_c:g} °C, and must be at or below "
            f"{hottest_c:g} °C"
        )
    if state.coil == 0:
        return "no coil is connected"
    if wanted is not None and state.amplitude != wanted:
        return (
            f"its amplitude is {state.amplitude} % although {wanted} % was set here; "
            "set it again"
        )
    if makes_several(state.flags.mode, state.flags.wave) and not several:
        return (
            "each trigger would make several pulses (mode "
            f"{state.flags.mode.name.lower()}, waveform "
            f"{state.flags.wave.name.lower().replace('_', ' ')}), which was not set "
            "here; choose single pulses at its panel"
        )
    if state.page != page:
        return f"it does not show its page {page.name.lower()}"
    return None
