import errno
import logging
import os
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller.errors import FileError, RecordingError
from controller.session.recording.append_file import AppendFile
from controller.session.recording.streams import Channel, StreamDescription
from controller.session.recording.xdf import XdfWriter
from controller.session.xdf_reader import read_xdf

pyxdf = pytest.importorskip("pyxdf")

EEG = StreamDescription(
    name="EEG",
    kind="EEG",
    sfreq_hz=1000.0,
    sample_format="float32",
    channels=(
        Channel(label="Fz", unit="microvolts", kind="EEG"),
        Channel(label='O1 <&"µ>', unit="microvolts", kind="EEG"),
        Channel(label="Trigger", unit="", kind="TRIG"),
    ),
    source_id="amp-1",
    hostname="lab",
)
CLOCKED = StreamDescription(
    name="arrival",
    kind="Telemetry",
    sfreq_hz=1000.0,
    sample_format="double64",
    channels=(Channel(label="t_arrival"), Channel(label="permits")),
)
TEXT = StreamDescription(
    name="pulses",
    kind="Markers",
    sfreq_hz=0.0,
    sample_format="string",
    channels=(Channel(label="pulse"),),
)


def samples(n, seed=0):
    rng = np.random.default_rng(seed)
    stamps = 1234.5 + np.cumsum(rng.uniform(0.0009, 0.0011, n))
    raw = rng.normal(0, 20, (n, 3)).astype(np.float32)
    clocked = np.column_stack([stamps + 0.003, np.full(n, 7.0)])
    return stamps, raw, clocked


def write(path, sizes, texts=(), *, close=True, gap_at=None):
    stamps, raw, clocked = samples(sum(sizes))
    if gap_at is not None:
        stamps[gap_at:] += 0.25
    writer = XdfWriter(AppendFile(path))
    eeg, arrival, pulses = (
        writer.add_stream(stream, t_now=1234.0) for stream in (EEG, CLOCKED, TEXT)
    )
    at = 0
    for size in sizes:
        block = slice(at, at + size)
        writer.append(
            [(eeg, stamps[block], raw[block]), (arrival, stamps[block], clocked[block])]
        )
        at += size
    writer.append([(pulses, np.array([t for t, _ in texts]), [s for _, s in texts])])
    if close:
        writer.close()
    else:
        writer._file.close()
    return stamps, raw, clocked


def by_name(streams):
    return {stream["info"]["name"][0]: stream for stream in streams}


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    sizes=st.lists(st.integers(0, 300), min_size=1, max_size=6),
    texts=st.lists(st.text(max_size=300), max_size=4),
)
def test_any_block_sizes_come_back_exactly(tmp_path_factory, sizes, texts):
    path = tmp_path_factory.mktemp("xdf") / "eeg.xdf"
    marks = [(2000.0 + i, text) for i, text in enumerate(texts)]
    stamps, raw, clocked = write(path, sizes, marks)

    streams = read_xdf(path).streams

    assert streams["EEG"].values.dtype == np.float32
    np.testing.assert_array_equal(streams["EEG"].values, raw)
    np.testing.assert_array_equal(streams["EEG"].stamps, stamps)
    np.testing.assert_array_equal(streams["arrival"].values, clocked)
    assert streams["pulses"].texts == tuple(texts)
    assert [stream.description for stream in streams.values()] == [EEG, CLOCKED, TEXT]


@pytest.mark.parametrize("straighten", [False, True])
def test_pyxdf_reads_values_and_stamps_exactly(tmp_path, straighten):
    path = tmp_path / "eeg.xdf"
    sizes, marks = [50, 1, 0, 300, 70_000], [(1240.25, '{"a": 1}'), (1241.0, "µ" * 200)]
    stamps, raw, clocked = write(path, sizes, marks, gap_at=200)

    streams, header = pyxdf.load_xdf(
        path, dejitter_timestamps=straighten, synchronize_clocks=straighten
    )

    assert header["info"]["version"] == ["1.0"]
    found = by_name(streams)
    # With all of pyxdf's corrections on, a fit over zeros may leave rounding noise.
    tolerance_s = 1e-9 if straighten else 0.0
    for name, values in (("EEG", raw), ("arrival", clocked)):
        np.testing.assert_array_equal(found[name]["time_series"], values)
        np.testing.assert_allclose(
            found[name]["time_stamps"], stamps, rtol=0, atol=tolerance_s
        )
        assert found[name]["footer"]["info"]["sample_count"] == [str(len(stamps))]
    assert found["pulses"]["time_series"] == [[text] for _, text in marks]
    np.testing.assert_allclose(
        found["pulses"]["time_stamps"], [t for t, _ in marks], rtol=0, atol=tolerance_s
    )


def test_pyxdf_finds_labels_units_and_rate(tmp_path):
    write(tmp_path / "eeg.xdf", [10])
    streams, _ = pyxdf.load_xdf(tmp_path / "eeg.xdf")
    info = by_name(streams)["EEG"]["info"]
    channels = info["desc"][0]["channels"][0]["channel"]
    assert [channel["label"][0] for channel in channels] == list(EEG.labels)
    assert channels[0]["unit"] == ["microvolts"]
    assert channels[2]["type"] == ["TRIG"]
    assert info["nominal_srate"] == ["1000.0"]
    assert info["channel_format"] == ["float32"]


