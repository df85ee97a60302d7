"""The far end of the trigger line: a process that stamps every byte as it arrives.

`python -m bench.receiver FOLDER` makes a pseudo-terminal and prints its name; with
`--descriptor N` it reads an inherited pipe instead. A compiled loop blocks in `read`
and takes the LSL clock at once: Python's own waking up would add some fifteen
microseconds to either side of every comparison. Stamps, codes and the size of each read
go to a file that the sender has mapped too.
"""

import argparse
import ctypes
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
from numba import types

from bench.lifeline import Child, take_fifo
from controller.engine.ports import call_clock, call_write, real_ports
from controller.kernels.atomics import store_release
from controller.kernels.jit import (
    Float64Array,
    Int64Array,
    compiled,
    f8_matrix,
    i8,
    i8_vector,
    u1_vector,
)

_ABOVE_THE_LOOP = 45
_READ_BYTES = 64
_CAPACITY = 1_000_000
_LAST_BYTE_S = 1.0
_LOOK_AGAIN_S = 0.01
_ARRIVALS = "arrivals.f8"
_HEAD = "head.i8"


class Receiver:
    """A receiving process, seen from the sender.

    Parameters
    ----------
    folder : Path
        An empty one, for its files.
    pipe : bool
        Use a pipe instead of a pseudo-terminal, as a control: a pseudo-terminal hands
        bytes over in a worker of the kernel, which has a tail of its own.
    """

    def __init__(self, folder: Path, *, pipe: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._arrivals, self._head = _maps(folder, "w+")
        self._n_taken = 0
        self.descriptor = -1
        if pipe:
            reading, self.descriptor = os.pipe()
            try:
                self._child = Child(
                    "bench.receiver",
                    [str(folder), "--descriptor", str(reading)],
                    [reading],
                )
            finally:
                os.close(reading)
        else:
            self._child = Child("bench.receiver", [str(folder)])
        self.port = self._child.words[1]

    def take(self, n_expected: int) -> npt.NDArray[np.float64]:
        """Return what arrived since the last call: instant, code, bytes in its read.

        Waits up to a second for `n_expected` bytes, and then takes what there is.
        """
        t_end = time.monotonic() + _LAST_BYTE_S
        while int(self._head[0]) - self._n_taken < n_expected:
            if not time.monotonic() < t_end:
                break
            time.sleep(_LOOK_AGAIN_S)
        first, self._n_taken = self._n_taken, int(self._head[0])
        return np.array(self._arrivals[first : self._n_taken])

    def close(self) -> None:
        """End the process."""
        self._child.close()
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


@compiled(types.void(i8, i8, i8, f8_matrix, i8_vector, u1_vector))
def receive(
    read: int,
    clock: int,
    descriptor: int,
    arrivals: Float64Array,
    head: Int64Array,
    received: npt.NDArray[np.uint8],
) -> None:
    """Read and stamp until the line closes or `arrivals` is full.

    Parameters
    ----------
    read, clock : int
        Addresses of the C functions.
    descriptor : int
    arrivals : array, shape (n, 3)
    head : array, shape (1,)
        How many rows are complete.
    received : array of uint8
        Working space.
    """
    n = 0
    while n + received.shape[0] <= arrivals.shape[0]:
        # `read` and `write` have the same prototype.
        taken = call_write(
            read, types.int32(descriptor), received.ctypes.data, received.shape[0], 0
        )
        t_observed = call_clock(clock, 0)
        if taken <= 0:
            return
        for k in range(taken):
            arrivals[n, 0] = t_observed
            arrivals[n, 1] = received[k]
            arrivals[n, 2] = taken
            n += 1
        store_release(head.ctypes.data, n)


def _maps(folder: Path, mode: str) -> tuple[Float64Array, Int64Array]:
    arrivals = np.memmap(
        folder / _ARRIVALS,
        np.float64,
        mode,  # type: ignore[call-overload]
        shape=(_CAPACITY, 3),
    )
    head = np.memmap(folder / _HEAD, np.int64, mode, shape=(1,))  # type: ignore[call-overload]
    return np.asarray(arrivals), np.asarray(head)


def _listen(descriptor: int, arrivals: Float64Array, head: Int64Array) -> None:
    take_fifo(_ABOVE_THE_LOOP)
    libc = ctypes.CDLL(None)
    read = ctypes.cast(libc.read, ctypes.c_void_p).value or 0
    clock = int(real_ports(0, 0).clock[0])
    received = np.zeros(_READ_BYTES, np.uint8)
    receive(read, clock, descriptor, arrivals, head, received)


def main() -> None:
    """Read until standard input ends."""
    import tty

    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--descriptor", type=int)
    options = parser.parse_args()
    descriptor, name = options.descriptor, "-"
    if descriptor is None:
        # Its other end stays open here too, or each close by the host would hang it up.
        descriptor, host_end = os.openpty()
        tty.setraw(host_end)
        name = os.ttyname(host_end)
    arrivals, head = _maps(options.folder, "r+")
    threading.Thread(
        target=_listen, args=(descriptor, arrivals, head), daemon=True
    ).start()
    print("PORT", name, flush=True)
    sys.stdin.read()
    # The thread may sit in `read` for ever; nothing is left to be written.
    os._exit(0)


if __name__ == "__main__":
    main()
