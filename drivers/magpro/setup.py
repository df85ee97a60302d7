"""Settings of a MagPro that are made while it is disabled, each read back."""

import dataclasses
from typing import Final, Literal

from drivers.magpro import codec, grids
from drivers.magpro.codes import Mode, Page, TimingControl, Wave
from drivers.magpro.messages import (
    DelaysReported,
    Flags,
    ModeReported,
    TimingReported,
)
from drivers.magpro.session import MagProSession
from drivers.stimulator import StimulatorRefused, Train

_BURST_PULSES: Final = range(2, 6)
_LEAST_MONOPHASIC_TENTHS_MS: Final = 20


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Waveform:
    """Mode and waveform.

    Parameters
    ----------
    mode : Mode
    wave : Wave
    reverse : bool or None
        Direction of the current; None leaves it as it is.
    burst_pulses : int
        2 to 5, for biphasic bursts.
    interval_s : float
        Between the pulses of a pair or burst.
    ratio : float
        Of the second pulse of a pair to the first.
    """

    mode: Mode = Mode.STANDARD
    wave: Wave = Wave.BIPHASIC
    reverse: bool | None = None
    burst_pulses: int = 2
    interval_s: float = 0.01
    ratio: float = 1.0


def check_disarmed(session: MagProSession, flags: Flags, what: str) -> None:
    """Return if the device is disabled.

    Raises
    ------
    StimulatorRefused
    """
    if flags.enabled:
        raise StimulatorRefused(
            f"{session.name} is armed; disarm it before {what} is changed."
        )


def set_waveform(session: MagProSession, model: int, waveform: Waveform) -> None:
    """Set mode and waveform.

    Raises
    ------
    StimulatorRefused
        If a value is off its grid, or the device took another.
    """
    if waveform.burst_pulses not in _BURST_PULSES:
        raise StimulatorRefused(
            f"{session.name} makes bursts of 2 to 5 pulses, not "
            f"{waveform.burst_pulses}; choose another number."
        )
    grid = grids.interval_grid(waveform.mode)
    tenths_ms = grid.units(waveform.interval_s)
    paired = waveform.mode in (Mode.TWIN, Mode.DUAL)
    slow = waveform.wave is Wave.MONOPHASIC
    if paired and slow and not tenths_ms >= _LEAST_MONOPHASIC_TENTHS_MS:
        raise StimulatorRefused(
            f"{session.name} makes monophasic pairs from 2 ms on, not "
            f"{waveform.interval_s * 1e3:g} ms; choose a longer interval."
        )
    reverse = waveform.reverse
    if reverse is None:
        reverse = session.ask(codec.GET_MODE, ModeReported).direction == 1
    command = codec.mode(
        model=model,
        mode=waveform.mode,
        direction=int(reverse),
        wave=waveform.wave,
        burst_pulses=waveform.burst_pulses,
        tenths_ipi_ms=tenths_ms,
        hundredths_ba=grids.RATIO.units(waveform.ratio),
    )
    found = session.ask(command, ModeReported)
    wanted = (waveform.mode, waveform.wave, int(reverse))
    same = (found.mode, found.wave, found.direction) == wanted
    if paired or waveform.wave is Wave.BIPHASIC_BURST:
        listed = grid.descending()
        index = found.ipi_index
        same = same and index < len(listed) and listed[index] == tenths_ms
    if not same:
        raise StimulatorRefused(
            f"{session.name} did not take the waveform; its model, coil or page may "
            "not have it."
        )


def set_delays(
    session: MagProSession, *, into_s: float, out_s: float, charge_s: float
) -> None:
    """Set the delays of trigger input, trigger output and charge.

    Raises
    ------
    StimulatorRefused
    """
    into = grids.DELAY_IN.units(into_s)
    out = grids.DELAY_OUT.units(out_s)
    charge = grids.CHARGE_DELAY.units(charge_s)
    found = session.ask(codec.delays(into, out, charge), DelaysReported)
    if (found.tenths_in_ms, found.tenths_out_ms, found.charge_ms) != (
        into,
        out,
        charge,
    ):
        raise StimulatorRefused(
            f"{session.name} took other delays than it was told; look at its display."
        )


def show_page(session: MagProSession, page: Page, shown: int) -> None:
    """Turn to a page, if it is not shown already.

    Raises
    ------
    StimulatorRefused
    """
    if shown == page:
        return
    if not session.order(codec.page(page), lambda status: status.page == page):
        raise StimulatorRefused(
            f"{session.name} does not turn to its page {page.name.lower()}; leave the "
            "menu that it is in."
        )


def set_timing(
    session: MagProSession,
    train: Train,
    start: Literal["trigger", "command"],
    flags: Flags,
) -> None:
    """Set a train; the timing page must be shown.

    Raises
    ------
    StimulatorRefused
    """
    highest_hz = grids.max_rate_hz(flags.model, flags.mode, flags.wave)
    rate = grids.RATE.units(train.frequency_hz)
    if not train.frequency_hz <= highest_hz:
        raise StimulatorRefused(
            f"{session.name} makes trains of up to {highest_hz:g} Hz in this mode, not "
            f"{train.frequency_hz:g} Hz; lower the frequency."
        )
    pulses = grids.PULSES.units(train.n_pulses)
    trains = grids.TRAINS.units(train.n_trains)
    # A single train has no next one, but the field must hold something.
    pause = 1 if trains == 1 else grids.INTER_TRAIN.units(train.inter_train_s)
    by_trigger = start == "trigger"
    control = TimingControl.EXTERNAL_START if by_trigger else TimingControl.SEQUENCE
    command = codec.timing(
        control=control,
        tenths_hz=rate,
        n_pulses=pulses,
        n_trains=trains,
        tenths_s=pause,
    )
    found = session.ask(command, TimingReported)
    if (found.control, found.tenths_hz, found.n_pulses, found.n_trains) != (
        control,
        rate,
        pulses,
        trains,
    ):
        raise StimulatorRefused(
            f"{session.name} took a train of {found.n_pulses} pulses at "
            f"{found.tenths_hz / 10:g} Hz instead; look at its display."
        )


def train_s(train: Train | None) -> float:
    """Return how long trains last, from the first pulse to the last, seconds."""
    if train is None:
        return 0.0
    one_s = (train.n_pulses - 1) / train.frequency_hz
    return train.n_trains * one_s + (train.n_trains - 1) * train.inter_train_s
