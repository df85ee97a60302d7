"""The address table: how the compiled loop reaches the outside world.

The loop calls C functions by the addresses in a `PORTS` record. Filled with liblsl's
and libc's addresses it is the live controller; filled with fakes it replays a recording
on a virtual clock. Every call hands over one argument more than the C function takes,
the world's handle, which the fakes need and the real ones ignore: the calling
conventions of x86-64 and 64-bit Arm Linux leave surplus register arguments alone.
"""

import ctypes
import platform
import sys
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from controller.errors import EngineFault
from controller.kernels.jit import built_in, new_records, record_array_type

PORTS = np.dtype(
    [
        ("pull", "i8"),  # double (void *inlet, float *, int n, double timeout, int *)
        ("clock", "i8"),  # double (void)
        ("write", "i8"),  # ssize_t (int, void *, size_t)
        ("ioctl", "i8"),  # int (int, unsigned long, ...)
        ("errno", "i8"),  # int *(void)
        ("inlet", "i8"),
        ("world", "i8"),  # handle of the fakes, 0 when the table is real
        ("words", "i8"),  # address of the control words, see `Word`
    ],
    align=True,
)
PORTS_TYPE = record_array_type(PORTS)

_I8 = ir.IntType(8)
_I32 = ir.IntType(32)
_I64 = ir.IntType(64)
_DOUBLE = ir.DoubleType()


def _call(builder: Any, kind: Any, arguments: Any) -> Any:
    function = builder.inttoptr(arguments[0], kind.as_pointer())
    return builder.call(function, list(arguments[1:]))


@built_in
def call_pull(
    typing_context: Any,
    address: Any,
    inlet: Any,
    buffer: Any,
    n_channels: Any,
    timeout_s: Any,
    error: Any,
    world: Any,
) -> Any:
    """Pull one sample; return its stamp, 0.0 if none came within `timeout_s`."""
    kind = ir.FunctionType(_DOUBLE, [_I64, _I64, _I32, _DOUBLE, _I64, _I64])

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _call(builder, kind, arguments)

    return types.float64(
        types.int64,
        types.int64,
        types.int64,
        types.int32,
        types.float64,
        types.int64,
        types.int64,
    ), codegen


@built_in
def call_clock(typing_context: Any, address: Any, world: Any) -> Any:
    """Return the host clock in seconds."""
    kind = ir.FunctionType(_DOUBLE, [_I64])

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _call(builder, kind, arguments)

    return types.float64(types.int64, types.int64), codegen


@built_in
def call_write(
    typing_context: Any,
    address: Any,
    descriptor: Any,
    data: Any,
    n_bytes: Any,
    world: Any,
) -> Any:
    """Write bytes; return how many the system took, or -1."""
    kind = ir.FunctionType(_I64, [_I32, _I64, _I64, _I64])

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _call(builder, kind, arguments)

    return types.int64(
        types.int64, types.int32, types.int64, types.int64, types.int64
    ), codegen


@built_in
def call_ioctl(
    typing_context: Any,
    address: Any,
    descriptor: Any,
    request: Any,
    argument: Any,
    world: Any,
) -> Any:
    """Carry out an ioctl with a pointer argument; return 0, or -1."""
    kind = ir.FunctionType(_I32, [_I32, _I64, _I64, _I64])

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _call(builder, kind, arguments)

    return types.int32(
        types.int64, types.int32, types.int64, types.int64, types.int64
    ), codegen


@built_in
def read_errno(typing_context: Any, address: Any, world: Any) -> Any:
    """Return the system's error number of the last call that failed."""
    kind = ir.FunctionType(_I32.as_pointer(), [_I64])

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_call(builder, kind, arguments))

    return types.int32(types.int64, types.int64), codegen


@built_in
def address_as_pointer(typing_context: Any, address: Any) -> Any:
    """Return an address as an untyped pointer, for `numba.carray`."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], _I8.as_pointer())

    return types.voidptr(types.int64), codegen


def platform_has_table() -> bool:
    """Return whether the calling convention of this platform was worked out.

    On Apple silicon variadic arguments go on the stack, and Windows has other calls
    altogether; both take the Python loop.
    """
    machines = ("x86_64", "AMD64", "aarch64", "arm64")
    return sys.platform == "linux" and platform.machine() in machines


def _address(library: ctypes.CDLL, name: str) -> int:
    try:
        function = getattr(library, name)
    except AttributeError as error:
        raise EngineFault(
            f"liblsl or libc has no function {name}; "
            "reinstall pylsl, or use the Python loop."
        ) from error
    address = ctypes.cast(function, ctypes.c_void_p).value
    if not address:
        raise EngineFault(f"The function {name} has no address; reinstall pylsl.")
    return address


def real_ports(inlet: int, words: int) -> Any:
    """Return the table of the live loop.

    Parameters
    ----------
    inlet : int
        Handle of an open liblsl inlet, or 0 to time the other calls alone.
    words : int
        Address of the control words.

    Raises
    ------
    EngineFault
        If a function is missing: checked here, since a call to a missing address would
        end the process without a word.
    """
    # pylsl ships liblsl under several file names that are separate copies: only the
    # one that pylsl itself loaded knows its inlets.
    from pylsl.lib import lib as liblsl

    libc = ctypes.CDLL(None, use_errno=False)
    ports = new_records(PORTS)
    ports.pull = _address(liblsl, "lsl_pull_sample_f")
    ports.clock = _address(liblsl, "lsl_local_clock")
    ports.write = _address(libc, "write")
    ports.ioctl = _address(libc, "ioctl")
    ports.errno = _address(libc, "__errno_location")
    ports.inlet = inlet
    ports.world = 0
    ports.words = words
    return ports
