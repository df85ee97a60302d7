import os

import numpy as np
import pytest
from session_rows import block, decision, edge, stream

from controller.core.reasons import Outcome
from controller.errors import FileError, RecordingError
from controller.safety.interlock import Refusal
from controller.session.load import load_session
from controller.session.recording.process_marks import started_ticks
from controller.session.recording.recorder import SessionRecorder
from controller.session.recording.ring_recorder import (
    LEAST_FREE_BYTES,
    RingRecorder,
    message_of,
)
from controller.session.recording.rings import RecorderState, create_rings, rings_of
from controller.session.recover import recover
from controller.session.salvage import salvage
from controller.session.xdf_reader import read_xdf


class Killed(BaseException):
    """Ends a recorder in the middle of whatever it does."""


class Disk:
    """Takes everything, until so many bytes later the recorder is killed."""

    def __init__(self):
        self.left = np.inf

    def write(self, descriptor, piece):
        if len(piece) <= self.left:
            self.left -= len(piece)
            return os.write(descriptor, piece)
        os.write(descriptor, piece[: int(self.left)])
        raise Killed


class Scene:
    """A loop that writes rows, and the recorder's turns."""

    def __init__(self, folder, directory):
        self.folder = folder
        self.directory = directory
        self.disk = Disk()
        self.free_bytes = 10**12
        self.t = 100.0
        header = {"folder": str(folder.path.resolve())}
        self.rings = create_rings(4, n_samples=256, header=header, directory=directory)
        self.rings.controller["closing"] = 1
        self.n = dict.fromkeys(("samples", "decisions", "edges", "messages"), 0)
        self.raw = []
        recorder = SessionRecorder(
            folder, stream(), t_now=self.t, write=self.disk.write
        )
        self.recorder = RingRecorder(
            self.rings, recorder, clock=self.clock, free_bytes=lambda: self.free_bytes
        )

    def clock(self):
        self.t += 0.01
        return self.t

    def put(self, ring, name, rows):
        for row in rows:
            ring[self.n[name] % len(ring)] = row
            self.n[name] += 1

    def loop(self, n_samples=20, n_pulses=1):
        telemetry = self.rings.telemetry
        samples, raw = block(n_samples, at=self.n["samples"])
        self.raw.append(raw)
        at = self.n["samples"]
        for row in raw:
            telemetry.raw[at % len(telemetry.raw)] = row
            at += 1
        self.put(telemetry.samples, "samples", samples)
        for _ in range(n_pulses):
            number = self.n["decisions"]
            outcome = Outcome.PLANNED if number % 2 else Outcome.HELD
            self.put(telemetry.decisions, "decisions", decision(number, outcome))
            if outcome is Outcome.PLANNED:
                refusal = Refusal.NONE if number % 4 == 1 else Refusal.TOO_LATE
                self.put(telemetry.edges, "edges", edge(number, refusal))
        telemetry.heads[:] = [self.n[k] for k in ("samples", "decisions", "edges")]
        self.n["messages"] += 1
        number = self.n["messages"]
        message = message_of(number, "marker", {"t": self.t, "text": f"ä{number}"})
        assert self.rings.messages.put(message)

    def go_on(self):
        for _ in range(9):
            self.recorder.turn()
            self.loop(n_pulses=2)

    def assert_all_there(self):
        session = load_session(self.folder.path)
        assert session.notes == ()
        np.testing.assert_array_equal(session.raw, np.concatenate(self.raw))
        expected = 100.0 + np.arange(self.n["samples"]) / 1000
        np.testing.assert_array_equal(session.samples["t_sample"], expected)
        n = self.n["decisions"]
        assert session.decisions["decision"].tolist() == list(range(n))
        streams = read_xdf(self.folder.path / "eeg.xdf").streams
        in_file = streams["phasegate-decisions"].values[:, 0].tolist()
        assert in_file == session.decisions["decision"].tolist()
        planned = list(range(1, n, 2))
        assert session.pulses["decision"].tolist() == planned
        assert session.edges["decision"].tolist() == planned
        assert len(streams["phasegate-pulses"].texts) == len(range(1, n, 4))
        numbers = [e["number"] for e in session.events if e["event"] == "marker"]
        assert numbers == list(range(1, self.n["messages"] + 1))
        return session


@pytest.fixture
def scene(folder, tmp_path):
    directory = tmp_path / "memory"
    directory.mkdir()
    return Scene(folder, directory)


def test_what_the_loop_writes_is_recorded_and_its_place_freed(scene):
    for _ in range(30):
        scene.loop()
        assert scene.recorder.turn()
        assert scene.rings.is_empty
    assert not scene.recorder.turn()
    words = scene.rings.recorder[0]
    assert words["n_samples"] == 600
    assert words["n_synced_samples"] == 0
    told = []

    def clock():
        told.append(int(words["n_synced_samples"]))
        return scene.clock()

    scene.recorder._clock = clock
    scene.recorder.sync()
    # Whoever finds samples kept also finds when: the time is written first.
    assert told == [0]
    assert words["n_synced_samples"] == 600
    assert words["n_synced_bytes"] == words["n_bytes"] > 0
    scene.recorder.finish()
    assert words["state"] == RecorderState.FINISHED
    session = scene.assert_all_there()
    assert "recovered" not in [one["event"] for one in session.events]


