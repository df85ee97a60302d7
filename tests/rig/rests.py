"""Rest of a simulated participant in virtual time, ready to calibrate on."""

import dataclasses
import functools
from typing import Any

import numpy as np
from bad_days import config_of

from controller.config import Config, SyntheticSource
from controller.rig.calibrate.calibration import Calibrated, calibrate_rest
from controller.rig.calibrate.rest_recording import RestRecording
from controller.sources.description import StreamDescription
from controller.sources.synthetic.signal import Block, SyntheticParticipant
from controller.sources.timing import judge_timing

SFREQ_HZ = 250.0
CHANNELS = ("Fz", "C3", "Cz", "C4", "Pz", "O1", "Oz", "O2")
SOURCE: dict[str, object] = {
    "kind": "synthetic",
    "sfreq_hz": SFREQ_HZ,
    "channels": list(CHANNELS),
    "alpha_hz": 10.2,
    "alpha_uv": 15.0,
    "blinks_per_minute": 0,
    "seed": 7,
}


def calibration_config(**tables: dict[str, object]) -> Config:
    """Return a configuration that calibrates; tables change the usual keys."""
    usual: dict[str, dict[str, object]] = {
        "source": SOURCE,
        "gate": {"amplitude": "percentile", "percentile": 60},
        "timing": {"iti_s": 1.0, "iti_jitter_s": 0.2},
        "run": {"participant": "P07", "rest_s": 30},
        "rhythm": {"band": "alpha", "frequency_hz": 10.2},
    }
    for name, table in tables.items():
        kept = {} if name == "montage" else usual.get(name, {})
        usual[name] = kept | table
    config = config_of(**{k: v for k, v in usual.items() if k != "montage"})
    if "rhythm" not in tables:
        rhythm = config.rhythm.model_copy(update={"frequency_hz": None})
        config = config.model_copy(update={"rhythm": rhythm})
    if "montage" in tables:
        montage = type(config.montage).model_validate(tables["montage"])
        config = config.model_copy(update={"montage": montage})
    return config


@functools.cache
def block_of(seconds: float, seed: int = 7, alpha_uv: float = 15.0) -> Block:
    """Return the participant's samples and what they are made of."""
    source = SyntheticSource.model_validate(
        SOURCE | {"seed": seed, "alpha_uv": alpha_uv, "channels": CHANNELS}
    )
    return SyntheticParticipant(source).read(round(seconds * SFREQ_HZ))


def recording_of(
    raw: np.ndarray, *, t_sample: np.ndarray | None = None, sfreq_hz: float = SFREQ_HZ
) -> RestRecording:
    """Return samples as if a stream had brought them 10 ms after their stamps."""
    if t_sample is None:
        t_sample = 1.0 + np.arange(len(raw)) / sfreq_hz
    return RestRecording(
        name="simulated",
        stream=stream_of(sfreq_hz),
        t_sample=t_sample,
        raw=np.ascontiguousarray(raw, np.float32),
        timing=judge_timing(t_sample, t_sample + 0.010, sfreq_hz),
    )


def stream_of(
    sfreq_hz: float = SFREQ_HZ, labels: tuple[str, ...] = CHANNELS
) -> StreamDescription:
    return StreamDescription(
        name="simulated",
        type="EEG",
        source_id="",
        hostname="",
        sfreq_hz=sfreq_hz,
        channel_format="float32",
        labels=labels,
        channel_types=("EEG",) * len(labels),
        units=("microvolts",) * len(labels),
        scale_uv=np.ones(len(labels)),
    )


@functools.cache
def calibrated(alpha_uv: float = 15.0) -> Calibrated:
    """Return a calibration on a minute of rest that went well."""
    recording = recording_of(block_of(60.0, alpha_uv=alpha_uv).samples)
    return calibrate_rest(calibration_config(), recording, lambda *_: None)


def changed(config: Config, section: str, **keys: Any) -> Config:
    """Return the configuration with keys of a section replaced."""
    old = getattr(config, section)
    return config.model_copy(update={section: old.model_copy(update=keys)})


def with_samples(recording: RestRecording, raw: np.ndarray) -> RestRecording:
    return dataclasses.replace(recording, raw=np.ascontiguousarray(raw, np.float32))
