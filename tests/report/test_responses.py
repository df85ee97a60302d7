"""Responses, dose, and reasons and rhythm over time, against slow twins."""

import math
from pathlib import Path

import numpy as np
import pytest

from controller.config import SyntheticSource
from controller.core.reasons import HoldReason, Outcome
from controller.core.records import DECISION, EDGE, SAMPLE
from controller.kernels.jit import new_records
from controller.report.achieved import Virtual
from controller.report.evoked import artifact_end_s, evoked_figure, evoked_of
from controller.report.given import busiest_minute, dose_rows
from controller.report.motor import motor_figure, motor_responses, motor_rows
from controller.report.reasons_course import (
    N_BINS,
    reasons_course,
    reasons_figure,
)
from controller.report.rhythm_course import bridged, rhythm_course, rhythm_figure
from controller.safety.interlock import Refusal
from controller.session.load import Session
from controller.session.pulses import PULSE
from controller.session.recording.streams import Channel, StreamDescription
from controller.sources.synthetic.pulse_response import PulseResponse

SFREQ_HZ = 1000.0
T_START = 300.0
PULSES = T_START + 1.0 + 2.5 * np.arange(14) + 0.00037


def session_of(columns, *, edges=None):
    """Build a session of (label, kind, unit, samples) columns."""
    n = len(columns[0][3])
    samples = new_records(SAMPLE, n)
    samples["t_sample"] = T_START + np.arange(n) / SFREQ_HZ
    return Session(
        path=Path("nowhere"),
        config_text="",
        stream=StreamDescription(
            name="amplifier",
            kind="EEG",
            sfreq_hz=SFREQ_HZ,
            sample_format="float32",
            channels=tuple(
                Channel(label=label, unit=unit, kind=kind)
                for label, kind, unit, _ in columns
            ),
        ),
        samples=samples,
        raw=np.column_stack([values for *_, values in columns]).astype(np.float32),
        decisions=new_records(DECISION, 0),
        edges=edges,
        events=[],
        pulses=new_records(PULSE, 0),
        design={},
        summary=None,
        provenance=None,
        notes=(),
    )


@pytest.fixture(scope="module")
def stimulated():
    """A simulated participant's responses to pulses, without any rhythm or noise."""
    config = SyntheticSource.model_validate(
        {
            "kind": "synthetic",
            "channels": ["Fz", "C3", "Cz", "C4", "Oz"],
            "emg_channel": "FDI",
            "coil_at": "C3",
        }
    )
    response = PulseResponse(config)
    t = T_START + np.arange(round(38 * SFREQ_HZ)) / SFREQ_HZ
    eeg, muscle = np.zeros((len(t), 5)), np.zeros(len(t))
    rng, sizes = np.random.default_rng(4), []
    for k, pulse in enumerate(PULSES):
        evoked = response.evoke(pulse, 60.0, math.pi * (k % 2), rng.normal())
        after = (t >= pulse) & (t < pulse + response.longest_s)
        eeg[after] += response.eeg_uv(evoked, t[after])
        muscle[after] += response.muscle_uv(evoked, t[after])
        sizes.append(evoked.mep_uv)
    eeg += rng.normal(0, 0.5, eeg.shape)
    columns = [
        (label, "EEG", "uV", eeg[:, k]) for k, label in enumerate(config.channels)
    ]
    columns.append(("FDI", "EMG", "mV", muscle / 1e3))
    return session_of(columns), response, np.array(sizes)


def test_evoked_potential_is_what_the_participant_has(stimulated):
    session, response, _ = stimulated
    evoked = evoked_of(session, PULSES, np.empty(0))
    assert (evoked.n, evoked.n_shadows) == (len(PULSES), 0)
    assert evoked.labels == ("Fz", "C3", "Cz", "C4", "Oz")
    model = response.evoke(0.0, 60.0, 0.0, 0.0)
    late = evoked.t_s > max(evoked.artifact_s, 0.06)
    expected = response.eeg_uv(model, evoked.t_s[late]).T
    # The baseline is noise alone, 0.5 microvolts over 14 pulses and 90 samples.
    np.testing.assert_allclose(evoked.mean_uv[:, late], expected, atol=0.7)
    assert np.isnan(evoked.mean_uv[:, np.abs(evoked.t_s) <= 0.002]).all()
    at_s, size_uv = evoked.peak
    field = [float(np.std(column)) for column in evoked.mean_uv.T]
    after = [
        f
        for f, t in zip(field, evoked.t_s, strict=True)
        if max(evoked.artifact_s, 0.015) < t <= 0.3
    ]
    assert size_uv == pytest.approx(np.nanmax(after))
    assert evoked.artifact_s < at_s <= 0.3
    assert evoked_figure(evoked).startswith("<svg")


