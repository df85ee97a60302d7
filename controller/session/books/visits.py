"""What a dose book says of a participant's sessions with one protocol."""

from collections.abc import Sequence

from controller.protocol.form import Protocol
from controller.protocol.schedule_rules import Visit
from controller.session.books.dose_book import BookedSession


def book_name(protocol: Protocol) -> str:
    """Return what a protocol's sessions are entered under: its title.

    A new version goes on with the same course.
    """
    return protocol.title


def visits_of(
    sessions: Sequence[BookedSession], protocol: Protocol
) -> tuple[Visit, ...]:
    """Return the sessions that gave pulses by this protocol, or may have given some."""
    return tuple(
        Visit(
            t_begin=booked.t_begin,
            t_end=booked.t_end,
            n_pulses=booked.dose.pulses,
            session=booked.session,
        )
        for booked in sessions
        if booked.protocol == book_name(protocol)
        and (booked.dose.pulses > 0 or not booked.is_counted)
    )
