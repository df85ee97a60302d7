"""What the benchmarks run on: designs, signals and programs, all seeded."""

import dataclasses
import math
from typing import Any

import numpy as np
import scipy.fft

from bench.signals import BAND_HZ, RHYTHM_HZ
from controller.core.records import (
    ACTION,
    PATTERN,
    PATTERN_EDGE,
    ActionKind,
    AmplitudeGate,
    Kernel,
)
from controller.core.structures import (
    Program,
)
from controller.estimators.base import Brief, Design
from controller.estimators.echt import window_response
from controller.estimators.iir import CausalQuadrature
from controller.kernels.jit import Float64Array, new_records
from controller.rig.programs.program import Rules, build_program, make_trials
from controller.safety.ceilings import Modality
from controller.safety.limits import Limits, TrainLimits
from drivers.base import TriggerEdges, WireAction

N_TAPS = 512

ALPHA_HZ = 10.0
ALPHA_BAND_HZ = (8.0, 12.0)

LOCK_S = 2.5e-3
HORIZON_S = 4e-3
N_CODES = 250
"""Trigger codes 1 to 250 in turn, so that a lost or doubled byte shows."""

_N_NEIGHBOURS = 4
_ITI_S = 1.5


def fir_design(brief: Brief) -> Design:
    """Return an endpoint-corrected Hilbert filter of exactly 512 taps."""
    weights = scipy.fft.ifft(window_response(brief, N_TAPS))
    weights -= weights.mean()
    turn = 2.0 * np.pi * brief.frequency_hz * brief.horizon_s
    return Design(
        name="fir512",
        brief=brief,
        kernel=Kernel.FIR,
        fir=np.ascontiguousarray((weights * np.exp(1j * turn))[np.newaxis]),
        warm_up_s=N_TAPS / brief.sfreq_hz,
    )


def recursive_design(brief: Brief) -> Design:
    """Return the recursion that the estimator `iir` designs."""
    return CausalQuadrature().design(brief)


def alpha_brief(sfreq_hz: float) -> Brief:
    """Return the task of following an alpha rhythm."""
    return Brief(
        sfreq_hz=sfreq_hz,
        frequency_hz=ALPHA_HZ,
        band_hz=ALPHA_BAND_HZ,
        horizon_s=HORIZON_S,
    )


def fast_brief(sfreq_hz: float) -> Brief:
    """Return the task of following the benchmarks' own fast rhythm."""
    return Brief(
        sfreq_hz=sfreq_hz,
        frequency_hz=RHYTHM_HZ,
        band_hz=BAND_HZ,
        horizon_s=HORIZON_S,
    )


def hjorth(n_channels: int) -> Float64Array:
    """Return the weights of channel 0 less its four neighbours, shape (1, n)."""
    mixing = np.zeros((1, n_channels))
    mixing[0, 0] = 1.0
    mixing[0, 1 : 1 + _N_NEIGHBOURS] = -1.0 / _N_NEIGHBOURS
    return mixing


def average_reference(n_channels: int) -> Float64Array:
    """Return the weights of channel 0 less the mean of all, shape (1, n)."""
    mixing = np.full((1, n_channels), -1.0 / n_channels)
    mixing[0, 0] += 1.0
    return mixing


def alpha_rules() -> Rules:
    """Return gates as a study sets them."""
    return Rules(amplitude_gate=AmplitudeGate.PERCENTILE, quantile=0.3)


