"""The ready protocols, shortened and live: what is kept, and that differences show."""

import dataclasses

import pytest

from bench.protocols_live import (
    RMT_PCT_MSO,
    STIMULATORS,
    Books,
    rig_text,
    run_live,
    shortened,
)
from controller.config import parse_config
from controller.errors import ConfigError
from controller.protocol.protocol_file import parse_protocol
from controller.rig.study.prepared import Study, require_runnable
from tests.protocol.conftest import READY

NAMES = sorted(path.stem for path in READY.glob("*.toml"))
AGREED = Books(
    logged={"peak": 2, "pair": 4},
    at_box={"peak": 2, "pair": 4},
    made={"peak": 2, "pair": 4},
    booked=6,
    missed=0,
    unfinished=0,
)


def text_of(name: str) -> str:
    return (READY / f"{name}.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_is_short_and_keeps_what_is_given(name) -> None:
    whole = parse_protocol(text_of(name), where=name)
    short = parse_protocol(shortened(text_of(name)), where=name)
    assert short.conditions == whole.conditions
    assert (short.pattern, short.intensity) == (whole.pattern, whole.intensity)
    for _, stage in short.stimulating_stages():
        assert stage.n_trials is not None
        assert 1 <= stage.n_trials <= 6


@pytest.mark.parametrize("name", NAMES)
def test_its_rig_is_sound(name) -> None:
    protocol = parse_protocol(text_of(name), where=name)
    config = parse_config(rig_text(protocol, {"kind": "simulated-magpro"}), where="rig")
    assert config.output.simulated
    assert config.stimulator is not None


@pytest.mark.parametrize("stimulator", STIMULATORS, ids=lambda one: one["kind"])
def test_pairs_of_two_intensities_are_refused_and_named(stimulator) -> None:
    text = shortened(text_of("sici-icf-mu"))
    protocol = parse_protocol(text, where="sici")
    study = Study.of(protocol, text, seed=1, rmt_pct_mso=RMT_PCT_MSO)
    rig = parse_config(rig_text(protocol, stimulator), where="rig")
    # A session sets one intensity: a first pulse at the second's would be too strong.
    with pytest.raises(ConfigError, match=r"condition sici.*: intensity gives the two"):
        require_runnable(study, rig)


def test_books_that_agree_do() -> None:
    assert AGREED.disagreements == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"at_box": {"peak": 2, "pair": 3}},
        # The same sum, given to the wrong condition.
        {"made": {"peak": 3, "pair": 3}},
        {"booked": 5},
        {"missed": 1},
        {"unfinished": 1},
    ],
)
def test_and_books_that_do_not_are_seen(wrong) -> None:
    assert dataclasses.replace(AGREED, **wrong).disagreements == 1


def test_a_session_without_a_pulse_agrees_with_nothing() -> None:
    none = Books(logged={}, at_box={}, made={}, booked=0, missed=0, unfinished=0)
    assert none.disagreements == 1


@pytest.mark.lsl
@pytest.mark.slow
def test_single_pulses_live(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("LSLAPICFG", raising=False)
    text = shortened(text_of("mu-single-pulse"))
    # One stage of two trials is enough here.
    text = text.replace("n_trials = 3", "n_trials = 1")
    row = run_live("mu-single-pulse", text, tmp_path)
    assert row.holds, row.detail
    assert "simulated-magpro: pulses by" in row.detail
    assert "dose book 2" in row.detail
