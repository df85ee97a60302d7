"""Sessions made of a sine and noise, through the real recorder."""

import dataclasses
import datetime as dt
import math
from pathlib import Path

import numpy as np

from controller.core.reasons import HoldReason, Outcome
from controller.core.records import DECISION, EDGE, SAMPLE
from controller.kernels.jit import new_records
from controller.report.score import score_session
from controller.safety.interlock import Refusal
from controller.session.folder import SessionFolder
from controller.session.provenance import provenance
from controller.session.recording.recorder import SessionRecorder
from controller.session.recording.streams import Channel, StreamDescription
from controller.session.summary import SessionFacts

SFREQ_HZ = 1000.0
FREQUENCY_HZ = 10.2
LABELS = ("Fz", "C3", "Cz", "C4", "Pz", "O1", "Oz", "O2")
OUTPUT_LATENCY_S = 0.0002
T_START = 5000.0

CONFIG = """\
title = "Alpha peak"

[montage]
weights = { O1 = 0.5, O2 = 0.5 }

[gate]
amplitude = "percentile"
percentile = 60

[timing]
iti_s = 1.5

[output]
kind = "simulated-serial-byte"

[limits]
min_interval_s = 1.0
max_pulses = 100
max_lateness_ms = 1.0
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """A session to make: `error_deg` is how far off the target each pulse lands.

    With `targets_rad`, each pulse takes the next of them, as a condition of its own.
    """

    duration_s: float = 60.0
    n_pulses: int = 30
    target_rad: float = 0.0
    targets_rad: tuple[float, ...] = ()
    bias_deg: float = 3.0
    spread_deg: float = 18.0
    gap_at_s: float | None = None
    observed: bool = True
    exit_code: int = 0
    exit_reason: str = "completed"
    noise_uv: float = 3.0
    seed: int = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Made:
    folder: Path
    errors_rad: np.ndarray
    summary: dict
    facts: SessionFacts


def make_session(root: Path, recipe: Recipe) -> Made:
    rng = np.random.default_rng(recipe.seed)
    folder = SessionFolder.create(
        root,
        title="Alpha peak",
        participant="P01",
        started=dt.datetime(2031, 5, 6, 7, 8, 9, tzinfo=dt.UTC),
    )
    folder.write_config(CONFIG)
    mixing = np.zeros((1, len(LABELS)))
    mixing[0, [5, 7]] = 0.5
    folder.write_design(
        {
            "mixing": mixing,
            "band_hz": np.array([FREQUENCY_HZ - 2, FREQUENCY_HZ + 2]),
            "output_latency_s": OUTPUT_LATENCY_S,
        }
    )
    privileges = {"real-time priority": False, "memory locked": True}
    folder.write_json(
        "provenance.json", provenance(privileges=privileges, seeds={"timing": 7})
    )
    samples, raw = eeg(recipe, rng)
    decisions, edges, errors_rad = pulses(recipe, rng)
    record(folder, samples, raw, decisions, edges)
    facts = SessionFacts(
        title="Alpha peak",
        participant="P01",
        duration_s=recipe.duration_s,
        n_received=len(samples),
        n_lost=0 if recipe.gap_at_s is None else 250,
        n_gaps=0 if recipe.gap_at_s is None else 1,
        privileges=privileges,
        rhythm={
            "band": "alpha",
            "frequency_hz": FREQUENCY_HZ,
            "band_hz": [8.2, 12.2],
            "snr_db": 11.4,
        },
        estimator="wiener",
        target_phase_deg=math.degrees(recipe.target_rad),
        exit_code=recipe.exit_code,
        exit_reason=recipe.exit_reason,
    )
    fired = edges[(edges["rises"] == 1) & (edges["refusal"] == 0)]
    arrivals = []
    if recipe.observed:
        t = fired["t_fired"] + OUTPUT_LATENCY_S
        arrivals = [(float(at), 1) for at in t] + [(float(at) + 0.005, 0) for at in t]
    summary = score_session(folder.path, facts, arrivals)
    return Made(folder=folder.path, errors_rad=errors_rad, summary=summary, facts=facts)


def rhythm_phase(t):
    return 2 * math.pi * FREQUENCY_HZ * (t - T_START)


def eeg(recipe, rng):
    n = round(recipe.duration_s * SFREQ_HZ)
    t = T_START + np.arange(n) / SFREQ_HZ
    if recipe.gap_at_s is not None:
        lost = (t - T_START >= recipe.gap_at_s) & (t - T_START < recipe.gap_at_s + 0.25)
        t = t[~lost]
    raw = rng.normal(0, recipe.noise_uv, (len(t), len(LABELS)))
    envelope = 10 + 4 * np.sin(2 * math.pi * 0.1 * (t - T_START))
    raw[:, 5] += envelope * np.cos(rhythm_phase(t))
    raw[:, 7] += envelope * np.cos(rhythm_phase(t))
    samples = new_records(SAMPLE, len(t))
    samples["t_sample"] = t
    samples["t_arrival"] = t + 0.002 + rng.exponential(0.0004, len(t))
    samples["permits"] = 7
    samples["phase_rad"] = np.angle(np.exp(1j * rhythm_phase(t)))
    samples["amplitude_uv"] = envelope + rng.normal(0, 0.4, len(t))
    samples["phase_rad"][:1000] = np.nan
    return samples, raw.astype(np.float32)


def pulses(recipe, rng):
    """A decision at every tenth of a second; every so many of them is a pulse."""
    n = int(recipe.duration_s * 10) - 1
    decisions, edges = new_records(DECISION, n), []
    every = n // recipe.n_pulses if recipe.n_pulses else n + 1
    errors = []
    for k in range(n):
        row = decisions[k]
        row["decision"] = k
        row["t_sample"] = T_START + 0.1 * (k + 1)
        row["t_arrival"] = row["t_sample"] + 0.002
        row["t_decided"] = row["t_sample"] + 0.0022 + rng.exponential(0.0002)
        targets = recipe.targets_rad or (recipe.target_rad,)
        row["condition"] = k // every % len(targets)
        target = targets[row["condition"]]
        row["target_phase_rad"] = target
        row["phase_rad"] = target - 0.3
        row["amplitude_uv"] = 11.0
        row["threshold_uv"] = 9.0 + 0.5 * math.sin(k / 60) if k > 80 else np.nan
        row["holds"] = HoldReason.INTERVAL
        if k % 3 == 0:
            row["holds"] = HoldReason.INTERVAL | HoldReason.AMPLITUDE
        if recipe.n_pulses == 0 or k % every != every // 2:
            continue
        error = math.radians(rng.normal(recipe.bias_deg, recipe.spread_deg))
        plan(row, target + error)
        edges.extend(edges_of(row, late=k // every % 5 == 3, rng=rng))
        if edges[-1]["rises"] == 0:
            errors.append(error)
    table = np.array(edges, EDGE) if edges else new_records(EDGE, 0)
    return decisions, table, np.array(errors)


def plan(row, phase):
    """Let the edge at the device fall on the next instant that has this phase."""
    earliest = row["t_sample"] + 0.01
    wait = (phase - rhythm_phase(earliest)) % (2 * math.pi)
    row["t_due"] = earliest + wait / (2 * math.pi * FREQUENCY_HZ)
    row["t_write"] = row["t_due"] - OUTPUT_LATENCY_S
    row["holds"] = 0
    row["outcome"] = Outcome.PLANNED


def edges_of(row, *, late, rng):
    rise = new_records(EDGE)[0]
    rise["decision"] = row["decision"]
    rise["rises"] = 1
    rise["t_due"] = row["t_write"]
    rise["t_fired"] = row["t_write"] + rng.exponential(8e-6)
    rise["t_after"] = rise["t_fired"] + 15e-6
    if late:
        rise["refusal"] = Refusal.TOO_LATE
        return [rise]
    fall = rise.copy()
    fall["edge"], fall["rises"] = 1, 0
    fall["t_fired"] = rise["t_fired"] + 0.005
    return [rise, fall]


def record(folder, samples, raw, decisions, edges):
    stream = StreamDescription(
        name="amplifier",
        kind="EEG",
        sfreq_hz=SFREQ_HZ,
        sample_format="float32",
        channels=tuple(Channel(label=k, unit="microvolts", kind="EEG") for k in LABELS),
        source_id="amp-1",
        hostname="lab",
    )
    recorder = SessionRecorder(folder, stream, t_now=T_START)
    recorder.event("armed", t=T_START)
    t_next = T_START
    while t_next < T_START + len(samples) / SFREQ_HZ + 1:
        t_next, t_last = t_next + 1.0, t_next
        blocks = [
            rows[(rows[stamp] >= t_last) & (rows[stamp] < t_next)]
            for rows, stamp in ((decisions, "t_decided"), (edges, "t_fired"))
        ]
        inside = (samples["t_sample"] >= t_last) & (samples["t_sample"] < t_next)
        recorder.append(samples[inside], raw[inside], *blocks)
    recorder.close()
