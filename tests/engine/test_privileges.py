import errno
import os
import sys
import threading

import pytest

from controller.engine import privileges
from controller.engine.privileges import acquire_for_this_thread

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")


class Libc:
    """A system that answers every request in the same way."""

    def __init__(self, answer):
        self.prctl = lambda *arguments: answer
        self.mlockall = lambda flags: answer


@pytest.fixture
def system(monkeypatch):
    """Put a system in place that grants, or refuses, everything."""

    def put(*, granting):
        def ask(*arguments):
            if not granting:
                raise PermissionError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(privileges, "_libc", lambda: Libc(0 if granting else -1))
        monkeypatch.setattr(privileges.ctypes, "get_errno", lambda: errno.ENOMEM)
        monkeypatch.setattr(os, "sched_setscheduler", ask)
        monkeypatch.setattr(os, "sched_setaffinity", ask)

    return put


@linux_only
def test_what_is_granted_is_said(system):
    system(granting=True)
    got = acquire_for_this_thread(processors=frozenset({0}), loop="compiled")
    assert (got.timer_slack, got.fifo, got.memory_lock) == ("granted",) * 3
    assert got.loop == "compiled"


@linux_only
def test_what_is_refused_is_said_with_the_reason_and_nothing_is_raised(system):
    system(granting=False)
    got = acquire_for_this_thread(processors=frozenset({0}))
    assert got.fifo == "refused: Operation not permitted"
    assert got.affinity == "refused: Operation not permitted"
    assert got.memory_lock == got.timer_slack == "refused: Cannot allocate memory"


@linux_only
def test_without_a_wish_the_thread_stays_free_to_move(system):
    system(granting=False)
    allowed = ",".join(str(cpu) for cpu in sorted(os.sched_getaffinity(0)))
    assert acquire_for_this_thread().affinity == allowed


@linux_only
def test_pinning_binds_the_calling_thread_alone(monkeypatch):
    monkeypatch.setattr(privileges, "_libc", lambda: Libc(-1))
    monkeypatch.setattr(os, "sched_setscheduler", lambda *arguments: None)
    before = os.sched_getaffinity(0)
    one = min(before)
    answers = []

    def work():
        answers.append(acquire_for_this_thread(processors=frozenset({one})))
        answers.append(os.sched_getaffinity(0))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(5.0)
    assert answers[0].affinity == str(one)
    assert answers[1] == {one}
    assert os.sched_getaffinity(0) == before


def test_elsewhere_nothing_is_tried(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    got = acquire_for_this_thread(loop="python").as_dict()
    assert got.pop("loop") == "python"
    assert set(got.values()) == {"not tried on win32"}
    assert set(got) == {"timer_slack", "affinity", "fifo", "memory_lock"}
