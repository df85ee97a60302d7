import json
import math

import numpy as np
import pytest
from session_rows import NO_DECISIONS, NO_EDGES, block, decision, edge, stream

from controller.core.reasons import HoldReason, Outcome
from controller.safety.interlock import Refusal
from controller.session.load import load_session
from controller.session.recording.recorder import SessionRecorder
from controller.session.summary import SessionFacts, build_summary


def facts(**changed):
    given = {
        "title": "t",
        "participant": "p",
        "duration_s": 60.0,
        "n_received": 60_000,
        "n_lost": 3,
        "n_gaps": 1,
        "privileges": {"priority": False},
        "rhythm": {"band": "alpha", "frequency_hz": np.float64(10.2)},
        "estimator": "wiener",
        "target_phase_deg": 0.0,
        "exit_code": 0,
        "exit_reason": "completed",
    }
    return SessionFacts(**(given | changed))


def recorded(folder, decisions, edges):
    recorder = SessionRecorder(folder, stream(), t_now=100.0)
    recorder.append(*block(), decisions, edges)
    recorder.close()
    session = load_session(folder.path)
    return session.decisions, session.pulses


def test_summary_counts_what_was_planned_fired_refused_and_held(folder):
    decisions = np.concatenate(
        [
            decision(1),
            decision(2),
            decision(3),
            decision(4, Outcome.REFUSED, refusal=Refusal.NOT_ARMED),
            decision(5, Outcome.HELD, holds=HoldReason.AMPLITUDE | HoldReason.BUSY),
            decision(6, Outcome.HELD, holds=HoldReason.AMPLITUDE),
        ]
    )
    edges = np.concatenate([edge(1), edge(2, Refusal.TOO_LATE)])
    decisions, pulses = recorded(folder, decisions, edges)
    pulses["t_observed"] = pulses["t_fired"] + 300e-6
    pulses["achieved_phase_rad"] = math.radians(-10)

    summary = build_summary("f", facts(n_extra_arrivals=2), decisions, pulses)

    assert summary["pulses"] == {
        "planned": 4,
        "fired": 1,
        "refused": {"NEVER_DUE": 1, "TOO_LATE": 1, "NOT_ARMED": 1},
    }
    assert summary["decisions"] == {"count": 6, "held": {"AMPLITUDE": 2, "BUSY": 1}}
    error = summary["phase_error_deg"]
    assert (error["n"], error["within_45"]) == (1, 1.0)
    assert error["mean"] == pytest.approx(-10)
    assert error["sd"] == pytest.approx(0, abs=1e-5)
    latency = summary["latency_us"]
    assert latency["sample_to_decision"]["n"] == 6
    # Stamps near 100 s are exact to 1.4e-14 s; the sums here to a few of those.
    assert latency["sample_to_decision"]["p50"] == pytest.approx(500, abs=1e-6)
    assert latency["deadline_error"]["max"] == pytest.approx(20, abs=1e-6)
    assert latency["fire_to_arrival"]["p99"] == pytest.approx(300, abs=1e-6)
    assert summary["arrivals"] == {"matched": 1, "missing": 0, "extra": 2}
    assert summary["samples"] == {"received": 60_000, "lost": 3, "gaps": 1}
    assert summary["exit"] == {"code": 0, "reason": "completed"}


def test_summary_of_nothing_is_valid_json_with_nulls(folder):
    decisions, pulses = recorded(folder, NO_DECISIONS, NO_EDGES)
    summary = build_summary("f", facts(duration_s=math.nan), decisions, pulses)
    path = folder.write_json("summary.json", summary)
    back = json.loads(path.read_text(), parse_constant=pytest.fail)
    assert back == summary
    assert back["phase_error_deg"] == {
        "n": 0,
        "mean": None,
        "sd": None,
        "within_45": None,
    }
    for latency in back["latency_us"].values():
        assert latency == {"n": 0, "p50": None, "p99": None, "p999": None, "max": None}
    assert back["duration_s"] is None


def test_phase_errors_wrap_around_the_trough(folder):
    rows = np.concatenate([decision(k, target_phase_rad=math.pi) for k in (1, 2)])
    decisions, pulses = recorded(folder, rows, np.concatenate([edge(1), edge(2)]))
    pulses["achieved_phase_rad"] = np.radians([-170.0, 170.0])
    error = build_summary("f", facts(), decisions, pulses)["phase_error_deg"]
    assert error["mean"] == pytest.approx(0, abs=1e-6)
    assert error["within_45"] == 1.0
    assert error["sd"] == pytest.approx(10, abs=0.1)
