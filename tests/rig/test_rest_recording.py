"""Rest from files and sessions, as a live stream would have brought it."""

from pathlib import Path

import numpy as np
import pytest
from rests import CHANNELS, SFREQ_HZ, block_of, stream_of

from controller.core.records import DECISION, EDGE, SAMPLE
from controller.errors import FileError
from controller.kernels.jit import new_records
from controller.rig.calibrate.rest_recording import rest_of_file, rest_of_session
from controller.rig.records import recorded_stream
from controller.session.folder import SessionFolder
from controller.session.recording.recorder import SessionRecorder

REST_S, LOOP_S = 4.0, 2.0


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return recorded(tmp_path, closed_after_s=REST_S)


def recorded(root: Path, *, closed_after_s: float) -> Path:
    folder = SessionFolder.create(root, title="x", participant="P07", n_bytes_needed=1)
    folder.write_config('title = "x"\n')
    raw = block_of(40.0).samples[: round((REST_S + LOOP_S) * SFREQ_HZ)]
    samples = new_records(SAMPLE, len(raw))
    samples.t_sample = 100.0 + np.arange(len(raw)) / SFREQ_HZ
    samples.t_arrival = samples.t_sample + 0.02
    recorder = SessionRecorder(folder, recorded_stream(stream_of()), t_now=100.0)
    recorder.event("stage", t=100.0, name="rest")
    recorder.append(samples, raw, new_records(DECISION, 0), new_records(EDGE, 0))
    recorder.event("stage", t=100.0 + closed_after_s, name="closed loop")
    recorder.close()
    folder.write_json("summary.json", {"participant": "P07"})
    return folder.path


def test_rest_of_a_session_ends_where_the_loop_is_closed(session: Path) -> None:
    rest = rest_of_session(session, participant="P07")
    assert len(rest.raw) == round(REST_S * SFREQ_HZ)
    np.testing.assert_array_equal(rest.raw, block_of(40.0).samples[: len(rest.raw)])
    assert rest.stream.labels == CHANNELS
    assert rest.timing.data_age_p50_s == pytest.approx(0.02, abs=1e-6)
    assert rest.name == f"session {session.name}"


def test_session_of_another_participant_is_refused(session: Path) -> None:
    with pytest.raises(FileError, match=r"is of P07, not of P08; pass --participant"):
        rest_of_session(session, participant="P08")


def test_session_without_rest_is_refused(tmp_path: Path) -> None:
    path = recorded(tmp_path, closed_after_s=0.0)
    with pytest.raises(FileError, match="holds no rest; calibrate on another"):
        rest_of_session(path, participant="P07")


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError):
        rest_of_file(tmp_path / "none.edf")
    with pytest.raises(FileError):
        rest_of_session(tmp_path / "none", participant="P07")
