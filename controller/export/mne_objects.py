"""Sessions as MNE objects: a raw recording with annotations, epochs with metadata."""

import datetime as dt
import importlib.util
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from controller.errors import FileError, MissingExtra
from controller.export.columns import Table
from controller.export.grid import SampleGrid
from controller.export.happenings import PULSE, Happening, happenings, trial_cells
from controller.export.signals import ExportedChannel, channels_of, signals
from controller.session.load import Session
from controller.sources.labels import clean_label

if TYPE_CHECKING:
    import mne

# What an annotation of a decision carries besides when and what.
EXTRAS = (
    "decision",
    "trial",
    "condition",
    "trigger_time_s",
    "target_phase_deg",
    "predicted_phase_deg",
    "phase_offline_deg",
    "amplitude_uv",
    "latency_ms",
)


def require(*packages: str) -> None:
    """Return if the packages of the extra `io` are there.

    Raises
    ------
    MissingExtra
    """
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtra(
            f"This needs {', '.join(missing)}, which is not installed; install it "
            "with `pip install 'phasegate[io]'`."
        )


def started(session: Session, grid: SampleGrid) -> dt.datetime | None:
    """Return when the first sample was taken, or None if the folder does not say.

    The folder's name holds the second in which it was made, and the log the host
    clock's reading then.
    """
    stamp = re.match(r"\d{8}T\d{6}Z", session.path.name)
    if stamp is None:
        return None
    made = dt.datetime.strptime(stamp[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    opened = [event for event in session.events if event.get("event") == "recording"]
    t_made = opened[0].get("t") if opened else None
    if not isinstance(t_made, int | float):
        return made
    return made + dt.timedelta(seconds=grid.t_first - t_made)


def build_raw(session: Session, grid: SampleGrid) -> "mne.io.BaseRaw":
    """Return the recording as MNE knows it, volts, annotated.

    Raises
    ------
    MissingExtra, ChannelError
    """
    raw, _, _ = annotated_raw(session, grid)
    return raw


def annotated_raw(
    session: Session, grid: SampleGrid
) -> tuple["mne.io.BaseRaw", tuple[Happening, ...], Table]:
    """Return the recording, what happened in it, and the trial table."""
    require("mne")
    import mne

    channels = channels_of(session)
    info = mne.create_info(
        [channel.label for channel in channels],
        grid.sfreq_hz,
        [channel.mne_kind for channel in channels],
        verbose="ERROR",
    )
    raw = mne.io.RawArray(signals(session, grid, channels), info, verbose="ERROR")
    raw.set_meas_date(started(session, grid))
    _place(raw, channels)
    found, trials = happenings(session, grid)
    raw.set_annotations(_annotations(found, trials, raw.info["meas_date"]))
    return raw, found, trials


def build_epochs(
    session: Session, grid: SampleGrid, tmin_s: float, tmax_s: float
) -> "mne.Epochs":
    """Return epochs around the fired pulses; see `OpenedSession.epochs`."""
    require("mne", "pandas")
    import mne
    import pandas as pd

    raw, found, trials = annotated_raw(session, grid)
    pulses = [h for h in found if h.kind == PULSE and h.trial is not None]
    if not pulses:
        raise FileError(f"No pulse was fired in {session.path}; there are no epochs.")
    rows = [int(h.trial or 0) for h in pulses]
    samples = np.array([round(h.onset_s * grid.sfreq_hz) for h in pulses])
    # Two pulses cannot share a sample: the interlock's floor is 0.1 s.
    events = np.column_stack([samples, np.zeros_like(samples), np.ones_like(samples)])
    picked = trials.picked(rows)
    metadata = pd.DataFrame({c.name: list(c.cells) for c in picked.columns})
    return mne.Epochs(
        raw,
        events,
        {PULSE: 1},
        tmin=tmin_s,
        tmax=tmax_s,
        baseline=None,
        metadata=metadata,
        preload=True,
        reject_by_annotation=True,
        verbose="ERROR",
    )


def _place(raw: Any, channels: tuple[ExportedChannel, ...]) -> None:
    """Put electrodes with 10-20 names where the template has them."""
    import mne

    # The same template; its old name goes with MNE 1.14.
    names = ("colin27_1005", "standard_1005")
    there = mne.channels.get_builtin_montages()
    name = next(name for name in names if name in there)
    template = mne.channels.make_standard_montage(name).get_positions()
    known = template["ch_pos"]
    positions = {
        channel.label: known[clean_label(channel.label)]
        for channel in channels
        if channel.mne_kind == "eeg" and clean_label(channel.label) in known
    }
    if positions:
        fiducials = {name: template[name] for name in ("nasion", "lpa", "rpa")}
        montage = mne.channels.make_dig_montage(
            positions, coord_frame=template["coord_frame"], **fiducials
        )
        raw.set_montage(montage, on_missing="ignore", verbose="ERROR")


def _annotations(
    found: tuple[Happening, ...], trials: Table, meas_date: dt.datetime | None
) -> "mne.Annotations":
    import mne

    extras = [
        None if h.trial is None else trial_cells(trials, h.trial, EXTRAS) for h in found
    ]
    return mne.Annotations(
        onset=[h.onset_s for h in found],
        duration=[h.duration_s for h in found],
        description=[_description(h) for h in found],
        orig_time=meas_date,
        extras=extras,
    )


def _description(happening: Happening) -> str:
    if happening.value is None:
        return happening.kind
    return f"{happening.kind}/{happening.value}"
