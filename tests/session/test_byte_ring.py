import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.session.recording.byte_ring import ByteRing


def ring(n_bytes=64, at=0):
    return ByteRing(np.zeros(n_bytes, np.uint8), np.full(2, at, np.int64))


@given(
    turns=st.lists(st.lists(st.binary(max_size=40), max_size=4), max_size=12),
    at=st.sampled_from([0, 1, 61, 63, 10**15]),
)
def test_messages_come_out_as_they_went_in_or_are_refused(turns, at):
    a_ring = ring(at=at)
    for turn in turns:
        taken = [message for message in turn if a_ring.put(message)]
        assert a_ring.take() == taken
    assert a_ring.take() == []


@pytest.mark.parametrize(("length", "fits"), [(60, True), (61, False)])
def test_message_that_just_fits(length, fits):
    a_ring = ring()
    assert a_ring.put(bytes(length)) is fits
    assert a_ring.take() == [bytes(length)] * fits


def test_messages_that_were_read_stay_until_they_are_freed():
    a_ring = ring()
    a_ring.put(b"one")
    messages, upto = a_ring.waiting()
    a_ring.put(b"two")
    assert messages == [b"one"]
    assert a_ring.waiting()[0] == [b"one", b"two"]
    a_ring.free(upto)
    assert a_ring.waiting()[0] == [b"two"]


def test_place_is_there_again_after_freeing():
    a_ring = ring()
    assert a_ring.put(bytes(40))
    assert not a_ring.put(bytes(40))
    a_ring.take()
    assert a_ring.put(bytes(40))
