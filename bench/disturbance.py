"""Trouble made on purpose: a thread that hogs Python's lock, and stalls of the loop."""

import contextlib
import gc
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
from numba import carray, types

from controller.core.reasons import Fault
from controller.engine.control import ControlWords
from controller.engine.live import Inlet, Stretch
from controller.engine.loop import run_loop
from controller.engine.ports import (
    address_as_pointer,
    call_clock,
    call_pull,
    real_ports,
)
from controller.kernels.jit import compiled_callback, new_records

STALLS = np.dtype(
    [
        ("pull", "i8"),  # address of the real function
        ("clock", "i8"),
        ("n_pulls", "i8"),
        ("n_readings", "i8"),
        ("every_pulls", "i8"),
        ("every_readings", "i8"),
        ("stall_s", "f8"),
        ("n_stalls", "i8"),
        ("in_wait", "i8"),  # 1: stall once, in the next wait for a deadline
        ("n_since_pull", "i8"),
    ],
    align=True,
)

# Only while it waits for a deadline does the loop read the clock so often in a row.
WAITING_READINGS = 50

usleep = types.ExternalFunction("usleep", types.int32(types.uint32))

_GARBAGE = 200
_COLLECT_EVERY = 50


@contextlib.contextmanager
def hogged_lock() -> Iterator[None]:
    """Compute, make cyclic garbage and collect it in a thread, within a block."""
    over = threading.Event()

    def hog() -> None:
        turn = 0
        while not over.is_set():
            for _ in range(_GARBAGE):
                cycle: list[object] = [object()]
                cycle.append(cycle)
            turn += 1
            if turn % _COLLECT_EVERY == 0:
                gc.collect()

    thread = threading.Thread(target=hog, name="hog")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@compiled_callback(
    types.float64(
        types.int64, types.int64, types.int32, types.float64, types.int64, types.int64
    )
)
def stalling_pull(
    inlet: int, buffer: int, n_channels: int, timeout_s: float, error: int, handle: int
) -> float:
    """Pull a sample, and now and then hand it over late."""
    world = carray(address_as_pointer(handle), (1,), STALLS)[0]
    t_stamp = call_pull(world.pull, inlet, buffer, n_channels, timeout_s, error, 0)
    world.n_pulls += 1
    world.n_since_pull = 0
    if world.n_pulls % world.every_pulls == 0:
        world.n_stalls += 1
        t_end = call_clock(world.clock, 0) + world.stall_s
        while call_clock(world.clock, 0) < t_end:
            pass
    return float(t_stamp)


@compiled_callback(types.float64(types.int64))
def stalling_clock(handle: int) -> float:
    """Read the clock, and now and then only after a while."""
    world = carray(address_as_pointer(handle), (1,), STALLS)[0]
    world.n_readings += 1
    world.n_since_pull += 1
    if world.in_wait == 1 and world.n_since_pull > WAITING_READINGS:
        # Asleep, as in a call that hangs: nobody else is kept from working.
        world.in_wait = 0
        world.n_stalls += 1
        usleep(types.uint32(world.stall_s * 1e6))
    elif world.n_readings % world.every_readings == 0:
        world.n_stalls += 1
        t_end = call_clock(world.clock, 0) + world.stall_s
        while call_clock(world.clock, 0) < t_end:
            pass
    return float(call_clock(world.clock, 0))


class StallingRunner:
    """Runs a stretch in the compiled loop, whose pulls and clock readings stall.

    The stalls stand in the address table where liblsl's functions stand otherwise; the
    loop is the same machine code. Readings stall too because the loop reads the clock
    some thousand times while it waits for a deadline, which is where a stall hurts.

    Parameters
    ----------
    stall_s : float
    every_pulls, every_readings : int
        One of so many stalls.
    """

    def __init__(
        self, *, stall_s: float, every_pulls: int, every_readings: int
    ) -> None:
        self._world: Any = new_records(STALLS)
        self._world.stall_s = stall_s
        self._world.every_pulls = every_pulls
        self._world.every_readings = every_readings

    @property
    def n_stalls(self) -> int:
        """How many stalls there were."""
        return int(self._world.n_stalls[0])

    def stall_in_next_wait(self) -> None:
        """Stall once, as soon as the loop waits for a deadline."""
        self._world.in_wait = 1

    def __call__(self, inlet: Inlet, words: ControlWords, stretch: Stretch) -> Fault:
        """Run a stretch."""
        ports = real_ports(inlet.handle, words.address)
        self._world.pull = ports.pull
        self._world.clock = ports.clock
        ports.pull = stalling_pull.address
        ports.clock = stalling_clock.address
        ports.world = self._world.ctypes.data
        return Fault(
            run_loop(
                ports, stretch.program, stretch.memory, stretch.telemetry, np.zeros(1)
            )
        )