def test_what_is_locked_to_the_pulse_without_it_is_taken_off():
    t = np.arange(round(80 * SFREQ_HZ)) / SFREQ_HZ
    rhythm = 10 * np.cos(2 * math.pi * 10 * t)
    columns = [("C3", "EEG", "uV", rhythm), ("C4", "EEG", "uV", -rhythm)]
    session = session_of(columns)
    fired, shadows = (
        T_START + 1 + 2.0 * np.arange(20),
        T_START + 42 + 2.0 * np.arange(15),
    )
    with_it = evoked_of(session, fired, np.empty(0))
    without = evoked_of(session, fired, shadows)
    assert without.n_shadows == 15
    assert np.nanmax(np.abs(with_it.mean_uv)) > 9
    assert np.nanmax(np.abs(without.mean_uv)) < 0.01
    assert evoked_of(session, fired, shadows[:9]).n_shadows == 0


def test_artifact_ends_where_the_signal_calms_down():
    t_s = np.arange(-100, 351) / 1000
    rng = np.random.default_rng(1)
    quiet = rng.normal(0, 0.1, (3, len(t_s)))
    assert artifact_end_s(quiet, t_s) == 0.005
    for decay_s, least, most in ((0.004, 0.012, 0.03), (0.002, 0.006, 0.016)):
        loud = quiet + np.where(t_s >= 0, 500 * np.exp(-t_s / decay_s), 0)
        assert least <= artifact_end_s(loud, t_s) <= most
    endless = quiet + np.where(t_s >= 0, 500 * np.exp(-t_s / 0.05), 0)
    assert artifact_end_s(endless, t_s) is None


def test_why_there_is_no_evoked_potential(stimulated):
    session, _, _ = stimulated
    assert "9 pulses are too few" in evoked_of(session, PULSES[:9], np.empty(0))
    single = session_of([("C3", "EEG", "uV", np.zeros(5000))])
    assert "two EEG channels" in evoked_of(single, PULSES, np.empty(0))
    t = np.arange(40_000) / SFREQ_HZ
    long = np.zeros(len(t))
    for pulse in PULSES - T_START:
        long += np.where(t >= pulse, 800 * np.exp(-np.abs(t - pulse) / 0.08), 0)
    rng = np.random.default_rng(2)
    lasting = session_of(
        [(k, "EEG", "uV", long + rng.normal(0, 0.5, len(t))) for k in ("C3", "C4")]
    )
    assert "longer than 50 ms" in evoked_of(lasting, PULSES, np.empty(0))


def test_motor_responses_are_those_of_the_muscle(stimulated):
    session, _, sizes = stimulated
    condition = np.arange(len(PULSES)) % 2
    (muscle,) = motor_responses(session, PULSES, condition)
    assert muscle.label == "FDI"
    # Sampling misses the top of a 12 ms wave by little, and the artifact is over.
    np.testing.assert_allclose(muscle.size_uv, sizes, rtol=0.05, atol=3)
    rows = motor_rows(muscle, {0: "peak", 1: "trough"})
    for place, row in enumerate(rows):
        own = sorted(muscle.size_uv[condition == place])
        assert row[0] == ("peak", "trough")[place]
        assert row[1] == f"{len(own)}"
        assert row[2] == f"{(own[3]):,.0f} µV"
        assert row[4] == f"{sum(size >= 50 for size in own) / len(own):.0%}"
    assert motor_figure(muscle, {0: "peak", 1: "trough"}).startswith("<svg")


def test_an_active_muscle_is_left_out():
    muscle = np.zeros(40_000)
    first = round((PULSES[2] - T_START - 0.05) * SFREQ_HZ)
    muscle[first : first + 4] = [0, 60, -60, 0]
    session = session_of([("FDI", "EMG", "uV", muscle)])
    (found,) = motor_responses(session, PULSES, np.zeros(len(PULSES), np.int64))
    assert np.flatnonzero(np.isnan(found.size_uv)).tolist() == [2]
    assert found.n_active == 1
    assert motor_responses(session, PULSES[:0], np.zeros(0, np.int64)) == ()
    nobody = session_of([("C3", "EEG", "uV", muscle), ("E", "EMG", "furlongs", muscle)])
    assert motor_responses(nobody, PULSES, np.zeros(len(PULSES), np.int64)) == ()


def decisions_and_pulses():
    rng = np.random.default_rng(8)
    decisions = new_records(DECISION, 900)
    decisions["t_sample"] = T_START + np.sort(rng.uniform(0, 90, 900))
    kinds = [HoldReason.AMPLITUDE, HoldReason.ARTIFACT | HoldReason.INTERVAL]
    decisions["holds"] = rng.choice([int(kind) for kind in kinds], 900)
    decisions["outcome"] = rng.choice([Outcome.HELD, Outcome.PLANNED], 900)
    decisions["holds"][decisions["outcome"] == Outcome.PLANNED] = 0
    pulses = new_records(PULSE, 40)
    pulses["refusal"] = [Refusal.NONE, Refusal.TOO_LATE] * 20
    pulses["t_write"] = T_START + np.linspace(1, 89, 40)
    return decisions, pulses


