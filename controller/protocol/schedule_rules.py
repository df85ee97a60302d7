"""May a participant's next session begin, after those that were?

The sessions that were come from the participant's dose book, the time from the caller:
nothing here reads a clock or a file.
"""

import dataclasses
import datetime as dt
import math
from collections.abc import Iterator, Sequence

from controller.protocol.form import Protocol


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A session of the participant that has given pulses.

    Parameters
    ----------
    t_begin : datetime
        With a time zone.
    t_end : datetime or None
        None for a session that broke off and that nobody has counted.
    n_pulses : int
        Given, or all that may have been given.
    session : str
        Its folder.
    """

    t_begin: dt.datetime
    t_end: dt.datetime | None
    n_pulses: int
    session: str = ""


def schedule_complaints(
    protocol: Protocol,
    visits: Sequence[Visit],
    t_now: dt.datetime,
    n_planned: int,
) -> list[str]:
    """Return why a session may not begin now, a sentence each.

    Parameters
    ----------
    protocol : Protocol
    visits : sequence of Visit
        All of this participant with this protocol, in any order.
    t_now : datetime
        With the time zone whose midnight divides days.
    n_planned : int
        Pulses that the session gives if everything is given.
    """
    return [
        *_pause(protocol, visits, t_now),
        *_counts(protocol, visits, t_now),
        *_pulses(protocol, visits, t_now, n_planned),
    ]


def _pause(
    protocol: Protocol, visits: Sequence[Visit], t_now: dt.datetime
) -> Iterator[str]:
    for visit in visits:
        if visit.t_end is None:
            yield (
                f"The session {visit.session} of {visit.t_begin:%Y-%m-%d %H:%M} broke "
                "off, and nobody has counted what it gave; count it: phasegate dose "
                f"PARTICIPANT --count {visit.session}"
            )
    ends = [visit.t_end for visit in visits if visit.t_end is not None]
    if not ends:
        return
    pause_s = protocol.schedule.min_pause_s
    last = max(ends)
    since_s = (t_now - last).total_seconds()
    if not (math.isfinite(since_s) and since_s >= 0.0):
        yield (
            f"The dose book has a session that ended {-since_s:.0f} s from now; set "
            "this computer's clock right."
        )
    elif not since_s >= pause_s:
        from_then = (last + dt.timedelta(seconds=pause_s)).astimezone(t_now.tzinfo)
        yield (
            f"schedule.min_pause_s asks for {_minutes(pause_s)} between sessions, and "
            f"the last one ended {_minutes(since_s)} ago; begin at "
            f"{from_then:%Y-%m-%d %H:%M:%S} or later."
        )


def _counts(
    protocol: Protocol, visits: Sequence[Visit], t_now: dt.datetime
) -> Iterator[str]:
    schedule = protocol.schedule
    days = [_day(visit, t_now) for visit in visits]
    today = t_now.date()
    if not days.count(today) < schedule.sessions_per_day:
        yield (
            f"schedule.sessions_per_day is {schedule.sessions_per_day}, and today has "
            f"had {days.count(today)}; go on tomorrow."
        )
    if not len({*days, today}) <= schedule.days:
        yield (
            f"schedule.days is {schedule.days}, and the participant has come on "
            f"{len(set(days))} days already; the course is over."
        )


def _pulses(
    protocol: Protocol,
    visits: Sequence[Visit],
    t_now: dt.datetime,
    n_planned: int,
) -> Iterator[str]:
    dose = protocol.dose
    today = sum(v.n_pulses for v in visits if _day(v, t_now) == t_now.date())
    total = sum(visit.n_pulses for visit in visits)
    for name, given, allowed, what in (
        ("max_pulses_per_day", today, dose.max_pulses_per_day, "today"),
        ("max_pulses_total", total, dose.max_pulses_total, "so far"),
    ):
        if not given + n_planned <= allowed:
            yield (
                f"dose.{name} is {allowed}: {given} pulses were given {what}, and the "
                f"session plans {n_planned} more."
            )


def _day(visit: Visit, t_now: dt.datetime) -> dt.date:
    return visit.t_begin.astimezone(t_now.tzinfo).date()


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
