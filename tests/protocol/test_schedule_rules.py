import datetime as dt

import pytest

from controller.protocol.protocol_file import load_protocol
from controller.protocol.schedule_rules import Visit, schedule_complaints
from tests.protocol.conftest import READY

ZONE = dt.timezone(dt.timedelta(hours=2))
MORNING = dt.datetime(2026, 3, 2, 8, 0, tzinfo=ZONE)
MINUTE = dt.timedelta(minutes=1)
ACCELERATED = load_protocol(READY / "accelerated-theta-burst.toml")


def visit(begin: dt.datetime, n_pulses: int = 1800) -> Visit:
    return Visit(t_begin=begin, t_end=begin + 10 * MINUTE, n_pulses=n_pulses)


def complaints(visits, now, n_planned=1800) -> str:
    return " ".join(schedule_complaints(ACCELERATED, visits, now, n_planned))


def test_the_first_session_may_begin() -> None:
    assert complaints([], MORNING) == ""


@pytest.mark.parametrize(("minutes", "may"), [(59.99, False), (60.0, True)])
def test_the_pause_is_counted_from_the_end(minutes, may) -> None:
    told = complaints([visit(MORNING)], MORNING + minutes * MINUTE)
    assert (told == "") is may
    if not may:
        assert "schedule.min_pause_s asks for 50 min" in told
        assert "begin at 2026-03-02 09:00:00 or later" in told


def test_ten_sessions_make_a_day() -> None:
    visits = [visit(MORNING + 60 * i * MINUTE) for i in range(9)]
    assert complaints(visits, MORNING + 540 * MINUTE) == ""
    visits.append(visit(MORNING + 540 * MINUTE))
    told = complaints(visits, MORNING + 600 * MINUTE)
    assert "schedule.sessions_per_day is 10" in told
    assert "dose.max_pulses_per_day is 18000: 18000 pulses were given today" in told


def test_midnight_is_the_caller_s() -> None:
    late = dt.datetime(2026, 3, 2, 23, 30, tzinfo=ZONE)
    in_utc = [visit((late - 600 * MINUTE + i * MINUTE).astimezone(dt.UTC))
              for i in range(10)]  # fmt: skip
    assert "today has had 10" in complaints(in_utc, late)
    assert "sessions_per_day" not in complaints(in_utc, late + 31 * MINUTE)


def test_five_days_make_a_course() -> None:
    day = dt.timedelta(days=1)
    visits = [visit(MORNING + i * day) for i in range(5)]
    assert "schedule.days" not in complaints(visits, MORNING + 4 * day + 100 * MINUTE)
    assert "schedule.days is 5" in complaints(visits, MORNING + 5 * day)


def test_the_total_counts_what_was_given() -> None:
    visits = [visit(MORNING - dt.timedelta(days=1), n_pulses=88_201)]
    assert "dose.max_pulses_total is 90000: 88201" in complaints(visits, MORNING)
    assert complaints([visit(visits[0].t_begin, 88_200)], MORNING) == ""


def test_a_session_from_the_future_is_a_wrong_clock() -> None:
    assert "clock right" in complaints([visit(MORNING)], MORNING)


def test_a_session_that_broke_off_must_be_counted_first() -> None:
    broken = Visit(t_begin=MORNING, t_end=None, n_pulses=1800, session="sessions/x")
    told = complaints([broken], MORNING + 600 * MINUTE)
    assert "--count sessions/x" in told
    assert "min_pause_s" not in told
