"""`phasegate stream`: its refusals here, and real streams in processes of their own."""

import contextlib
import ctypes
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import numpy as np
import pylsl
import pytest

from controller.config_source import LslSource
from controller.sources.lsl import LslInlet, find_stream
from controller.sources.network import configure_lsl

mne = pytest.importorskip("mne")
configure_lsl(local_only=True)

RATE_HZ = 250.0
needs_mne_realtime = pytest.mark.skipif(
    importlib.util.find_spec("mne_realtime") is None,
    reason="mne-realtime is not installed",
)


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """Return a recording of six seconds with a mark at 0.5 s, and its microvolts."""
    path = tmp_path_factory.mktemp("stream") / "rest_raw.fif"
    volts = np.random.default_rng(1).normal(0.0, 1e-5, (3, 1500))
    info = mne.create_info(["EEG O1", "oz", "STI 014"], RATE_HZ, ["eeg", "eeg", "stim"])
    raw = mne.io.RawArray(volts, info, verbose="ERROR")
    raw.set_annotations(mne.Annotations([0.5], [0.0], ["eyes closed"]))
    raw.save(path, fmt="double", verbose="ERROR")
    return path, (volts.T * [1e6, 1e6, 1.0]).astype(np.float32)


@pytest.fixture
def rest_path(rest: tuple[Path, np.ndarray]) -> Path:
    return rest[0]


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["--stream", "x"], 17, "is no XDF file"),
        (["--unit", "mV"], 17, "is no XDF file"),
        (["--through", "mne-realtime", "--wait"], 7, "begins at once"),
        (["--through", "mne-realtime", "--speed", "2"], 7, "no other rate"),
        (["--through", "mne-realtime", "--name", "x"], 3, "names every stream 'MNE'"),
        (["--speed", "0"], 2, "Invalid value for '--speed'"),
        (["--duration", "nan"], 2, "Invalid value for '--duration'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
@needs_mne_realtime
def test_what_cannot_be_is_a_sentence(
    options, code, sentence, rest_path, invoke
) -> None:
    result = invoke("stream", rest_path, *options)
    assert result.exit_code == code
    assert sentence in result.stderr
    assert result.stdout == ""


def test_absent_recording_is_refused(invoke, tmp_path) -> None:
    result = invoke("stream", tmp_path / "gone.edf", "--json")
    assert result.exit_code == 17
    assert "There is no recording" in json.loads(result.stdout)["exit"]["reason"]


class Streaming:
    """`phasegate stream` in a process of its own, and a source id that is its alone."""

    def __init__(self, *arguments: str | Path) -> None:
        self.source_id = f"test-{uuid.uuid4().hex}"
        code = "from controller.cli.main import main; main()"
        command = [sys.executable, "-P", "-c", code, "stream", *map(str, arguments)]
        self.process = subprocess.Popen(
            [*command, "--id", self.source_id, "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @contextlib.contextmanager
    def inlet(self):
        wanted = LslSource(kind="lsl", source_id=self.source_id, resolve_timeout_s=30.0)
        opened = LslInlet(find_stream(wanted))
        with contextlib.closing(opened):
            opened.open()
            yield opened

    def end(self) -> tuple[str, str]:
        return self.process.communicate(timeout=30.0)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextlib.contextmanager
def streaming(*arguments: str | Path):
    with contextlib.closing(Streaming(*arguments)) as it:
        yield it


def receive(inlet: LslInlet, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the next samples and their stamps, fewer where the stream ends."""
    n_channels = inlet.description.n_channels
    row, error = (ctypes.c_float * n_channels)(), ctypes.c_int()
    samples, stamps = [], []
    while len(samples) < n:
        stamp = pylsl.lib.lib.lsl_pull_sample_f(
            ctypes.c_void_p(inlet.handle),
            row,
            n_channels,
            ctypes.c_double(3.0),
            ctypes.byref(error),
        )
        if error.value or not stamp:
            break
        samples.append(list(row))
        stamps.append(stamp)
    return np.array(samples, np.float32), np.array(stamps)


@pytest.mark.lsl
@pytest.mark.slow
def test_recording_arrives_whole_with_its_marks_and_ends(rest) -> None:
    path, expected = rest
    with streaming(path, "--wait", "--speed", "2") as it:
        wanted = LslSource(kind="lsl", source_id=it.source_id, resolve_timeout_s=30.0)
        found = find_stream(wanted)
        (marker_info,) = pylsl.resolve_byprop(
            "source_id", f"{it.source_id}-markers", 1, 5.0
        )
        markers = pylsl.StreamInlet(marker_info)
        markers.open_stream(5.0)
        inlet = LslInlet(found)
        with contextlib.closing(inlet):
            inlet.open()
            samples, stamps = receive(inlet, len(expected))
        (text,), mark_stamp = markers.pull_sample(3.0)
        stdout, stderr = it.end()
    assert it.process.returncode == 0, stderr
    assert found.description.labels == ("O1", "Oz", "STI 014")
    assert found.description.channel_types == ("EEG", "EEG", "STIM")
    assert found.description.name == "phasegate replay of rest_raw.fif"
    np.testing.assert_allclose(samples, expected, rtol=1e-6)
    np.testing.assert_allclose(np.diff(stamps), 1 / (2 * RATE_HZ), atol=1e-9)
    assert text == "eyes closed"
    assert mark_stamp - stamps[0] == pytest.approx(0.25, abs=1e-6)
    result = json.loads(stdout)
    assert result["through"] == "phasegate"
    assert result["source_id"] == it.source_id
    assert (result["sfreq_hz"], result["duration_s"]) == (2 * RATE_HZ, 3.0)
    assert result["n_markers"] == 1
    assert "3 channels at 500 Hz, 3.0 s, 1 marker" in stderr


@pytest.mark.lsl
@pytest.mark.slow
def test_stream_without_an_end_is_ended_by_a_signal(rest_path) -> None:
    arguments = ("--repeat", "--name", "my amplifier", "--no-markers")
    with streaming(rest_path, *arguments) as it, it.inlet() as inlet:
        assert inlet.description.name == "my amplifier"
        assert len(receive(inlet, 100)[0]) == 100
        assert not pylsl.resolve_byprop("source_id", f"{it.source_id}-markers", 1, 0.5)
        it.process.send_signal(signal.SIGINT)
        _, stderr = it.end()
        assert it.process.returncode == 130
        assert stderr.splitlines()[-1] == "phasegate: Interrupted."


def children_of(pid: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(status.read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(status.parent.name))
    return found


def gone(pid: int, timeout_s: float = 10.0) -> bool:
    t_end = time.monotonic() + timeout_s
    while time.monotonic() < t_end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.lsl
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@needs_mne_realtime
def test_mne_realtime_streams_the_eeg_in_volts_until_its_starter_dies(rest) -> None:
    path, expected = rest
    with (
        streaming(path, "--through", "mne-realtime", "--repeat") as it,
        it.inlet() as inlet,
    ):
        description = inlet.description
        assert (description.name, description.labels) == ("MNE", ("O1", "Oz"))
        assert description.sfreq_hz == RATE_HZ
        assert description.scale_uv.tolist() == [1e6, 1e6]
        samples, stamps = receive(inlet, 200)
        microvolts = samples * 1e6
        first = int(np.argmin(np.abs(expected[:, 0] - microvolts[0, 0])))
        rows = (first + np.arange(200)) % len(expected)
        np.testing.assert_allclose(microvolts, expected[rows, :2], rtol=1e-4)
        assert np.all(np.diff(stamps) >= 0)
        (player,) = children_of(it.process.pid)
        (streamer,) = children_of(player)
        os.kill(player, signal.SIGKILL)
        assert gone(streamer)
        it.end()
        assert it.process.returncode != 0


@pytest.mark.lsl
@pytest.mark.slow
@needs_mne_realtime
def test_mne_realtime_ends_in_time(rest_path) -> None:
    arguments = ("--through", "mne-realtime", "--duration", "1")
    with streaming(rest_path, *arguments) as it:
        stdout, stderr = it.end()
    assert it.process.returncode == 0, stderr
    assert "its makers point to mne-lsl" in stderr
    assert json.loads(stdout)["labels"] == ["O1", "Oz"]
