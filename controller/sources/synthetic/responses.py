"""What happens to a simulated participant while its samples are made: codes, pulses.

Samples come in pages, ahead of time; a trigger does not. So what it does is added to
finished samples, row by row and in the order of their instants. Whether many rows are
given at once or each by itself changes nothing.
"""

import dataclasses
import heapq
import itertools
import math
from collections import deque
from typing import Final

import numpy as np
import numpy.typing as npt

from controller.config_source import SyntheticSource
from controller.sources.synthetic.components import random_generator
from controller.sources.synthetic.faults import RAIL_UV
from controller.sources.synthetic.layout import muscle_column, trigger_column
from controller.sources.synthetic.pulse_response import Evoked, PulseResponse
from controller.sources.synthetic.scalp import (
    OCCIPITAL,
    electrode_positions,
    reach,
)
from controller.sources.synthetic.signal import (
    ALPHA_REACH,
    Truth,
    third_gain,
)

Float64Array = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
Int64Array = npt.NDArray[np.int64]

_RANDOM_STREAM: Final = 6
_PAGES_KEPT: Final = 8


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Page:
    first: int
    phase_rad: Float64Array
    amplitude_uv: Float64Array


class Responses:
    """Adds trigger codes, and what pulses do, to a participant's samples.

    The rhythm whose phase counts, and which a pulse resets, is the third one where the
    configuration has one, and alpha otherwise.

    Parameters
    ----------
    config : SyntheticSource

    Raises
    ------
    ConfigError
        The coil is over no electrode of the 10-10 system.
    """

    def __init__(self, config: SyntheticSource) -> None:
        self._response = PulseResponse(config)
        self._rng = random_generator(config.seed, _RANDOM_STREAM)
        self._rate_hz = config.sfreq_hz
        self._n_eeg = len(config.channels)
        self._muscle = muscle_column(config)
        self._trigger = trigger_column(config)
        self._rail_uv = config.rail_uv
        self._saturation_s = config.saturation_ms / 1e3
        self._reset = config.phase_reset
        self._has_third = config.rhythm_hz is not None
        self._rhythm_hz = config.rhythm_hz or config.alpha_hz
        positions = electrode_positions(config.channels)
        self._gain = (
            third_gain(config, positions)
            if self._has_third
            else reach(positions, OCCIPITAL, ALPHA_REACH)
        )
        self._pages: deque[_Page] = deque(maxlen=_PAGES_KEPT)
        self._coming: list[tuple[float, int, int | None, float]] = []
        self._order = itertools.count()
        self._active: list[Evoked] = []
        self._code = 0
        self._shown = True
        self._falls = False
        self._shift_rad = 0.0
        self.evoked: list[Evoked] = []

    @property
    def idle(self) -> bool:
        """Whether the next rows stay as they are."""
        return not (self._coming or self._active or self._code or self._shift_rad)

    def code(self, at_s: float, code: int) -> None:
        """Let the trigger input show `code` from `at_s` on, seconds from the start."""
        heapq.heappush(self._coming, (at_s, next(self._order), code, math.nan))

    def pulse(self, at_s: float, intensity_pct_mso: float) -> None:
        """Let a pulse reach the participant at `at_s`, seconds from the start.

        It should not lie before samples that were given already: they stay as they are.
        """
        heapq.heappush(self._coming, (at_s, next(self._order), None, intensity_pct_mso))

    def remember(self, first: int, truth: Truth) -> None:
        """Take the truth of samples from number `first` on, before they are amended."""
        third = self._has_third
        phase = truth.rhythm_phase_rad if third else truth.alpha_phase_rad
        amplitude = truth.rhythm_amplitude_uv if third else truth.alpha_amplitude_uv
        self._pages.append(_Page(first=first, phase_rad=phase, amplitude_uv=amplitude))

    def add_to(self, samples: Float32Array, numbers: Int64Array) -> Float64Array:
        """Add to consecutive samples, in place, what there is to add.

        Parameters
        ----------
        samples : array, shape (n, n_channels)
        numbers : array, shape (n,)
            Of the samples, from the start; ascending, and above all that were given
            before.

        Returns
        -------
        array, shape (n,)
            By how much pulses have moved the rhythm's phase, radians.
        """
        at_s = numbers / self._rate_hz
        shift_rad = np.zeros(len(numbers))
        start = 0
        while self._coming and len(at_s) and self._coming[0][0] <= at_s[-1]:
            t, _, code, intensity = heapq.heappop(self._coming)
            stop = max(start, int(np.searchsorted(at_s, t)))
            self._amend(samples[start:stop], numbers[start:stop], shift_rad[start:stop])
            start = stop
            if code is None:
                self._pulse(t, intensity)
            else:
                self._change(code)
        self._amend(samples[start:], numbers[start:], shift_rad[start:])
        return shift_rad

    def _change(self, code: int) -> None:
        if code:
            self._code, self._shown, self._falls = code, False, False
        elif self._shown:
            self._code = 0
        else:
            # Shorter than a sample: the amplifier holds the code for one.
            self._falls = True

    def _pulse(self, at_s: float, intensity_pct_mso: float) -> None:
        phase_rad = self._phase_rad(at_s) + self._shift_rad
        normal = float(self._rng.standard_normal())
        evoked = self._response.evoke(at_s, intensity_pct_mso, phase_rad, normal)
        self._active.append(evoked)
        self.evoked.append(evoked)
        to_peak_rad = math.remainder(-phase_rad, 2 * math.pi)
        self._shift_rad += self._reset * to_peak_rad

    def _phase_rad(self, at_s: float) -> float:
        number = math.floor(at_s * self._rate_hz)
        page, row = self._row(number)
        since = at_s - number / self._rate_hz
        return float(page.phase_rad[row]) + 2 * math.pi * self._rhythm_hz * since

    def _row(self, number: int) -> tuple[_Page, int]:
        for page in reversed(tuple(self._pages)):
            if page.first <= number:
                return page, min(number - page.first, len(page.phase_rad) - 1)
        raise ValueError(f"sample {number} is none whose truth is remembered")

    def _amend(
        self, samples: Float32Array, numbers: Int64Array, shift_rad: Float64Array
    ) -> None:
        if len(samples) == 0:
            return
        self._show_code(samples)
        shift_rad[:] = self._shift_rad
        if self._shift_rad:
            self._move_rhythm(samples, numbers)
        at_s = numbers / self._rate_hz
        longest_s = self._response.longest_s
        self._active = [
            each for each in self._active if at_s[0] < each.at_s + longest_s
        ]
        for evoked in self._active:
            stop = int(np.searchsorted(at_s, evoked.at_s + longest_s))
            self._add_pulse(samples[:stop], evoked, at_s[:stop])

    def _show_code(self, samples: Float32Array) -> None:
        if self._trigger is not None:
            samples[0, self._trigger] = self._code
        if self._falls:
            self._code, self._falls = 0, False
        self._shown = True
        if self._trigger is not None:
            samples[1:, self._trigger] = self._code

    def _move_rhythm(self, samples: Float32Array, numbers: Int64Array) -> None:
        for row, number in enumerate(numbers.tolist()):
            page, at = self._row(number)
            phase_rad, size_uv = float(page.phase_rad[at]), float(page.amplitude_uv[at])
            moved = math.cos(phase_rad + self._shift_rad) - math.cos(phase_rad)
            samples[row, : self._n_eeg] += size_uv * moved * self._gain

    def _add_pulse(
        self, samples: Float32Array, evoked: Evoked, at_s: Float64Array
    ) -> None:
        samples[:, : self._n_eeg] += self._response.eeg_uv(evoked, at_s)
        voltages = self._n_eeg
        if self._muscle is not None:
            samples[:, self._muscle] += self._response.muscle_uv(evoked, at_s)
            voltages += 1
        rail_uv = self._rail_uv or RAIL_UV
        np.clip(samples[:, :voltages], -rail_uv, rail_uv, out=samples[:, :voltages])
        held = at_s < evoked.at_s + self._saturation_s
        samples[held, :voltages] = rail_uv
