import importlib.util
from pathlib import Path

import numpy as np
import pytest

from controller.errors import ChannelError, FileError, MissingExtra
from controller.sources import recording as recording_module
from controller.sources.labels import clean_label, signal_type
from controller.sources.recording import Recording, check_recording, read_recording
from controller.sources.recording_player import recording_rows

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_mne = pytest.mark.skipif(
    importlib.util.find_spec("mne") is None, reason="mne is not installed"
)
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the recordings are not on this machine"
)


@pytest.mark.parametrize(
    ("label", "clean"),
    [
        ("EEG Fp1", "Fp1"),
        ("EEG FP2", "Fp2"),
        ("Fc5.", "FC5"),
        ("Cz..", "Cz"),
        ("CZ", "Cz"),
        ("FPz", "Fpz"),
        ("Po10", "PO10"),
        ("EEG O1-REF", "O1"),
        ("F4-A1", "F4"),
        ("EEG A2-A1", "A2-A1"),
        ("C3-P3", "C3-P3"),
        ("ECG ECG", "ECG"),
        ("STI 014", "STI 014"),
        ("EOG1", "EOG1"),
        ("EEG", "EEG"),
    ],
)
def test_labels_become_clean(label: str, clean: str) -> None:
    assert clean_label(label) == clean


@pytest.mark.parametrize(
    ("label", "told", "kind"),
    [
        ("EEG O1", "eeg", "EEG"),
        ("ECG ECG", "eeg", "ECG"),
        ("EKG", "eeg", "ECG"),
        ("EOG1", "eeg", "EOG"),
        ("EEG A2-A1", "eeg", "REF"),
        ("STI 014", "stim", "STIM"),
        ("EOG1", "misc", "MISC"),
    ],
)
def test_types_follow_the_label(label: str, told: str, kind: str) -> None:
    assert signal_type(label, told) == kind


def write_fif(path: Path, names: list[str], types: list[str]) -> np.ndarray:
    import mne

    rng = np.random.default_rng(1)
    volts = rng.normal(0.0, 1e-5, (len(names), 700))
    raw = mne.io.RawArray(volts, mne.create_info(names, 250.0, types), verbose="ERROR")
    raw.save(path, fmt="double", verbose="ERROR")
    return volts


@needs_mne
def test_samples_are_microvolts_with_clean_labels(tmp_path: Path) -> None:
    path = tmp_path / "rest_raw.fif"
    volts = write_fif(path, ["EEG O1", "oz", "STI 014"], ["eeg", "eeg", "stim"])
    found = read_recording(path)
    assert found.labels == ("O1", "Oz", "STI 014")
    assert found.types == ("EEG", "EEG", "STIM")
    assert found.units == ("microvolts", "microvolts", "none")
    assert found.sfreq_hz == 250.0
    assert found.samples.dtype == np.float32
    assert found.samples.flags.c_contiguous
    np.testing.assert_allclose(found.samples[:, :2], volts[:2].T * 1e6, rtol=1e-6)
    np.testing.assert_allclose(found.samples[:, 2], volts[2], rtol=1e-6)


@needs_mne
def test_names_that_clean_to_one_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rest_raw.fif"
    write_fif(path, ["EEG O1", "O1-A2"], ["eeg", "eeg"])
    with pytest.raises(ChannelError, match=r"O1 \(in the file: EEG O1, O1-A2\)"):
        read_recording(path)


@needs_mne
@pytest.mark.parametrize("suffix", [".edf", ".bdf", ".fif", ".vhdr", ".set"])
def test_garbage_is_one_sentence(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rest_raw{suffix}"
    path.write_bytes(b"this is no recording" * 20)
    with pytest.raises(FileError, match="cannot be read as"):
        read_recording(path)


def test_absent_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="There is no recording"):
        read_recording(tmp_path / "gone.edf")


@pytest.mark.parametrize("name", ["rest.txt", "rest", "rest.edf.gz"])
def test_unknown_suffix(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(FileError, match="must end in one of"):
        read_recording(tmp_path / name)


def test_missing_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rest.edf").write_bytes(b"x")
    monkeypatch.setattr(recording_module.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"phasegate\[io\]"):
        check_recording(tmp_path / "rest.edf")


def test_rows_are_the_recording() -> None:
    samples = np.arange(1300, dtype=np.float32).reshape(650, 2)
    whole = Recording(
        samples=samples, sfreq_hz=250.0, labels=("O1", "O2"), types=("EEG", "EEG")
    )
    rows = list(recording_rows(whole, 2.0))
    assert np.array_equal(np.concatenate([part.samples for part in rows]), samples)
    stamps = np.concatenate([part.stamp_s for part in rows])
    assert np.array_equal(stamps, np.arange(650) / 500.0)
    shorter = list(recording_rows(whole, 2.0, duration_s=0.1))
    assert sum(len(part.samples) for part in shorter) == 50


@needs_mne
@needs_shared
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "n_eeg", "sfreq_hz"),
    [
        ("eegmat/Subject03_1.edf", 19, 500.0),
        ("other/eeglab_data.set", 30, 128.0),
        ("other/yasa_resting_EO_200Hz_raw.fif", 2, 200.0),
    ],
)
def test_real_recordings(name: str, n_eeg: int, sfreq_hz: float) -> None:
    found = read_recording(SHARED / name)
    assert found.types.count("EEG") == n_eeg
    assert found.sfreq_hz == sfreq_hz
    eeg = [n for n, kind in enumerate(found.types) if kind == "EEG"]
    assert 1.0 < np.median(np.std(found.samples[:, eeg], axis=0)) < 200.0
    if n_eeg > 2:
        assert {"O1", "O2", "Cz"} <= set(found.labels)
