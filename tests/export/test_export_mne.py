import dataclasses
import datetime as dt

import numpy as np
import pytest

from controller.errors import ChannelError, FileError, MissingExtra, RecordingError
from controller.export import mne_raw, open_session
from controller.export.fif import write_fif
from controller.export.mne_objects import build_raw

mne = pytest.importorskip("mne")


@pytest.fixture(scope="module")
def raw(made):
    return mne_raw(made.folder)


def test_one_call_gives_every_sample_in_volts(raw, opened):
    session = opened.session
    assert raw.ch_names == list(session.stream.labels)
    assert raw.info["sfreq"] == session.stream.sfreq_hz
    volts = session.raw.astype(np.float64).T * 1e-6
    np.testing.assert_array_equal(raw.get_data(), volts)


def test_the_recording_knows_when_it_began(raw):
    began = raw.info["meas_date"]
    assert abs(began - dt.datetime(2031, 5, 6, 7, 8, 9, tzinfo=dt.UTC)) < dt.timedelta(
        seconds=1
    )


def test_every_pulse_is_annotated_at_its_instant(raw, opened):
    table = opened.table("pulses")
    kinds = {"fired": "pulse", "refused": "trigger_refused/TOO_LATE"}
    pairs = zip(table["status"], table["trigger_time_s"], strict=True)
    wanted = [(kinds[status], at) for status, at in pairs]
    found = [
        (a["description"], a["onset"])
        for a in raw.annotations
        if a["description"].startswith(("pulse", "trigger"))
    ]
    assert [kind for kind, _ in found] == [kind for kind, _ in wanted]
    # MNE keeps onsets to the microsecond; the extras keep every digit.
    assert [at for _, at in found] == pytest.approx([at for _, at in wanted], abs=1e-6)


def test_annotations_carry_the_loops_reasons(raw, opened):
    first = next(a for a in raw.annotations if a["description"] == "pulse")
    table = opened.table("pulses")
    row = list(table["decision"]).index(first["extras"]["decision"])
    for name in ("target_phase_deg", "predicted_phase_deg", "trigger_time_s"):
        assert first["extras"][name] == table[name][row]


def test_a_gap_is_bad_and_epochs_keep_away_from_it(gappy):
    opened = open_session(gappy.folder)
    (bad,) = (
        a for a in opened.raw().annotations if a["description"].startswith("BAD_")
    )
    assert (bad["onset"], bad["duration"]) == pytest.approx((12.0, 0.25))
    epochs = opened.epochs(tmin_s=-1.0, tmax_s=1.0)
    starts = epochs.events[:, 0] / 1000.0
    assert len(epochs) > 0
    assert not ((starts > 11.0) & (starts < 13.25)).any()


def test_epochs_are_cut_where_the_pulses_were(opened, raw):
    epochs = opened.epochs(tmin_s=-0.2, tmax_s=0.3)
    fired = [
        at
        for status, at in zip(
            opened.table("pulses")["status"],
            opened.table("pulses")["trigger_time_s"],
            strict=True,
        )
        if status == "fired"
    ]
    assert len(epochs) == len(fired)
    samples = np.rint(np.array(fired) * 1000).astype(int)
    assert epochs.events[:, 0].tolist() == samples.tolist()
    start = samples[3] - 200
    np.testing.assert_array_equal(
        epochs.get_data()[3], raw.get_data()[:, start : start + 501]
    )
    assert epochs.metadata["trigger_time_s"].tolist() == pytest.approx(fired)


def test_what_is_no_number_is_marked_and_bridged(opened, with_raw):
    def edit(values):
        values[5000:5010, 2] = np.nan

    session = with_raw(edit)
    raw = build_raw(session, opened.grid)
    assert np.isfinite(raw.get_data()).all()
    bad = [a for a in raw.annotations if a["description"] == "BAD_not_finite"]
    assert [(a["onset"], a["duration"]) for a in bad] == [
        pytest.approx((5.0, 0.01), abs=1e-9)
    ]


def test_a_trigger_line_keeps_its_levels(opened, with_raw):
    def edit(values):
        values[:, 7] = 0.0
        values[100:103, 7] = 9.0

    session = with_raw(edit)
    channels = [
        *session.stream.channels[:7],
        dataclasses.replace(session.stream.channels[7], kind="TRIG", unit=""),
    ]
    stream = dataclasses.replace(session.stream, channels=tuple(channels))
    raw = build_raw(dataclasses.replace(session, stream=stream), opened.grid)
    assert raw.get_channel_types()[7] == "stim"
    assert mne.find_events(raw, verbose="ERROR").tolist() == [[100, 0, 9]]


def test_a_voltage_without_a_unit_is_refused(opened):
    session = opened.session
    channels = tuple(
        dataclasses.replace(channel, unit="") for channel in session.stream.channels
    )
    stream = dataclasses.replace(session.stream, channels=channels)
    with pytest.raises(ChannelError, match="channel Fz"):
        build_raw(dataclasses.replace(session, stream=stream), opened.grid)


def test_a_session_without_pulses_has_no_epochs(make, tmp_path):
    opened = open_session(make(n_pulses=0).folder)
    with pytest.raises(FileError, match="No pulse was fired"):
        opened.epochs()
    paths = write_fif(opened, tmp_path / "out")
    assert [path.name.rpartition("_")[2] for path in paths] == ["raw.fif"]


# MNE 1.13 asks pandas 3.1 for what that deprecates.
@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_fif_reads_back_to_the_sample(opened, raw, tmp_path):
    raw_path, epochs_path = write_fif(opened, tmp_path / "out")
    back = mne.io.read_raw_fif(raw_path, preload=True, verbose="ERROR")
    np.testing.assert_array_equal(back.get_data(), raw.get_data())
    assert back.annotations.onset == pytest.approx(raw.annotations.onset, abs=2e-6)
    assert list(back.annotations.extras) == list(raw.annotations.extras)
    epochs = mne.read_epochs(epochs_path, verbose="ERROR")
    assert len(epochs) == len(opened.epochs())
    assert epochs.metadata["decision"].tolist() == (
        opened.epochs().metadata["decision"].tolist()
    )
    with pytest.raises(RecordingError, match="exists already"):
        write_fif(opened, tmp_path / "out")
    write_fif(opened, tmp_path / "out", overwrite=True)


def test_without_mne_the_extra_is_named(opened, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(MissingExtra, match=r"phasegate\[io\]"):
        opened.raw()
