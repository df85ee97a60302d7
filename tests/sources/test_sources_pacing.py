import ctypes

import numpy as np
import pytest

from controller.sources.pacing import Stop, TimedRows, on_schedule, play


class VirtualTime:
    """A clock that moves when somebody sleeps, and by a hair when it is read."""

    def __init__(self, now: float = 100.0) -> None:
        self.now = now
        self.sleeps: list[float] = []

    def clock(self) -> float:
        self.now += 1e-7
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += 0.6 * seconds  # wakes early, which must not matter


class Pushed:
    def __init__(self, time: VirtualTime, n_channels: int) -> None:
        self.time = time
        self.n_channels = n_channels
        self.rows: list[list[float]] = []
        self.stamps: list[float] = []
        self.instants: list[float] = []

    def __call__(self, row: int, stamp: float) -> None:
        values = (ctypes.c_float * self.n_channels).from_address(row)
        self.rows.append(list(values))
        self.stamps.append(stamp)
        self.instants.append(self.time.now)


def blocks(n: int, *, size: int, rate_hz: float = 1000.0) -> list[TimedRows]:
    samples = np.arange(3 * n, dtype=np.float32).reshape(n, 3)
    return [
        on_schedule(samples[first : first + size], first, rate_hz)
        for first in range(0, n, size)
    ]


def run(pieces, time: VirtualTime, push, **options: object) -> None:
    play(
        pieces,
        t_start=200.0,
        push=push,
        clock=time.clock,
        sleep=time.sleep,
        **options,
    )


def test_stamps_are_exact_and_never_in_the_future() -> None:
    time = VirtualTime()
    pushed = Pushed(time, 3)
    run(blocks(700, size=100), time, pushed)
    assert pushed.stamps == [200.0 + n / 1000.0 for n in range(700)]
    assert all(t >= s for t, s in zip(pushed.instants, pushed.stamps, strict=True))
    late = np.subtract(pushed.instants, pushed.stamps)
    assert late.max() < 1e-5
    assert np.array_equal(pushed.rows, np.arange(2100.0).reshape(700, 3))


def test_backlog_after_a_stall_keeps_its_stamps() -> None:
    time = VirtualTime()
    pushed = Pushed(time, 3)

    def stall(row: int, stamp: float) -> None:
        pushed(row, stamp)
        if len(pushed.stamps) == 50:
            time.now += 0.030

    run(blocks(200, size=64), time, stall)
    assert pushed.stamps == [200.0 + n / 1000.0 for n in range(200)]
    ages = np.subtract(pushed.instants, pushed.stamps)
    assert ages[50] == pytest.approx(0.029, abs=1e-4)
    assert ages[90] < 1e-5


def test_check_ends_the_schedule_while_waiting() -> None:
    time = VirtualTime()
    pushed = Pushed(time, 3)

    def check() -> None:
        if time.now > 200.05:
            raise Stop

    with pytest.raises(Stop):
        run(blocks(1000, size=1000), time, pushed, check=check)
    assert 50 <= len(pushed.stamps) <= 300


def test_check_ends_a_schedule_that_is_hopelessly_late() -> None:
    time = VirtualTime(now=1000.0)
    pushed = Pushed(time, 3)

    def slow(row: int, stamp: float) -> None:
        pushed(row, stamp)
        time.now += 0.1

    def check() -> None:
        if time.now > 1001.0:
            raise Stop

    with pytest.raises(Stop):
        run(blocks(1000, size=1000), time, slow, check=check)
    assert len(pushed.stamps) < 20


def test_sample_due_never_is_never_pushed() -> None:
    time = VirtualTime()
    pushed = Pushed(time, 3)
    rows = blocks(10, size=10)[0]
    due_s = rows.due_s.copy()
    due_s[4:] = np.inf

    def check() -> None:
        if time.now > 260.0:
            raise Stop

    frozen = TimedRows(samples=rows.samples, due_s=due_s, stamp_s=rows.stamp_s)
    with pytest.raises(Stop):
        run([frozen], time, pushed, check=check)
    assert len(pushed.stamps) == 4


def test_schedule_does_not_depend_on_the_split() -> None:
    stamps = []
    for size in (1, 7, 500):
        time = VirtualTime()
        pushed = Pushed(time, 3)
        run(blocks(500, size=size, rate_hz=512.0), time, pushed)
        stamps.append(pushed.stamps)
    assert stamps[0] == stamps[1] == stamps[2]
