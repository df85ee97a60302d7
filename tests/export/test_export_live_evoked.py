"""The average around pulses over real LSL; samples and pulses carry their own time."""

import json
import threading
import time
import uuid

import numpy as np
import pylsl
import pytest

from controller.config import LslSource
from controller.core.records import EDGE
from controller.errors import StreamLost, StreamNotFound
from controller.kernels.jit import new_records
from controller.safety.interlock import Refusal
from controller.sources.network import configure_lsl
from controller.sources.pulse_outlet import edge_marker

pytest.importorskip("mne_realtime")
configure_lsl(local_only=True)

from controller.export import live_evoked as module  # noqa: E402 - after LSL is told
from controller.export.live_evoked import is_pulse, live_evoked  # noqa: E402

pytestmark = [pytest.mark.lsl, pytest.mark.timeout(60)]

RATE_HZ = 200.0
PULSES = (400, 520, 700, 905)
N_SAMPLES = 1400


def response(n=N_SAMPLES):
    """Every pulse evokes 12 uV for 50 ms, and a constant lies under it."""
    volts = np.full(n, 5.0)
    for pulse in PULSES:
        volts[pulse : pulse + 10] += 12.0
    return volts


class Amplifier:
    """Outlets of EEG and of pulses, and a thread that sends when somebody listens."""

    def __init__(self, keep=slice(None)):
        self.source_id = f"test-{uuid.uuid4().hex}"
        self.pulses = f"pulses-{uuid.uuid4().hex}"
        self.keep = keep
        info = pylsl.StreamInfo("amp", "EEG", 2, RATE_HZ, "float32", self.source_id)
        channels = info.desc().append_child("channels")
        for label in ("Cz", "Pz"):
            channel = channels.append_child("channel")
            channel.append_child_value("label", label)
            channel.append_child_value("unit", "microvolts")
            channel.append_child_value("type", "EEG")
        marks = pylsl.StreamInfo(self.pulses, "Markers", 1, 0.0, "string", self.pulses)
        self.eeg, self.marks = pylsl.StreamOutlet(info), pylsl.StreamOutlet(marks)
        self.source = LslSource(kind="lsl", source_id=self.source_id)
        self.t_start = pylsl.local_clock()
        self.closing = threading.Event()
        self.thread = threading.Thread(target=self._send, daemon=True)
        self.thread.start()

    def _send(self):
        if not self._listened_to(self.eeg):
            return
        stamps = self.t_start + np.arange(N_SAMPLES) / RATE_HZ
        samples = np.stack([response(), np.zeros(N_SAMPLES)], axis=1)
        # Markers are on the way first; the samples of a second make the client look.
        if not self._listened_to(self.marks):
            return
        for pulse in PULSES:
            for edge in (0, 1):
                marker = {"decision": pulse, "edge": edge, "refusal": None}
                self.marks.push_sample([json.dumps(marker)], stamps[pulse + edge])
        rows = np.arange(N_SAMPLES)[self.keep]
        for part in np.array_split(rows, 40):
            for row in part:
                self.eeg.push_sample(samples[row].tolist(), stamps[row])
            time.sleep(0.01)

    def _listened_to(self, outlet):
        """Wait for a listener, but not beyond the end of the test."""
        while not self.closing.is_set():
            if outlet.wait_for_consumers(0.2):
                return True
        return False

    def close(self):
        self.closing.set()
        self.thread.join(30.0)
        self.eeg = self.marks = None


@pytest.fixture
def amplifier(request):
    amplifier = Amplifier(**getattr(request, "param", {}))
    yield amplifier
    amplifier.close()


def averages(amplifier, **changed):
    arguments = {"tmin_s": -0.1, "tmax_s": 0.1, "silence_s": 2.0, **changed}
    return list(live_evoked(amplifier.source, pulses=amplifier.pulses, **arguments))


