import errno
import itertools
import os

import numpy as np
import pytest

from controller.engine.telemetry import drain
from controller.errors import FileError, RecordingError
from controller.session.recording import rings as module
from controller.session.recording.process_marks import is_alive, started_ticks
from controller.session.recording.rings import (
    create_rings,
    open_rings,
    read_header,
    rings_of,
)


@pytest.fixture
def made(tmp_path):
    return create_rings(
        3, n_samples=100, header={"folder": "/s/Zürich"}, directory=tmp_path
    )


def test_both_sides_see_the_same_memory(made):
    other = open_rings(made.path)
    made.telemetry.samples["t_sample"][:2] = 1.5, 2.5
    made.telemetry.raw[1] = 7.0, 8.0, 9.0
    made.telemetry.heads[0] = 2
    made.controller["closing"] = 1
    assert made.messages.put("Σ".encode())
    other.recorder["trouble"] = b"full"

    batch = drain(other.telemetry)

    assert batch.samples["t_sample"].tolist() == [1.5, 2.5]
    assert batch.raw[1].tolist() == [7.0, 8.0, 9.0]
    assert made.telemetry.tails.tolist() == [2, 0, 0]
    assert other.controller["closing"][0] == 1
    assert not other.is_empty
    assert other.messages.take() == ["Σ".encode()]
    assert made.is_empty
    assert read_header(made.path)[0]["pid"] == os.getpid()
    assert made.recorder["trouble"][0] == b"full"


def test_the_rings_are_what_the_compiled_loop_takes(made):
    for ring in made.telemetry:
        assert ring.flags.aligned
        assert ring.flags.c_contiguous
        assert ring.flags.writeable
    assert len(made.telemetry.samples) == len(made.telemetry.raw) == 128


def test_no_two_rings_share_a_byte(made):
    parts = [*made.telemetry, made.recorder, made.controller]
    spans = sorted((p.ctypes.data, p.ctypes.data + p.nbytes) for p in parts)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))


def test_rings_are_found_by_folder(tmp_path):
    folder = tmp_path / "session"
    folder.mkdir()
    mine = create_rings(
        1, n_samples=9, header={"folder": str(folder.resolve())}, directory=tmp_path
    )
    create_rings(1, n_samples=9, header={"folder": "/s/other"}, directory=tmp_path)
    (tmp_path / "phasegate-1-junk.rings").write_bytes(b"junk")
    assert list(rings_of(folder, tmp_path)) == [mine.path]
    mine.remove()
    assert list(rings_of(folder, tmp_path)) == []


def test_another_versions_memory_is_refused(made, monkeypatch):
    monkeypatch.setattr(module, "_records", lambda: {"sample": "other"})
    with pytest.raises(FileError, match="another version"):
        open_rings(made.path)


@pytest.mark.parametrize(
    "content", [b"", b"junk", b"phasegate rings 1 9\n" + b"{" * 60]
)
def test_what_is_no_ring_is_refused(tmp_path, content):
    (tmp_path / "x.rings").write_bytes(content)
    with pytest.raises(FileError, match=r"x\.rings"):
        open_rings(tmp_path / "x.rings")


def test_memory_that_is_full_is_a_sentence_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module, "_reserve", full)
    with pytest.raises(RecordingError, match=r"no room for \d+ MB of shared memory"):
        create_rings(64, n_samples=10_000, header={}, directory=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_process_is_known_by_more_than_its_number():
    ticks = started_ticks(os.getpid())
    assert is_alive(os.getpid(), ticks)
    assert not is_alive(os.getpid(), ticks + 1)
    assert not is_alive(0, 0)
    assert np.isfinite(ticks)
