"""Paragraph and checklists say what the records say, and nothing else."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest

from controller.errors import FileError
from controller.report.methods.facts import Spread, methods_facts
from controller.report.methods.section import TO_BE_TOLD, as_text, methods_of
from controller.session.load import load_session

STIMULATOR = """
[stimulator]
kind = "magstim-bistim"
intensity_pct_mso = 54
second_intensity_pct_mso = 60
pair_interval_ms = 3.0
"""


@pytest.fixture(scope="module")
def session(made):
    return load_session(made.folder)


@pytest.fixture(scope="module")
def methods(session):
    return methods_of(session)


def values(items):
    return {item.name: item.value for item in items}


def test_paragraph_has_the_figures_of_the_session(made, methods):
    pulses, error = made.summary["pulses"], made.summary["phase_error_deg"]
    assert f"{pulses['planned']} pulses were planned and {pulses['fired']} fired" in (
        methods.paragraph
    )
    assert f"n = {error['n']}" in methods.paragraph
    assert f"circular SD {error['sd']:.1f}°" in methods.paragraph
    assert "+0.500 O1, +0.500 O2" in methods.paragraph
    assert "8.2 to 12.2 Hz" in methods.paragraph
    assert "the peak" in methods.paragraph
    assert "phasegate 0." in methods.paragraph


def test_what_was_simulated_is_said_first(methods):
    assert methods.paragraph.startswith(
        "In this session the trigger output was simulated."
    )


def test_refusals_stand_with_their_reasons(made, methods):
    n_late = made.summary["pulses"]["refused"]["TOO_LATE"]
    assert re.search(rf"later than .*: {n_late}\)", methods.paragraph)
    told = values(methods.closed_loop)["attempts refused, by reason"]
    assert told.endswith(f": {n_late}")


def test_every_item_of_the_closed_loop_set_is_asked(methods):
    names = set(values(methods.closed_loop))
    assert {
        "EEG system",
        "sampling rate",
        "reference of the amplifier",
        "spatial filter",
        "artifact handling",
        "band",
        "how the individual frequency was chosen",
        "phase estimator",
        "window and orders of the estimator",
        "prediction horizon",
        "forward prediction error",
        "target phase",
        "tolerance",
        "amplitude gate",
        "minimum inter-trial interval",
        "actual inter-trial intervals",
        "total loop latency measured by loop-back",
        "trigger path",
        "trigger-to-pulse delay allowed for",
        "achieved phase",
        "attempts fired",
        "control condition (sham or random phase)",
    } <= names


def test_what_the_records_do_not_hold_stays_open(methods):
    told = values(methods.closed_loop)
    for name in ("EEG system", "reference of the amplifier", "prediction horizon"):
        assert told[name] is None
    assert all(
        item.value is None for item in methods.tms if item.section == "Participants"
    )
    assert methods.n_open == as_text(methods).count(TO_BE_TOLD)


def test_chipchase_has_27_items_and_30_with_pairs(session):
    assert len(methods_of(session).tms) == 27
    paired = dataclasses.replace(session, config_text=session.config_text + STIMULATOR)
    items = methods_of(paired).tms
    assert len(items) == 30
    told = values(items)
    assert told["stimulation intensity"] == "54 % of maximum stimulator output"
    assert told["interval between the pulses of a pair"] == "3 ms"
    assert "magstim-bistim" in methods_of(paired).paragraph


def test_a_configuration_of_today_is_read_with_its_defaults(session):
    demo = Path("configs/demo.toml").read_text(encoding="utf-8")
    told = values(
        methods_of(dataclasses.replace(session, config_text=demo)).closed_loop
    )
    assert "150 uV" in told["artifact handling"]
    assert told["reference of the montage"] == "as-recorded"


def test_a_session_without_pulses_says_so_and_nothing_of_phase(make):
    methods = methods_of(load_session(make(n_pulses=0).folder))
    assert "0 pulses were planned and 0 fired" in methods.paragraph
    assert "achieved" not in methods.paragraph
    assert values(methods.closed_loop)["achieved phase"] is None


def test_a_session_that_ended_early_has_a_paragraph_too(make):
    folder = make().folder
    for name in ("summary.json", "provenance.json", "design.npz"):
        (folder / name).unlink()
    methods = methods_of(load_session(folder))
    assert "1000 Hz from 8 channels" in methods.paragraph
    for word in ("None", "nan", "was estimated in"):
        assert word not in methods.paragraph
    assert "nan" not in as_text(methods)


def test_nothing_reads_as_a_missing_value(methods):
    text = as_text(methods)
    for word in ("None", "nan", "inf ", "{", "}"):
        assert word not in text


def test_a_configuration_that_is_no_toml_is_named(session):
    broken = dataclasses.replace(session, config_text="[source")
    with pytest.raises(FileError, match="not valid TOML"):
        methods_of(broken)


def test_several_targets_are_all_named(session):
    decisions = session.decisions.copy()
    decisions["target_phase_rad"][::2] = np.pi
    both = methods_of(dataclasses.replace(session, decisions=decisions))
    assert "the trough" in both.paragraph
    assert "the peak" in both.paragraph


def test_a_spread_is_that_of_the_values_that_are_known():
    spread = Spread.of(np.array([1.0, np.nan, 3.0]))
    assert (spread.n, spread.mean, spread.median) == (2, 2.0, 2.0)
    assert spread.sd == pytest.approx(np.sqrt(2.0))
    assert Spread.of(np.array([np.nan])) is None
    assert Spread.of(np.array([4.0])).sd == 0.0


def test_intervals_between_pulses_are_those_of_the_fired_ones(session):
    facts = methods_facts(session)
    fired = session.pulses["t_fired"]
    assert facts.interval_s.n == np.count_nonzero(np.isfinite(fired)) - 1
    assert (
        facts.n_fired
        == json.loads((session.path / "summary.json").read_text(encoding="utf-8"))[
            "pulses"
        ]["fired"]
    )
