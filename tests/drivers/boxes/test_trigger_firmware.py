"""The firmware's rules, in C and in Python, and that the two are the same."""

import pytest
from firmware_build import CompiledFirmware

from drivers.sim.trigger_firmware import TriggerFirmware
from drivers.teensy_frames import (
    Command,
    Event,
    Result,
    encode_frame,
    encode_pulse,
    encode_pulse_at,
    encode_read_clock,
    encode_watchdog,
    split_frames,
)
from drivers.teensy_messages import (
    parse_clock,
    parse_event,
    parse_identity,
    parse_input_edges,
    parse_result,
)

ARM = encode_frame(Command.ARM)
DISARM = encode_frame(Command.DISARM)
START = 1_000_000


@pytest.fixture(params=["C", "Python"])
def board(request):
    if request.param == "Python":
        return Board(TriggerFirmware(START))
    library = request.getfixturevalue("library")
    return Board(CompiledFirmware(library, START))


class Board:
    """A firmware, a clock that the test moves, and the frames it has sent."""

    def __init__(self, firmware):
        self.firmware = firmware
        self.now = START

    def send(self, frame):
        for byte in frame:
            self.firmware.receive(byte, self.now)
        return split_frames(self.firmware.take())[0]

    def result(self, frame, command):
        return parse_result(self.send(frame)[0], command)

    def pulse(self, line=0, width_us=1000):
        return self.result(encode_pulse(line, width_us), Command.PULSE)

    def plan(self, t_due, line=0, number=7, width_us=1000):
        frame = encode_pulse_at(number, line, width_us, t_due)
        return self.result(frame, Command.PULSE_AT)

    def tick(self, now):
        self.now = now
        self.firmware.tick(now)
        return split_frames(self.firmware.take())[0]

    def tick_by(self, us):
        return self.tick(self.now + us)

    @property
    def lines(self):
        return self.firmware.lines


def test_board_starts_disarmed_and_low(board):
    assert board.lines == 0
    assert board.pulse() is Result.DISARMED
    assert board.plan(START + 1000) is Result.DISARMED
    assert board.lines == 0


def test_pulse_rises_at_once_falls_after_its_width_and_is_reported(board):
    board.send(ARM)
    answer, event = board.send(encode_pulse(3, 500))
    assert parse_result(answer, Command.PULSE) is Result.OK
    report = parse_event(event)
    assert (report.number, report.line, report.device_us) == (0, 3, START)
    assert board.lines == 1 << 3
    board.tick(START + 499)
    assert board.lines == 1 << 3
    board.tick(START + 500)
    assert board.lines == 0


def test_planned_pulse_rises_at_its_instant_and_not_before(board):
    board.send(ARM)
    assert board.plan(START + 5000, number=300) is Result.OK
    assert board.tick(START + 4999) == []
    assert board.lines == 0
    (event,) = board.tick(START + 5000)
    assert parse_event(event).number == 300
    assert parse_event(event).device_us == START + 5000
    assert board.lines == 1


@pytest.mark.parametrize(("late_us", "rises"), [(500, True), (501, False)])
def test_planned_pulse_that_is_late_is_refused(board, late_us, rises):
    board.send(ARM)
    board.plan(START + 5000)
    (event,) = board.tick(START + 5000 + late_us)
    assert (board.lines == 1) is rises
    if not rises:
        assert parse_event(event).result is Result.LATE


@pytest.mark.parametrize(
    ("t_due", "result"),
    [
        (START - 1, Result.PAST),
        (START, Result.PAST),
        (START + 1, Result.OK),
        (START + 10_000_000, Result.OK),
        (START + 10_000_001, Result.TOO_FAR),
        (2**64 - 1, Result.TOO_FAR),
        (0, Result.PAST),
    ],
)
def test_instant_must_be_ahead_and_near(board, t_due, result):
    board.send(ARM)
    assert board.plan(t_due) is result


@pytest.mark.parametrize(
    ("line", "width_us", "result"),
    [
        (7, 10, Result.OK),
        (7, 100_000, Result.OK),
        (8, 1000, Result.BAD_LINE),
        (255, 1000, Result.BAD_LINE),
        (0, 9, Result.BAD_VALUE),
        (0, 100_001, Result.BAD_VALUE),
        (0, 2**32 - 1, Result.BAD_VALUE),
    ],
)
def test_line_and_width_have_bounds(board, line, width_us, result):
    board.send(ARM)
    assert board.plan(START + 5000, line, width_us=width_us) is result
    assert board.pulse(line, width_us) is result


def test_least_interval_holds_for_each_line_by_itself(board):
    board.send(ARM)
    assert board.pulse(0) is Result.OK
    board.tick_by(9_999)
    assert board.pulse(0) is Result.TOO_SOON
    assert board.pulse(1) is Result.OK
    board.tick_by(1)
    assert board.pulse(0) is Result.OK


def test_line_that_is_up_is_not_raised_again(board):
    board.send(ARM)
    board.pulse(0, 100_000)
    board.tick_by(50_000)
    assert board.pulse(0) is Result.TOO_SOON


