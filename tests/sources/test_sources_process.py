import ctypes
import os
import signal
import time
from pathlib import Path

import numpy as np
import pylsl
import pytest

from controller.config import FileSource, LslSource, SyntheticSource
from controller.errors import FileError, StreamLost, StreamNotFound
from controller.sources.lsl import LslInlet, find_stream
from controller.sources.process import SYNTHETIC_MODULE, SourceProcess, start_source
from controller.sources.synthetic.signal import SyntheticParticipant
from controller.sources.timing import judge_timing

pytestmark = [pytest.mark.lsl, pytest.mark.slow]


def receive(inlet: LslInlet, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return samples, stamps and arrivals of the next `n` samples, or until it ends."""
    pull = pylsl.lib.lib.lsl_pull_sample_f
    n_channels = inlet.description.n_channels
    row = (ctypes.c_float * n_channels)()
    error = ctypes.c_int()
    samples, stamps, arrivals = [], [], []
    while len(samples) < n:
        stamp = pull(
            ctypes.c_void_p(inlet.handle),
            row,
            n_channels,
            ctypes.c_double(2.0),
            ctypes.byref(error),
        )
        if error.value or not stamp:
            break
        samples.append(list(row))
        stamps.append(stamp)
        arrivals.append(pylsl.local_clock())
    return np.array(samples, np.float32), np.array(stamps), np.array(arrivals)


def gone_within(pid: int, seconds: float) -> bool:
    t_end = time.monotonic() + seconds
    while time.monotonic() < t_end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
            return True
        time.sleep(0.02)
    return False


def test_participant_arrives_whole_with_exact_stamps() -> None:
    config = SyntheticSource(kind="synthetic", seed=11)
    process, wanted = start_source(config)
    assert process is not None
    with process:
        found = find_stream(wanted)
        assert found.description.labels == config.channels
        assert found.description.scale_uv.tolist() == [1.0] * 8
        assert found.description.sfreq_hz == 1000.0
        inlet = LslInlet(found)
        inlet.open()
        samples, stamps, arrivals = receive(inlet, 1500)
        inlet.close()
    expected = SyntheticParticipant(config).read(1500).samples
    np.testing.assert_array_equal(samples, expected)
    # Exact but for the rounding of a sum of some hours and some milliseconds.
    np.testing.assert_allclose(stamps - stamps[0], np.arange(1500) / 1000.0, atol=1e-9)
    assert np.all(arrivals >= stamps)
    assert judge_timing(stamps, arrivals, 1000.0).block_samples == 1
    assert not process.running()


def test_recording_arrives_whole_and_then_ends(tmp_path: Path) -> None:
    mne = pytest.importorskip("mne")
    path = tmp_path / "rest_raw.fif"
    volts = np.random.default_rng(2).normal(0.0, 1e-5, (2, 500))
    info = mne.create_info(["EEG O1", "EEG O2"], 250.0, "eeg")
    raw = mne.io.RawArray(volts, info, verbose="ERROR")
    raw.save(path, fmt="double", verbose="ERROR")
    process, wanted = start_source(FileSource(kind="file", path=path, speed=2.0))
    assert process is not None
    with process:
        found = find_stream(wanted)
        assert found.description.labels == ("O1", "O2")
        assert found.description.sfreq_hz == 500.0
        inlet = LslInlet(found)
        inlet.open()
        samples, stamps, _ = receive(inlet, 10_000)
        assert process.pid is not None
        assert gone_within(process.pid, 3.0)
        inlet.close()
    np.testing.assert_allclose(samples, volts.T * 1e6, rtol=1e-6)
    np.testing.assert_allclose(np.diff(stamps), 1 / 500.0, atol=1e-9)


def test_death_of_the_source_is_a_lost_stream() -> None:
    config = SyntheticSource(kind="synthetic", sfreq_hz=250.0)
    process, wanted = start_source(config, options=("--die-at", "0.5"))
    assert process is not None
    with process:
        inlet = LslInlet(find_stream(wanted))
        inlet.open()
        samples, _, _ = receive(inlet, 1000)
        assert 0 < len(samples) <= 125
        assert process.pid is not None
        assert gone_within(process.pid, 3.0)
        inlet.close()


def test_frozen_source_stays_alive_and_silent() -> None:
    config = SyntheticSource(kind="synthetic", sfreq_hz=250.0)
    process, wanted = start_source(config, options=("--freeze-at", "0.2"))
    assert process is not None
    with process:
        inlet = LslInlet(find_stream(wanted))
        inlet.open()
        samples, _, _ = receive(inlet, 1000)
        assert len(samples) == 50
        assert process.running()
        inlet.close()


def test_source_ends_on_a_signal_while_nobody_listens() -> None:
    config = SyntheticSource(kind="synthetic", sfreq_hz=250.0)
    with SourceProcess(SYNTHETIC_MODULE, config.model_dump_json(), "test-signal") as it:
        assert it.pid is not None
        os.kill(it.pid, signal.SIGINT)
        assert gone_within(it.pid, 3.0)


def test_source_ends_with_its_parent() -> None:
    config = SyntheticSource(kind="synthetic", sfreq_hz=250.0)
    # Names a parent that is none of its own, as if that one were gone.
    process = SourceProcess(
        SYNTHETIC_MODULE,
        config.model_dump_json(),
        "test-orphan",
        options=("--parent", "1"),
    )
    with process:
        assert process.pid is not None
        assert gone_within(process.pid, 3.0)


def test_stream_of_somebody_else_needs_no_process() -> None:
    source = LslSource(kind="lsl", type="EEG", unit=None)
    assert start_source(source) == (None, source)


def test_absent_recording_is_refused_before_any_process() -> None:
    with pytest.raises(FileError, match="There is no recording"):
        start_source(FileSource(kind="file", path=Path("gone.edf")))


def test_complaint_of_the_process_keeps_its_kind(tmp_path: Path) -> None:
    pytest.importorskip("mne")
    path = tmp_path / "rest.edf"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(FileError, match="cannot be read as EDF"):
        start_source(FileSource(kind="file", path=path))


def test_process_that_says_nothing_is_named() -> None:
    silent = SourceProcess("controller.sources.units", "{}", "test-silent")
    with pytest.raises(StreamNotFound, match="ended with code 0"):
        silent.start()
    assert not silent.running()
    silent.stop()


def test_sources_are_found_by_nobody_after_the_end() -> None:
    config = SyntheticSource(kind="synthetic", sfreq_hz=250.0)
    process, wanted = start_source(config)
    assert process is not None
    found = find_stream(wanted)
    process.stop()
    process.stop()
    with pytest.raises(StreamNotFound):
        find_stream(wanted.model_copy(update={"resolve_timeout_s": 0.2}))
    with pytest.raises(StreamLost):
        LslInlet(found).open()
