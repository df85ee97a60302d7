import math

import numpy as np
import pytest
from scenario import SFREQ_HZ, cosine, memory_of, program_of

from controller.core.memory import carry_on, copy_memory, new_memory
from controller.core.reasons import (
    ARTIFACT_SENTENCES,
    HOLD_SENTENCES,
    Artifact,
    HoldReason,
)
from controller.core.records import DECISION, EDGE, NOW, SAMPLE
from controller.engine.virtual import regular_tape, run_virtual


@pytest.mark.parametrize("n_window", [0, -1, 30_001])
def test_a_window_of_no_sense_is_refused(n_window):
    with pytest.raises(ValueError, match=f"n_window.*{n_window} is invalid"):
        new_memory(program_of(), n_window=n_window)


def test_fresh_memory_has_nothing_under_way_and_nothing_behind_it():
    now = memory_of(program_of()).now[0]
    assert now.t_next_edge == math.inf
    assert now.t_pulse_edge == now.t_artifact == now.t_attempt == -math.inf
    assert math.isnan(now.threshold_uv)
    assert (now.valid, now.line_high, now.fault, now.n_samples) == (0, 0, 0, 0)


def test_a_copy_shares_nothing():
    program = program_of()
    memory = memory_of(program)
    twin = copy_memory(memory)
    run_virtual(program, memory, regular_tape(cosine(1.0), SFREQ_HZ))
    for before, array in zip(memory_of(program), twin, strict=True):
        assert before.tobytes() == array.tobytes()


def test_a_later_stretch_numbers_on_and_remembers_the_last_pulse():
    program = program_of()
    before, later = memory_of(program), memory_of(program)
    result = run_virtual(program, before, regular_tape(cosine(3.0), SFREQ_HZ))
    assert len(result.calls) > 2
    tape = regular_tape(cosine(2.0), SFREQ_HZ, permits=0)
    run_virtual(program, later, tape)
    states = later.states.copy()
    carry_on(later, before)
    for name in (
        *("n_samples", "n_decisions", "n_edges", "n_gaps", "n_lost", "trial"),
        *("t_pulse_edge", "t_blind_from", "t_blind_until"),
    ):
        assert later.now[name] == before.now[name], name
    assert later.ledger.tobytes() == before.ledger.tobytes()
    assert later.ledger.pulses[0] > 0
    assert np.array_equal(later.states, states)


def test_the_interval_holds_across_stretches():
    program = program_of(iti_s=2.0)
    before, later = memory_of(program), memory_of(program)
    first = run_virtual(program, before, regular_tape(cosine(1.5), SFREQ_HZ))
    run_virtual(program, later, regular_tape(cosine(1.5), SFREQ_HZ, permits=0))
    carry_on(later, before)
    tape = regular_tape(cosine(3.0, t_start=2.5), SFREQ_HZ, t_start=2.5)
    second = run_virtual(program, later, tape)
    last, following = first.batch.edges["t_due"][0], second.batch.edges["t_due"][0]
    assert following - last >= 2.0 - 1e-9
    assert second.batch.edges["decision"][0] >= len(first.batch.decisions)


def test_every_reason_has_a_sentence():
    assert set(HOLD_SENTENCES) == {reason for reason in HoldReason if reason}
    assert set(ARTIFACT_SENTENCES) == {artifact for artifact in Artifact if artifact}


@pytest.mark.parametrize("dtype", [NOW, SAMPLE, DECISION, EDGE])
def test_every_field_is_eight_bytes_at_its_own_place(dtype):
    offsets = [dtype.fields[name][1] for name in dtype.names]
    assert offsets == list(range(0, 8 * len(dtype.names), 8))
