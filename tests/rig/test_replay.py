"""A session's decisions come out again, bit for bit, whatever happened in it."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from replays import LOOP_AT, made, text_of

from bench.session_troubles import artifacts, call_fails, gaps, markers, stalls
from controller.core.reasons import Outcome
from controller.errors import FileError
from controller.rig.replay.again import replay
from controller.rig.replay.entered import read_loop_input
from controller.rig.replay.report import ReplayReport, compared, replay_folder
from controller.safety.interlock import Permit, Refusal
from controller.session.folder import DECISIONS, PROGRAM
from controller.session.load import load_session


@pytest.mark.parametrize("trouble", [gaps, stalls, markers, artifacts, call_fails])
def test_every_decision_comes_out_again(tmp_path, trouble):
    report = replay_folder(made(tmp_path, trouble=trouble))
    assert report.decisions.identical, report.decisions.first_difference
    assert report.edges.identical, report.edges.first_difference
    assert report.samples.identical, report.samples.first_difference
    assert report.handed_over is True
    assert report.decisions.count > 20
    assert report.edges.count > 0


@pytest.mark.parametrize("estimator", ["wiener", "blend", "kalman", "pll"])
def test_every_kind_of_estimator_is_reproduced(tmp_path, estimator):
    report = replay_folder(made(tmp_path, text_of(estimator)))
    assert report.identical
    assert report.samples.identical


def test_lateness_and_failures_are_in_the_record_that_is_reproduced(tmp_path):
    session = load_session(made(tmp_path, trouble=stalls))
    assert np.any(session.edges["refusal"] == Refusal.TOO_LATE)
    assert np.any(session.decisions["outcome"] == Outcome.HELD)


def test_a_changed_sample_is_found_and_named(tmp_path):
    folder = made(tmp_path)
    report = replay_with(folder, change_of_a_sample)
    assert not report.decisions.identical
    assert not report.samples.identical
    first = report.samples.first_difference
    assert first.row >= LOOP_AT + 1000
    assert first.field in ("phase_rad", "amplitude_uv", "artifacts", "sd_rad")


def change_of_a_sample(session):
    raw = session.raw.copy()
    raw[LOOP_AT + 1000] += 40.0
    return dataclasses.replace(session, raw=raw)


def replay_with(folder: Path, change) -> ReplayReport:
    session = load_session(folder)
    replayed = replay(change(session), read_loop_input(folder))
    return compared(session, replayed, 0.0)


def test_a_changed_log_is_found_and_named(tmp_path):
    folder = made(tmp_path)
    path = folder / DECISIONS
    lines = path.read_text().splitlines()
    at = [number for number, line in enumerate(lines) if '"decision"' in line][5]
    entry = json.loads(lines[at])
    assert entry["kind"] == "decision"
    entry["amplitude_uv"] = np.nextafter(entry["amplitude_uv"], np.inf)
    lines[at] = json.dumps(entry)
    path.write_text("\n".join(lines) + "\n")
    first = replay_folder(folder).decisions.first_difference
    assert (first.row, first.field) == (5, "amplitude_uv")
    assert first.recorded == np.nextafter(first.replayed, np.inf)


def test_the_slices_of_the_replay_make_no_difference(tmp_path):
    folder = made(tmp_path)
    assert (
        replay_folder(folder).decisions.replayed_fingerprint
        == replay_folder(folder).decisions.replayed_fingerprint
    )


def test_a_session_without_its_program_is_refused_in_a_sentence(tmp_path):
    folder = made(tmp_path)
    (folder / PROGRAM).unlink()
    with pytest.raises(FileError, match=f"has no {PROGRAM}"):
        replay_folder(folder)


def test_a_damaged_program_is_refused_in_a_sentence(tmp_path):
    folder = made(tmp_path)
    path = folder / PROGRAM
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(FileError, match="is damaged"):
        replay_folder(folder)


def test_a_program_of_other_fields_is_refused_by_its_version(tmp_path):
    folder = made(tmp_path)
    with np.load(folder / PROGRAM) as archive:
        arrays = dict(archive)
    arrays["layout.decisions"] = np.array("8 other:<f8")
    np.savez(folder / PROGRAM, **arrays)
    with pytest.raises(FileError, match="its decisions have other fields"):
        replay_folder(folder)


def test_a_torn_log_is_compared_as_far_as_it_goes(tmp_path):
    folder = made(tmp_path)
    path = folder / DECISIONS
    path.write_bytes(path.read_bytes()[:-7])
    report = replay_folder(folder)
    assert report.identical
    assert report.decisions.count > 20
    assert any("torn" in note for note in report.notes)


def test_a_line_that_is_lowered_once_more_is_lowered_when_it_was(tmp_path):
    """Live, the clock goes on between the failed call, the plan and the next call."""
    folder = made(tmp_path, trouble=fall_fails)
    session = load_session(folder)
    edges = session.edges.copy()
    assert edges["rises"][-2:].tolist() == [0, 0]
    assert edges["system_error"][-2] != 0
    edges["t_due"][-1] += 3e-6
    edges["t_fired"][-1] += 5e-6
    edges["t_after"][-1] += 9e-6
    session = dataclasses.replace(session, edges=edges)
    report = compared(session, replay(session, read_loop_input(folder)), 0.0)
    assert report.edges.identical, report.edges.first_difference
    assert report.identical


def fall_fails(told):
    told.fail_call = 5


def test_a_permit_that_ran_out_after_the_last_sample_refuses_again(tmp_path):
    """At a deadline the permits are those that held then, not the last sample's."""
    folder = made(tmp_path)
    session = load_session(folder)
    last = int(np.flatnonzero(session.edges["rises"] == 1)[-1])
    edges = session.edges[: last + 1].copy()
    assert edges["permits"][last] & Permit.ARMED
    edges["permits"][last] &= ~int(Permit.ARMED)
    changed = dataclasses.replace(session, edges=edges)
    replayed = replay(changed, read_loop_input(folder)).edges
    assert replayed["refusal"][last] == Refusal.NOT_ARMED
    assert np.all(replayed["refusal"][:last] == Refusal.NONE)
