"""Recordings in XDF: which stream, in which unit, at which instants."""

import numpy as np
import pytest
from made_xdf import eeg, markers, write_xdf

from controller.errors import ChannelError, FileError, MissingExtra
from controller.rig.calibrate.rest_recording import rest_of_file
from controller.session.recording.streams import Channel
from controller.sources import recording as recording_module
from controller.sources.recorded import Mark
from controller.sources.recording import check_recording, read_recording

pytest.importorskip("pyxdf")


@pytest.mark.parametrize(
    ("unit", "scale"), [("microvolts", 1.0), ("mV", 1e3), ("V", 1e6)]
)
def test_samples_are_microvolts_whatever_the_unit(tmp_path, unit, scale) -> None:
    stream = eeg(unit=unit)
    found = read_recording(write_xdf(tmp_path / "rest.xdf", stream))
    assert found.labels == ("O1", "Oz")
    assert found.types == ("EEG", "EEG")
    assert found.sfreq_hz == 250.0
    assert found.samples.dtype == np.float32
    assert found.samples.flags.c_contiguous
    np.testing.assert_allclose(found.samples, stream[2] * scale, rtol=1e-6)
    np.testing.assert_allclose(found.instants_s, np.arange(1000) / 250.0, atol=1e-9)
    assert found.duration_s == pytest.approx(4.0)


def test_channel_that_is_no_voltage_stays_as_it_is(tmp_path) -> None:
    channels = (
        Channel(label="O1", unit="V", kind="EEG"),
        Channel(label="TRIG", unit="", kind="TRIG"),
    )
    stream = eeg(channels=channels)
    found = read_recording(write_xdf(tmp_path / "rest.xdf", stream))
    assert found.units == ("microvolts", "none")
    np.testing.assert_allclose(found.samples, stream[2] * [1e6, 1.0], rtol=1e-6)


def test_gap_stays_a_gap(tmp_path) -> None:
    path = write_xdf(tmp_path / "rest.xdf", eeg(gap_s=2.0))
    found = read_recording(path)
    steps = np.diff(found.instants_s)
    np.testing.assert_allclose(np.delete(steps, 499), 1 / 250.0, atol=1e-6)
    assert steps[499] == pytest.approx(2.0 + 1 / 250.0, abs=1e-6)
    assert found.duration_s == pytest.approx(6.0, abs=1e-6)
    assert np.diff(rest_of_file(path).t_sample).max() > 1.9


def test_markers_count_from_the_first_sample(tmp_path) -> None:
    noted = markers((501.5, "eyes closed"), (499.0, "before"))
    other = markers((502.0, "no marker"), kind="Telemetry")
    path = write_xdf(tmp_path / "rest.xdf", eeg(), noted, other)
    found = read_recording(path).marks
    assert [mark.text for mark in found] == ["before", "eyes closed"]
    assert [mark.at_s for mark in found] == pytest.approx([-1.0, 1.5], abs=1e-6)
    assert isinstance(found[0], Mark)


def test_unit_that_is_not_told_has_to_be_given(tmp_path) -> None:
    stream = eeg(unit="")
    path = write_xdf(tmp_path / "rest.xdf", stream)
    with pytest.raises(ChannelError, match=r"unit of channel O1 .* is not told"):
        read_recording(path)
    found = read_recording(path, unit="mV")
    np.testing.assert_allclose(found.samples, stream[2] * 1e3, rtol=1e-6)


def test_stream_of_eeg_is_found_among_others(tmp_path) -> None:
    wanted = eeg(name="brain")
    other = eeg(name="hand", kind="MoCap", t_first=400.0)
    path = write_xdf(tmp_path / "rest.xdf", other, wanted)
    np.testing.assert_allclose(read_recording(path).samples, wanted[2], rtol=1e-6)


def test_two_streams_of_eeg_have_to_be_told_apart(tmp_path) -> None:
    streams = eeg(600, name="first"), eeg(700, name="second")
    path = write_xdf(tmp_path / "rest.xdf", *streams)
    with pytest.raises(FileError, match=r"2 streams of EEG; .*'first' \(EEG, 250 Hz\)"):
        read_recording(path)
    assert len(read_recording(path, stream="second").samples) == 700
    with pytest.raises(FileError, match=r"no streams .* name 'third'"):
        read_recording(path, stream="third")


def test_file_of_markers_alone_is_refused(tmp_path) -> None:
    path = write_xdf(tmp_path / "rest.xdf", markers((1.0, "x")))
    with pytest.raises(FileError, match="no streams with a regular rate"):
        read_recording(path)


def test_stream_without_samples_is_refused(tmp_path) -> None:
    path = write_xdf(tmp_path / "rest.xdf", eeg(0))
    with pytest.raises(FileError, match="holds no samples"):
        read_recording(path)


def test_channels_without_labels_get_numbers(tmp_path) -> None:
    channels = (Channel(label="", unit="uV"), Channel(label="", unit="uV"))
    path = write_xdf(tmp_path / "rest.xdf", eeg(channels=channels))
    assert read_recording(path).labels == ("1", "2")


def test_label_that_is_given_twice_is_refused(tmp_path) -> None:
    channels = (Channel(label="O1", unit="uV"), Channel(label="EEG O1", unit="uV"))
    path = write_xdf(tmp_path / "rest.xdf", eeg(channels=channels))
    with pytest.raises(ChannelError, match="more than one channel O1"):
        read_recording(path)


def test_file_of_another_kind_is_a_sentence(tmp_path) -> None:
    path = tmp_path / "rest.xdf"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(FileError, match="cannot be read as XDF"):
        read_recording(path)


def test_stream_of_another_format_is_refused(tmp_path) -> None:
    path = tmp_path / "rest.edf"
    path.write_bytes(b"")
    with pytest.raises(FileError, match="is no XDF file"):
        read_recording(path, stream="amplifier")


def test_absent_reader_is_named(tmp_path, monkeypatch) -> None:
    path = write_xdf(tmp_path / "rest.xdf", eeg())
    monkeypatch.setattr(
        recording_module.importlib.util, "find_spec", lambda _name: None
    )
    with pytest.raises(MissingExtra, match="XDF files are read by pyxdf"):
        check_recording(path)