def test_the_average_grows_with_every_pulse(amplifier):
    found = averages(amplifier)
    assert [evoked.nave for evoked in found] == [1, 2, 3, 4]
    last = found[-1]
    assert last.ch_names == ["Cz", "Pz"]
    wanted = np.where((last.times > -1e-9) & (last.times < 0.05 - 1e-9), 12e-6, 0.0)
    np.testing.assert_allclose(last.data[0], wanted, atol=1e-11)
    np.testing.assert_allclose(last.data[1], 0.0, atol=1e-11)


def test_only_the_markers_that_are_meant_count(amplifier):
    found = averages(amplifier, only=lambda t: is_pulse(t) and '": 520' not in t)
    assert [evoked.nave for evoked in found] == [1, 2, 3]


@pytest.mark.parametrize(
    "amplifier",
    [{"keep": np.r_[0:525, 540:N_SAMPLES]}],
    indirect=True,
    ids=["gap"],
)
def test_epochs_with_lost_samples_are_left_out(amplifier):
    found = averages(amplifier)
    assert [evoked.nave for evoked in found] == [1, 2, 3]
    after = found[-1].data[0][found[-1].times > 0.055]
    np.testing.assert_allclose(after, 0.0, atol=1e-11)


def test_a_stream_that_is_lost_is_told(amplifier, monkeypatch):
    iterator = live_evoked(
        amplifier.source, pulses=amplifier.pulses, tmax_s=0.1, silence_s=30.0
    )
    assert next(iterator).nave == 1

    monkeypatch.setattr(module.LslMarkers, "pull", lambda _markers: [])

    def lost(*_arguments, **_more):
        raise RuntimeError("gone")

    monkeypatch.setattr(pylsl.StreamInlet, "pull_chunk", lost)
    with pytest.raises(StreamLost, match=amplifier.source_id):
        list(iterator)


def test_the_end_of_the_session_ends_the_iteration(amplifier, monkeypatch):
    pull = module.LslMarkers.pull
    n_pulled = 0

    def pull_until_all_came(markers):
        nonlocal n_pulled
        found = pull(markers)
        if not found and n_pulled == 2 * len(PULSES):
            raise StreamLost("gone")
        n_pulled += len(found)
        return found

    monkeypatch.setattr(module.LslMarkers, "pull", pull_until_all_came)
    found = averages(amplifier, silence_s=50.0)
    assert found[-1].nave >= 1


def test_a_defect_of_the_thread_does_not_hang(amplifier, monkeypatch):
    defects = []

    def broken(*_arguments, **_more):
        raise ZeroDivisionError

    monkeypatch.setattr(threading, "excepthook", defects.append)
    monkeypatch.setattr(module.PulseLine, "blocks", broken)
    assert averages(amplifier, silence_s=50.0) == []
    assert [told.exc_type for told in defects] == [ZeroDivisionError]


def test_leaving_early_ends_the_thread(amplifier):
    for _ in live_evoked(amplifier.source, pulses=amplifier.pulses, tmax_s=0.1):
        break
    names = [thread.name for thread in threading.enumerate()]
    assert not any("_buffer_recv_worker" in name for name in names)


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        ({}, True),
        ({"edge": 1, "rises": 0}, False),
        ({"refusal": Refusal.TOO_LATE}, False),
        ({"system_error": 5}, False),
    ],
    ids=["first", "falling", "refused", "failed"],
)
def test_only_a_pulse_that_left_counts(fields, counts):
    edge = new_records(EDGE)[0]
    for name, value in {"rises": 1, **fields}.items():
        edge[name] = value
    assert is_pulse(edge_marker(edge)) is counts


@pytest.mark.parametrize("text", ["pulse", "7", "[]", '{"trial": 1}'])
def test_markers_of_others_do_not_count(text):
    assert is_pulse(text) is False


def test_no_such_stream_is_one_sentence():
    source = LslSource(kind="lsl", source_id="nobody", resolve_timeout_s=0.5)
    with pytest.raises(StreamNotFound, match="nobody"):
        next(module.live_evoked(source))