def test_planned_pulse_too_close_to_another_is_missed(board):
    board.send(ARM)
    board.plan(START + 5000, number=1)
    board.plan(START + 14_999, number=2)
    board.tick(START + 5000)
    (event,) = board.tick(START + 14_999)
    assert parse_event(event).result is Result.TOO_SOON
    assert board.lines == 0


def test_rate_is_limited_over_all_lines_and_recovers(board):
    board.send(ARM)
    for _ in range(30):
        assert board.pulse(0) is Result.OK
        assert board.pulse(1) is Result.OK
        board.tick_by(10_000)
    assert board.pulse(2) is Result.TOO_MANY
    board.tick(START + 1_999_999)
    assert board.pulse(2) is Result.TOO_MANY
    board.tick_by(1)
    assert board.pulse(2) is Result.OK


def test_queue_has_an_end(board):
    board.send(ARM)
    for i in range(8):
        assert board.plan(START + 5000 + i, line=i) is Result.OK
    assert board.plan(START + 6000) is Result.QUEUE_FULL


def test_disarming_lowers_at_once_and_forgets_the_plan(board):
    board.send(ARM)
    board.pulse(0)
    board.plan(START + 20_000)
    board.send(DISARM)
    assert board.lines == 0
    assert board.tick(START + 20_000) == []
    board.send(ARM)
    assert board.tick(START + 20_001) == []
    assert board.lines == 0


def test_watchdog_brings_a_board_to_rest_that_hears_nothing(board):
    board.send(ARM)
    board.send(encode_watchdog(50))
    board.plan(START + 49_000)
    board.plan(START + 60_000)
    board.tick(START + 49_000)
    assert board.lines == 1
    (event,) = board.tick(START + 50_000)
    assert event.command == Event.STOPPED
    assert board.lines == 0
    assert board.tick(START + 60_000) == []
    assert board.pulse() is Result.DISARMED


def test_only_whole_frames_feed_the_watchdog(board):
    board.send(ARM)
    board.send(encode_watchdog(50))
    board.tick_by(40_000)
    spoilt = bytearray(encode_read_clock(1))
    spoilt[-2] ^= 1
    board.send(bytes(spoilt) + b"\x00\xff\x55")
    (event,) = board.tick_by(10_000)
    assert event.command == Event.STOPPED


@pytest.mark.parametrize("watchdog_ms", [0, 49, 60_001, 65_535])
def test_watchdog_cannot_be_switched_off(board, watchdog_ms):
    frame = encode_watchdog(watchdog_ms)
    assert board.result(frame, Command.WATCHDOG) is Result.BAD_VALUE
    board.send(ARM)
    assert board.tick_by(3_000_000)[0].command == Event.STOPPED


def test_clock_is_read_with_the_token(board):
    board.now = START + 2**33
    reading = parse_clock(board.send(encode_read_clock(0xDEADBEEF))[0])
    assert (reading.token, reading.device_us) == (0xDEADBEEF, START + 2**33)
    assert not reading.armed


def test_board_says_who_it_is_and_which_limits_it_keeps(board):
    identity = parse_identity(board.send(encode_frame(Command.IDENTIFY))[0])
    assert (identity.version, identity.n_lines) == (1, 8)
    assert (identity.min_interval_s, identity.watchdog_s) == (0.01, 3.0)
    assert (identity.max_pulses, identity.window_s) == (60, 2.0)


def test_input_edges_come_in_order_three_at_a_time_and_losses_are_counted(board):
    for i in range(18):
        board.firmware.note_input(i % 2, (i + 1) % 2, START + i)
    seen, lost = [], 0
    for _ in range(7):
        frame = board.send(encode_frame(Command.READ_INPUT_EDGES))[0]
        edges, n_lost = parse_input_edges(frame)
        seen += edges
        lost += n_lost
    assert [edge.device_us for edge in seen] == [START + i for i in range(16)]
    assert [(edge.line, edge.level) for edge in seen[:3]] == [(0, 1), (1, 0), (0, 1)]
    assert lost == 2


def test_strange_commands_and_lengths_are_rejected_by_name(board):
    (frame,) = board.send(encode_frame(0x42))
    assert (frame.command, frame.payload) == (Event.REJECTED, b"\x42\x0a")
    assert board.result(encode_frame(Command.ARM, b"\0"), Command.ARM) is (
        Result.BAD_LENGTH
    )
    assert board.pulse() is Result.DISARMED


def test_frame_without_its_end_does_not_swallow_the_next_after_a_pause(board):
    board.send(ARM[:-1])
    board.tick_by(20_001)
    assert board.result(ARM, Command.ARM) is Result.OK


def test_three_disarms_end_a_frame_that_was_cut_short(board):
    board.send(ARM)
    board.pulse(0, 100_000)
    for cut in range(1, 10):
        board.send(encode_pulse_at(1, 0, 1000, START)[:cut])
        board.send(3 * DISARM)
        assert board.lines == 0
