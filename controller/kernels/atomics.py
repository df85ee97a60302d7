"""Shared words between the compiled loop and Python, with defined memory order.

A plain load of a stop flag may be hoisted out of a loop for ever; an acquire load may
not. Writers publish with a release store after the payload, readers load with acquire
before they read it.
"""

from typing import Any

from llvmlite import ir
from numba import types

from controller.kernels.jit import built_in

_WORD = ir.IntType(64)


@built_in
def load_acquire(typing_context: Any, address: Any) -> Any:
    """Return the 64-bit word at `address`, ordered before every later read."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], _WORD.as_pointer())
        return builder.load_atomic(pointer, "acquire", 8)

    return types.int64(types.int64), codegen


@built_in
def store_release(typing_context: Any, address: Any, value: Any) -> Any:
    """Write a 64-bit word at `address`, ordered after every earlier write."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], _WORD.as_pointer())
        builder.store_atomic(arguments[1], pointer, "release", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


@built_in
def bits_to_float(typing_context: Any, word: Any) -> Any:
    """Return the float64 whose bit pattern is `word`."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), codegen
