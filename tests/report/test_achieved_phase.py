import math

import numpy as np
import pytest

from controller.errors import FileError
from controller.kernels.circular import wrap_phase
from controller.kernels.jit import new_records
from controller.report.achieved import (
    Design,
    Virtual,
    achieved_phase,
    edge_instants,
    segments,
    virtual_channel,
)
from controller.report.epochs import average_around
from controller.report.timecourse import N_BINS, course_of
from controller.session.pulses import PULSE

BAND_HZ = (8.0, 12.0)
FREQUENCY_HZ = 10.3


def cosine(duration_s=20.0, sfreq_hz=250.0, gap_at=None):
    stamps = 100.0 + np.arange(round(duration_s * sfreq_hz)) / sfreq_hz
    if gap_at is not None:
        stamps[gap_at:] += 0.3
    microvolts = 50 + 10 * np.cos(2 * math.pi * FREQUENCY_HZ * stamps)
    return Virtual(stamps=stamps, microvolts=microvolts, sfreq_hz=sfreq_hz)


def true_phase(instants):
    return wrap_phase(2 * math.pi * FREQUENCY_HZ * np.asarray(instants))


@pytest.mark.parametrize("sfreq_hz", [250.0, 1000.0])
def test_phase_of_a_cosine_between_samples_is_exact(sfreq_hz):
    instants = np.random.default_rng(1).uniform(103, 117, 40)
    found = achieved_phase(cosine(sfreq_hz=sfreq_hz), BAND_HZ, instants)
    errors = np.degrees(wrap_phase(found - true_phase(instants)))
    # Half of what 0.1 ms of misplaced time would make; the filter's edges leak less.
    assert np.max(np.abs(errors)) < 0.2


def test_phase_zero_is_the_positive_peak():
    peak = round(110 * FREQUENCY_HZ) / FREQUENCY_HZ
    found = achieved_phase(
        cosine(), BAND_HZ, np.array([peak, peak + 0.25 / FREQUENCY_HZ])
    )
    np.testing.assert_allclose(np.degrees(found), [0, 90], atol=0.2)


def test_no_phase_near_an_end_or_a_gap():
    virtual = cosine(gap_at=2500)  # between 109.996 and 110.3 s
    instants = np.array([100.9, 101.1, 108.9, 109.1, 110.1, 111.2, 111.4, 119.2, 119.4])
    found = achieved_phase(virtual, BAND_HZ, instants)
    known = [False, True, True, False, False, False, True, True, False]
    assert np.isfinite(found).tolist() == known


def test_phase_is_right_on_both_sides_of_a_gap():
    instants = np.array([105.0, 115.0])
    found = achieved_phase(cosine(gap_at=2500), BAND_HZ, instants)
    errors = np.degrees(wrap_phase(found - true_phase(instants)))
    assert np.max(np.abs(errors)) < 0.2


def test_pulses_without_instant_have_no_phase():
    assert np.isnan(
        achieved_phase(cosine(), BAND_HZ, np.array([np.nan, 110.0]))
    ).tolist() == [
        True,
        False,
    ]


def test_recording_too_short_for_the_truth_has_no_phase():
    found = achieved_phase(cosine(duration_s=1.5), BAND_HZ, np.array([100.7]))
    assert np.isnan(found).all()


def test_a_value_that_is_not_a_number_ends_a_segment():
    virtual = cosine()
    virtual.microvolts[1000:1003] = np.nan
    assert [(part.start, part.stop) for part in segments(virtual)] == [
        (0, 1000),
        (1003, 5000),
    ]
    assert np.isfinite(achieved_phase(virtual, BAND_HZ, np.array([102.0, 110.0]))).all()


@pytest.mark.parametrize("last", [99.0, np.nan, 119.996 - 0.004])
def test_a_last_stamp_that_makes_no_sense_is_left_alone(last):
    virtual = cosine()
    virtual.stamps[-1] = last
    assert [part.stop for part in segments(virtual)] == [4999, 5000]
    assert np.isfinite(achieved_phase(virtual, BAND_HZ, np.array([110.0]))).all()


def test_no_samples_are_no_segments():
    empty = Virtual(stamps=np.empty(0), microvolts=np.empty(0), sfreq_hz=250.0)
    assert list(segments(empty)) == []
    assert np.isnan(achieved_phase(empty, BAND_HZ, np.array([1.0]))).all()
    assert average_around(empty, np.array([1.0])) is None


def test_unused_channels_are_not_read():
    raw = np.array([[1.0, np.nan, 3.0]], np.float32)
    virtual = virtual_channel(np.zeros(1), raw, 250.0, np.array([1.0, 0.0, -2.0]))
    assert virtual.microvolts.tolist() == [-5.0]


def test_edge_is_taken_as_observed_else_estimated():
    pulses = new_records(PULSE, 3)
    pulses["t_fired"] = [1.0, 2.0, np.nan]
    pulses["t_observed"] = [1.5, np.nan, np.nan]
    np.testing.assert_array_equal(edge_instants(pulses, 0.25), [1.5, 2.25, np.nan])


def test_a_session_without_design_cannot_be_scored():
    with pytest.raises(FileError, match=r"lacks band_hz, output_latency_s"):
        Design.of({"mixing": np.eye(2)})


def test_average_shows_the_rhythm_at_its_peak():
    peaks = np.arange(1045, 1065) / FREQUENCY_HZ
    average = average_around(cosine(sfreq_hz=1000.0), peaks)
    middle = len(average.t_s) // 2
    assert average.n == 20
    assert average.t_s[middle] == 0
    assert average.mean_uv[middle] == pytest.approx(10, abs=0.2)
    assert np.max(average.sem_uv) < 0.05


def test_average_leaves_out_epochs_across_a_gap_or_an_end():
    virtual = cosine(gap_at=2500)
    assert average_around(virtual, np.array([100.5, 105.0, 109.5, 115.0])).n == 2
    assert average_around(virtual, np.array([100.5])) is None


def test_one_epoch_has_no_standard_error():
    assert np.all(average_around(cosine(), np.array([110.0])).sem_uv == 0)


def test_course_keeps_every_extreme():
    t = np.arange(100_000) / 1000
    values = np.zeros(len(t))
    values[77_777] = 9.0
    values[5_000:6_000] = np.nan
    course = course_of(t, values, t_start=0.0, t_stop=t[-1], quantiles=(0.0, 0.5, 1.0))
    assert len(course.t_s) == N_BINS
    assert np.nanmax(course.high) == 9.0
    assert np.isnan(course.middle).any()
    assert np.nanmax(course.middle) == 0.0


def test_course_of_nothing_is_empty():
    nothing = np.empty(0)
    course = course_of(nothing, nothing, t_start=0.0, t_stop=1.0, quantiles=(0, 0.5, 1))
    assert np.isnan(course.middle).all()
