"""Marks of recordings: read from each format, and played beside the EEG."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from controller.sources.marks import MarkPlayer, scheduled
from controller.sources.recorded import Mark, Recording
from controller.sources.recording import read_recording
from controller.sources.recording_player import recording_rows

mne = pytest.importorskip("mne")

MARKS = tuple(
    Mark(at_s=at_s, text=text)
    for at_s, text in ((-0.5, "before"), (0.0, "first"), (1.25, "second"))
)
NO_SAMPLES = np.zeros((1, 1), np.float32)


def pairs(marks) -> list[tuple[float, str]]:
    return [(mark.at_s, mark.text) for mark in marks]


def test_each_mark_comes_with_the_first_sample_not_before_it() -> None:
    pushed: list[tuple[str, float]] = []
    once = scheduled(MARKS, speed=1.0, period_s=None)
    player = MarkPlayer(once, lambda text, stamp: pushed.append((text, stamp)))
    player.begin(100.0)
    seen = []
    for number in range(500):
        player.amend(NO_SAMPLES, 0, number / 200.0)
        seen += [number] * (len(pushed) - len(seen))
    assert pushed == [("first", 100.0), ("second", 101.25)]
    assert seen == [0, 250]


def test_speed_brings_marks_nearer() -> None:
    assert pairs(scheduled(MARKS, speed=5.0, period_s=None)) == [
        (0.0, "first"),
        (0.25, "second"),
    ]


def test_repeated_marks_come_once_in_each_turn() -> None:
    endless = scheduled(MARKS, speed=2.0, period_s=2.0)
    assert pairs(itertools.islice(endless, 4)) == [
        (0.0, "first"),
        (0.625, "second"),
        (1.0, "first"),
        (1.625, "second"),
    ]


def test_marks_beyond_the_recording_are_never_repeated() -> None:
    assert pairs(scheduled(MARKS[2:], speed=1.0, period_s=1.0)) == []


def recording(n: int = 650, **changes) -> Recording:
    samples = np.arange(2.0 * n, dtype=np.float32).reshape(n, 2)
    fields = {"samples": samples, "sfreq_hz": 250.0}
    return Recording(labels=("O1", "O2"), types=("EEG", "EEG"), **fields | changes)


def test_repeated_recording_goes_on_an_interval_after_its_end() -> None:
    made = recording(300)
    parts = list(recording_rows(made, duration_s=3.0, repeat=True))
    stamps = np.concatenate([part.stamp_s for part in parts])
    np.testing.assert_allclose(stamps, np.arange(750) / 250.0, atol=1e-12)
    samples = np.concatenate([part.samples for part in parts])
    assert np.array_equal(samples, np.tile(made.samples, (3, 1))[:750])


def test_stamps_of_a_recording_are_kept_gaps_and_all() -> None:
    stamps_s = np.arange(650) / 250.0
    stamps_s[400:] += 1.5
    made = recording(stamps_s=stamps_s)
    parts = list(recording_rows(made, 2.0))
    stamps = np.concatenate([part.stamp_s for part in parts])
    np.testing.assert_array_equal(stamps, stamps_s / 2.0)
    assert made.duration_s == pytest.approx(650 / 250.0 + 1.5)


def made_raw(*, dated: bool) -> "mne.io.BaseRaw":
    info = mne.create_info(["O1", "O2"], 250.0, "eeg")
    volts = np.random.default_rng(2).normal(0.0, 1e-5, (2, 1250))
    raw = mne.io.RawArray(volts, info, first_samp=500 if dated else 0, verbose="ERROR")
    orig_time = None
    if dated:
        raw.set_meas_date(1_700_000_000)
        orig_time = raw.info["meas_date"]
    onset = 1.5 + (raw.first_time if dated else 0.0)
    noted = mne.Annotations([onset], [0.0], ["Reiz grün"], orig_time=orig_time)
    return raw.set_annotations(noted, verbose="ERROR")


@pytest.mark.parametrize("dated", [False, True])
def test_annotations_of_fif_count_from_its_first_sample(dated, tmp_path: Path) -> None:
    path = tmp_path / "rest_raw.fif"
    made_raw(dated=dated).save(path, verbose="ERROR")
    ((at_s, text),) = pairs(read_recording(path).marks)
    assert (at_s, text) == (pytest.approx(1.5, abs=1e-3), "Reiz grün")


def signals() -> np.ndarray:
    return np.random.default_rng(3).normal(0.0, 10.0, (2, 1250))


def write_brainvision(folder: Path) -> Path:
    pybv = pytest.importorskip("pybv")
    pybv.write_brainvision(
        data=signals() * 1e-6,
        sfreq=250,
        ch_names=["O1", "O2"],
        fname_base="rest",
        folder_out=folder,
        events=np.array([[375, 7]]),
    )
    return folder / "rest.vhdr"


def write_edf(folder: Path, kind: str) -> Path:
    edfio = pytest.importorskip("edfio")
    signal = {"edf": edfio.EdfSignal, "bdf": edfio.BdfSignal}[kind]
    whole = {"edf": edfio.Edf, "bdf": edfio.Bdf}[kind]
    made = whole(
        [
            signal(
                row, 250, label=name, physical_dimension="uV", physical_range=(-99, 99)
            )
            for row, name in zip(signals(), ("O1", "O2"), strict=True)
        ],
        annotations=[edfio.EdfAnnotation(1.5, None, "Reiz grün")],
    )
    made.write(folder / f"rest.{kind}")
    return folder / f"rest.{kind}"


def write_eeglab(folder: Path) -> Path:
    import scipy.io

    place = {key: np.array([]) for key in ("X", "Y", "Z")}
    eeg = {
        "setname": "rest",
        "nbchan": 2.0,
        "pnts": 1250.0,
        "trials": 1.0,
        "srate": 250.0,
        "xmin": 0.0,
        "xmax": 1249 / 250.0,
        "data": signals(),
        "chanlocs": np.array(
            [({"labels": name} | place) for name in ("O1", "O2")], dtype=object
        ),
        "event": np.array([{"type": "go", "latency": 376.0}], dtype=object),
        "epoch": np.array([]),
        "icawinv": np.array([]),
    }
    scipy.io.savemat(folder / "rest.set", {"EEG": eeg})
    return folder / "rest.set"


@pytest.mark.parametrize(
    ("write", "text", "error_uv"),
    [
        pytest.param(write_brainvision, "7", 1e-3, id="brainvision"),
        pytest.param(lambda folder: write_edf(folder, "edf"), "grün", 4e-3, id="edf"),
        pytest.param(lambda folder: write_edf(folder, "bdf"), "grün", 1e-3, id="bdf"),
        pytest.param(write_eeglab, "go", 1e-4, id="eeglab"),
    ],
)
def test_samples_and_marks_of_each_format(write, text, error_uv, tmp_path) -> None:
    found = read_recording(write(tmp_path))
    assert found.labels == ("O1", "O2")
    assert found.sfreq_hz == 250.0
    np.testing.assert_allclose(found.samples, signals().T, atol=error_uv)
    wanted = [mark for mark in found.marks if mark.text.strip().endswith(text)]
    assert [mark.at_s for mark in wanted] == pytest.approx([1.5], abs=1e-6)