def test_turns_tell_how_far_they_are(scene):
    words = scene.rings.recorder[0]
    scene.recorder.turn()
    t_first = float(words["t_beat"])
    scene.recorder.turn()
    assert words["t_beat"] > t_first
    assert words["longest_turn_s"] == pytest.approx(0.01)
    assert words["free_bytes"] == 10**12
    assert words["trouble"] == b""


@pytest.mark.parametrize(
    ("n_free", "trouble"), [(LEAST_FREE_BYTES, False), (LEAST_FREE_BYTES - 1, True)]
)
def test_a_disk_that_fills_up_is_told_while_there_is_room(scene, n_free, trouble):
    scene.free_bytes = n_free
    scene.loop()
    scene.recorder.turn()
    said = scene.rings.recorder["trouble"][0].decode()
    assert bool(said) is trouble
    if trouble:
        assert said.startswith("Only 34 MB are left on the disk of ")
    scene.recorder.finish()
    scene.assert_all_there()


KILLED_AFTER = [0, 1, 9, 40, 700, 1500, 1900, 2200, 2600, 3000, 3300, 3600, 4000, 6000]


@pytest.mark.parametrize("n_bytes", KILLED_AFTER)
def test_recorder_that_is_killed_in_the_middle_of_a_piece(scene, n_bytes):
    scene.loop(n_pulses=5)
    scene.recorder.turn()
    scene.disk.left = n_bytes
    scene.loop(n_pulses=6)
    with pytest.raises(Killed):
        scene.go_on()
    scene.loop(n_pulses=1)

    found = recover(scene.folder.path, t_now=500.0, directory=scene.directory)

    session = scene.assert_all_there()
    assert session.events[-1]["event"] == "recovered"
    assert session.events[-1]["n_samples"] == found.n_samples > 0
    assert list(rings_of(scene.folder.path, scene.directory)) == []
    again = recover(scene.folder.path, t_now=501.0, directory=scene.directory)
    assert again.was_finished


@pytest.mark.parametrize("n_bytes", [40, 1500, 3000])
def test_memory_that_is_gone_costs_only_what_was_in_it(scene, n_bytes):
    scene.loop(n_pulses=5)
    scene.recorder.turn()
    scene.disk.left = n_bytes
    scene.loop(n_pulses=6)
    with pytest.raises(Killed):
        scene.recorder.turn()
    scene.rings.remove()

    recover(scene.folder.path, t_now=500.0, directory=scene.directory)

    session = load_session(scene.folder.path)
    n = len(session.samples)
    assert n >= 20
    np.testing.assert_array_equal(session.raw, np.concatenate(scene.raw)[:n])
    streams = read_xdf(scene.folder.path / "eeg.xdf").streams
    in_file = streams["phasegate-decisions"].values[:, 0].tolist()
    assert in_file == session.decisions["decision"].tolist()


def test_decisions_that_only_the_log_kept_come_back(scene):
    """A loss of power may cost the one file more than the other."""
    scene.loop(n_pulses=4)
    scene.recorder.turn()
    whole = (scene.folder.path / "eeg.xdf").read_bytes()
    scene.loop(n_pulses=4)
    scene.recorder.turn()
    (scene.folder.path / "eeg.xdf").write_bytes(whole)
    found = salvage(scene.folder, scene.rings, t_now=500.0)
    assert found.n_lost_samples == 20
    streams = read_xdf(scene.folder.path / "eeg.xdf").streams
    assert streams["phasegate-decisions"].values[:, 0].tolist() == list(range(8))


def test_what_was_torn_is_kept_beside(scene):
    scene.loop()
    scene.recorder.turn()
    path = scene.folder.path / "eeg.xdf"
    with path.open("ab") as file:
        file.write(b"\x04\xff\xff\xff\x00half a chunk")
    found = recover(path, t_now=0.0)
    assert found.n_cut_bytes == 17
    assert path.with_name("eeg.xdf.torn").read_bytes().endswith(b"half a chunk")
    assert recover(path, t_now=0.0).was_finished


def test_session_that_is_still_recorded_is_left_alone(scene):
    scene.rings.recorder["pid"] = os.getpid()
    scene.rings.recorder["ticks"] = started_ticks(os.getpid())
    with pytest.raises(RecordingError, match="still being written, its recorder runs"):
        recover(scene.folder.path, t_now=0.0, directory=scene.directory)


def test_folder_that_is_no_session_is_refused(tmp_path):
    with pytest.raises(FileError, match="neither a session folder nor an XDF file"):
        recover(tmp_path, t_now=0.0)
    (tmp_path / "x.xdf").write_bytes(b"RIFF")
    with pytest.raises(FileError, match="not an XDF file"):
        recover(tmp_path / "x.xdf", t_now=0.0)
