import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.export.pulse_line import PulseLine

RATE_HZ = 100.0


def line(**changed):
    return PulseLine(1, RATE_HZ, **{"block_s": 0.05, "hold_s": 0.1, **changed})


def fed(places, chunks, instants=(), **changed):
    """Feed samples numbered by their place, in chunks, and return all blocks."""
    made = line(**changed)
    made.add_pulses(list(instants))
    places = np.asarray(places)
    blocks = []
    for part in np.array_split(places, chunks):
        made.add_samples(part[:, None].astype(float), 7.0 + part / RATE_HZ)
        blocks += list(made.blocks())
    return made, np.concatenate([*blocks, np.empty((2, 0))], axis=1)


@given(
    st.integers(20, 300),
    st.integers(1, 40),
    st.lists(st.floats(0.0, 2.9), max_size=8, unique_by=lambda t: round(t * RATE_HZ)),
)
def test_every_pulse_stands_at_its_nearest_sample_whatever_the_chunks(n, chunks, when):
    made, out = fed(np.arange(n), chunks, [7.0 + t for t in when])
    assert out.shape[1] % 5 == 0
    assert n - out.shape[1] < 15
    assert (out[0] == np.arange(out.shape[1])).all()
    nearest = {int(np.argmin(np.abs(np.arange(n + 300) / RATE_HZ - t))) for t in when}
    wanted = {row for row in nearest if row < out.shape[1]}
    found = set(np.flatnonzero(out[1]).tolist())
    # A pulse just between two samples may go to either.
    assert len(found) == len(wanted)
    assert all(min(abs(row - other) for other in wanted) <= 1 for row in found)
    assert made.n_missed == 0


def test_samples_that_never_came_are_no_numbers():
    _, out = fed([*range(20), *range(27, 60)], 4)
    assert np.isnan(out[0, 20:27]).all()
    assert (out[0, 27:45] == np.arange(27, 45)).all()


def test_a_marker_that_comes_within_the_hold_is_in_time():
    made = line()
    places = np.arange(14)
    made.add_samples(places[:, None].astype(float), 7.0 + places / RATE_HZ)
    assert list(made.blocks()) == []
    made.add_pulses([7.03])
    made.add_samples(np.array([[14.0]]), np.array([7.14]))
    (block,) = made.blocks()
    assert block[1].tolist() == [0, 0, 0, 1, 0]
    assert (made.n_missed, made.n_waiting) == (0, 0)


def test_a_marker_that_comes_too_late_is_counted():
    made, out = fed(np.arange(60), 3)
    made.add_pulses([7.03])
    places = np.arange(60, 70)
    made.add_samples(places[:, None].astype(float), 7.0 + places / RATE_HZ)
    assert not any(block[1].any() for block in made.blocks())
    assert made.n_missed == 1
    assert not out[1].any()


@pytest.mark.parametrize(
    "stamps",
    [[7.0, 7.0], [7.0, 6.9], [7.0, float("nan")], [7.0, 70.0]],
    ids=["repeated", "backward", "nan", "long"],
)
def test_stamps_that_cannot_be_trusted_are_refused(stamps):
    with pytest.raises(ValueError, match=r"stamps|missing"):
        line().add_samples(np.zeros((2, 1)), np.array(stamps))
