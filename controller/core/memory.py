"""Fresh memory for the loop, and memory that goes on where another left off."""

import math
from typing import Any

import numpy as np

from controller.core.gate_records import N_RESONATORS, RESONATOR_STATES, VETO_NOW
from controller.core.records import (
    NOW,
)
from controller.core.structures import (
    Memory,
    Program,
)
from controller.kernels import trackers
from controller.kernels.jit import Float64Array, Int64Array, new_records
from controller.safety.ledger import new_ledger, new_rate_ring

_LONGEST_WINDOW = 30_000

_NEVER = ("t_pulse_edge", "t_trial_edge", "t_anchor")

_UNKNOWN = (
    "t_sample",
    "t_clean",
    "phase_rad",
    "amplitude_uv",
    "threshold_uv",
    "slow_uv",
    "sd_rad",
    "p_within",
    "snr_db",
    "peak_ratio",
    "frequency_sd_hz",
    "frequency_offset_hz",
    "coherence",
    "phase_lag_rad",
    "second_phase_rad",
    "second_amplitude_uv",
)


def new_memory(program: Program, *, n_window: int) -> Memory:
    """Return memory for a program, as before its first sample.

    Parameters
    ----------
    program : Program
    n_window : int
        Entries of the running amplitude window.
    """
    if not 1 <= n_window <= _LONGEST_WINDOW:
        raise ValueError(
            f"The argument 'n_window' must be from 1 to {_LONGEST_WINDOW}. "
            f"{n_window} is invalid."
        )
    n_virtual, n_channels = program.mixing.shape
    now = new_records(NOW)
    for never in (*_NEVER, "t_artifact", "t_attempt"):
        now[never] = -math.inf
    for unknown in _UNKNOWN:
        now[unknown] = math.nan
    now.t_next_edge = math.inf
    now.t_blind_from = math.inf
    now.t_blind_until = math.inf
    now.offer = -1
    now.artifact_channel = -1
    now.veto_channel = -1
    now.fault_channel = -1
    n_states = program.transition.shape[0]
    n_ring = max(program.fir_re.shape[1], program.smoothing.size)
    local = program.local
    n_decimated = max(_most(local.n_fit), _most(local.n_data))
    return Memory(
        now=now,
        ledger=new_ledger(),
        rate_ring=new_rate_ring(int(program.limits.max_per_minute[0])),
        raw=np.zeros(n_channels, np.float32),
        held=np.zeros(n_virtual),
        origin=np.full(n_virtual, math.nan),
        inputs=np.zeros(n_virtual),
        ring=np.zeros((n_virtual, 2 * n_ring)),
        states=np.zeros(n_states),
        states_next=np.zeros(n_states),
        track=_fresh_track(),
        decimated=np.zeros((1, 2 * n_decimated)),
        local_uv=np.full((2, len(local)), math.nan),
        series=np.zeros(n_decimated + _most(local.n_back) + _most(local.n_ahead)),
        forward=np.zeros(max(n_decimated, _most(local.order + local.n_ahead))),
        backward=np.zeros(n_decimated),
        padded=np.zeros(_most(local.n_fit + local.n_taps)),
        coefficients=np.zeros(_most(local.first_coefficient + 2 * local.order + 1)),
        previous_uv=np.full(n_channels, math.nan),
        baseline_uv=np.full(n_channels, math.nan),
        flat_run=np.zeros(n_channels, np.int64),
        amplitudes=np.zeros(n_window),
        amplitudes_sorted=np.zeros(n_window),
        recent=np.zeros((1, 2 * program.spectrum_taps.size)),
        spectrum_ring=np.zeros((1, 2 * program.spectrum_re.shape[1])),
        powers=np.zeros(program.spectrum_re.shape[0]),
        resonators=np.zeros((N_RESONATORS, RESONATOR_STATES)),
        veto_now=_veto_now(len(program.vetoes)),
    )


def _fresh_track() -> Float64Array:
    track = np.zeros(trackers.STATE_LENGTH)
    trackers.reset(track)
    return track


def _veto_now(n_vetoes: int) -> Any:
    records = new_records(VETO_NOW, n_vetoes)
    records.baseline_uv = math.nan
    records.t_veto = -math.inf
    return records


def _most(lengths: Int64Array) -> int:
    return int(lengths.max(initial=1))


def copy_memory(memory: Memory) -> Memory:
    """Return memory that shares nothing with the original."""
    return Memory._make(array.copy() for array in memory)


def carry_on(memory: Memory, before: Memory) -> None:
    """Number samples, decisions, edges and pulses on from an earlier stretch.

    The signal state of `memory` stays; what has been counted and recorded so far, the
    last pulse, and the ledger come from `before`.
    """
    counted = ("n_samples", "n_decisions", "n_edges", "n_gaps", "n_lost", "trial")
    for field in (*counted, *_NEVER, "offer", "t_blind_from", "t_blind_until"):
        memory.now[field] = before.now[field]
    memory.ledger[:] = before.ledger
    memory.rate_ring[:] = before.rate_ring
