import contextlib
import time

import numpy as np
import pylsl
import pytest
from session_rows import block, decision, edge, stream

from controller.engine.clock import host_clock
from controller.errors import RecordingError
from controller.session.load import load_session
from controller.session.recording.ring_recorder import message_of
from controller.session.recording.rings import RecorderState, create_rings, open_rings
from controller.session.recording.running_recorder import (
    STALL_S,
    UNSYNCED_S,
    RunningRecorder,
)
from controller.session.recording.streams import stream_as_dict
from controller.sources.network import configure_lsl


@pytest.fixture
def rings(folder, tmp_path):
    directory = tmp_path / "memory"
    directory.mkdir()
    return create_rings(
        4,
        n_samples=256,
        header={
            "folder": str(folder.path.resolve()),
            "stream": stream_as_dict(stream()),
        },
        directory=directory,
    )


@pytest.fixture
def healthy(rings):
    """Return a recorder that says that all is well at 50 s."""
    words = rings.recorder[0]
    words["state"] = RecorderState.RECORDING
    words["t_beat"] = words["t_synced"] = 50.0
    words["n_synced_samples"] = 10
    words["free_bytes"] = 10**9
    return RunningRecorder(rings)


def test_a_recorder_that_is_well_may_be_armed(healthy):
    healthy.check(50.0 + STALL_S)
    healthy.check_ready(50.0, n_bytes_needed=10**9)


@pytest.mark.parametrize(
    ("word", "value", "t_now", "said"),
    [
        ("t_beat", 49.9, 50.0 + STALL_S, "written nothing for 1.1 s"),
        ("t_beat", np.nan, 50.0, "written nothing"),
        ("t_synced", 49.9 - UNSYNCED_S, 50.0, "disk has kept nothing for 10 s"),
        ("trouble", b"Only 30 MB are left.", 50.0, "Only 30 MB are left."),
        ("state", RecorderState.FAILED, 50.0, "ended by itself"),
    ],
)
def test_trouble_is_a_sentence(rings, healthy, word, value, t_now, said):
    rings.recorder[word] = value
    with pytest.raises(RecordingError, match=said):
        healthy.check(t_now)


@pytest.mark.parametrize(
    ("word", "value", "said"),
    [
        ("n_synced_samples", 0, "Nothing of the session has reached the disk"),
        ("free_bytes", 10**9 - 1, "needs about 1.00 GB and 1.00 GB are free"),
        ("n_further_missing", 1, "1 of the streams in"),
    ],
)
def test_what_forbids_arming_is_a_sentence(rings, healthy, word, value, said):
    rings.recorder[word] = value
    with pytest.raises(RecordingError, match=said):
        healthy.check_ready(50.0, n_bytes_needed=10**9)


def test_a_first_sync_between_two_looks_at_its_words_is_no_trouble(rings, healthy):
    class Words(dict):
        """The recorder syncs for the first time once somebody has read a word of it."""

        def __getitem__(self, name):
            value = super().__getitem__(name)
            if name in ("t_synced", "n_synced_samples"):
                self.update(t_synced=50.0, n_synced_samples=10)
            return value

    words = {name: rings.recorder[name][0] for name in rings.recorder.dtype.names}
    healthy._words = Words(words | {"t_synced": 0.0, "n_synced_samples": 0})
    healthy.check(50.0)


def test_events_that_find_no_place_are_counted(rings, healthy):
    for _ in range(3):
        healthy.event("long", text="x" * 400_000)
    assert healthy.n_lost_events == 1
    assert len(rings.messages.take()) == 2


def test_news_is_taken_once(rings, healthy):
    rings.news.put(message_of(0, "stream lost", {"sentence": "It was lost."}))
    assert healthy.news() == ["It was lost."]
    assert healthy.news() == []


@contextlib.contextmanager
def recording(rings):
    recorder = RunningRecorder(rings)
    recorder.start()
    try:
        yield recorder
    finally:
        recorder.close()


def until(holds, timeout_s=30.0):
    t_end = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < t_end
        time.sleep(0.01)


@pytest.mark.slow
def test_the_process_records_and_finishes(folder, rings):
    samples, raw = block()
    with recording(rings) as recorder:
        telemetry = rings.telemetry
        telemetry.samples[:50], telemetry.raw[:50] = samples, raw
        telemetry.decisions[:1], telemetry.edges[:1] = decision(1), edge(1)
        telemetry.heads[:] = 50, 1, 1
        recorder.event("armed", t=1.0)
        until(lambda: recorder.n_synced_samples == 50)
        recorder.check(host_clock())
        assert recorder.close()
    session = load_session(folder.path)
    np.testing.assert_array_equal(session.raw, raw)
    assert session.notes == ()
    assert session.events[-1] == {
        "kind": "event",
        "event": "armed",
        "t": 1.0,
        "number": 1,
    }


@pytest.mark.slow
def test_a_second_session_in_the_same_folder_is_refused(folder, rings):
    with recording(rings):
        again = open_rings(rings.path)
        again.recorder["state"] = RecorderState.STARTING
        with pytest.raises(RecordingError, match="cannot be made: file exists"):
            RunningRecorder(again).start()
        rings.recorder["state"] = RecorderState.RECORDING


@pytest.mark.lsl
@pytest.mark.slow
def test_markers_on_the_network_are_recorded(folder, tmp_path):
    pyxdf = pytest.importorskip("pyxdf")
    configure_lsl(local_only=True)
    info = pylsl.StreamInfo("task", "Markers", 1, 0.0, "string", "task-42")
    outlet = pylsl.StreamOutlet(info)
    rings = create_rings(
        4,
        n_samples=256,
        header={
            "folder": str(folder.path.resolve()),
            "stream": stream_as_dict(stream()),
            "further": [{"marks": {"source_id": "task-42"}, "needed": True}],
        },
        directory=tmp_path,
    )
    with recording(rings) as recorder:
        assert rings.recorder["n_further_missing"][0] == 1
        until(lambda: rings.recorder["n_further_missing"][0] == 0)
        until(outlet.have_consumers)
        stamps = [pylsl.local_clock() + k for k in range(3)]
        for k, stamp in enumerate(stamps):
            outlet.push_sample([f"go {k}"], stamp)
        until(lambda: rings.recorder["n_further_samples"][0] == 3)
        assert "it is recorded" in recorder.news()[0]
        assert recorder.close()
    streams, _ = pyxdf.load_xdf(folder.path / "eeg.xdf", dejitter_timestamps=False)
    (task,) = (one for one in streams if one["info"]["name"] == ["task"])
    assert task["time_series"] == [["go 0"], ["go 1"], ["go 2"]]
    np.testing.assert_allclose(task["time_stamps"], stamps, atol=2e-3)