def alpha_program(
    design: Design, mixing: Float64Array, n_samples: int
) -> tuple[Program, Rules]:
    """Return a program for a virtual run, as a study would have it.

    Parameters
    ----------
    design : Design
    mixing : array, shape (1, n_channels)
    n_samples : int
        Length of the tape, for the number of trials.
    """
    sfreq_hz = design.brief.sfreq_hz
    rules = alpha_rules()
    program = build_program(
        sfreq_hz=sfreq_hz,
        mixing=mixing,
        scale_uv=np.ones(mixing.shape[1]),
        design=design,
        rules=rules,
        limits=wide_limits(min_interval_s=1.0, max_lateness_s=1e-3),
        trials=make_trials(
            max(1, math.ceil(n_samples / sfreq_hz / _ITI_S)),
            target_phase_rad=0.0,
            iti_s=_ITI_S,
            iti_jitter_s=0.2,
            seed=1,
        ),
        edges=TriggerEdges(
            rise=WireAction(kind="write", descriptor=3, payload=b"\1"),
            fall=WireAction(kind="write", descriptor=3, payload=b"\0"),
        ),
        pulse_s=5e-3,
    )
    return program, rules


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When the triggers of a latency run are due.

    Parameters
    ----------
    at_once : bool
        True: the deadline of every trigger has passed when it is decided, so the loop
        sends it as soon as it can. False: it is due at the target phase, `LOCK_S` or
        less after the decision.
    max_lateness_s : float
        Later ones are refused.
    """

    at_once: bool
    max_lateness_s: float


AT_ONCE = Timing(at_once=True, max_lateness_s=5e-3)
SCHEDULED = Timing(at_once=False, max_lateness_s=1e-3)


def latency_program(
    *,
    sfreq_hz: float,
    n_channels: int,
    descriptor: int,
    timing: Timing,
    n_trials: int,
) -> Program:
    """Return a program that fires at every cycle of the fast rhythm.

    It leaves the study limits' minimum interval and pulse budget behind by writing into
    their record, which `Limits` itself would refuse: nobody is connected here.

    Parameters
    ----------
    sfreq_hz : float
    n_channels : int
    descriptor : int
        Where the codes are written, one byte each.
    timing : Timing
    n_trials : int
        Most triggers.
    """
    program = build_program(
        sfreq_hz=sfreq_hz,
        mixing=hjorth(n_channels),
        scale_uv=np.ones(n_channels),
        design=fir_design(fast_brief(sfreq_hz)),
        rules=Rules(lock_s=LOCK_S),
        limits=wide_limits(min_interval_s=0.1, max_lateness_s=timing.max_lateness_s),
        trials=make_trials(
            n_trials, target_phase_rad=0.0, iti_s=0.0, iti_jitter_s=0.0, seed=1
        ),
        edges=None,
        pulse_s=0.0,
    )
    program.limits.min_interval_s = 0.0
    program.limits.max_pulses = n_trials
    program.trials.pattern = np.arange(n_trials) % N_CODES
    return program._replace(**_code_patterns(descriptor, timing))


def code_of(trial: int) -> int:
    """Return the byte that the trigger of a trial is sent with."""
    return 1 + trial % N_CODES


def _code_patterns(descriptor: int, timing: Timing) -> dict[str, Any]:
    """Return patterns of one rising edge each, pattern k writing the code k + 1."""
    numbers = np.arange(N_CODES)
    patterns = new_records(PATTERN, N_CODES)
    patterns.first_edge = numbers
    patterns.n_edges = 1
    edges = new_records(PATTERN_EDGE, N_CODES)
    # A deadline is decided LOCK_S or less ahead: this much earlier, it has passed.
    edges.offset_s = -LOCK_S if timing.at_once else 0.0
    edges.action = numbers
    edges.rises = 1
    actions = new_records(ACTION, N_CODES)
    actions.kind = ActionKind.WRITE
    actions.descriptor = descriptor
    actions.first_byte = numbers
    actions.n_bytes = 1
    return {
        "patterns": patterns,
        "pattern_edges": edges,
        "actions": actions,
        "action_bytes": (numbers + 1).astype(np.uint8),
    }


def wide_limits(
    *, min_interval_s: float, max_lateness_s: float, train: TrainLimits | None = None
) -> Limits:
    """Return limits that stop nothing but what they are given for."""
    return Limits(
        modality=Modality.MARKER,
        min_interval_s=min_interval_s,
        max_pulses=3000,
        max_per_minute=1800,
        max_lateness_s=max_lateness_s,
        max_data_age_s=0.2,
        max_gap_s=5.0,
        max_silence_s=5.0,
        max_artifact_s=60.0,
        max_armed_s=14_400.0,
        train=train,
    )
