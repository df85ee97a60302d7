"""What all dialogue drivers share: giving ports back, and the rest at the end."""

import logging
import os
import time

import pytest

from drivers.base import DriverSettingError, PortLost, PortMissing
from drivers.dialogue import Dialogue
from drivers.serial_box import SerialBox, is_code
from drivers.serial_port import open_serial


def box_on(port, **settings):
    return SerialBox(
        port,
        115200,
        "the box",
        rest=b"REST",
        rest_when_lost=b"\nREST",
        open_port=settings.pop("open_port", open_serial),
        **settings,
    )


def test_rest_is_sent_after_the_preparation_and_at_the_end(terminal):
    box = box_on(terminal.name)
    box.open(lambda dialogue: dialogue.send(b"HELLO"))
    box.close()
    assert terminal.read(13) == b"HELLORESTREST"
    box.close()


def test_preparation_that_fails_gives_the_port_back(terminal, open_bare):
    ends = []

    def open_port(port, baud):
        ends.append(open_bare(port, baud))
        return ends[-1]

    def fail(_dialogue):
        raise DriverSettingError("wrong device")

    box = box_on(terminal.name, open_port=open_port)
    with pytest.raises(DriverSettingError, match="wrong device"):
        box.open(fail)
    assert ends[0].closed == 1
    with pytest.raises(DriverSettingError, match="is not open"):
        _ = box.dialogue
    with pytest.raises(DriverSettingError, match="is not open"):
        box.action(b"x")
    with pytest.raises(PortLost, match="is not open"):
        box.check()


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (BlockingIOError("full"), DriverSettingError, "takes no bytes"),
        (
            OSError(5, "Input/output error"),
            PortMissing,
            "failed as soon as it was open",
        ),
    ],
)
def test_port_that_fails_at_once_has_its_sentence(terminal, error, kind, words):
    def fail(_dialogue):
        raise error

    with pytest.raises(kind, match=words):
        box_on(terminal.name).open(fail)


def test_what_came_unasked_is_returned_by_check(terminal):
    box = box_on(terminal.name)
    box.open(lambda _dialogue: None)
    os.write(terminal.device, b"01")
    received, t_end = b"", time.monotonic() + 2.0
    while len(received) < 2 and time.monotonic() < t_end:
        received += box.check()
    assert received == b"01"
    box.close()


def test_lost_port_is_noticed_and_closes_with_a_warning(terminal, caplog):
    box = box_on(terminal.name)
    box.open(lambda _dialogue: None)
    terminal.unplug()
    with pytest.raises(PortLost):
        box.check()
    with caplog.at_level(logging.WARNING):
        box.close()
    assert "the box: the lines may still be up" in caplog.text


def test_answer_is_waited_for_until_time_is_up(terminal):
    times = iter([0.0, 0.5, 1.5])
    box = box_on(
        terminal.name, start_dialogue=lambda found: Dialogue(found, lambda: next(times))
    )
    box.open(lambda _dialogue: None)
    waited = box.dialogue.ask(b"", lambda received: b"!" in received, 1.0)
    assert waited == b""
    assert list(times) == []
    box.close()


def test_answer_comes_in_pieces(terminal):
    box = box_on(terminal.name)
    box.open(lambda _dialogue: None)
    os.write(terminal.device, b"an")
    os.write(terminal.device, b"swer!")
    assert box.dialogue.ask(b"?", lambda got: b"!" in got, 2.0) == b"answer!"
    box.close()


def test_command_that_was_taken_in_part_is_not_taken(monkeypatch):
    monkeypatch.setattr("drivers.dialogue.os.write", lambda _fd, _payload: 2)
    with pytest.raises(BlockingIOError, match="only a part"):
        Dialogue(0).send(b"abc")


def test_device_that_stopped_to_read_gets_the_longer_rest(terminal):
    box = box_on(terminal.name)
    box.open(lambda _dialogue: None)
    terminal.read(4)
    descriptor = box.action(b"x").descriptor
    t_end = time.monotonic() + 5.0
    while time.monotonic() < t_end:
        try:
            while os.write(descriptor, b"x" * 512):
                pass
        except BlockingIOError:
            time.sleep(0.002)
            try:
                os.write(descriptor, b"x")
            except BlockingIOError:
                break
    box.close()
    received = b""
    while not received.endswith(b"REST") and (piece := terminal.read(1)):
        received += piece
    # Some of the waiting bytes may have gone out before they were discarded.
    assert received.endswith(b"\nREST")


@pytest.mark.parametrize(
    ("code", "known"), [(1, True), (3, False), (0, False), (True, False), (1.0, False)]
)
def test_codes_are_whole_numbers_of_their_range(code, known):
    assert is_code(code, range(1, 3)) is known