def test_file_of_a_killed_process_reads_to_the_last_block(tmp_path, caplog):
    path = tmp_path / "eeg.xdf"
    stamps, raw, _ = write(path, [50, 50, 50], close=False)
    with caplog.at_level(logging.WARNING):
        streams, _ = pyxdf.load_xdf(path)
    assert not caplog.records
    np.testing.assert_array_equal(by_name(streams)["EEG"]["time_series"], raw)
    mine = read_xdf(path)
    assert mine.n_torn_bytes == 0
    assert not mine.streams["EEG"].finished
    np.testing.assert_array_equal(mine.streams["EEG"].stamps, stamps)


def test_torn_tail_is_left_out_and_counted_at_every_length(tmp_path):
    path = tmp_path / "eeg.xdf"
    _, raw, _ = write(path, [3, 2], close=False)
    whole = path.read_bytes()
    for n_cut in range(1, 60):
        path.write_bytes(whole[:-n_cut])
        eeg = read_xdf(path).streams["EEG"]
        assert len(eeg.values) in (3, 5)
        np.testing.assert_array_equal(eeg.values, raw[: len(eeg.values)])
    assert read_xdf(path).n_torn_bytes > 0


def test_every_block_is_on_disk_when_append_returns(tmp_path):
    writer = XdfWriter(AppendFile(tmp_path / "eeg.xdf"))
    stream = writer.add_stream(EEG, t_now=0.0)
    stamps, raw, _ = samples(20)
    writer.append([(stream, stamps, raw)])
    assert (tmp_path / "eeg.xdf").stat().st_size == writer.n_bytes
    assert len(read_xdf(tmp_path / "eeg.xdf").streams["EEG"].stamps) == 20
    writer.close()


def test_full_disk_costs_the_block_and_nothing_else(tmp_path):
    room = [20_000]

    def write_until_full(descriptor, piece):
        if room[0] == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        n = os.write(descriptor, piece[: room[0]])
        room[0] -= n
        return n

    path = tmp_path / "eeg.xdf"
    writer = XdfWriter(AppendFile(path, write=write_until_full))
    stream = writer.add_stream(EEG, t_now=0.0)
    stamps, raw, _ = samples(100)
    n_blocks = 0

    def fill():
        nonlocal n_blocks
        for _ in range(100):
            writer.append([(stream, stamps, raw)])
            n_blocks += 1

    with pytest.raises(RecordingError, match=r"disk is full.*intact") as caught:
        fill()
    assert str(path) in str(caught.value)
    recording = read_xdf(path)
    assert n_blocks > 1
    assert recording.n_torn_bytes == 0
    assert len(recording.streams["EEG"].values) == 100 * n_blocks
    with pytest.raises(RecordingError):
        writer.close()


def test_an_existing_file_is_never_written_over(tmp_path):
    (tmp_path / "eeg.xdf").write_text("precious")
    with pytest.raises(RecordingError, match=r"eeg\.xdf cannot be made"):
        AppendFile(tmp_path / "eeg.xdf")
    assert (tmp_path / "eeg.xdf").read_text() == "precious"


def test_a_disk_that_takes_nothing_is_an_error_and_not_a_wait(tmp_path):
    file = AppendFile(tmp_path / "log", write=lambda *_: 0)
    with pytest.raises(RecordingError, match="input/output error"):
        file.append(b"x")


def test_a_closed_file_takes_no_more(tmp_path):
    file = AppendFile(tmp_path / "log")
    file.close()
    file.close()
    with pytest.raises(RecordingError, match="closed already"):
        file.append(b"x")


def test_stamps_and_values_of_different_length_are_refused(tmp_path):
    writer = XdfWriter(AppendFile(tmp_path / "eeg.xdf"))
    stream = writer.add_stream(EEG, t_now=0.0)
    stamps, raw, _ = samples(5)
    with pytest.raises(ValueError, match="'EEG' got 4 stamps for 5"):
        writer.append([(stream, stamps[:4], raw)])
    writer.close()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is not an XDF file"),
        (b"EDF:....", "is not an XDF file"),
        (b"XDF:\x07\x00\x00", "is damaged"),
        (b"XDF:\x01\x01\x01", "is damaged"),
        (
            b"XDF:\x01\x0a" + struct.pack("<HI", 3, 9) + b"\x01\x01\x08\x00",
            "is damaged",
        ),
    ],
)
def test_other_files_are_refused_in_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "other.xdf"
    path.write_bytes(content)
    with pytest.raises(FileError, match=sentence) as caught:
        read_xdf(path)
    assert str(path) in str(caught.value)


def test_missing_file_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(FileError, match=r"gone\.xdf cannot be read: no such file"):
        read_xdf(tmp_path / "gone.xdf")
