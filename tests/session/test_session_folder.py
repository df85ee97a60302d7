import datetime as dt
import json
import os
import re

import numpy as np
import pytest

from controller.errors import RecordingError
from controller.session.folder import SessionFolder
from controller.session.provenance import provenance

STARTED = dt.datetime(2031, 5, 6, 7, 8, 9, tzinfo=dt.UTC)


def test_folder_is_named_after_instant_participant_and_title(folder):
    assert folder.path.name == "20310506T070809Z_p-01_alpha-peak"


def test_two_sessions_of_one_name_get_two_folders(tmp_path):
    names = {
        SessionFolder.create(tmp_path, title="a", started=STARTED).path.name
        for _ in range(3)
    }
    assert names == {f"20310506T070809Z_a{end}" for end in ("", "-2", "-3")}


def test_a_hundred_namesakes_are_refused(tmp_path):
    for _ in range(99):
        SessionFolder.create(tmp_path, started=STARTED)
    with pytest.raises(RecordingError, match="99 sessions named"):
        SessionFolder.create(tmp_path, started=STARTED)


@pytest.mark.parametrize("title", ["../../etc", "a/b", "\x00", "Füße µV", "x" * 300])
def test_no_title_leaves_the_place(tmp_path, title):
    path = SessionFolder.create(tmp_path, title=title).path
    assert path.parent == tmp_path
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", path.name)


def test_present_instant_is_utc(tmp_path):
    before = dt.datetime.now(dt.UTC).replace(microsecond=0)
    name = SessionFolder.create(tmp_path).path.name
    stamp = dt.datetime.strptime(name, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    assert before <= stamp <= dt.datetime.now(dt.UTC)


def test_too_little_room_is_refused(tmp_path):
    with pytest.raises(RecordingError, match=r"GB free, but this session needs about"):
        SessionFolder.create(tmp_path, n_bytes_needed=10**18)
    assert list(tmp_path.iterdir()) == []


def test_a_place_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match=r"choose another place with --out"):
        SessionFolder.create(tmp_path / "file" / "sessions")


def test_a_place_without_permission_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(RecordingError, match="may not write to"):
        SessionFolder.create(tmp_path)


def test_provenance_is_json_with_versions(folder):
    facts = provenance(privileges={"priority": True}, seeds={"timing": 7})
    path = folder.write_json("provenance.json", facts)
    back = json.loads(path.read_text())
    assert back["packages"]["numpy"] == np.__version__
    assert back["phasegate"]
    assert back["cpu"]
    assert back["seeds"] == {"timing": 7}


def test_write_to_a_folder_that_went_away_is_one_sentence(folder):
    for path in folder.path.iterdir():
        path.unlink()
    folder.path.rmdir()
    with pytest.raises(
        RecordingError, match=r"summary\.json cannot be written: no such"
    ):
        folder.write_json("summary.json", {})
    with pytest.raises(RecordingError, match=r"design\.npz cannot be written: no such"):
        folder.write_design({"mixing": np.eye(2)})
