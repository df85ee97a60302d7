from pathlib import Path

import numpy as np
import pytest

from controller.errors import FileError
from controller.sources.edf import check_records, undo_text_transfer
from controller.sources.recording import read_recording, recording_note

N_RECORDS, RATE = 6, 100


def edf_bytes(*, kind: str = "EDF+C", annotations: bool = True) -> bytes:
    """Return a recording of one channel and its time keeping, one second a record."""
    labels = ["EEG O1", "EDF Annotations"] if annotations else ["EEG O1", "EEG O2"]
    counts = [RATE, 20]
    fixed = [("0", 8), ("X X X X", 80), ("Startdate X X X X", 80), ("01.01.24", 8)]
    fixed += [("10.00.00", 8), (str(256 * 3), 8), (kind, 44), (str(N_RECORDS), 8)]
    fixed += [("1", 8), ("2", 4)]
    columns = [(labels, 16), (["", ""], 80), (["uV", ""], 8), (["-3277", "-1"], 8)]
    columns += [(["3277", "1"], 8), (["-32768"] * 2, 8), (["32767"] * 2, 8)]
    columns += [(["", ""], 80), ([str(n) for n in counts], 8), (["", ""], 32)]
    header = "".join(text.ljust(width) for text, width in fixed)
    header += "".join(text.ljust(w) for texts, w in columns for text in texts)
    rng = np.random.default_rng(1)
    records = []
    for second in range(N_RECORDS):
        signal = rng.integers(-600, 600, RATE).astype("<i2")
        signal[::7] = 10  # a line feed in every file
        time = f"+{second}\x14\x14\x00".encode().ljust(40, b"\x00")
        records.append(signal.tobytes() + time)
    return header.encode() + b"".join(records)


def write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "rest.edf"
    path.write_bytes(content)
    return path


def test_sound_file_is_accepted_and_read(tmp_path: Path) -> None:
    pytest.importorskip("mne")
    path = write(tmp_path, edf_bytes())
    check_records(path)
    found = read_recording(path)
    assert found.labels == ("O1",)
    assert found.samples.shape == (600, 1)
    assert np.std(found.samples) == pytest.approx(33.0, rel=0.2)


def test_file_transferred_as_text_is_refused(tmp_path: Path) -> None:
    sound = edf_bytes()
    damaged = sound.replace(b"\n", b"\r\n")[: len(sound)]
    with pytest.raises(FileError, match="changed its line ends"):
        check_records(write(tmp_path, damaged))


def test_undoing_a_transfer_as_text_gives_back_what_was_not_cut_off(
    tmp_path: Path,
) -> None:
    pytest.importorskip("mne")
    sound = edf_bytes()
    whole = read_recording(write(tmp_path, sound))
    damaged = write(tmp_path, sound.replace(b"\n", b"\r\n")[: len(sound)])
    mended = read_recording(damaged)
    n = len(mended.samples)
    assert n in (400, 500)
    np.testing.assert_array_equal(mended.samples, whole.samples[:n])
    assert "transfer as text" in (recording_note(damaged) or "")


def test_sound_file_needs_no_note_and_no_mending(tmp_path: Path) -> None:
    path = write(tmp_path, edf_bytes())
    assert undo_text_transfer(path) is None
    assert recording_note(path) is None


def test_damage_of_two_kinds_is_not_mended(tmp_path: Path) -> None:
    sound = edf_bytes()
    damaged = sound.replace(b"\n", b"\r\n")[: len(sound)]
    path = write(tmp_path, damaged[:900] + damaged[907:])
    assert undo_text_transfer(path) is None
    with pytest.raises(FileError, match="damaged"):
        recording_note(path)


@pytest.mark.parametrize("at", [800, 1500])
def test_lost_byte_is_refused(tmp_path: Path, at: int) -> None:
    sound = edf_bytes()
    with pytest.raises(FileError, match="damaged: data record"):
        check_records(write(tmp_path, sound[:at] + sound[at + 1 :] + b"\x00"))


def test_recording_cut_short_is_accepted(tmp_path: Path) -> None:
    check_records(write(tmp_path, edf_bytes()[:-300]))


@pytest.mark.parametrize(
    ("kind", "annotations"), [("", True), ("EDF+C", False), ("24BIT", True)]
)
def test_files_without_time_keeping_are_taken(tmp_path, kind, annotations) -> None:
    content = edf_bytes(kind=kind, annotations=annotations)
    check_records(write(tmp_path, content[:1000] + content[1001:]))


@pytest.mark.parametrize("length", [0, 100, 255, 256, 300])
def test_header_cut_short_is_one_sentence(tmp_path: Path, length: int) -> None:
    path = write(tmp_path, edf_bytes()[:length])
    if length < 196:
        check_records(path)
        return
    with pytest.raises(FileError, match="header is damaged"):
        check_records(path)
