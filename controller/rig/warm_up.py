"""Memory for the closed loop, brought up to date while the rest still runs."""

import dataclasses

from controller.core.memory import carry_on, new_memory
from controller.core.reasons import Fault
from controller.core.structures import Memory, Program
from controller.engine.telemetry import Batch
from controller.engine.virtual import run_virtual
from controller.rig.faults import fault_error
from controller.rig.records import as_tape


class WarmUp:
    """The closed loop's program, run in virtual time over what the rest has brought.

    Parameters
    ----------
    program : Program
    labels : tuple of str
        Of the stream, for messages.
    n_window : int
        Entries of the running amplitude window.
    """

    def __init__(
        self, program: Program, labels: tuple[str, ...], *, n_window: int
    ) -> None:
        self.program = program
        self.memory = new_memory(program, n_window=n_window)
        self._labels = labels
        self._n_taken = 0
        self._t: float | None = None

    def take(self, rest: Batch) -> None:
        """Run over the samples that have come since the last call.

        Parameters
        ----------
        rest : Batch
            All of the rest so far.

        Raises
        ------
        PhasegateError
            What stopped the loop.
        """
        new = dataclasses.replace(
            rest, samples=rest.samples[self._n_taken :], raw=rest.raw[self._n_taken :]
        )
        if not len(new.samples):
            return
        run = run_virtual(self.program, self.memory, as_tape(new), t_start=self._t)
        if run.fault is not Fault.END_OF_TAPE:
            raise fault_error(
                run.fault,
                self.memory.now[0],
                labels=self._labels,
                output="no output",
            )
        self._n_taken += len(new.samples)
        self._t = run.t_end

    def finished(self, before: Memory) -> Memory:
        """Return the memory, its counters going on where the rest's ended."""
        carry_on(self.memory, before)
        return self.memory
