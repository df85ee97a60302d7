import errno
import json
import os
import re
import time

import numpy as np
import pytest
from session_rows import NO_DECISIONS, NO_EDGES, block, decision, edge, stream

from controller.core.reasons import HoldReason, Outcome
from controller.core.records import DECISION, EDGE, SAMPLE
from controller.errors import FileError, RecordingError
from controller.safety.interlock import Refusal
from controller.session.folder import bytes_needed
from controller.session.load import load_session
from controller.session.recording.recorder import SessionRecorder


def test_room_is_estimated_from_what_a_session_really_takes(folder):
    recorder = SessionRecorder(folder, stream(64), t_now=100.0)
    n_header = recorder.n_bytes
    for k in range(20):
        samples, raw = block(50, 64, 50 * k)
        rows = NO_DECISIONS if k % 2 else decision(k, Outcome.HELD)
        recorder.append(samples, raw, rows, NO_EDGES)
    n_bytes = recorder.n_bytes - n_header
    margin = bytes_needed(sfreq_hz=1000, n_channels=64, duration_s=0)
    estimate = bytes_needed(sfreq_hz=1000, n_channels=64, duration_s=1.0) - margin
    assert estimate >= n_bytes >= 0.8 * estimate
    recorder.close()


def test_a_session_comes_back(folder):
    recorder = SessionRecorder(folder, stream(), t_now=100.0)
    recorder.event("armed", t=100.0)
    blocks = [block(n, at=at) for n, at in ((50, 0), (0, 50), (7, 50))]
    rows = [decision(1), NO_DECISIONS, decision(2, Outcome.HELD, holds=HoldReason.BUSY)]
    edges = [NO_EDGES, edge(1), edge(1, rises=0)]
    for (samples, raw), decisions, due in zip(blocks, rows, edges, strict=True):
        recorder.append(samples, raw, decisions, due)
    recorder.close()
    folder.write_design({"mixing": np.eye(4), "output_latency_s": 0.001})

    session = load_session(folder.path)

    assert session.notes == ()
    assert session.stream.labels == ("E0", "E1", "E2", "E3")
    expected = np.concatenate([samples for samples, _ in blocks])
    for name in SAMPLE.names:
        np.testing.assert_array_equal(session.samples[name], expected[name])
    np.testing.assert_array_equal(
        session.raw, np.concatenate([raw for _, raw in blocks])
    )
    assert session.raw.dtype == np.float32
    assert session.decisions["decision"].tolist() == [1, 2]
    assert session.pulses["decision"].tolist() == [1]
    assert session.edges.dtype == EDGE
    assert session.edges.tolist() == np.concatenate(edges).tolist()
    assert session.events[0]["stream"] == "amplifier"
    assert session.events[1:] == [{"kind": "event", "event": "armed", "t": 100.0}]
    assert session.design["output_latency_s"] == 0.001
    assert session.summary is None
    assert session.config_text == "title = 'x'\n"


def test_pulses_are_markers_in_the_eeg_file(folder):
    pyxdf = pytest.importorskip("pyxdf")
    recorder = SessionRecorder(folder, stream(), t_now=100.0)
    both = np.concatenate([decision(1), decision(2)])
    due = np.concatenate([edge(1), edge(2, Refusal.TOO_LATE)])
    recorder.append(*block(), both, due)
    recorder.close()
    streams, _ = pyxdf.load_xdf(folder.path / "eeg.xdf")
    marks = next(s for s in streams if s["info"]["name"] == ["phasegate-pulses"])
    assert marks["info"]["type"] == ["Markers"]
    np.testing.assert_allclose(marks["time_stamps"], [101.01002], atol=1e-9)
    assert json.loads(marks["time_series"][0][0])["decision"] == 1


def test_decisions_are_a_stream_of_their_own(folder):
    pyxdf = pytest.importorskip("pyxdf")
    recorder = SessionRecorder(folder, stream(), t_now=100.0)
    recorder.append(*block(), decision(7, Outcome.HELD, sd_rad=np.pi), NO_EDGES)
    recorder.close()
    streams, _ = pyxdf.load_xdf(folder.path / "eeg.xdf")
    (rows,) = (s for s in streams if s["info"]["name"] == ["phasegate-decisions"])
    labels = [
        channel["label"][0]
        for channel in rows["info"]["desc"][0]["channels"][0]["channel"]
    ]
    assert labels == list(DECISION.names)
    row = dict(zip(labels, rows["time_series"][0], strict=True))
    assert (row["decision"], row["sd_rad"]) == (7, np.pi)
    assert row["outcome"] == Outcome.HELD


