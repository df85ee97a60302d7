"""The compiled loop entered by hand, on fakes that a test can bend."""

import ctypes

import numpy as np

from controller.core.reasons import Fault
from controller.engine.control import ControlWords
from controller.engine.fakes import WORLD, fake_ports
from controller.engine.loop import run_loop
from controller.engine.telemetry import new_telemetry
from controller.kernels.jit import new_records


class Entered:
    """A world, its control words and rings; `run` enters the loop once.

    Parameters
    ----------
    tape : Tape or None
        None for a stream that sends nothing.
    t : float
        Virtual clock at the start.
    """

    def __init__(self, program, memory, tape=None, *, t=None, n_ring=8192):
        self.program, self.memory, self.tape = program, memory, tape
        n_channels = program.mixing.shape[1]
        self.words = ControlWords()
        self.telemetry = new_telemetry(n_channels, n_samples=n_ring)
        for ring, counter in enumerate(("n_samples", "n_decisions", "n_edges")):
            count = memory.now[counter][0]
            self.telemetry.heads[ring] = self.telemetry.tails[ring] = count
        self.calls, self.late_s = np.zeros((1000, 3)), np.zeros(1)
        self.world = world = new_records(WORLD)
        world.n_channels, world.words = n_channels, self.words.address
        world.now = memory.now.ctypes.data
        world.spin_s = program.settings.spin_s
        world.late_s, world.n_late = self.late_s.ctypes.data, 1
        world.n_edges = world.fail_call_at = -1
        world.calls, world.most_calls = self.calls.ctypes.data, len(self.calls)
        world.t = t if t is not None else tape.t_arrival[0]
        if tape is not None:
            world.stop_at = len(tape.t_sample)
            for name in ("t_sample", "t_arrival", "permits", "raw"):
                world[name] = getattr(tape, name).ctypes.data
        self.ports = fake_ports(world, self.words.address)

    def put(self, port, function):
        """Put another C function into the table; keep it alive with this object."""
        self.kept = [*getattr(self, "kept", []), function]
        self.ports[port] = ctypes.cast(function, ctypes.c_void_p).value

    def run(self):
        arrays = (self.program, self.memory, self.telemetry)
        return Fault(run_loop(self.ports, *arrays, np.zeros(1)))

    @property
    def made(self):
        """Return the calls so far."""
        return self.calls[: int(self.world.n_calls[0])]


PULL = ctypes.CFUNCTYPE(
    ctypes.c_double,
    *(ctypes.c_int64, ctypes.c_int64, ctypes.c_int32),
    *(ctypes.c_double, ctypes.c_int64, ctypes.c_int64),
)
WRITE = ctypes.CFUNCTYPE(
    ctypes.c_int64, ctypes.c_int32, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64
)
CLOCK = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int64)
