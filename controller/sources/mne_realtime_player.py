"""Replay through mne-realtime: `python -m controller.sources.mne_realtime_player`.

`MockLSLStream` is a replayer that nobody of this project wrote, and so a test of what
reads streams. Its makers have ended it in favour of mne-lsl, whose `PlayerLSL` is the
one to use for new work. What it does its own way: only the EEG channels, volts, rates
that are whole numbers, time stamps taken when a sample is pushed, no end.
"""

import contextlib
import math
import os
import signal
import threading
import time
import warnings
from typing import Any, Final

import click
import numpy as np
import pylsl

from controller.config_source import FileSource
from controller.errors import ChannelError, MissingExtra, StreamFormatError, StreamLost
from controller.sources.network import configure_lsl
from controller.sources.pacing import Stop
from controller.sources.recorded import Recording
from controller.sources.recording import read_recording
from controller.sources.recording_player import about_recording, parse_settings
from controller.sources.serving import (
    BEGIN_WORD,
    Watch,
    announce,
    exit_with_sentence,
    idle,
    tell,
)

STREAM_NAME: Final = "MNE"
"""The name that all its streams have."""

_CHANNEL_TYPE: Final = "eeg"
_VISIBLE_S: Final = 10.0
_LOOK_AGAIN_S: Final = 0.2


@click.command()
@click.option("--config", "config_json", required=True, help="settings, as JSON")
@click.option("--source-id", required=True, help="unique id of the stream")
@click.option("--wait/--no-wait", default=False, help="not possible here")
@click.option("--parent", type=int, help="end when this process is gone")
@click.option("--duration", "duration_s", type=float, default=math.inf, help="seconds")
@click.option("--repeat", is_flag=True, help="begin again after the last sample")
@click.option("--network", is_flag=True, help="show the stream to other machines")
def main(
    *,
    config_json: str,
    source_id: str,
    wait: bool,
    parent: int | None,
    duration_s: float,
    repeat: bool,
    network: bool,
) -> None:
    """Replay a recording's EEG through mne-realtime's MockLSLStream."""

    def stream() -> None:
        config = parse_settings(config_json)
        check_possible(config, wait=wait)
        recording = read_recording(config.path, stream=config.stream, unit=config.unit)
        raw = eeg_of(recording)
        configure_lsl(local_only=not network)
        watch = Watch(parent)
        length_s = math.inf if repeat else recording.duration_s
        with contextlib.suppress(Stop), mock_stream(source_id, raw):
            _await_visible(source_id, watch)
            about = about_recording(recording, STREAM_NAME)
            announce(source_id, about | {"labels": raw.ch_names, "n_markers": 0})
            tell(BEGIN_WORD)
            idle(min(length_s, duration_s), watch.check)

    exit_with_sentence(stream)


def check_possible(config: FileSource, *, wait: bool = False) -> None:
    """Refuse what `MockLSLStream` cannot do.

    Raises
    ------
    StreamFormatError
    MissingExtra
        mne-realtime is not installed.
    """
    if wait or config.speed != 1.0:
        raise StreamFormatError(
            "mne-realtime's MockLSLStream begins at once, and tells no other rate than "
            "the recording's; leave out --wait and --speed, or --through."
        )
    try:
        _mock_lsl_stream()
    except ImportError as error:
        raise MissingExtra(
            f"mne-realtime cannot be used ({error}); install it with "
            "`pip install 'phasegate[realtime]'`."
        ) from error


def eeg_of(recording: Recording) -> Any:
    """Return the EEG channels as `mne.io.RawArray`, in volts.

    Raises
    ------
    StreamFormatError
        A rate that is no whole number: `MockLSLStream` would cut the rest off.
    ChannelError
        No EEG channel.
    """
    import mne

    if not recording.sfreq_hz.is_integer():
        raise StreamFormatError(
            f"The rate is {recording.sfreq_hz:g} Hz, and mne-realtime's MockLSLStream "
            "would cut off what is no whole number; stream it without --through."
        )
    eeg = [n for n, kind in enumerate(recording.types) if kind == "EEG"]
    if not eeg:
        raise ChannelError(
            "The recording has no EEG channel, and mne-realtime's MockLSLStream is "
            "given nothing else; stream it without --through."
        )
    labels = [recording.labels[n] for n in eeg]
    info = mne.create_info(labels, recording.sfreq_hz, _CHANNEL_TYPE)
    volts = recording.samples[:, eeg].T.astype(np.float64) * 1e-6
    return mne.io.RawArray(volts, info, verbose="ERROR")


def mock_stream(source_id: str, raw: Any) -> Any:
    """Return a `MockLSLStream`, a context manager that streams from its own process.

    It also ends when the process that started it is gone, which the original does not.
    """
    parent = os.getpid()

    class Mortal(_mock_lsl_stream()):  # type: ignore[misc]
        def _initiate_stream(self) -> None:
            # Inherited from this process, where it only notes that the end is near.
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            threading.Thread(target=_end_after, args=(parent,), daemon=True).start()
            super()._initiate_stream()

    return Mortal(source_id, raw, _CHANNEL_TYPE)


def _mock_lsl_stream() -> Any:
    with warnings.catch_warnings():
        # That it is discontinued: said above, and to the user by the command.
        warnings.simplefilter("ignore", FutureWarning)
        from mne_realtime import MockLSLStream
    return MockLSLStream


def _end_after(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_AGAIN_S)
    os._exit(1)


def _await_visible(source_id: str, watch: Watch) -> None:
    t_end = time.monotonic() + _VISIBLE_S
    while not pylsl.resolve_byprop("source_id", source_id, 1, _LOOK_AGAIN_S):
        watch.check()
        if not time.monotonic() < t_end:
            raise StreamLost(
                "mne-realtime's MockLSLStream did not show up within "
                f"{_VISIBLE_S:g} s; stream the recording without --through."
            )


if __name__ == "__main__":
    main()
