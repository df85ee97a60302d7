"""The loop in plain Python, for platforms without the address table.

It calls the same compiled steps once per sample, takes about twice as long, and waits
for Python's lock like everything else in the process: its triggers can be late, and
late ones are refused. Whoever starts it is told so.
"""

import ctypes
import math
import os
from typing import Protocol

from controller.core.reasons import Fault
from controller.core.records import (
    ActionKind,
)
from controller.core.step import (
    NO_ACTION,
    end_pulse,
    latch,
    on_edge_done,
    on_edge_due,
    on_sample,
    publish,
)
from controller.core.structures import (
    Memory,
    Program,
    Telemetry,
)
from controller.engine.control import ControlWords
from controller.kernels.jit import Float32Array

NOTICE = (
    "This platform runs the Python loop: about twice the latency, and other work in "
    "this process can delay it. Triggers that would be late are refused."
)

_LONGEST_PULL_S = 0.1
_EIO = 5


class PullError(Exception):
    """The stream is gone (or the tape has ended); carries the `Fault`."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.name)
        self.fault = fault


class World(Protocol):
    """What the Python loop reaches the outside through."""

    def pull(self, raw: Float32Array, timeout_s: float) -> float:
        """Fill `raw` with the next sample; return its stamp, or 0.0 if none came.

        Raises
        ------
        PullError
        """
        ...

    def clock(self) -> float:
        """Return the host clock."""
        ...

    def carry_out(self, program: Program, action: int) -> int:
        """Make the call of a wire action; return 0 or an error number."""
        ...


class LslWorld:
    """liblsl and the operating system, through Python.

    Parameters
    ----------
    inlet : int
        Handle of an open liblsl inlet.
    """

    def __init__(self, inlet: int) -> None:
        from pylsl.lib import lib as liblsl

        self._lsl = liblsl
        self._inlet = ctypes.c_void_p(inlet)
        self._error = ctypes.c_int()
        self._pull = liblsl.lsl_pull_sample_f
        self._pull.restype = ctypes.c_double
        self._clock = liblsl.lsl_local_clock
        self._clock.restype = ctypes.c_double

    def pull(self, raw: Float32Array, timeout_s: float) -> float:
        """Pull one sample from the inlet."""
        self._error.value = 0
        t_stamp = float(
            self._pull(
                self._inlet,
                ctypes.c_void_p(raw.ctypes.data),
                ctypes.c_int(raw.shape[0]),
                ctypes.c_double(timeout_s),
                ctypes.byref(self._error),
            )
        )
        if t_stamp == 0.0 and self._error.value != 0:
            raise PullError(Fault.STREAM_LOST)
        return t_stamp

    def clock(self) -> float:
        """Return `lsl_local_clock()`."""
        return float(self._clock())

    def carry_out(self, program: Program, action: int) -> int:
        """Write to the descriptor, or set its control line."""
        call = program.actions[action]
        first = int(call.first_byte)
        payload = program.action_bytes[first : first + int(call.n_bytes)].tobytes()
        try:
            if call.kind == ActionKind.WRITE:
                taken = os.write(int(call.descriptor), payload)
                return 0 if taken == len(payload) else _EIO
            import fcntl  # not on Windows

            fcntl.ioctl(int(call.descriptor), int(call.request), payload)
        except OSError as error:
            return error.errno or _EIO
        return 0


class PythonLoop:
    """One stretch in the Python loop; the order of things is that of the compiled one.

    Parameters
    ----------
    world : World
    words : ControlWords
    program, memory, telemetry
    """

    def __init__(
        self,
        world: World,
        words: ControlWords,
        program: Program,
        memory: Memory,
        telemetry: Telemetry,
    ) -> None:
        self._world = world
        self._words = words
        self._program = program
        self._memory = memory
        self._telemetry = telemetry
        self._now = memory.now[0]

    def run(self) -> Fault:
        """Run until stopped or at fault."""
        if self._now.n_samples == 0:
            self._now.t_arrival = self._world.clock()
        fault = Fault.NONE
        try:
            while fault is Fault.NONE:
                if self._words.stop_requested:
                    fault = Fault.STOPPED
                    break
                fault = self._turn()
        finally:
            if fault is not Fault.END_OF_TAPE:
                self._leave()
        return fault

    def _turn(self) -> Fault:
        self._words.count_turn()
        timeout_s = _LONGEST_PULL_S
        spin_s = float(self._program.settings[0].spin_s)
        if not math.isinf(self._now.t_next_edge):
            t_now = self._world.clock()
            remaining_s = self._now.t_next_edge - t_now
            if remaining_s <= spin_s:
                return self._fire(t_now)
            timeout_s = min(timeout_s, remaining_s - spin_s)
        return self._listen(timeout_s)

    def _permits(self, t_now: float) -> int:
        return self._words.word_at(t_now)

    def _fire(self, t_now: float) -> Fault:
        t_due = self._now.t_next_edge
        while t_now < t_due:
            t_now = self._world.clock()
        return self._send(t_now)

    def _send(self, t_now: float) -> Fault:
        permits = self._permits(t_now)
        arrays = (self._program, self._memory, self._telemetry)
        action = on_edge_due(*arrays, t_now, permits)
        fault = 0
        if action != NO_ACTION:
            error = self._world.carry_out(self._program, action)
            t_after = self._world.clock()
            fault = on_edge_done(*arrays, t_now, t_after, permits, error)
        publish(self._memory, self._telemetry)
        return Fault(fault)

    def _listen(self, timeout_s: float) -> Fault:
        try:
            t_stamp = self._world.pull(self._memory.raw, timeout_s)
        except PullError as failure:
            self._world.clock()
            if failure.fault is not Fault.END_OF_TAPE:
                latch(self._memory, int(failure.fault))
            return failure.fault
        t_now = self._world.clock()
        if t_stamp == 0.0:
            return self._check_silence(t_now)
        n_before = self._now.n_decisions
        fault = on_sample(
            self._program,
            self._memory,
            self._telemetry,
            t_stamp + self._words.clock_offset_s,
            t_now,
            self._permits(t_now),
        )
        if self._now.n_decisions != n_before:
            rows = self._telemetry.decisions
            row = rows[(self._now.n_decisions - 1) & (rows.shape[0] - 1)]
            row.t_decided = self._world.clock()
        publish(self._memory, self._telemetry)
        return Fault(fault)

    def _check_silence(self, t_now: float) -> Fault:
        silence_s = t_now - self._now.t_arrival
        if silence_s <= self._program.limits[0].max_silence_s:
            return Fault.NONE
        self._now.fault_value = silence_s
        latch(self._memory, int(Fault.STREAM_SILENT))
        return Fault.STREAM_SILENT

    def _leave(self) -> None:
        if self._now.line_high == 1 and math.isinf(self._now.t_next_edge):
            self._now.t_next_edge = self._world.clock()
        if not math.isinf(self._now.t_next_edge):
            end_pulse(self._program, self._memory)
        if not math.isinf(self._now.t_next_edge):
            self._send(self._world.clock())
