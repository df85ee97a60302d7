"""Frames of the micro-controller: whole ones are found, rubbish is passed over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.teensy_frames import (
    Command,
    Event,
    Frame,
    Result,
    crc8,
    encode_frame,
    encode_pulse,
    encode_pulse_at,
    encode_watchdog,
    split_frames,
)
from drivers.teensy_messages import (
    Missed,
    Pulsed,
    parse_clock,
    parse_event,
    parse_identity,
    parse_input_edges,
    parse_result,
)

frames = st.builds(Frame, command=st.integers(0, 255), payload=st.binary(max_size=32))


def parse_all(frame):
    parse_identity(frame)
    parse_clock(frame)
    parse_event(frame)
    parse_input_edges(frame)
    for command in Command:
        parse_result(frame, command)


@pytest.mark.parametrize(
    ("covered", "crc"), [(b"", 0), (b"\x00", 0), (b"123456789", 0xA1), (b"\x02", 0xBC)]
)
def test_crc_is_that_of_dallas_and_maxim(covered, crc):
    assert crc8(covered) == crc


def test_frames_have_their_bytes():
    assert encode_frame(Command.DISARM).hex(" ") == "aa 04 00 3b 55"
    assert encode_pulse(2, 1000).hex(" ") == "aa 05 05 02 e8 03 00 00 10 55"
    frame = encode_pulse_at(0x0102, 7, 500, 0x0102030405060708)
    assert frame[:3] == b"\xaa\x06\x0f"
    assert frame[3:-2].hex() == "0201" + "07" + "f4010000" + "0807060504030201"
    assert encode_watchdog(3000)[3:5] == b"\xb8\x0b"


@given(st.lists(frames, max_size=5), st.data())
def test_frames_come_back_however_they_are_cut(sent, data):
    stream = b"".join(encode_frame(one.command, one.payload) for one in sent)
    found, kept = [], b""
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        more, kept = split_frames(kept + stream[:size])
        found += more
        stream = stream[size:]
    assert (found, kept) == (sent, b"")


@given(st.binary(max_size=120).filter(lambda noise: b"\xaa" not in noise), frames)
def test_noise_before_a_frame_is_passed_over(noise, frame):
    found, _ = split_frames(noise + encode_frame(frame.command, frame.payload))
    assert found == [frame]


@given(frames, st.integers(0, 7), st.data())
def test_one_wrong_bit_is_noticed(frame, bit, data):
    stream = bytearray(encode_frame(frame.command, frame.payload))
    # The length says how much is covered, so a wrong one may leave a frame unfinished.
    places = [i for i in range(len(stream)) if i != 2]
    stream[data.draw(st.sampled_from(places))] ^= 1 << bit
    assert frame not in split_frames(bytes(stream))[0]


@given(st.binary(max_size=300))
def test_any_bytes_give_frames_or_nothing(received):
    found, kept = split_frames(received)
    for frame in found:
        parse_all(frame)
    assert len(kept) < 37


def test_events_are_read():
    pulsed = Frame(command=Event.PULSED, payload=b"\x05\x00\x02" + bytes(7) + b"\x01")
    assert parse_event(pulsed) == Pulsed(number=5, line=2, device_us=1 << 56)
    missed = Frame(command=Event.MISSED, payload=b"\x05\x00\x02\x0b")
    assert parse_event(missed) == Missed(number=5, line=2, result=Result.LATE)


def test_result_of_another_command_is_not_taken():
    frame = Frame(command=Command.ARM.reply, payload=b"\x00")
    assert parse_result(frame, Command.ARM) is Result.OK
    assert parse_result(frame, Command.DISARM) is None
    rejected = Frame(command=Event.REJECTED, payload=b"\x03\x09")
    assert parse_result(rejected, Command.ARM) is Result.BAD_LENGTH
    assert parse_result(rejected, Command.DISARM) is None
    odd = Frame(command=Command.ARM.reply, payload=b"\xee")
    assert parse_result(odd, Command.ARM) is Result.UNKNOWN
