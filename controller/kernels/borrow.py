"""Arrays without owners, for the inside of the loop.

numba counts references to every array that is passed on, with an atomic instruction
each: some microseconds per sample for structures of two dozen arrays. A borrowed array
has no owner to count for. Whoever called the loop holds the real arrays until it
returns, so nothing can go away underneath.
"""

from typing import Any

from numba import types
from numba.core import cgutils

from controller.kernels.jit import built_in


@built_in
def borrow(typing_context: Any, arrays: Any) -> Any:
    """Return a named tuple of arrays, or one array, that counts no references."""

    def strip(context: Any, builder: Any, kind: Any, value: Any) -> Any:
        array = context.make_array(kind)(context, builder, value)
        array.meminfo = cgutils.get_null_value(array.meminfo.type)
        array.parent = cgutils.get_null_value(array.parent.type)
        return array._getvalue()  # noqa: SLF001 - numba's own way

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        if isinstance(kind, types.Array):
            return strip(context, builder, kind, arguments[0])
        members = cgutils.unpack_tuple(builder, arguments[0], len(kind.types))
        stripped = [
            strip(context, builder, member, value)
            for member, value in zip(kind.types, members, strict=True)
        ]
        return context.make_tuple(builder, kind, stripped)

    return arrays(arrays), codegen
