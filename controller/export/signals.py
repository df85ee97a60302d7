"""The recorded channels in the units and kinds that other programs know."""

import dataclasses
import tomllib
from typing import Any

import numpy as np

from controller.errors import ChannelError, FileError
from controller.export.grid import SampleGrid, on_grid
from controller.kernels.jit import Float64Array
from controller.session.folder import CONFIG
from controller.session.load import Session
from controller.sources.units import microvolts_per_unit

# What LSL calls a channel, what MNE calls it, and what BIDS does.
_KINDS = {
    "EEG": ("eeg", "EEG"),
    "EOG": ("eog", "EOG"),
    "ECG": ("ecg", "ECG"),
    "EKG": ("ecg", "ECG"),
    "EMG": ("emg", "EMG"),
    "SEEG": ("seeg", "SEEG"),
    "ECOG": ("ecog", "ECOG"),
    "DBS": ("dbs", "DBS"),
    "TRIG": ("stim", "TRIG"),
    "TRIGGER": ("stim", "TRIG"),
    "STIM": ("stim", "TRIG"),
    "RESP": ("resp", "RESP"),
    "GSR": ("gsr", "GSR"),
    "REF": ("misc", "REF"),
}
_OTHER = ("misc", "MISC")
_VOLTAGES = {"eeg", "eog", "ecg", "emg", "seeg", "ecog", "dbs"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ExportedChannel:
    """One channel as it goes into a file.

    Parameters
    ----------
    label : str
    mne_kind, bids_kind : str
        `eeg` and `EEG`, `stim` and `TRIG`, for example.
    factor : float
        From stream units to volts, or 1 for a channel that is no voltage.
    is_voltage : bool
    """

    label: str
    mne_kind: str
    bids_kind: str
    factor: float
    is_voltage: bool


def mne_kind_of(kind: str) -> str:
    """Return what MNE calls a channel of this kind of LSL."""
    return _KINDS.get(kind.strip().upper(), _OTHER)[0]


def configured(session: Session) -> dict[str, Any]:
    """Return the session's configuration as tables.

    Raises
    ------
    FileError
        If it is not TOML.
    """
    try:
        return tomllib.loads(session.config_text)
    except tomllib.TOMLDecodeError as error:
        raise FileError(
            f"{session.path / CONFIG} is not valid TOML: {error}."
        ) from error


def channels_of(session: Session) -> tuple[ExportedChannel, ...]:
    """Return the session's channels.

    Raises
    ------
    ChannelError
        If a channel that must be a voltage has no known unit.
    """
    unit = configured(session).get("source", {}).get("unit", "")
    exported = []
    for channel in session.stream.channels:
        mne_kind, bids_kind = _KINDS.get(channel.kind.strip().upper(), _OTHER)
        per_unit = microvolts_per_unit(channel.unit or unit)
        if mne_kind in _VOLTAGES and per_unit is None:
            raise ChannelError(
                f"The unit of channel {channel.label} in {session.path} is "
                f"{channel.unit or 'not told'!r}, which is no voltage; it cannot be "
                "exported in volts."
            )
        is_voltage = per_unit is not None and mne_kind != "stim"
        exported.append(
            ExportedChannel(
                label=channel.label,
                mne_kind=mne_kind,
                bids_kind=bids_kind,
                factor=(per_unit or 1.0) * 1e-6 if is_voltage else 1.0,
                is_voltage=is_voltage,
            )
        )
    return tuple(exported)


def signals(
    session: Session, grid: SampleGrid, channels: tuple[ExportedChannel, ...]
) -> Float64Array:
    """Return the samples on the grid, shape (n_channels, n_rows), volts or as they are.

    A trigger line keeps its last level where samples are missing: between two levels
    lies no third.
    """
    rows = np.empty((len(channels), grid.n_rows))
    for index, channel in enumerate(channels):
        values = session.raw[:, index].astype(np.float64) * channel.factor
        if channel.mne_kind == "stim":
            at = np.searchsorted(grid.rows, np.arange(grid.n_rows), side="right") - 1
            rows[index] = np.nan_to_num(values, posinf=0.0, neginf=0.0)[at]
        else:
            rows[index] = on_grid(grid, values)
    return rows