def test_sessions_from_before_edges_were_recorded_have_none(folder, monkeypatch):
    names = "controller.session.recording.recorder.EDGE_STREAM", "something else"
    monkeypatch.setattr(*names)
    SessionRecorder(folder, stream(), t_now=100.0).close()
    assert load_session(folder.path).edges is None


def test_a_line_that_stayed_up_is_an_event(folder):
    recorder = SessionRecorder(folder, stream(), t_now=100.0)
    failed = edge(1, Refusal.OUTPUT_FAILED, rises=0, system_error=errno.EIO)
    recorder.append(*block(), NO_DECISIONS, failed)
    recorder.close()
    *_, event = load_session(folder.path).events
    assert event["event"] == "trigger not ended"
    assert event["refusal"] == "OUTPUT_FAILED"
    assert event["system_error"] == errno.EIO


def test_full_disk_mid_run_leaves_a_session_that_opens(folder):
    room = [60_000]

    def write_until_full(descriptor, piece):
        if room[0] == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        n = os.write(descriptor, piece[: room[0]])
        room[0] -= n
        return n

    recorder = SessionRecorder(folder, stream(), t_now=100.0, write=write_until_full)
    n_blocks = 0

    def record():
        nonlocal n_blocks
        for k in range(100):
            recorder.append(*block(at=50 * k), decision(k, Outcome.HELD), NO_EDGES)
            n_blocks += 1

    with pytest.raises(RecordingError, match="the disk is full"):
        record()
    with pytest.raises(RecordingError):
        recorder.close()
    session = load_session(folder.path)
    assert n_blocks > 3
    assert len(session.samples) in (50 * n_blocks, 50 * n_blocks + 50)
    assert len(session.decisions) == n_blocks
    assert any("ended abruptly" in note for note in session.notes)


def test_a_second_recorder_in_one_folder_is_refused(folder):
    SessionRecorder(folder, stream(), t_now=100.0).close()
    with pytest.raises(RecordingError, match="cannot be made"):
        SessionRecorder(folder, stream(), t_now=100.0)


def test_torn_files_open_with_a_note(folder):
    recorder = SessionRecorder(folder, stream(), t_now=100.0)
    for k in range(2):
        recorder.append(*block(at=50 * k), decision(k, Outcome.HELD), NO_EDGES)
    eeg, log = folder.path / "eeg.xdf", folder.path / "decisions.jsonl"
    eeg.write_bytes(eeg.read_bytes()[:-1500])
    log.write_bytes(log.read_bytes()[:-5])
    session = load_session(folder.path)
    assert len(session.samples) == 50
    assert len(session.decisions) == 1
    assert len(session.notes) == 4


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        (["eeg.xdf"], r"is incomplete: no eeg\.xdf\."),
        (["config.toml", "pulses.tsv"], r"no config\.toml, pulses\.tsv\."),
        (
            ["eeg.xdf", "config.toml", "pulses.tsv", "decisions.jsonl"],
            "is not a session folder",
        ),
    ],
)
def test_missing_files_are_named(folder, missing, sentence):
    SessionRecorder(folder, stream(), t_now=100.0).close()
    for name in missing:
        (folder.path / name).unlink()
    with pytest.raises(FileError, match=sentence):
        load_session(folder.path)


@pytest.mark.parametrize("name", ["design.npz", "summary.json", "eeg.xdf"])
def test_damaged_files_are_named(folder, name):
    SessionRecorder(folder, stream(), t_now=100.0).close()
    (folder.path / name).write_bytes(b"XDF:\x09 garbage")
    with pytest.raises(FileError, match=re.escape(name)):
        load_session(folder.path)


def test_no_folder_is_one_sentence(tmp_path):
    with pytest.raises(FileError, match="There is no session folder"):
        load_session(tmp_path / "gone")


@pytest.mark.slow
def test_append_keeps_up(folder):
    recorder = SessionRecorder(folder, stream(64), t_now=100.0)
    took = []
    for k in range(100):
        samples, raw = block(50, 64, 50 * k)
        before = time.perf_counter()
        recorder.append(samples, raw, decision(k), edge(k))
        took.append(time.perf_counter() - before)
    recorder.close()
    # The median, so that a busy machine does not decide; called every 50 ms.
    assert np.median(took) < 5e-3
