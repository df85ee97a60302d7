"""A session asked what it would have done with other settings."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from bad_days import config_text
from replays import LOOP_AT, made, text_of
from rests import SOURCE, calibrated, stream_of

from bench.session_maker import make_session
from bench.session_troubles import stalls
from controller.config import parse_config
from controller.core.structures import Program
from controller.errors import ConfigError, FileError
from controller.rig.calibrate.profile import find_profile, keep
from controller.rig.replay.entered import HANDED_OVER, read_loop_input
from controller.rig.replay.report import replay_folder
from controller.rig.replay.what_if import (
    check_changes,
    given_by,
    lateness_s,
    profile_of,
    what_if,
)
from controller.session.folder import PROGRAM, WHAT_IF
from controller.session.load import Session, load_session


def asked(folder: Path, old: str = "", new: str = "") -> Session:
    session = load_session(folder)
    text = session.config_text.replace(old, new)
    config = parse_config(text, where="test")
    made = what_if(
        session, read_loop_input(folder), config, text, folder.parent, changes=(new,)
    )
    return load_session(made)


def differing(a: Program, b: Program) -> set[str]:
    return {
        name
        for name in Program._fields
        if getattr(a, name).tobytes() != getattr(b, name).tobytes()
    }


@pytest.mark.parametrize("estimator", ["iir", "wiener", "blend"])
def test_with_the_same_settings_everything_is_planned_and_decided_the_same(
    tmp_path, estimator
):
    folder = made(tmp_path, text_of(estimator))
    session, again = load_session(folder), asked(folder)
    programs = [read_loop_input(one.path).loop for one in (session, again)]
    assert differing(*programs) == set()
    assert session.decisions.tobytes() == again.decisions.tobytes()
    np.testing.assert_allclose(
        session.edges["t_fired"], again.edges["t_fired"], rtol=0.0, atol=1e-9
    )


def test_a_higher_gate_fires_less_and_leaves_the_estimates_alone(tmp_path):
    folder = made(tmp_path)
    session = load_session(folder)
    again = asked(folder, "percentile = 30", "percentile = 95")
    assert 0 < again.summary["pulses"]["fired"] < session.summary["pulses"]["fired"]
    for name in ("phase_rad", "amplitude_uv", "t_sample", "permits"):
        np.testing.assert_array_equal(session.samples[name], again.samples[name])


def test_what_came_of_it_is_a_session_that_replays_and_says_what_it_is(tmp_path):
    folder = made(tmp_path)
    again = asked(folder, "phase_deg = 0", "phase_deg = 180")
    assert replay_folder(again.path).identical
    event = next(e for e in again.events if e["event"] == WHAT_IF)
    assert load_session(folder).is_live
    assert not again.is_live
    assert event["of"] == str(folder)
    assert event["changes"] == ["phase_deg = 180"]
    assert again.summary["title"].startswith("What if")
    assert "nothing was fired" in again.summary["exit"]["reason"]
    assert again.summary["target_phase_deg"] == 180


def test_triggers_are_as_late_as_they_were(tmp_path):
    folder = made(tmp_path, trouble=stalls)
    late_s = lateness_s(load_session(folder))
    assert late_s.max() > 0.001
    again = asked(folder, "max_lateness_ms = 1.0", "max_lateness_ms = 5.0")
    assert "TOO_LATE" in load_session(folder).summary["pulses"]["refused"]
    assert "TOO_LATE" not in again.summary["pulses"]["refused"]


@pytest.mark.parametrize("change", ["run.rest_s=30", "source.seed=3"])
def test_what_the_samples_decide_cannot_be_asked(change):
    with pytest.raises(ConfigError, match="its samples and their times"):
        check_changes(("gate.percentile=75", change))


def test_a_session_that_never_closed_its_loop_has_nothing_to_tell(tmp_path):
    session = load_session(made(tmp_path))
    events = [event for event in session.events if event["event"] != HANDED_OVER]
    with pytest.raises(FileError, match="ended before its loop was closed"):
        given_by(dataclasses.replace(session, events=events), None)


def test_a_session_without_its_program_cannot_be_asked(tmp_path):
    session = load_session(made(tmp_path))
    with pytest.raises(FileError, match=f"has no {PROGRAM}"):
        given_by(session, None)


def test_a_session_whose_profile_is_not_kept_is_refused(tmp_path):
    session = load_session(made(tmp_path))
    assert profile_of(session) is None
    session.summary["rhythm"]["profile"] = "profile of P07, version 3"
    with pytest.raises(FileError, match="holds no copy of it"):
        profile_of(session)


def test_rest_settling_and_design_are_where_they_were(tmp_path):
    folder = made(tmp_path)
    given = given_by(load_session(folder), read_loop_input(folder))
    assert (given.n_settle, given.n_rest) == (2500, LOOP_AT)
    assert given.n_designed == LOOP_AT - 200


def test_what_was_never_fired_is_not_exported_as_if_it_had_been(tmp_path):
    pytest.importorskip("mne_bids")
    from controller.export.bids import BidsWish, export_bids

    again = asked(made(tmp_path))
    with pytest.raises(FileError, match="decided on a virtual clock"):
        export_bids(again.path, BidsWish(root=tmp_path / "bids"))


def test_a_session_with_a_profile_is_planned_from_its_copy(tmp_path):
    kept = find_profile(keep(calibrated(), stream_of(), tmp_path / "profiles"), "P07")
    text = config_text(
        source=SOURCE,
        run={"participant": "P07", "rest_s": 5, "duration_s": 10},
        rhythm={"frequency_hz": kept.frequency_hz},
    )
    folder = make_session(
        parse_config(text, where="test"), text, tmp_path, profile=kept
    )
    session, again = load_session(folder), asked(folder)
    assert profile_of(session).name == kept.name
    assert again.summary["rhythm"]["profile"] == kept.name
    programs = [read_loop_input(one.path).loop for one in (session, again)]
    assert differing(*programs) == set()
    assert len(session.decisions) > 20
    assert session.decisions.tobytes() == again.decisions.tobytes()
