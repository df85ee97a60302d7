"""The simulated box as a state machine: no clock, no port."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.base import DriverSettingError
from drivers.sim.arrival_log import Arrival
from drivers.sim.byte_box import BoxBehaviour, ByteBox

reads = st.lists(
    st.tuples(st.binary(min_size=1, max_size=20), st.floats(0, 0.1)), max_size=20
)


def take_all(box: ByteBox, read: list[tuple[bytes, float]]) -> list[Arrival]:
    t, changes = 100.0, []
    for received, pause_s in read:
        t += pause_s
        changes += box.take(received, t)
    return changes


@given(reads)
def test_latching_box_shows_each_byte_once_and_in_order(read):
    changes = take_all(ByteBox(BoxBehaviour()), read)
    assert bytes(one.code for one in changes) == b"".join(data for data, _ in read)


@given(reads)
def test_each_byte_says_how_many_came_with_it_and_shares_their_stamp(read):
    changes = iter(take_all(ByteBox(BoxBehaviour()), read))
    t = 100.0
    for received, pause_s in read:
        t += pause_s
        for code in received:
            expected = Arrival(t_observed=t, code=code, merged=len(received))
            assert next(changes) == expected


@given(st.binary(min_size=1, max_size=40), st.data())
def test_merging_of_reads_changes_no_code(stream, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    edges = [0, *cuts, len(stream)]
    pieces = [stream[a:b] for a, b in itertools.pairwise(edges) if b > a]
    behaviour = BoxBehaviour(unplug_after=7, latency_s=1e-3, latency_sd_s=1e-3)
    split = take_all(ByteBox(behaviour), [(piece, 0.0) for piece in pieces])
    whole = take_all(ByteBox(behaviour), [(stream, 0.0)])
    assert [(one.t_observed, one.code) for one in split] == [
        (one.t_observed, one.code) for one in whole
    ]


@given(reads, st.floats(0, 0.01), st.floats(0, 0.01), st.booleans(), st.integers())
def test_stamps_never_go_back_nor_before_the_byte(read, mean, sd, clears, seed):
    behaviour = BoxBehaviour(
        latency_s=mean,
        latency_sd_s=sd,
        seed=seed,
        pulse_width_s=0.008 if clears else None,
    )
    stamps = [one.t_observed for one in take_all(ByteBox(behaviour), read)]
    assert stamps == sorted(stamps)
    assert all(stamp >= 100.0 for stamp in stamps)


def test_latency_is_seeded_and_has_its_mean_and_spread():
    def latencies(seed):
        box = ByteBox(BoxBehaviour(latency_s=2e-3, latency_sd_s=1e-4, seed=seed))
        return [box.take(b"\x01", float(t))[0].t_observed - t for t in range(2000)]

    drawn = latencies(1)
    mean = sum(drawn) / len(drawn)
    sd = math.sqrt(sum((one - mean) ** 2 for one in drawn) / len(drawn))
    assert drawn == latencies(1) != latencies(2)
    # Six standard errors, n = 2000.
    assert mean == pytest.approx(2e-3, abs=6 * 1e-4 / math.sqrt(2000))
    assert sd == pytest.approx(1e-4, rel=6 / math.sqrt(2 * 2000))


def test_box_that_clears_by_itself_queues_codes_until_then():
    box = ByteBox(BoxBehaviour(pulse_width_s=0.008))
    changes = box.take(b"\x05", 1.0) + box.take(b"\x06\x00", 1.004)
    assert [(one.code, one.merged) for one in changes] == [
        (5, 1),
        (0, 0),
        (6, 2),
        (0, 0),
        (0, 2),
    ]
    assert [one.t_observed for one in changes] == pytest.approx(
        [1.0, 1.008, 1.008, 1.016, 1.016], abs=1e-12
    )


@pytest.mark.parametrize("fault", ["unplug_after", "deaf_after"])
def test_box_fails_after_its_last_code_and_rests_do_not_count(fault):
    box = ByteBox(BoxBehaviour(**{fault: 2}))
    assert len(box.take(b"\x00\x01\x00", 1.0)) == 3
    assert not (box.unplugged)
    assert not (box.deaf)
    assert [one.code for one in box.take(b"\x00\x02\x00\x03", 2.0)] == [0, 2]
    assert (box.unplugged, box.deaf) == (fault == "unplug_after", fault == "deaf_after")
    assert box.take(b"\x04", 3.0) == []


@pytest.mark.parametrize(
    "setting",
    [
        {"latency_s": -1e-9},
        {"latency_s": math.nan},
        {"latency_sd_s": math.inf},
        {"pulse_width_s": 0.0},
        {"pulse_width_s": math.nan},
        {"unplug_after": 0},
        {"deaf_after": -1},
    ],
)
def test_impossible_behaviour_is_refused(setting):
    with pytest.raises(DriverSettingError, match=next(iter(setting))):
        BoxBehaviour(**setting)
