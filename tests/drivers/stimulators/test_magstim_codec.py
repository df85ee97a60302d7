"""Every byte string of the Magstim tables, and fuzzed replies."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimulator_bench import FUZZ

from drivers.base import DriverSettingError
from drivers.magstim import codec, limits
from drivers.magstim.replies import (
    GarbledReply,
    Refusal,
    body,
    n_missing,
    parse_charge_delay,
    parse_error,
    parse_mode,
    parse_parameters,
    parse_rapid_parameters,
    parse_status,
    parse_temperature,
    parse_version,
    reply_length,
)
from drivers.magstim.status import (
    MODES,
    ExtendedStatus,
    InstrumentStatus,
    RapidStatus,
)

SW7, SW8, SW9, SW10, SW11 = (7, 0, 0), (8, 0, 0), (9, 1, 0), (10, 0, 0), (11, 0, 0)

COMMANDS = [
    (codec.REMOTE_ON, "51 40 6E"),
    (codec.REMOTE_OFF, "52 40 6D"),
    (codec.DISARM, "45 41 79"),
    (codec.ARM, "45 42 78"),
    (codec.FIRE, "45 48 72"),
    (codec.GET_PARAMETERS, "4A 40 75"),
    (codec.GET_TEMPERATURE, "46 40 79"),
    (codec.power(50), "40 30 35 30 2A"),
    (codec.power(55), "40 30 35 35 25"),
    (codec.power(100), "40 31 30 30 2E"),
    (codec.power_b(30), "41 30 33 30 2B"),
    (codec.interval(10), "43 30 31 30 2B"),
    (codec.HIGH_RESOLUTION_ON, "59 40 66"),
    (codec.HIGH_RESOLUTION_OFF, "5A 40 65"),
    (codec.GET_MODE, "58 40 67"),
    (codec.GET_RAPID_PARAMETERS, "5C 40 63"),
    (codec.GET_SYSTEM_STATUS, "78 40 47"),
    (codec.GET_VERSION, "4E 44 6D"),
    (codec.GET_ERROR, "49 40 76"),
    (codec.IGNORE_COIL_SWITCH, "62 40 5D"),
    (codec.ENHANCED_ON, "5E 40 61"),
    (codec.ENHANCED_OFF, "5F 40 60"),
    (codec.frequency(100), "42 30 31 30 30 FC"),
    (codec.n_pulses(50, SW9), "44 30 30 30 35 30 C6"),
    (codec.n_pulses(50, SW8), "44 30 30 35 30 F6"),
    (codec.duration(50, SW9), "5B 30 30 35 30 DF"),
    (codec.duration(50, SW8), "5B 30 35 30 0F"),
    (codec.train_mode(SW9, on=True), "5B 30 30 31 30 E3"),
    (codec.train_mode(SW9, on=False), "5B 30 30 30 30 E4"),
    (codec.charge_delay(100, SW10), "6E 30 30 31 30 30 A0"),
    (codec.GET_CHARGE_DELAY, "6F 40 50"),
]


@pytest.mark.parametrize(("command", "expected"), COMMANDS)
def test_command_has_the_bytes_of_the_table(command, expected):
    assert command == bytes.fromhex(expected)


def test_unlock_code_goes_between_q_and_checksum():
    command = codec.unlock("1234-56789abc-de")
    assert command[:-1] == b"Q1234-56789abc-de"
    assert sum(command) & 0xFF == 0xFF


@pytest.mark.parametrize("code", ["", "€", "x" * 65])
def test_impossible_unlock_code_is_refused(code):
    with pytest.raises(DriverSettingError, match="unlock code"):
        codec.unlock(code)


@pytest.mark.parametrize("value", [-1, 1000, 1.0, True, None, float("nan")])
def test_value_that_does_not_fit_its_digits_is_refused(value):
    with pytest.raises(DriverSettingError, match="does not fit"):
        codec.power(value)


@pytest.mark.parametrize(
    ("software", "lengths"),
    [
        (SW7, {"\\": 22}),
        (SW8, {"\\": 22}),
        ((6, 9, 9), {"\\": 21}),
        (SW9, {"\\": 24, "n": 4, "o": 7}),
        (SW10, {"\\": 24, "n": 6, "o": 8}),
        (SW11, {"\\": 24, "n": 6, "o": 8, "x": 6}),
    ],
)
def test_reply_lengths_that_depend_on_the_software(software, lengths):
    for letter, length in lengths.items():
        assert reply_length(letter, software) == length


def test_reply_lengths_that_do_not():
    expected = dict.fromkeys("QRE@ACYZb", 3)
    expected |= dict.fromkeys("XBD[^_", 4) | {"F": 9, "J": 12, "I": 6, "x": 6}
    for letter, length in expected.items():
        assert reply_length(letter) == length


def unwrap(reply, software=SW9):
    raw = bytes.fromhex(reply)
    return body(chr(raw[0]), raw, software)


def test_reply_to_remote_on():
    status = parse_status(unwrap("51 89 25"))
    assert status == InstrumentStatus(standby=True, coil_present=True, remote=True)
    assert status.to_byte() == 0x89
    assert not status.enabled


@pytest.mark.parametrize(
    ("byte", "names"),
    [
        (0x89, {"standby", "coil_present", "remote"}),
        (0x8A, {"armed", "coil_present", "remote"}),
        (0x8C, {"ready", "coil_present", "remote"}),
        (0x09, {"standby", "coil_present"}),
        (0x70, {"replace_coil", "error_present", "error_type"}),
    ],
)
def test_bits_of_the_instrument_status(byte, names):
    assert InstrumentStatus.from_byte(byte) == InstrumentStatus(
        **dict.fromkeys(names, True)
    )


@pytest.mark.parametrize(
    ("reply", "enabled"),
    [("45 89 31", False), ("45 8C 2E", True), ("52 09 A4", False)],
)
def test_replies_to_arm_fire_and_remote_off(reply, enabled):
    assert parse_status(unwrap(reply)).enabled is enabled


def test_reply_with_parameters():
    data = unwrap("4A 8C 30 35 30 30 30 30 30 30 30 74")
    found = parse_parameters(data)
    assert (found.power_a, found.power_b, found.interval) == (50, 0, 0)


def test_reply_with_temperatures():
    data = unwrap("46 8C 32 34 30 32 35 35 FB")
    assert parse_temperature(data) == (24.0, 25.5)


def test_reply_with_system_status():
    data = unwrap("78 8C 38 00 00 C3")
    assert RapidStatus.from_byte(data[1]) == RapidStatus(
        single_pulse=True, high_voltage_connected=True, coil_ready=True
    )
    assert ExtendedStatus.from_bytes(data[2], data[3]) == ExtendedStatus()
    assert ExtendedStatus.from_bytes(0, 5).to_bytes() == b"\x00\x05"


def test_reply_with_rapid_parameters():
    data = unwrap(
        "5C 8C 38 30 35 30 30 31 30 30 30 30 30 35 30 30 30 35 30 30 31 30 30 0E"
    )
    found = parse_rapid_parameters(data, SW9)
    numbers = (found.power, found.frequency, found.n_pulses, found.duration, found.wait)
    assert numbers == (50, 100, 50, 50, 100)
    assert found.rapid.single_pulse


def test_reply_with_version():
    assert parse_version(unwrap("4E 39 2E 31 2E 30 00 BB")) == (9, 1, 0)
    assert parse_version(unwrap("4E 44 39 2E 31 2E 30 00 77")) == (9, 1, 0)


@pytest.mark.parametrize("text", [b"", b"9", b"9.1.0.0", b"a.b", b"9..1", b"9.\xb2"])
def test_strange_version_is_garbled(text):
    with pytest.raises(GarbledReply, match="version"):
        parse_version(text + b"\0")


def test_version_of_two_parts_is_understood():
    assert parse_version(b"8.2\0") == (8, 2, 0)


def test_reply_with_mode():
    mode = parse_mode(unwrap("58 89 32 EC"))
    assert mode == "2"
    assert MODES[mode].startswith("master, BiStim")


def test_replies_with_error_and_charge_delay():
    assert parse_error(unwrap(codec.frame(b"I\x89001").hex())) == "001"
    assert parse_charge_delay(unwrap(codec.frame(b"o\x890100").hex())) == 100
    assert parse_charge_delay(unwrap(codec.frame(b"o\x8900100").hex(), SW10)) == 100


@pytest.mark.parametrize(
    ("command", "reply", "refusal"),
    [
        ("E", "45 53 67", Refusal.CONFLICT),
        ("@", "40 3F 80", Refusal.BAD_DATA),
        ("@", "40 53 6C", Refusal.CONFLICT),
        ("q", "3F", Refusal.UNKNOWN_COMMAND),
        ("J", "4A 53 62", Refusal.CONFLICT),
        ("N", "4E 53 5E", Refusal.CONFLICT),
    ],
)
def test_refusals(command, reply, refusal):
    raw = bytes.fromhex(reply)
    assert n_missing(command, raw) == 0
    assert body(command, raw) is refusal


@pytest.mark.parametrize(
    ("command", "reply", "why"),
    [
        ("Q", "51 89 26", "checksum"),
        ("Q", "52 09 A4", "echoes"),
        ("Q", "51 89", "short"),
        ("J", "4A 89 2C", "short"),
        ("Q", "51 89 31 F4", "long"),
        ("N", "4E 39 00 00 78", "long"),
    ],
)
def test_garbled_replies(command, reply, why):
    with pytest.raises(GarbledReply, match=why):
        body(command, bytes.fromhex(reply))


def test_letters_in_place_of_digits_are_garbled():
    with pytest.raises(GarbledReply, match="digits"):
        parse_parameters(b"\x8905x000000")


def test_version_without_end_is_garbled():
    with pytest.raises(GarbledReply, match="does not end"):
        n_missing("N", b"N" + b"9" * 32)


LETTERS = st.sampled_from("QRE@ACYZbXFJIxBD[^_noN\\")
SOFTWARE = st.tuples(st.integers(0, 12), st.integers(0, 9), st.integers(0, 9))
PARSERS = [
    parse_parameters,
    parse_temperature,
    parse_charge_delay,
    parse_version,
    lambda data: parse_rapid_parameters(data, SW9),
    lambda data: parse_rapid_parameters(data, SW7),
]


@FUZZ
@given(LETTERS, st.binary(max_size=40), SOFTWARE)
def test_fuzz_random_replies_give_nothing_but_clean_errors(letter, raw, software):
    try:
        if n_missing(letter, raw, software) == 0:
            body(letter, raw, software)
    except GarbledReply:
        pass
    except KeyError:
        assert letter not in "QRE@ACYZbXFJIxBD[^_noN\\"


@FUZZ
@given(LETTERS, st.binary(min_size=1, max_size=30), SOFTWARE)
def test_fuzz_well_framed_nonsense_gives_nothing_but_clean_errors(
    letter, data, software
):
    try:
        found = body(letter, codec.frame(letter.encode() + data), software)
    except GarbledReply:
        return
    for parse in PARSERS:
        with contextlib.suppress(GarbledReply):
            parse(found if isinstance(found, bytes) else b"\x89")


@FUZZ
@given(st.integers(0, 255))
def test_fuzz_status_bytes_survive_a_round_trip(byte):
    assert InstrumentStatus.from_byte(byte).to_byte() == byte
    assert RapidStatus.from_byte(byte).to_byte() == byte


@pytest.mark.parametrize(
    ("percent", "recharge"),
    [(0, 2.0), (49, 2.0), (50, 3.0), (79, 3.0), (80, 4.0), (100, 4.0)],
)
def test_recharge_of_a_200(percent, recharge):
    assert limits.recharge_200_s(percent) == recharge


@pytest.mark.parametrize(
    ("percent", "joules"), [(40, 40.3), (50, 63.0), (60, 90.7), (80, 161.2), (100, 252)]
)
def test_energy_of_a_pulse(percent, joules):
    assert limits.pulse_joules(percent) == pytest.approx(joules, abs=0.1)


def test_examples_of_the_energy_model():
    assert limits.train_wait_s(80, 20, 40) == pytest.approx(4.14, abs=0.01)
    assert limits.longest_train_s(80, 20) == pytest.approx(19.5, abs=0.1)
    assert limits.train_wait_s(100, 10, 50) == pytest.approx(7.0)
    assert limits.longest_train_s(100, 10) == pytest.approx(25.0)
    assert limits.longest_train_s(60, 10) == pytest.approx(69.4, abs=0.1)
    assert limits.train_wait_s(60, 10, 100) == 0.5
    assert limits.continuous_hz(100) == pytest.approx(4.17, abs=0.01)
    assert limits.continuous_hz(0) == limits.longest_train_s(0, 10) == float("inf")


@pytest.mark.parametrize(
    ("variant", "mains", "percent", "highest"),
    [
        ("rapid", 240, 30, 50),
        ("rapid", 240, 31, 30),
        ("rapid", 240, 100, 15),
        ("super", 240, 40, 75),
        ("super-plus", 240, 48, 100),
        ("super-plus", 240, 49, 97),
        ("rapid", 115, 31, 11),
        ("super", 115, 100, 22),
        ("rapid", 240, 101, 0),
    ],
)
def test_highest_frequency(variant, mains, percent, highest):
    assert limits.max_frequency_hz(percent, variant, mains) == highest


@pytest.mark.parametrize(("before", "after", "s"), [(30, 50, 0.2), (50, 30, 2.0)])
def test_power_settles_slowly_downwards(before, after, s):
    assert limits.settle_s(before, after) == pytest.approx(s)
