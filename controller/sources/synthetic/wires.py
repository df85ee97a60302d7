"""The simulated participant's ends of the simulated devices' virtual lines.

What a trigger output sends shows as a code in the trigger channel. What a stimulator
sends, and nothing else, is a pulse: a trigger into a device that is not charged or not
armed leaves its code and no response.
"""

import contextlib
import math
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from controller.errors import ConfigError
from controller.sources.synthetic.responses import Responses
from drivers.sim.ttl import TtlChange, TtlInput, TtlLineError

Float32Array = npt.NDArray[np.float32]

# As long as this, a change may be on its way, or ahead of its instant.
_STALE_S: Final = 1.0


class LiveWires:
    """Listens to the lines while samples are pushed, and amends these.

    Parameters
    ----------
    responses : Responses
    sfreq_hz : float
    trigger_in, pulse_in : Path or None
        Where to make the lines' sockets.

    Raises
    ------
    ConfigError
        If one cannot be made.
    """

    def __init__(
        self,
        responses: Responses,
        sfreq_hz: float,
        *,
        trigger_in: Path | None,
        pulse_in: Path | None,
    ) -> None:
        self._responses = responses
        self._sfreq_hz = sfreq_hz
        self._t_start = math.inf
        self._ends = contextlib.ExitStack()
        with contextlib.ExitStack() as made:
            self._trigger = _line(trigger_in, made)
            self._pulse = _line(pulse_in, made)
            self._ends = made.pop_all()
        self.n_strange = 0

    def begin(self, t_start: float) -> None:
        """Take the instant of sample 0; what came before it is forgotten."""
        for line in (self._trigger, self._pulse):
            if line is not None:
                line.changes()
        self._t_start = t_start

    def amend(self, samples: Float32Array, index: int, due_s: float) -> None:
        """Add to the sample that is about to be pushed what has happened by then.

        Parameters
        ----------
        samples : array, shape (n_samples, n_channels)
        index : int
            Of the sample.
        due_s : float
            Its instant, seconds from the start.
        """
        self._listen(due_s)
        if not self._responses.idle:
            number = round(due_s * self._sfreq_hz)
            self._responses.add_to(samples[index : index + 1], np.array([number]))

    def close(self) -> None:
        """Close the lines."""
        self._ends.close()

    def _listen(self, due_s: float) -> None:
        if self._trigger is not None:
            for change in self._trigger.changes():
                if (at_s := self._instant(change, due_s)) is not None:
                    self._responses.code(at_s, change.code)
        if self._pulse is not None:
            for change in self._pulse.changes():
                if change.code == 0:
                    continue
                at_s = self._instant(change, due_s)
                if at_s is not None and change.intensity_pct_mso is not None:
                    self._responses.pulse(at_s, change.intensity_pct_mso)

    def _instant(self, change: TtlChange, due_s: float) -> float | None:
        at_s = change.t - self._t_start
        if at_s >= 0 and abs(at_s - due_s) <= _STALE_S:
            return at_s
        self.n_strange += 1
        return None


def _line(path: Path | None, made: contextlib.ExitStack) -> TtlInput | None:
    if path is None:
        return None
    try:
        line = TtlInput(path)
    except TtlLineError as error:
        raise ConfigError(str(error)) from error
    made.callback(line.close)
    return line
