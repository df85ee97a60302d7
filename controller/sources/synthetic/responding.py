"""A simulated participant who is stimulated, in virtual time."""

import dataclasses
from collections.abc import Iterable

import numpy as np

from controller.config_source import SyntheticSource
from controller.sources.synthetic.pulse_script import ScriptedPulse
from controller.sources.synthetic.responses import Responses
from controller.sources.synthetic.signal import Block, SyntheticParticipant


class RespondingParticipant:
    """A participant whose samples show what `responses` is told.

    Parameters
    ----------
    config : SyntheticSource
    pulses : iterable of ScriptedPulse
        What happens anyway.

    Raises
    ------
    ConfigError
        As `SyntheticParticipant` and `Responses`.
    """

    def __init__(
        self, config: SyntheticSource, pulses: Iterable[ScriptedPulse] = ()
    ) -> None:
        self._third = config.rhythm_hz is not None
        self._participant = SyntheticParticipant(config)
        self._n_read = 0
        self.responses = Responses(config)
        for pulse in pulses:
            pulse.play(self.responses)

    @property
    def n_read(self) -> int:
        """How many samples have been read."""
        return self._n_read

    def read(self, n_samples: int) -> Block:
        """Return the next samples, with the truth as pulses have moved it."""
        block = self._participant.read(n_samples)
        numbers = np.arange(self._n_read, self._n_read + n_samples)
        self.responses.remember(self._n_read, block.truth)
        shift_rad = self.responses.add_to(block.samples, numbers)
        self._n_read += n_samples
        name = "rhythm_phase_rad" if self._third else "alpha_phase_rad"
        phase_rad = getattr(block.truth, name) + shift_rad
        moved = np.pi - (np.pi - phase_rad) % (2 * np.pi)
        truth = dataclasses.replace(block.truth, **{name: moved})
        return dataclasses.replace(block, truth=truth)
