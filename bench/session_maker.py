"""Whole session folders in a moment: a simulated participant on a virtual clock.

Planner, warm-up, loop, recorder and scoring are those of a live session. For measuring
and for testing replays, not for people.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from controller.calibration.profile import Profile
from controller.config import Config, SyntheticSource
from controller.engine.virtual import Tape
from controller.estimators.base import Designer
from controller.kernels.jit import Float64Array, Int64Array
from controller.rig.replay.tape_session import Given, planner_of, run_on_tape
from controller.safety.interlock import Permit
from controller.sources.description import StreamDescription
from controller.sources.synthetic.signal import SyntheticParticipant

SETTLE_S = 2.5
_T_START = 1000.0


@dataclasses.dataclass(slots=True, kw_only=True)
class Received:
    """Samples on their way to a session; changed in place by whoever wants trouble.

    Parameters
    ----------
    t_sample, t_arrival : array, shape (n,)
    permits : array, shape (n,)
    raw : array, shape (n, n_channels)
    late_s : array
        How late the loop wakes up for each deadline, in turn.
    n_rest : int
        Samples before the loop is closed.
    fail_call : int
        This wire action fails, counted from 0.
    """

    t_sample: Float64Array
    t_arrival: Float64Array
    permits: Int64Array
    raw: Any
    late_s: Float64Array
    n_rest: int
    fail_call: int = -1


Trouble = Callable[[Received], None]


def stream_of(source: SyntheticSource) -> StreamDescription:
    """Return what a participant's stream would say of itself."""
    labels = source.channels
    return StreamDescription(
        name="virtual",
        type="EEG",
        source_id="virtual",
        hostname="",
        sfreq_hz=source.sfreq_hz,
        channel_format="float32",
        labels=labels,
        channel_types=("EEG",) * len(labels),
        units=("microvolts",) * len(labels),
        scale_uv=np.ones(len(labels)),
    )


def received(config: Config, *, seed: int = 1) -> Received:
    """Return a participant's samples, arriving with jitter and now and then late."""
    source = config.source
    if not isinstance(source, SyntheticSource):
        raise TypeError("A virtual session needs a synthetic source.")
    duration_s = SETTLE_S + config.run.rest_s + (config.run.duration_s or 60.0)
    n = round(duration_s * source.sfreq_hz)
    rng = np.random.default_rng(seed)
    t_sample = _T_START + np.arange(n) / source.sfreq_hz
    age_s = 0.002 + rng.exponential(2e-4, n)
    # One push in some thousands comes late, and those behind it with it.
    age_s[rng.random(n) < 3e-4] += 0.008
    t_arrival = np.maximum.accumulate(t_sample + age_s)
    permits = np.full(n, int(Permit.SUPERVISED), np.int64)
    return Received(
        t_sample=t_sample,
        t_arrival=t_arrival,
        permits=permits,
        raw=np.ascontiguousarray(SyntheticParticipant(source).read(n).samples),
        late_s=rng.exponential(1.5e-4, 97),
        n_rest=round((SETTLE_S + config.run.rest_s) * source.sfreq_hz),
    )


def make_session(
    config: Config,
    text: str,
    root: Path,
    *,
    seed: int = 1,
    trouble: Trouble = lambda _: None,
    designer: Designer | None = None,
    profile: Profile | None = None,
) -> Path:
    """Run a session on a virtual clock, record it, and return its folder."""
    source = config.source
    if not isinstance(source, SyntheticSource):
        raise TypeError("A virtual session needs a synthetic source.")
    stream = stream_of(source)
    told = received(config, seed=seed)
    n_settle = round(SETTLE_S * stream.sfreq_hz)
    n_rest = told.n_rest
    told.permits[n_rest:] |= int(Permit.ALL)
    trouble(told)
    given = Given(
        tape=Tape(
            t_sample=told.t_sample,
            t_arrival=told.t_arrival,
            permits=told.permits,
            raw=told.raw,
        ),
        n_settle=n_settle,
        n_rest=n_rest,
        # A live design misses what arrives while it is made, and so does this one.
        n_designed=n_rest - round(0.2 * stream.sfreq_hz),
        late_s=told.late_s,
        fail_call=told.fail_call,
    )
    planner = planner_of(config, stream, profile)
    if designer is not None:
        planner = dataclasses.replace(planner, designer=designer)
    return run_on_tape(planner, text, given, root)
