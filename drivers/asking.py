"""Who is on a port: ask it what every known device would answer.

Asking is not harmless: a box that shows each byte on its lines will show the questions,
and Linux raises RTS and DTR for an instant as it opens a port. Ask only where a person
has named the port, with the stimulator disabled.
"""

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Final, Literal

from drivers.base import DriverSettingError
from drivers.links import Link, SerialLink
from drivers.questions import QUESTIONS, Question

_READ_BYTES: Final = 4096
_MOST_STALE_READS: Final = 16

OpenLink = Callable[[str, int, Literal[1, 2]], Link]
"""Makes the way to a port, given its name, baud rate and stop bits."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Who is on a port.

    Parameters
    ----------
    driver : str
        Name of the trigger output or stimulator.
    words : str
        What the device said of itself.
    """

    driver: str
    words: str


def ask_port(
    port: str,
    *,
    drivers: Sequence[str] = (),
    open_link: OpenLink = SerialLink,
    now: Callable[[], float] = time.monotonic,
) -> Answer | None:
    """Return who answers on a port, or None if nobody does.

    It takes up to four seconds. Boxes that only listen never answer.

    Parameters
    ----------
    port : str
    drivers : sequence of str
        Ask for these only, if any are given.
    open_link, now : callable
        Replaced in tests.

    Raises
    ------
    PortMissing, PortBusy, PortLost
    DriverSettingError
        If it is no serial port, or a driver has no question.
    """
    refused: DriverSettingError | None = None
    n_asked = 0
    for question in _chosen(drivers):
        link = open_link(port, question.baud, question.stop_bits)
        try:
            link.open()
        except DriverSettingError as error:
            # An adapter may know all rates but one.
            refused = error
            continue
        n_asked += 1
        try:
            words = _ask(question, link, now)
        finally:
            link.close()
        if words is not None:
            return Answer(driver=question.driver, words=words)
    if refused is not None and n_asked == 0:
        raise refused
    return None


def _chosen(drivers: Sequence[str]) -> list[Question]:
    known = {question.driver for question in QUESTIONS}
    for driver in drivers:
        if driver not in known:
            raise DriverSettingError(
                f"The device {driver} cannot be asked who it is; choose of "
                f"{', '.join(sorted(known))}."
            )
    return [one for one in QUESTIONS if not drivers or one.driver in drivers]


def _ask(question: Question, link: Link, now: Callable[[], float]) -> str | None:
    if question.payload:
        for _ in range(_MOST_STALE_READS):
            if not link.read(_READ_BYTES, 0.0):
                break
        link.write(question.payload)
    received, t_end = b"", now() + question.timeout_s
    while (remaining := t_end - now()) > 0:
        received += link.read(_READ_BYTES, remaining)
        words = question.understand(received)
        if words is not None:
            return words
    return None
