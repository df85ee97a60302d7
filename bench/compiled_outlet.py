"""The outlet's pushing loop, compiled: it sleeps, stamps and pushes without Python.

Python's own waking up would lie between the noted instant of a push and the push
itself, on both sides of every comparison.
"""

import ctypes
from typing import Any

import numpy as np
import pylsl
from llvmlite import ir
from numba import types

from controller.engine.ports import call_clock, real_ports
from controller.kernels.atomics import load_acquire
from controller.kernels.jit import (
    Float32Array,
    Int64Array,
    built_in,
    compiled,
    f4_matrix,
    f8,
    i8,
    i8_vector,
)

_I32 = ir.IntType(32)
_I64 = ir.IntType(64)
_DOUBLE = ir.DoubleType()

_CLOCK_MONOTONIC = 1
_TIMER_ABSTIME = 1
_NS = 1_000_000_000


@built_in
def call_push(
    typing_context: Any,
    address: Any,
    outlet: Any,
    values: Any,
    n_values: Any,
    stamp: Any,
    pushthrough: Any,
) -> Any:
    """Push a chunk, stamped for its last sample; below 0 is an error."""
    kind = ir.FunctionType(_I32, [_I64, _I64, _I64, _DOUBLE, _I32])

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        return builder.call(function, list(arguments[1:]))

    return types.int32(
        types.int64, types.int64, types.int64, types.int64, types.float64, types.int32
    ), codegen


@built_in
def call_nanosleep(
    typing_context: Any,
    address: Any,
    clock: Any,
    flags: Any,
    until: Any,
    remaining: Any,
) -> Any:
    """Sleep until an instant; return 0 or an error number."""
    kind = ir.FunctionType(_I32, [_I32, _I32, _I64, _I64])

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        return builder.call(function, list(arguments[1:]))

    return types.int32(
        types.int64, types.int32, types.int32, types.int64, types.int64
    ), codegen


@compiled(i8(i8_vector, i8, f4_matrix, i8, f8, i8_vector, i8_vector))
def push_on_schedule(
    table: Int64Array,
    outlet: int,
    tape: Float32Array,
    chunk: int,
    rate_hz: float,
    stop: Int64Array,
    until: Int64Array,
) -> int:
    """Push chunks of a tape, over and over, until `stop` is set; return 0 or an error.

    Parameters
    ----------
    table : array, shape (3,)
        Addresses of push, clock and sleep.
    outlet : int
        liblsl's handle.
    tape : array, shape (n_samples, n_channels)
        A multiple of `chunk` samples. The last channel is overwritten with what passed
        from each sample's stamp to its push, in microseconds.
    chunk : int
    rate_hz : float
    stop : array, shape (1,)
    until : array, shape (2,)
        Working space: a `timespec`.
    """
    t_start = call_clock(table[1], 0)
    last = tape.shape[1] - 1
    n_pushed = 0
    while load_acquire(stop.ctypes.data) == 0:
        row = n_pushed % tape.shape[0]
        stamp = t_start + (n_pushed + chunk - 1) / rate_hz
        t_now = call_clock(table[1], 0)
        if t_now < stamp:
            ns = np.int64(stamp * _NS)
            until[0] = ns // _NS
            until[1] = ns % _NS
            call_nanosleep(
                table[2],
                types.int32(_CLOCK_MONOTONIC),
                types.int32(_TIMER_ABSTIME),
                until.ctypes.data,
                0,
            )
            continue
        for k in range(chunk):
            ahead_s = (chunk - 1 - k) / rate_hz
            tape[row + k, last] = 1e6 * (t_now - stamp + ahead_s)
        code = call_push(
            table[0],
            outlet,
            tape.ctypes.data + 4 * row * tape.shape[1],
            chunk * tape.shape[1],
            stamp,
            types.int32(1),
        )
        if code < 0:
            return int(code)
        n_pushed += chunk
    return 0


def addresses() -> Int64Array:
    """Return the table of `push_on_schedule`.

    Raises
    ------
    EngineFault
        If liblsl has no clock.
    """
    push = ctypes.cast(pylsl.lib.lib.lsl_push_chunk_ftp, ctypes.c_void_p).value
    sleep = ctypes.cast(ctypes.CDLL(None).clock_nanosleep, ctypes.c_void_p).value
    if not push or not sleep:
        raise RuntimeError("liblsl or libc lacks a function that the outlet calls.")
    return np.array([push, int(real_ports(0, 0).clock[0]), sleep], np.int64)