def test_reasons_over_time_count_every_one():
    decisions, pulses = decisions_and_pulses()
    course = reasons_course(decisions, pulses)
    assert next(iter(course.counts)) == "TOO_LATE"
    assert set(course.counts) == {"TOO_LATE", "AMPLITUDE", "ARTIFACT"}
    assert course.refusals == ("TOO_LATE",)
    t = decisions["t_sample"] - decisions["t_sample"].min()
    width = t.max() / N_BINS
    for name in ("AMPLITUDE", "ARTIFACT"):
        slow = [0] * N_BINS
        for at, row in zip(t, decisions, strict=True):
            held = row["outcome"] == Outcome.HELD
            if held and row["holds"] & int(HoldReason[name]):
                slow[min(int(at / width), N_BINS - 1)] += 1
        assert sum(slow) == course.counts[name].sum()
        # A hair's breadth of rounding may put one on the other side of an edge.
        assert np.abs(course.counts[name] - slow).sum() <= 2
    assert course.counts["TOO_LATE"].sum() == 20
    assert reasons_figure(course).startswith("<svg")


def test_no_decision_has_no_reasons():
    assert reasons_course(new_records(DECISION, 0), new_records(PULSE, 0)) is None


def test_rhythm_over_time_is_where_it_was_put():
    t = np.arange(round(120 * 250.0)) / 250.0
    rng = np.random.default_rng(3)
    early = t < 60
    pitch = np.where(early, 9.2, 10.8)
    signal = 8 * np.cos(2 * math.pi * np.cumsum(pitch) / 250.0) + rng.normal(
        0, 2, len(t)
    )
    pulses = 5.0 + 10.0 * np.arange(11)
    for pulse in pulses:
        signal[(t >= pulse) & (t < pulse + 0.02)] += 900
    virtual = Virtual(stamps=T_START + t, microvolts=signal, sfreq_hz=250.0)
    course = rhythm_course(virtual, "alpha", T_START + pulses)
    assert course.found_share == 1.0
    whole = (course.t_s < 48) | (course.t_s > 72)
    expected = np.where(course.t_s < 60, 9.2, 10.8)
    np.testing.assert_allclose(course.frequency_hz[whole], expected[whole], atol=0.15)
    assert np.all(course.snr_db > 5)
    assert rhythm_figure(course, 10.0).startswith("<svg")
    assert rhythm_course(virtual, "slow", pulses) is None


def test_noise_has_no_rhythm():
    rng = np.random.default_rng(4)
    stamps = np.arange(10_000) / 250.0
    noise = Virtual(stamps=stamps, microvolts=rng.normal(0, 5, 10_000), sfreq_hz=250.0)
    course = rhythm_course(noise, "alpha", np.empty(0))
    assert course.found_share < 0.5


def test_a_straight_line_replaces_the_artifact_and_nothing_else():
    stamps = np.arange(1000) / 1000
    signal = np.sin(stamps * 9)
    spoiled = signal.copy()
    spoiled[500:525] += 700
    smooth = bridged(stamps, spoiled, np.array([0.5, 7.0]))
    changed = np.flatnonzero(smooth != spoiled)
    assert changed.min() >= 497
    assert changed.max() <= 531
    assert np.abs(smooth - signal).max() < 0.05


@pytest.mark.parametrize("seed", range(4))
def test_busiest_minute_is_that_of_a_slow_count(seed):
    t = np.sort(np.random.default_rng(seed).uniform(0, 400, 90))
    slow = max(sum(begin <= other < begin + 60 for other in t) for begin in t)
    assert busiest_minute(t) == slow
    assert busiest_minute(t[:0]) == 0


def test_dose_stands_beside_its_limits():
    edges = new_records(EDGE, 8)
    edges["rises"] = [1, 0] * 4
    edges["decision"] = [0, 0, 0, 0, 1, 1, 2, 2]
    edges["t_fired"] = [10, 10.005, 10.02, 10.025, 12.5, 12.505, 15, 15.005]
    edges["refusal"][6] = Refusal.TOO_LATE
    left = new_records(PULSE, 2)
    left["t_fired"] = [10, 12.5]
    session = session_of([("C3", "EEG", "uV", np.zeros(100))], edges=edges)
    limits = {"max_pulses": 50, "min_interval_s": 2.0, "max_per_minute": 20}
    summary = {"stimulator": {"intensity_pct_mso": 45.0, "pulses": 3}}
    rows = {
        row.name: (row.given, row.allowed)
        for row in dose_rows(session, left, limits, summary)
    }
    assert rows["pulses triggered"] == ("3", "at most 50")
    assert rows["patterns of more than one pulse"][0] == "1, lasting 0.0 s in all"
    assert rows["intensity"] == ("45 % of maximum output", "")
    assert rows["pulses, each times its share of maximum output"][0] == "1.4"
    assert rows["triggers in the busiest minute"] == ("2", "at most 20")
    assert rows["shortest time between triggers"] == ("2.500 s", "at least 2 s")
    blind = [row.name for row in dose_rows(session, left, limits, summary, blind=True)]
    assert not any("output" in name or "intensity" in name for name in blind)
