import io
import json
import os

import pytest
from click.testing import CliRunner
from rich.console import Console

from controller.cli import attending
from controller.cli.attending import picture, session_at
from controller.cli.desk import Desk
from controller.cli.main import cli
from controller.engine.clock import host_clock
from controller.errors import FileError
from controller.rig.console.lights import Lamp
from controller.session.recording.rings import create_rings
from controller.session.recording.streams import (
    Channel,
    StreamDescription,
    stream_as_dict,
)

CONFIG = """
[source]
kind = "synthetic"
[rhythm]
band = "alpha"
[montage]
weights = { O1 = 1.0 }
[target]
phase_deg = 0
[timing]
iti_s = 2.0
[output]
kind = "simulated-serial-byte"
[limits]
modality = "marker"
min_interval_s = 1.0
max_pulses = 10
max_per_minute = 30
max_lateness_ms = 1.0
max_data_age_ms = 50
max_gap_s = 1.0
max_silence_s = 1.0
max_artifact_s = 1.0
max_armed_s = 60
"""


@pytest.fixture
def running(tmp_path):
    """A session of this very process."""
    folder = tmp_path / "sessions" / "one"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
    stream = StreamDescription(
        name="made",
        kind="EEG",
        sfreq_hz=100.0,
        sample_format="float32",
        channels=(Channel(label="O1", unit="microvolts", kind="EEG"),),
    )
    header = {"folder": str(folder.resolve()), "stream": stream_as_dict(stream)}
    rings = create_rings(1, n_samples=16, header=header)
    yield folder, rings
    rings.remove()


def invoke(*arguments, terminal=True):
    desk = Desk(person_is_there=lambda: terminal)
    return CliRunner().invoke(cli, ["attend", *map(str, arguments)], obj=desk)


def test_nobody_attends_without_a_terminal(running):
    result = invoke(running[0], terminal=False)
    assert result.exit_code == 15
    assert "a terminal of its own" in result.stderr


@pytest.mark.parametrize("below", ["", "nowhere"])
def test_no_session_is_said(tmp_path, below):
    result = invoke(tmp_path / below)
    assert result.exit_code == 17
    assert "No session runs" in result.stderr


def test_a_session_is_found_by_its_folder_and_by_the_folder_of_all(running):
    folder, rings = running
    for path in (folder, folder.parent):
        session = session_at(path)
        assert session.folder == folder
        session.vouch()
        session.stop()
    assert rings.console["pid"][0] == os.getpid()
    assert 0.0 <= host_clock() - rings.console["t_beat"][0] < 60.0
    assert rings.console["stop"][0] == 1
    rings.controller["closing"] = 1
    with pytest.raises(FileError, match="No session runs"):
        session_at(folder)


def test_attending_vouches_stops_by_key_and_tells_the_end(running, monkeypatch):
    folder, rings = running
    seen = []

    class Pressed:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def __call__(self, _timeout_s):
            words = rings.console[0]
            seen.append((float(words["t_beat"]), int(words["stop"])))
            rings.controller["closing"] = len(seen) == 3
            return [b"x", b" "] if len(seen) == 2 else []

    monkeypatch.setattr(attending, "keys", Pressed)
    result = invoke(folder, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"folder": str(folder), "fault": None}
    # It had vouched before it listened, and stops no earlier than the key.
    assert [stop for _, stop in seen] == [0, 0, 1]
    assert 0.0 < seen[0][0] < seen[1][0] < seen[2][0]


def test_each_light_has_a_sign_that_needs_no_colour():
    lamps = tuple(
        Lamp(name=f"{is_on}", is_on=is_on, words="so") for is_on in (True, False, None)
    )
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(picture(lamps))
    text = console.export_text()
    assert [line[0] for line in text.splitlines()[:3]] == ["●", "○", "-"]
