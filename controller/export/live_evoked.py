"""The evoked response while it grows: mne-realtime's `RtEpochs` around our pulses.

mne-realtime 0.3.0 is its last release; for anything but `RtEpochs` its makers point to
mne-lsl, whose `StreamLSL` and `EpochsStream` take over where this stops working. Of
`RtEpochs` only iteration is used: its `get_data`, `average` and stopping of threads do
not work with today's MNE.
"""

import contextlib
import json
import math
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pylsl

from controller.config import LslSource
from controller.config_gate import Marker as MarkerRules
from controller.errors import MissingExtra, PhasegateError, SignalFault, StreamLost
from controller.export.pulse_line import PulseLine
from controller.export.signals import mne_kind_of
from controller.sources.lsl import FoundStream, find_stream
from controller.sources.markers import LslMarkers

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        import mne
        from mne_realtime import LSLClient, RtEpochs
except ImportError as _error:
    raise MissingExtra(
        "Live evoked responses need mne-realtime, which is not installed; install it "
        "with `pip install 'phasegate[io,realtime]'`."
    ) from _error

PULSES = "phasegate-pulses"
TRIGGER_CHANNEL = "pulse"
_BLOCK_S = 0.1
_PULL_S = 0.2
_BUFFER_S = 60
_JOIN_S = 5.0
_LOOK_S = 0.05


def is_pulse(text: str) -> bool:
    """Return whether a marker of phasegate tells of a pulse's first edge that left."""
    try:
        told = json.loads(text)
    except ValueError:
        return False
    if not isinstance(told, dict) or told.get("edge") != 0:
        return False
    return told.get("refusal") is None and told.get("system_error") is None


class PulseClient(LSLClient):  # type: ignore[misc]
    """An `LSLClient` whose last channel is a trigger line made of a marker stream.

    Where the parent spins and hands out empty buffers, this one waits for samples and
    hands out blocks of one length, which `RtEpochs` needs to count samples right.

    Parameters
    ----------
    source : controller.config.LslSource
        Which EEG.
    pulses : str
        Name of the marker stream; its stamps say when the pulses were.
    only : callable
        From a marker's text to whether it counts; `is_pulse` for phasegate's own.
    hold_s : float
        How long samples wait for their markers.
    linger_s : float
        How long samples are taken in after the end of the marker stream.

    Attributes
    ----------
    ended : threading.Event
        Set when the receiving thread ends, or shall end.
    error : PhasegateError or None
        Why the receiving thread ended.
    on_end : callable
        Called by that thread when it ends.
    """

    _recv_thread: threading.Thread | None

    def __init__(
        self,
        source: LslSource,
        *,
        pulses: str = PULSES,
        only: Callable[[str], bool] = is_pulse,
        hold_s: float = 0.25,
        linger_s: float = 2.0,
    ) -> None:
        super().__init__(host=source.source_id or source.name or "", verbose="ERROR")
        self._only = only
        self.ended = threading.Event()
        self._linger_s, self._t_end = linger_s, math.inf
        self.error: PhasegateError | None = None
        self.on_end: Callable[[], object] = lambda: None
        self._found: FoundStream = find_stream(source)
        told = self._found.description
        self.line = PulseLine(
            told.n_channels, told.sfreq_hz, block_s=_BLOCK_S, hold_s=hold_s
        )
        self._markers = LslMarkers(
            MarkerRules(stream=pulses, open=("open",), close=("close",))
        )

    def iter_raw_buffers(self) -> Iterator[Any]:
        """Yield blocks in volts with the trigger line, until the client is stopped.

        The end of the marker stream is the end of the session, and ends this too, once
        the samples after the last pulse have come.
        """
        scale = np.nan_to_num(self._found.description.scale_uv * 1e-6, nan=1.0)
        try:
            while not self.ended.is_set() and time.monotonic() < self._t_end:
                samples, stamps = self.client.pull_chunk(
                    timeout=_PULL_S, max_samples=4096, min_samples=1, as_numpy=True
                )
                self.line.add_pulses(self._new_pulses())
                if len(stamps):
                    volts = np.asarray(samples, np.float64) * scale
                    self.line.add_samples(volts, np.asarray(stamps, np.float64))
                yield from self.line.blocks()
        except PhasegateError as error:
            self.error = error
        except RuntimeError as error:  # pylsl's LostError is one
            self.error = StreamLost(f"The stream {self.host!r} was lost: {error}.")
        except ValueError as error:
            self.error = SignalFault(f"The stream {self.host!r} fails: {error}.")
        finally:
            # Also after a defect of ours: nobody shall wait for a thread that is gone.
            self.ended.set()
            self.on_end()

    def _new_pulses(self) -> list[float]:
        if self._t_end < math.inf:
            return []
        try:
            markers = self._markers.pull()
        except StreamLost:
            self._t_end = time.monotonic() + self._linger_s
            return []
        return [marker.t_stamp for marker in markers if self._only(marker.text)]

    def close(self) -> None:
        """End the receiving thread, and disconnect; as `stop`."""
        self.stop()

    def stop(self) -> "PulseClient":
        """End the receiving thread, and disconnect."""
        self.ended.set()
        if self._recv_thread is not None:
            self._recv_thread.join(_JOIN_S)
            self._recv_thread = None
        self._disconnect()
        return self

    def _connect(self) -> "PulseClient":
        self.client = pylsl.StreamInlet(
            self._found.stream,
            max_buflen=_BUFFER_S,
            recover=False,
            processing_flags=pylsl.proc_clocksync,
        )
        self.client.open_stream(_PULL_S * 10)
        return self

    def _create_info(self) -> "mne.Info":
        told = self._found.description
        kinds = [mne_kind_of(kind) for kind in told.channel_types]
        return mne.create_info(
            [*told.labels, TRIGGER_CHANNEL],
            told.sfreq_hz,
            [*kinds, "stim"],
            verbose="ERROR",
        )

    def _disconnect(self) -> None:
        self._markers.close()
        with contextlib.suppress(AttributeError):
            self.client.close_stream()


