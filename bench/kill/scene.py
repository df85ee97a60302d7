"""The session that is killed: its samples, its program, and what must come of it."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from bench.scenes import alpha_brief, alpha_program, hjorth, recursive_design
from controller.core.memory import new_memory
from controller.core.structures import Memory, Program
from controller.engine.virtual import Tape, regular_tape, run_virtual
from controller.rig.programs.program import amplitude_window
from controller.session.recording.streams import Channel, StreamDescription

SFREQ_HZ = 1000.0
N_CHANNELS = 64
_AGE_S = 3e-3


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One session.

    Parameters
    ----------
    duration_s : float
        Of the session, not of the wall clock.
    raw_path : Path
        The samples, as `np.save` writes them.
    """

    duration_s: float
    raw_path: Path

    @property
    def n_samples(self) -> int:
        """Length of the session."""
        return round(self.duration_s * SFREQ_HZ)

    def make(self, *, seed: int) -> None:
        """Write the samples: an alpha rhythm in noise, every value its own."""
        rng = np.random.default_rng(seed)
        raw = rng.standard_normal((self.n_samples, N_CHANNELS), np.float32)
        raw *= 6.0
        t = np.arange(self.n_samples) / SFREQ_HZ
        wax = 14.0 + 6.0 * np.sin(2.0 * np.pi * 0.11 * t)
        raw[:, 0] += (wax * np.cos(2.0 * np.pi * 10.0 * t)).astype(np.float32)
        np.save(self.raw_path, raw)

    def tape(self) -> Tape:
        """Return the samples as the loop gets them."""
        raw = np.load(self.raw_path, mmap_mode="r")
        return regular_tape(raw, SFREQ_HZ, data_age_s=_AGE_S)

    def entered(self) -> tuple[Program, Memory]:
        """Return what the loop is entered with."""
        design = recursive_design(alpha_brief(SFREQ_HZ))
        program, rules = alpha_program(design, hjorth(N_CHANNELS), self.n_samples)
        return program, new_memory(program, n_window=amplitude_window(rules))

    def expected(self) -> Any:
        """Return the decisions and edges of a session that nobody kills."""
        program, memory = self.entered()
        batch = run_virtual(program, memory, self.tape()).batch
        return batch.decisions, batch.edges


def stream() -> StreamDescription:
    """Return what the recording says of the samples."""
    return StreamDescription(
        name="kill",
        kind="EEG",
        sfreq_hz=SFREQ_HZ,
        sample_format="float32",
        channels=tuple(
            Channel(label=f"E{k}", unit="microvolts", kind="EEG")
            for k in range(N_CHANNELS)
        ),
        source_id="kill",
    )
