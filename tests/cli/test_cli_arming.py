import contextlib
import signal
from collections.abc import Iterator

import pytest

from controller.cli.arming import Arming
from controller.cli.desk import Desk
from controller.rig.arming import ANSWER_WITHIN_S


class Quiet:
    """A display that shows nothing, and knows whether it is paused."""

    def __init__(self) -> None:
        self.is_paused = False

    def note(self, sentence: str) -> None: ...

    def update(self, status: object) -> None: ...

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        self.is_paused = True
        yield
        self.is_paused = False


@pytest.fixture
def wishes() -> Iterator[list[int]]:
    """Take SIGINT as a session does, and collect it."""
    received: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: received.append(number))
    yield received
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_at_the_question_refuses_and_ends_the_session(wishes) -> None:
    def interrupted(timeout_s: float) -> str:
        signal.raise_signal(signal.SIGINT)
        return "arm\n"

    handler = signal.getsignal(signal.SIGINT)
    arming = Arming(Quiet(), Desk(read_answer=interrupted), granted=False)
    assert arming("trigger box") is False
    assert wishes == [signal.SIGINT]
    assert signal.getsignal(signal.SIGINT) is handler


def test_question_pauses_the_display_and_is_limited_in_time(wishes) -> None:
    display = Quiet()
    asked: list[tuple[float, bool]] = []

    def answer(timeout_s: float) -> str:
        asked.append((timeout_s, display.is_paused))
        return "arm\n"

    assert Arming(display, Desk(read_answer=answer), granted=False)("box") is True
    assert asked == [(ANSWER_WITHIN_S, True)]
    assert not display.is_paused


@pytest.mark.parametrize(
    ("typed", "expected"), [("yes\n", True), ("no\n", False), ("", False)]
)
def test_no_option_answers_for_what_only_a_person_has_seen(
    wishes, typed: str, expected: bool
) -> None:
    arming = Arming(Quiet(), Desk(read_answer=lambda _: typed), granted=True)
    assert arming("box") is True
    assert arming.ask("Is the coil set by hand to 55 %?") is expected
