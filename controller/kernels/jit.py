"""The one way this project compiles: eager, cached, without the GIL.

Eager signatures make a wrong array layout a `TypeError` at once instead of a silent
compilation in the middle of a session. The cache is filed under a digest of every
source that can be compiled into another, because numba itself looks only at the file a
function stands in: an edited callee would otherwise live on inside its cached callers.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt
import platformdirs
from numba import types
from numba.extending import intrinsic

Function = TypeVar("Function", bound=Callable[..., Any])
Float64Array = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
Int64Array = npt.NDArray[np.int64]
ComplexArray = npt.NDArray[np.complex128]

_COMPILED_PACKAGES = ("kernels", "core", "safety", "engine")

f8 = types.float64
f4 = types.float32
i8 = types.int64
i4 = types.int32
f8_vector = types.Array(types.float64, 1, "C")
f8_matrix = types.Array(types.float64, 2, "C")
f4_vector = types.Array(types.float32, 1, "C")
f4_matrix = types.Array(types.float32, 2, "C")
i8_vector = types.Array(types.int64, 1, "C")
u1_vector = types.Array(types.uint8, 1, "C")


def _source_digest() -> str:
    package = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for name in _COMPILED_PACKAGES:
        for path in sorted((package / name).glob("*.py")):
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def cache_directory() -> Path:
    """Return the folder that holds the machine code of exactly these sources."""
    configured = os.environ.get("NUMBA_CACHE_DIR")
    root = (
        Path(configured)
        if configured
        else Path(platformdirs.user_cache_dir("phasegate"))
    )
    return root / f"kernels-{_source_digest()}"


_CACHE_DIRECTORY = str(cache_directory())


def built_in(builder: Callable[..., Any]) -> Any:
    """Make a compiled function out of the machine instructions that `builder` emits."""
    return intrinsic(builder)


def record_type(dtype: np.dtype[Any]) -> Any:
    """Return the compiled type of one record of a structured `dtype`."""
    return numba.from_dtype(dtype)


def record_array_type(dtype: np.dtype[Any]) -> Any:
    """Return the compiled type of a C-contiguous vector of records."""
    return types.Array(numba.from_dtype(dtype), 1, "C")


def new_records(dtype: np.dtype[Any], n: int = 1) -> Any:
    """Return `n` zeroed records whose fields are attributes, in Python and compiled."""
    return np.zeros(n, dtype).view(np.recarray)


@contextlib.contextmanager
def _own_cache() -> Iterator[None]:
    settings: Any = numba.config
    before = settings.CACHE_DIR
    settings.CACHE_DIR = _CACHE_DIRECTORY
    try:
        yield
    finally:
        settings.CACHE_DIR = before


def compiled_callback(signature: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function with a C address, `function.address`, cached on disk."""

    def decorate(function: Callable[..., Any]) -> Any:
        with _own_cache():
            return numba.cfunc(signature, cache=True, error_model="numpy")(function)

    return decorate


def compiled(
    signature: Any, *, reassociate: bool = False
) -> Callable[[Function], Function]:
    """Compile a function now, for one signature, cached on disk, without the GIL.

    Parameters
    ----------
    signature
        A numba signature, `types.float64(types.float64)` for example.
    reassociate
        Let sums be reordered, so that long dot products use vector instructions. NaN
        and infinities keep their meaning. The result is the same at every call on one
        machine, but not digit for digit that of a sequential sum.
    """
    fastmath: Any = {"reassoc", "contract", "nsz"} if reassociate else False

    def decorate(function: Function) -> Function:
        with _own_cache():
            dispatcher = numba.njit(
                signature,
                nogil=True,
                cache=True,
                fastmath=fastmath,
                error_model="numpy",
                forceinline=True,
            )(function)
        return cast(Function, dispatcher)

    return decorate
