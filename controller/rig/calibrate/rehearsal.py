"""The session's own loop, run beforehand over rest: where would it have fired?"""

import dataclasses
import math

import numpy as np

from controller.core.memory import new_memory
from controller.core.reasons import Fault, HoldReason
from controller.core.records import AmplitudeGate
from controller.engine.virtual import regular_tape, run_virtual
from controller.errors import EngineFault
from controller.estimators.base import Design
from controller.kernels.jit import ComplexArray, Float32Array, Float64Array
from controller.rig.programs.program import Rules, build_program, make_trials
from controller.safety.ceilings import Modality
from controller.safety.interlock import Refusal
from controller.safety.limits import Limits
from drivers.base import TriggerEdges, WireAction

# The virtual clock's world takes any call and carries out none.
_NOWHERE = TriggerEdges(
    rise=WireAction(kind="write", descriptor=0, payload=b"\1"), fall=None
)

_T_START = 1.0

# What the amplitude gate and earlier triggers say; everything else is a closed gate.
_OF_ITS_OWN = (
    HoldReason.AMPLITUDE
    | HoldReason.INTERVAL
    | HoldReason.BUSY
    | HoldReason.TRIALS_DONE
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What every rehearsal of one calibration has in common.

    Parameters
    ----------
    sfreq_hz : float
    scale_uv : array, shape (n_channels,)
    rules : Rules
        Of the session; its amplitude gate is replaced.
    limits : Limits
        Of the session.
    data_age_s : float
        From a sample's stamp to its arrival.
    target_phase_rad : float
    seed : int
    """

    sfreq_hz: float
    scale_uv: Float64Array
    rules: Rules
    limits: Limits
    data_age_s: float
    target_phase_rad: float
    seed: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rehearsed:
    """What the loop did; instants in seconds after the first sample.

    Parameters
    ----------
    edges_s : array, shape (n_edges,)
        Edges at the device.
    chances_s : array, shape (n_chances,)
        Edges that were possible: the target phase came round, and nothing but the
        amplitude gate and earlier triggers stood against it.
    chance_uv : array, shape (n_chances,)
        Amplitude that the gate looked at.
    estimate : complex array, shape (n_samples,)
        NaN where there is none.
    """

    edges_s: Float64Array
    chances_s: Float64Array
    chance_uv: Float64Array
    estimate: ComplexArray

    def taken_s(self, threshold_uv: float, iti_s: Float64Array) -> Float64Array:
        """Return the chances that the loop takes behind another amplitude gate.

        Exactly so as long as no data are left out after a trigger, and no optional
        gate is asked again at the deadline.

        Parameters
        ----------
        threshold_uv : float
        iti_s : array
            From each trigger to the next; of them, at least as many as chances.
        """
        taken: list[float] = []
        loud = self.chance_uv >= threshold_uv
        for at in self.chances_s[loud].tolist():
            if not taken or at - taken[-1] >= iti_s[len(taken)]:
                taken.append(at)
        return np.array(taken)


def intervals_s(
    n: int, *, iti_s: float, iti_jitter_s: float = 0.0, seed: int = 0
) -> Float64Array:
    """Return intervals as a session draws them."""
    trials = make_trials(
        n, target_phase_rad=0.0, iti_s=iti_s, iti_jitter_s=iti_jitter_s, seed=seed
    )
    return np.asarray(trials.iti_s, np.float64)


def rehearse(
    rehearsal: Rehearsal,
    design: Design,
    mixing: Float64Array,
    raw: Float32Array,
    *,
    threshold_uv: float,
    iti_s: float,
    iti_jitter_s: float = 0.0,
    refractory_s: float = 0.0,
) -> Rehearsed:
    """Run the loop over rest.

    Parameters
    ----------
    rehearsal : Rehearsal
    design : Design
    mixing : array, shape (n_virtual, n_channels)
    raw : float32 array, shape (n_samples, n_channels)
        Stream units.
    threshold_uv : float
        Of the amplitude gate; 0 leaves it open.
    iti_s, iti_jitter_s : float
        From trigger to trigger.
    refractory_s : float
        After a trigger no data are used.

    Raises
    ------
    EngineFault
        If the loop stopped before the rest was over.
    """
    rules = dataclasses.replace(
        rehearsal.rules,
        amplitude_gate=AmplitudeGate.ABSOLUTE,
        threshold_uv=threshold_uv,
        refractory_s=refractory_s,
    )
    shortest_s = iti_s - iti_jitter_s
    n_trials = 1 + math.ceil(len(raw) / rehearsal.sfreq_hz / shortest_s)
    program = build_program(
        sfreq_hz=rehearsal.sfreq_hz,
        mixing=mixing,
        scale_uv=rehearsal.scale_uv,
        design=design,
        rules=rules,
        limits=dataclasses.replace(
            rehearsal.limits,
            # Nothing leaves: shorter intervals than a person may get are rehearsed.
            modality=Modality.MARKER,
            min_interval_s=min(rehearsal.limits.min_interval_s, shortest_s),
            max_pulses=n_trials,
        ),
        trials=make_trials(
            n_trials,
            target_phase_rad=rehearsal.target_phase_rad,
            iti_s=iti_s,
            iti_jitter_s=iti_jitter_s,
            seed=rehearsal.seed,
        ),
        edges=_NOWHERE,
        pulse_s=0.0,
    )
    tape = regular_tape(
        raw, rehearsal.sfreq_hz, t_start=_T_START, data_age_s=rehearsal.data_age_s
    )
    run = run_virtual(program, new_memory(program, n_window=1), tape)
    if run.fault is not Fault.END_OF_TAPE:
        raise EngineFault(
            f"The loop stopped in the middle of the rest ({run.fault.name}); look at "
            "the recording's artifacts, and record again."
        )
    edges, samples = run.batch.edges, run.batch.samples
    fired = edges[(edges["rises"] == 1) & (edges["refusal"] == Refusal.NONE)]
    decisions = run.batch.decisions
    held = decisions["holds"] & ~int(_OF_ITS_OWN)
    chances = decisions[(held == 0) & (decisions["refusal"] == Refusal.NONE)]
    return Rehearsed(
        edges_s=np.asarray(fired["t_due"] + rules.output_latency_s - _T_START),
        chances_s=np.asarray(chances["t_due"] - _T_START),
        chance_uv=np.array(chances["amplitude_uv"]),
        estimate=np.asarray(
            samples["amplitude_uv"] * np.exp(1j * samples["phase_rad"])
        ),
    )
