"""A protocol's patterns, edge by edge: on time, or ended with the line low."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenario import SFREQ_HZ, cosine, memory_of, program_of
from study import limits_of

from controller.core.reasons import Fault
from controller.engine.virtual import regular_tape, run_virtual
from controller.protocol.core_rows import Wiring, rows_of
from controller.protocol.protocol_file import parse_protocol
from controller.protocol.trial_list import trial_list
from controller.safety.interlock import REFUSAL_SENTENCES, Refusal
from controller.safety.limits import TrainLimits

PULSE_S = 5e-4
LATEST_S = 1e-3
ON_TIME = 0.0
PATTERNS = {
    "pair": "{ kind = 'paired', interval_ms = 2.5 }",
    "burst": "{ kind = 'burst', n_pulses = 3, interval_ms = 20 }",
    "theta": "{ kind = 'itbs', n_bursts = 3, lock = 'first' }",
    "train": "{ kind = 'train', frequency_hz = 10, n_pulses = 4 }",
    "arrhythmic": "{ kind = 'sequence', intervals_ms = [7, 31, 12.5] }",
}
TEXT = """
title = "one pattern"
version = "1"
modality = "sensory"
pattern = PATTERN
[intervals]
iti_s = 5.0
[dose]
min_interval_s = 0.1
max_pulses_per_session = 1000
max_pulses_per_day = 1000
max_pulses_total = 1000
[[dose.trains]]
max_frequency_hz = 50
max_pulses = 30
max_duration_s = 2
min_pause_s = 2
max_intensity = { pct_mso = 0 }
source = "a test"
[[conditions]]
name = "peak"
when = { kind = "phase", phase_deg = 0 }
[[stages]]
kind = "run"
name = "pulses"
n_trials = 1
"""


def program_for(name):
    """Return the program of one trial, and what is planned: offset and rise."""
    protocol = parse_protocol(TEXT.replace("PATTERN", PATTERNS[name]), where="test")
    wiring = Wiring(pulse_s=PULSE_S, falls=True, device_pairs=False, rhythm_hz=10.0)
    rows = rows_of(protocol, trial_list(protocol), wiring)
    patterns, edges = rows.pattern_records(falls=True)
    train = TrainLimits(
        max_pulses=30, max_train_s=2.0, min_pulse_interval_s=1e-3, min_inter_train_s=2.0
    )
    program = program_of(
        limits=limits_of(train=train, max_lateness_s=LATEST_S), pulse_s=PULSE_S
    )
    program = program._replace(
        trials=rows.trial_records(), patterns=patterns, pattern_edges=edges
    )
    return program, rows.patterns[rows.rows[0].pattern]


def run(program, late_s):
    tape = regular_tape(cosine(3.0), SFREQ_HZ)
    return run_virtual(program, memory_of(program), tape, late_s=np.array(late_s))


@pytest.mark.parametrize("name", PATTERNS)
def test_every_edge_of_a_pattern_leaves_when_it_is_planned(name):
    program, planned = program_for(name)
    result = run(program, [ON_TIME])
    edges = result.batch.edges
    assert edges["rises"].tolist() == [edge.rises for edge in planned]
    offsets_s = [edge.offset_s for edge in planned]
    # A virtual clock ticks by a microsecond while the loop spins.
    assert edges["t_fired"] - edges["t_due"][0] == pytest.approx(offsets_s, abs=1e-5)
    assert len(result.calls) == len(planned)
    assert result.memory.ledger.pulses[0] == len(planned) // 2


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(sorted(PATTERNS)), data=st.data())
def test_a_late_edge_ends_its_pattern_with_the_line_low_and_says_why(name, data):
    program, planned = program_for(name)
    rise = data.draw(st.integers(0, len(planned) // 2 - 1), label="which pulse")
    late_s = data.draw(st.floats(1.01 * LATEST_S, 0.04), label="how late")
    schedule = [ON_TIME] * len(planned)
    schedule[2 * rise] = late_s
    result = run(program, schedule)
    edges = result.batch.edges[: 2 * rise + 1]
    before, ended = edges[: 2 * rise], edges[2 * rise]
    assert (before["refusal"] == Refusal.NONE).all()
    assert Refusal(int(ended["refusal"])) is Refusal.TOO_LATE
    assert "left later than the lateness limit" in REFUSAL_SENTENCES[Refusal.TOO_LATE]
    if rise > 0:
        # One that was begun is not begun again: its trial is over.
        assert len(result.batch.edges) == 2 * rise + 1
        assert len(result.calls) == 2 * rise
        assert result.memory.ledger.pulses[0] == rise
    assert result.memory.now.line_high[0] == 0
    assert result.fault is Fault.END_OF_TAPE


@pytest.mark.parametrize("name", PATTERNS)
def test_edges_within_the_limit_go_on_and_lateness_does_not_add_up(name):
    program, planned = program_for(name)
    result = run(program, [0.9 * LATEST_S])
    rises = result.batch.edges[result.batch.edges["rises"] == 1]
    offsets_s = [edge.offset_s for edge in planned if edge.rises]
    assert (rises["refusal"] == Refusal.NONE).all()
    assert rises["t_due"] - rises["t_due"][0] == pytest.approx(offsets_s, abs=1e-9)
    late_s = rises["t_fired"] - rises["t_due"]
    assert (late_s <= LATEST_S).all()


@pytest.mark.parametrize("name", ["burst", "theta"])
def test_a_late_fall_lowers_the_line_all_the_same(name):
    program, planned = program_for(name)
    result = run(program, [ON_TIME, 2.0 * LATEST_S])
    edges = result.batch.edges
    assert (edges["refusal"] == Refusal.NONE).all()
    assert len(result.calls) == len(planned)
    assert result.memory.now.line_high[0] == 0
