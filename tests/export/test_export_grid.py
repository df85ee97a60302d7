import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.errors import FileError
from controller.export.grid import SampleGrid, grid_of, not_numbers, on_grid
from controller.export.opened import open_session

RATE_HZ = 100.0


def grid(rows, t_first=50.0):
    rows = np.asarray(rows, np.int64)
    return SampleGrid(sfreq_hz=RATE_HZ, stamps=t_first + rows / RATE_HZ, rows=rows)


def with_stamps(session, stamps):
    samples = session.samples[: len(stamps)].copy()
    samples["t_sample"] = stamps
    return dataclasses.replace(session, samples=samples, raw=session.raw[: len(stamps)])


def test_every_sample_of_a_whole_recording_keeps_its_number(opened):
    n = len(opened.session.samples)
    assert (opened.grid.rows == np.arange(n)).all()
    assert opened.grid.gaps() == []


def test_time_in_the_file_stays_time_across_a_gap(gappy):
    opened = open_session(gappy.folder)
    (gap,) = opened.grid.gaps()
    assert gap.start_s == pytest.approx(12.0)
    assert gap.duration_s == pytest.approx(0.25)
    assert opened.grid.n_rows == 30_000


@given(
    st.lists(st.floats(-0.3, 0.3), min_size=2, max_size=50),
)
def test_jitter_of_stamps_neither_doubles_nor_drops_a_sample(opened, jitter):
    # Neighbours differ by 0.4 to 1.6 samples; the rule for a gap is 1.5.
    shifted = (np.arange(len(jitter)) + np.array(jitter) * 0.8) / 1000.0
    rows = grid_of(with_stamps(opened.session, shifted)).rows
    assert (rows == np.arange(len(jitter))).all()


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=30),
    st.lists(st.floats(-2.0, 4.0), min_size=1),
)
def test_instants_become_seconds_of_the_file(steps, after_s):
    places = grid([0, *np.cumsum(steps)])
    t = places.t_first + np.array(after_s)
    assert places.seconds(t) == pytest.approx(np.array(after_s), abs=1e-9)


def test_an_unknown_instant_stays_unknown():
    assert np.isnan(grid([0, 1]).seconds(np.array([np.nan]))[0])


def test_a_hole_is_bridged_by_a_straight_line():
    bridged = on_grid(grid([0, 1, 4]), np.array([0.0, 1.0, 7.0]))
    assert bridged == pytest.approx([0.0, 1.0, 3.0, 5.0, 7.0])


def test_values_that_are_no_numbers_count_as_missing():
    values = np.array([0.0, np.nan, np.inf, 3.0])
    places = grid([0, 1, 2, 3])
    assert on_grid(places, values) == pytest.approx([0.0, 1.0, 2.0, 3.0])
    assert (on_grid(places, np.full(4, np.nan)) == 0.0).all()
    (stretch,) = not_numbers(places, np.isfinite(values))
    assert stretch.start_s == pytest.approx(0.01)
    assert stretch.duration_s == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("stamps", "words"),
    [
        ([], "holds no samples"),
        ([0.0, 0.001, 0.001], "at sample 2"),
        ([0.0, 0.001, 0.0005], "at sample 2"),
        ([0.0, np.nan, 0.002], "at sample 1"),
    ],
    ids=["none", "repeated", "backward", "nan"],
)
def test_what_has_no_even_grid_is_refused(opened, stamps, words):
    with pytest.raises(FileError, match=words):
        grid_of(with_stamps(opened.session, stamps))
