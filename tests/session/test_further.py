import dataclasses

import numpy as np
import pytest
from session_rows import NO_DECISIONS, NO_EDGES, block, stream

from controller.session.further import CONNECTED, LOST
from controller.session.load import load_session
from controller.session.recording.recorder import SessionRecorder
from controller.session.salvage import salvage
from controller.sources.further import (
    Block,
    Connected,
    FurtherChannel,
    Item,
    Lost,
    Offset,
)

EMG = Connected(
    name="EMG",
    kind="EMG",
    source_id="emg-1",
    hostname="other",
    sfreq_hz=2000.0,
    sample_format="int16",
    channels=(
        FurtherChannel(label="FDI", unit="microvolts", kind="EMG"),
        FurtherChannel(label="APB", unit="microvolts", kind="EMG"),
    ),
)
MARKERS = dataclasses.replace(
    EMG,
    name="task",
    kind="Markers",
    sfreq_hz=0.0,
    sample_format="string",
    channels=(FurtherChannel(label="1", unit="", kind=""),),
)


class Stream:
    """A further stream, by hand."""

    words = "name 'it'"

    def __init__(self, *, needed=True):
        self.needed = needed
        self.n_lost = 0
        self.items: list[Item] = []

    def take(self):
        taken, self.items = self.items, []
        return taken


class Scene:
    def __init__(self, folder, n_streams):
        self.folder = folder
        self.streams = [Stream() for _ in range(n_streams)]
        self.told = []
        self.recorder = SessionRecorder(folder, stream(), t_now=100.0)
        self.further = self.recorder.recording_further(
            self.streams,
            tell=lambda kind, fields: self.told.append((kind, fields["sentence"])),
            clock=lambda: 100.0,
        )

    def xdf(self):
        pyxdf = pytest.importorskip("pyxdf")
        path = self.folder.path / "eeg.xdf"
        streams, _ = pyxdf.load_xdf(path, dejitter_timestamps=False)
        return {one["info"]["source_id"][0]: one for one in streams}


def numbers(start, n=10):
    values = np.arange(2 * start, 2 * (start + n), dtype=np.int16).reshape(n, 2)
    return Block(stamps=500.0 + np.arange(start, start + n) / 2000.0, values=values)


def test_numbers_and_texts_come_back_on_the_hosts_clock(folder):
    scene = Scene(folder, 2)
    emg, markers = scene.streams
    assert scene.further.n_missing == 2
    emg.items = [EMG, Offset(t=100.0, offset_s=-400.0), numbers(0), numbers(10)]
    markers.items = [
        dataclasses.replace(MARKERS, source_id="task-1"),
        Block(stamps=np.array([100.5, 100.7]), values=["go", "stöp"]),
    ]
    scene.recorder.append(*block(), NO_DECISIONS, NO_EDGES)
    assert scene.further.turn()
    assert not scene.further.turn()
    scene.recorder.append(*block(at=50), NO_DECISIONS, NO_EDGES)
    scene.recorder.close()

    assert (scene.further.n_missing, scene.further.n_samples) == (0, 22)
    assert [kind for kind, _ in scene.told] == [CONNECTED, CONNECTED]
    found = scene.xdf()
    assert found["emg-1"]["time_series"].tolist() == numbers(0, 20).values.tolist()
    np.testing.assert_allclose(
        found["emg-1"]["time_stamps"], 100.0 + np.arange(20) / 2000.0, atol=1e-9
    )
    assert found["task-1"]["time_series"] == [["go"], ["stöp"]]
    # Ours says that its clock is the host's, and is not moved.
    assert found["amp-1"]["time_stamps"][0] == 100.0


def test_a_stream_that_is_lost_is_told_and_comes_back_as_a_further_one(folder):
    scene = Scene(folder, 1)
    (emg,) = scene.streams
    emg.items = [EMG, numbers(0), Lost(words="it was lost (no answer)")]
    scene.further.turn()
    assert scene.further.n_missing == 1
    assert scene.told[-1] == (
        LOST,
        "The stream with name 'it': it was lost (no answer).",
    )
    emg.items = [dataclasses.replace(EMG, source_id="emg-2"), numbers(10)]
    scene.further.turn()
    scene.recorder.close()
    assert scene.further.n_missing == 0
    found = scene.xdf()
    assert len(found["emg-1"]["time_stamps"]) == 10
    assert found["emg-2"]["time_series"].tolist() == numbers(10).values.tolist()


def test_samples_that_found_no_place_are_counted_and_told_once(folder):
    scene = Scene(folder, 1)
    scene.streams[0].items = [EMG]
    scene.further.turn()
    scene.streams[0].n_lost = 7
    scene.further.turn()
    scene.further.turn()
    assert [words for kind, words in scene.told if kind == LOST] == [
        "The stream with name 'it': 7 of its samples found no place."
    ]


def test_streams_that_are_not_needed_are_not_missing(folder):
    scene = Scene(folder, 2)
    scene.streams[0].needed = False
    assert scene.further.n_missing == 1


def test_a_stream_named_like_ours_stands_in_nobodys_way(folder):
    scene = Scene(folder, 1)
    scene.streams[0].items = [dataclasses.replace(EMG, name="EEG"), numbers(0)]
    scene.further.turn()
    samples, raw = block()
    scene.recorder.append(samples, raw, NO_DECISIONS, NO_EDGES)
    np.testing.assert_array_equal(load_session(folder.path).raw, raw)
    # Also where the recorder was killed and its files are finished later.
    assert not salvage(folder, None, t_now=1.0).was_finished
    session = load_session(folder.path)
    np.testing.assert_array_equal(session.raw, raw)
    assert session.notes == ()