def live_evoked(
    source: LslSource,
    *,
    tmin_s: float = -0.1,
    tmax_s: float = 0.4,
    baseline_s: tuple[float | None, float | None] | None = (None, -0.01),
    reject_uv: float | None = None,
    pulses: str = PULSES,
    only: Callable[[str], bool] = is_pulse,
    silence_s: float = 60.0,
) -> Iterator["mne.EvokedArray"]:
    """Yield the average around the pulses so far, anew after every pulse.

    Run it beside the session, on the same machine, in a process of its own. Epochs
    with lost samples are left out. The iteration ends with the session.

    Parameters
    ----------
    source : controller.config.LslSource
        Which EEG.
    tmin_s, tmax_s : float
        From and to, relative to the sample nearest to the pulse.
    baseline_s : tuple or None
        As in MNE; the default ends before the pulse's artifact begins.
    reject_uv : float or None
        Epochs whose EEG moves by more, peak to peak, are left out.
    pulses : str
        Name of the marker stream.
    only : callable
        From a marker's text to whether it counts; `is_pulse` for phasegate's own.
    silence_s : float
        It ends also after so long without a pulse.

    Yields
    ------
    mne.EvokedArray
        `nave` says how many epochs are in it.

    Raises
    ------
    MissingExtra
        At import, if mne-realtime is not installed.
    StreamNotFound, StreamAmbiguous, StreamLost, SignalFault
        What became of the stream.

    Examples
    --------
    >>> for evoked in live_evoked(LslSource(kind="lsl", type="EEG")):  # doctest: +SKIP
    ...     print(evoked.nave, evoked.get_peak())
    """
    client = PulseClient(source, pulses=pulses, only=only, linger_s=tmax_s + 1.0)
    with mne.use_log_level("ERROR"), contextlib.redirect_stdout(None):
        client.start()
    with contextlib.closing(client):
        epochs = RtEpochs(
            client,
            {"pulse": 1},
            tmin_s,
            tmax_s,
            stim_channel=TRIGGER_CHANNEL,
            sleep_time=_LOOK_S,
            baseline=baseline_s,
            picks=mne.pick_types(client.info, eeg=True),
            reject=None if reject_uv is None else {"eeg": reject_uv * 1e-6},
            isi_max=silence_s,
            verbose="ERROR",
        )
        client.on_end = lambda: epochs.stop(stop_receive_thread=False)
        epochs.start()
        try:
            if _first_epoch_came(client, epochs, silence_s):
                yield from _averages(client, epochs)
        finally:
            epochs.stop(stop_receive_thread=False)
    if client.error is not None:
        raise client.error


def _first_epoch_came(client: PulseClient, epochs: Any, silence_s: float) -> bool:
    """Wait for it; `RtEpochs` itself would wait for ever."""
    t_end = time.monotonic() + silence_s
    while time.monotonic() < t_end and not client.ended.is_set():
        if len(epochs.events):
            return True
        time.sleep(_LOOK_S)
    return False


def _averages(client: PulseClient, epochs: Any) -> Iterator["mne.EvokedArray"]:
    total, n_epochs = 0.0, 0
    for evoked in _until_ended(client, epochs.iter_evoked()):
        if not np.isfinite(evoked.data).all():
            continue
        total, n_epochs = total + evoked.data, n_epochs + 1
        yield mne.EvokedArray(
            total / n_epochs,
            evoked.info,
            tmin=evoked.tmin,
            nave=n_epochs,
            comment="pulse",
            verbose="ERROR",
        )


def _until_ended(client: PulseClient, evokeds: Iterator[Any]) -> Iterator[Any]:
    """End where the client has; `RtEpochs` complains that nothing comes any more."""
    while True:
        try:
            with mne.use_log_level("ERROR"):
                evoked = next(evokeds)
        except StopIteration:
            return
        except RuntimeError:
            if not client.ended.is_set():
                raise
            return
        yield evoked
