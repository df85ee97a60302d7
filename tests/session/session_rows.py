"""Rows as the loop writes them, for tests of what records them."""

import numpy as np

from controller.core.reasons import Outcome
from controller.core.records import DECISION, EDGE, SAMPLE
from controller.kernels.jit import new_records
from controller.safety.interlock import Refusal
from controller.session.recording.streams import Channel, StreamDescription


def stream(n_channels=4):
    return StreamDescription(
        name="amplifier",
        kind="EEG",
        sfreq_hz=1000.0,
        sample_format="float32",
        channels=tuple(
            Channel(label=f"E{k}", unit="microvolts", kind="EEG")
            for k in range(n_channels)
        ),
        source_id="amp-1",
    )


def block(n=50, n_channels=4, at=0):
    samples = new_records(SAMPLE, n)
    samples["t_sample"] = 100.0 + (at + np.arange(n)) / 1000
    samples["t_arrival"] = samples["t_sample"] + 0.003
    samples["permits"] = 7
    samples["phase_rad"] = np.nan
    samples["amplitude_uv"] = np.pi
    raw = np.random.default_rng(at).normal(0, 20, (n, n_channels)).astype(np.float32)
    return samples, raw


def decision(number, outcome=Outcome.PLANNED, **fields):
    row = new_records(DECISION)
    row["decision"] = number
    row["outcome"] = outcome
    row["t_sample"] = 100.0 + number
    row["t_decided"] = row["t_sample"] + 500e-6
    for name, value in fields.items():
        row[name] = value
    return row


def edge(number, refusal=Refusal.NONE, rises=1, **fields):
    row = new_records(EDGE)
    row["decision"] = number
    row["rises"] = rises
    row["edge"] = 1 - rises
    row["t_due"] = 100.01 + number
    row["t_fired"] = row["t_due"] + 20e-6
    row["refusal"] = refusal
    for name, value in fields.items():
        row[name] = value
    return row


NO_DECISIONS = new_records(DECISION, 0)
NO_EDGES = new_records(EDGE, 0)
