"""The patterns whose edges are timed: a protocol, and the program that fires it."""

from typing import Any

import numpy as np

from bench.scenes import LOCK_S, fast_brief, fir_design, hjorth, wide_limits
from bench.signals import RHYTHM_HZ
from controller.core.structures import Program
from controller.protocol.core_rows import Rows, Wiring, rows_of
from controller.protocol.protocol_file import parse_protocol
from controller.protocol.trial_list import trial_list
from controller.rig.programs.program import (
    Rules,
    build_program,
    make_trials,
    require_allowed,
)
from controller.safety.limits import TrainLimits
from drivers.base import TriggerEdges

PULSE_S = 5e-4
"""From rise to fall: fits between the pulses of a pair."""

CONDITIONS = ("theta", "theta-each", "pair", "train")

_TEXT = """
title = "patterns"
version = "1"
modality = "sensory"
[intervals]
iti_s = 2.5
[dose]
min_interval_s = 0.1
max_pulses_per_session = 100000
max_pulses_per_day = 100000
max_pulses_total = 100000
[[dose.trains]]
max_frequency_hz = 50
max_pulses = 30
max_duration_s = 2
min_pause_s = 0.1
max_intensity = { pct_mso = 0 }
source = "nobody is connected"
[[conditions]]
name = "theta"
when = { kind = "phase", phase_deg = 0 }
pattern = { kind = "itbs", n_bursts = 5, lock = "first" }
weight = 2
[[conditions]]
name = "theta-each"
when = { kind = "phase", phase_deg = 180 }
pattern = { kind = "itbs", n_bursts = 5, lock = "each" }
weight = 2
[[conditions]]
name = "pair"
when = { kind = "phase", phase_deg = 90 }
pattern = { kind = "paired", interval_ms = 2 }
weight = 8
[[conditions]]
name = "train"
when = { kind = "phase", phase_deg = 270 }
pattern = { kind = "train", frequency_hz = 10, n_pulses = 10 }
[[stages]]
kind = "run"
name = "patterns"
n_trials = NUMBER
"""


def pattern_rows(n_trials: int) -> Rows:
    """Return the rows of so many trials, in the protocol's own order."""
    text = _TEXT.replace("NUMBER", str(n_trials))
    protocol = parse_protocol(text, where="bench.patterns")
    wiring = Wiring(
        pulse_s=PULSE_S, falls=True, device_pairs=False, rhythm_hz=RHYTHM_HZ
    )
    return rows_of(protocol, trial_list(protocol), wiring)


def pattern_program(
    rows: Rows,
    *,
    sfreq_hz: float,
    n_channels: int,
    edges: TriggerEdges,
    max_lateness_s: float,
) -> Program:
    """Return a program that fires row after row, with no pause between trials.

    As `latency_program`, it leaves the study's pauses and its pulse budget behind by
    writing into their record: nobody is connected here. Everything else, the lateness
    limit above all, is asked at every edge.

    Parameters
    ----------
    rows : Rows
        With `falls`.
    sfreq_hz : float
    n_channels : int
    edges : TriggerEdges
        Of an output that is lowered by a call of its own.
    max_lateness_s : float
    """
    train = TrainLimits(
        max_pulses=30, max_train_s=2.0, min_pulse_interval_s=1e-3, min_inter_train_s=2.0
    )
    limits = wide_limits(min_interval_s=0.1, max_lateness_s=max_lateness_s, train=train)
    patterns, pattern_edges = rows.pattern_records(falls=True)
    require_allowed(limits, patterns, pattern_edges)
    program = build_program(
        sfreq_hz=sfreq_hz,
        mixing=hjorth(n_channels),
        scale_uv=np.ones(n_channels),
        design=fir_design(fast_brief(sfreq_hz)),
        rules=Rules(lock_s=LOCK_S),
        limits=limits,
        trials=make_trials(
            1, target_phase_rad=0.0, iti_s=0.0, iti_jitter_s=0.0, seed=1
        ),
        edges=edges,
        pulse_s=PULSE_S,
    )
    program.limits.min_interval_s = program.limits.inter_train_s = 0.0
    program.limits.max_pulses = 2 * len(pattern_edges) * len(rows.rows)
    return program._replace(
        trials=_without_pauses(rows), patterns=patterns, pattern_edges=pattern_edges
    )


def _without_pauses(rows: Rows) -> Any:
    """Return records of TRIAL; bursts within a trial keep their distance.

    Each burst is a pattern of its own for the interlock, or one that is ended would end
    the run: nobody offers the next trial here.
    """
    records = rows.trial_records()
    first = np.array([row.burst == 0 for row in rows.rows])
    records.iti_s[first] = 0.0
    records.n_before = records.n_left = 0
    return records
