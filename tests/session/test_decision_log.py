import enum
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.reasons import Artifact, Fault, HoldReason, Outcome
from controller.core.records import DECISION
from controller.errors import FileError
from controller.kernels.jit import new_records
from controller.safety.interlock import Refusal
from controller.session.decisions import DecisionLog, decision_object, read_decisions
from controller.session.jsonable import jsonable, to_line
from controller.session.recording.append_file import AppendFile

NUMBERS = st.floats(allow_infinity=False, width=64)


def decision(**fields):
    row = new_records(DECISION)
    for name, value in fields.items():
        row[name] = value
    return row


def log_of(tmp_path, rows):
    log = DecisionLog(AppendFile(tmp_path / "decisions.jsonl"))
    log.append(rows)
    return log


@settings(max_examples=30, deadline=None)
@given(
    instant=NUMBERS,
    phase=NUMBERS,
    holds=st.integers(0, 2 ** len(HoldReason) - 1),
    artifacts=st.integers(0, 2 ** len(Artifact) - 1),
    refusal=st.sampled_from(Refusal),
    outcome=st.sampled_from(Outcome),
)
def test_decisions_come_back_bit_by_bit(
    tmp_path_factory, instant, phase, holds, artifacts, refusal, outcome
):
    tmp_path = tmp_path_factory.mktemp("log")
    rows = decision(
        decision=3,
        t_sample=instant,
        phase_rad=phase,
        holds=holds,
        artifacts=artifacts,
        refusal=refusal,
        outcome=outcome,
    )
    log_of(tmp_path, rows).close()
    back, events, n_torn = read_decisions(tmp_path / "decisions.jsonl")
    assert (len(back), events, n_torn) == (1, [], 0)
    for name in DECISION.names:
        np.testing.assert_array_equal(back[name], rows[name])


def test_a_decision_reads_well():
    row = decision(
        phase_rad=math.pi / 2,
        target_phase_rad=0.0,
        t_due=np.nan,
        holds=HoldReason.AMPLITUDE | HoldReason.INTERVAL,
        artifacts=Artifact.FLAT,
        outcome=Outcome.HELD,
    )[0]
    entry = json.loads(to_line(decision_object(row)))
    assert entry["kind"] == "decision"
    assert entry["outcome"] == "HELD"
    assert entry["holds"] == ["AMPLITUDE", "INTERVAL"]
    assert entry["artifacts"] == ["FLAT"]
    assert entry["refusal"] == "NONE"
    assert entry["phase_deg"] == 90.0
    assert entry["t_due"] is None


def test_bare_nan_is_never_written(tmp_path):
    rows = decision(phase_rad=np.nan, t_due=np.inf, threshold_uv=-np.inf)
    log = log_of(tmp_path, rows)
    log.event("fault", {"value": np.float64("nan"), "at": math.inf})
    log.close()
    text = (tmp_path / "decisions.jsonl").read_text()
    assert "NaN" not in text
    assert "Infinity" not in text
    assert len(text.splitlines()) == 2


def test_events_carry_plain_values(tmp_path):
    log = log_of(tmp_path, new_records(DECISION, 0))
    log.event(
        "fault", {"fault": Fault.GAP_TOO_LONG, "t": np.float64(1.5), "n": np.int64(2)}
    )
    log.close()
    _, events, _ = read_decisions(tmp_path / "decisions.jsonl")
    assert events == [
        {"kind": "event", "event": "fault", "fault": "GAP_TOO_LONG", "t": 1.5, "n": 2}
    ]


def test_torn_last_line_is_left_out_and_counted(tmp_path):
    log_of(tmp_path, decision(decision=1)).close()
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(path.read_bytes() + b'{"kind":"deci')
    back, _, n_torn = read_decisions(path)
    assert back["decision"].tolist() == [1]
    assert n_torn == 13


@pytest.mark.parametrize(
    "line",
    [b"nonsense", b'{"kind":"decision"}', b"[]", b'{"kind":"decision","outcome":1}'],
)
def test_damaged_line_is_named(tmp_path, line):
    path = tmp_path / "decisions.jsonl"
    log_of(tmp_path, decision(decision=1)).close()
    path.write_bytes(path.read_bytes() + line + b"\n")
    with pytest.raises(FileError, match=r"decisions\.jsonl is damaged in line 2"):
        read_decisions(path)


def test_missing_log_is_one_sentence(tmp_path):
    with pytest.raises(FileError, match=r"decisions\.jsonl cannot be read: no such"):
        read_decisions(tmp_path / "decisions.jsonl")


class Colour(enum.Enum):
    RED = 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Colour.RED, "RED"),
        (HoldReason.NONE, []),
        (Path("a") / "b", "a/b"),
        ((1, 2.5, None, True), [1, 2.5, None, True]),
        ({"x": np.arange(2)}, {"x": [0, 1]}),
        (float("inf"), None),
    ],
)
def test_plain_types(value, expected):
    assert jsonable(value) == expected


def test_a_value_without_a_json_form_is_refused():
    with pytest.raises(TypeError, match="no form for object"):
        jsonable({"x": object()})
