"""What a session leaves behind, from the objects that ran it."""

import dataclasses
from typing import Any

import numpy as np

from controller.config import Config
from controller.core.structures import (
    Memory,
)
from controller.engine.privileges import Privileges
from controller.engine.telemetry import Batch
from controller.engine.virtual import Tape
from controller.errors import EXIT_INTERRUPTED, PhasegateError
from controller.estimators.base import Design
from controller.kernels.jit import Float64Array
from controller.rig.calibrate.design import Calibration
from controller.rig.calibrate.promise import Promise
from controller.rig.programs.program import Rules
from controller.safety.dose import Dose
from controller.session.recording.streams import Channel
from controller.session.recording.streams import StreamDescription as RecordedStream
from controller.session.summary import SessionFacts
from controller.sources.description import StreamDescription


@dataclasses.dataclass(slots=True, kw_only=True)
class SessionOutcome:
    """What the stages have reached so far; filled in place.

    Parameters
    ----------
    memory : Memory or None
        The loop's, None before it began.
    privileges : Privileges or None
    calibration : Calibration or None
    loop_s : float
        Duration of the closed loop.
    interrupted : bool
        An operator ended the session.
    planned_dose : Dose or None
        As entered in the dose book; None before.
    """

    memory: Memory | None = None
    privileges: Privileges | None = None
    calibration: Calibration | None = None
    loop_s: float = 0.0
    interrupted: bool = False
    planned_dose: Dose | None = None


def session_facts(
    config: Config, outcome: SessionOutcome, error: PhasegateError | None
) -> SessionFacts:
    """Return what the summary says beside the recorded decisions and pulses."""
    code, reason = 0, "as planned"
    if error is not None:
        code, reason = error.exit_code, str(error)
    elif outcome.interrupted:
        code, reason = EXIT_INTERRUPTED, "interrupted by the operator"
    counts = {"n_samples": 0, "n_lost": 0, "n_gaps": 0}
    if outcome.memory is not None:
        counts = {name: int(outcome.memory.now[name][0]) for name in counts}
    privileges = outcome.privileges
    return SessionFacts(
        title=config.title,
        participant=config.run.participant,
        duration_s=outcome.loop_s,
        n_received=counts["n_samples"],
        n_lost=counts["n_lost"],
        n_gaps=counts["n_gaps"],
        privileges=privileges.as_dict() if privileges is not None else {},
        rhythm=_rhythm(config, outcome.calibration),
        estimator=config.estimator.kind,
        target_phase_deg=config.target.phase_deg,
        exit_code=code,
        exit_reason=reason,
    )


def _rhythm(config: Config, calibration: Calibration | None) -> dict[str, object]:
    rhythm: dict[str, object] = {"band": config.rhythm.band}
    if calibration is None:
        return rhythm
    brief = calibration.design.brief
    return rhythm | {
        "frequency_hz": brief.frequency_hz,
        "band_hz": list(brief.band_hz),
        "snr_db": calibration.snr_db,
        **_promise(calibration.promise),
        "profile": calibration.profile_name,
        "horizon_ms": brief.horizon_s * 1e3,
    }


def _promise(promise: Promise | None) -> dict[str, object]:
    return {
        "expected_sd_deg": promise and promise.sd_deg,
        "expected_bias_deg": promise and promise.bias_deg,
        "expected_within_45": promise and promise.within_45,
        "expected_per_minute": promise and promise.per_minute,
        "expected_n": promise and promise.n,
    }


def design_arrays(design: Design, mixing: Float64Array, rules: Rules) -> dict[str, Any]:
    """Return everything that makes the estimator again, for `design.npz`."""
    arrays: dict[str, Any] = {
        "mixing": mixing,
        "band_hz": design.brief.band_hz,
        "frequency_hz": design.brief.frequency_hz,
        "horizon_s": design.brief.horizon_s,
        "output_latency_s": rules.output_latency_s,
        "lock_s": rules.lock_s,
        "kernel": int(design.kernel),
        "warm_up_s": design.warm_up_s,
    }
    if design.fir is not None:
        arrays["fir"] = design.fir
    if design.state_space is not None:
        arrays |= {
            field.name: getattr(design.state_space, field.name)
            for field in dataclasses.fields(design.state_space)
        }
    if design.tracker is not None:
        arrays["tracker"] = int(design.tracker.kind)
        arrays["tracker_settings"] = design.tracker.settings
    if design.decimation is not None:
        arrays["decimation_factor"] = design.decimation.factor
        arrays["decimation_taps"] = design.decimation.taps
    if design.confidence is not None:
        for field in dataclasses.fields(design.confidence):
            arrays[f"confidence_{field.name}"] = getattr(design.confidence, field.name)
    for index, part in enumerate(design.local):
        for field in dataclasses.fields(part):
            arrays[f"local_{index}_{field.name}"] = getattr(part, field.name)
    return arrays


def as_tape(batch: Batch) -> Tape:
    """Return recorded samples as a tape on which nothing may be fired.

    The recorded edges, of which there are none yet, say that every arrival is to be
    taken as it was.
    """
    return Tape(
        t_sample=np.ascontiguousarray(batch.samples["t_sample"]),
        t_arrival=np.ascontiguousarray(batch.samples["t_arrival"]),
        permits=np.zeros(len(batch.samples), np.int64),
        raw=np.ascontiguousarray(batch.raw),
        edges=batch.edges,
    )


def recorded_stream(stream: StreamDescription) -> RecordedStream:
    """Return the stream's description in the recorder's words."""
    return RecordedStream(
        name=stream.name,
        kind=stream.type,
        sfreq_hz=stream.sfreq_hz,
        sample_format="float32",
        channels=tuple(
            Channel(label=label, unit=unit or "", kind=kind)
            for label, unit, kind in zip(
                stream.labels, stream.units, stream.channel_types, strict=True
            )
        ),
        source_id=stream.source_id,
        hostname=stream.hostname,
    )
