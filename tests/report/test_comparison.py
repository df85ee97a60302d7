import dataclasses
from pathlib import Path

import numpy as np
import pytest

from bench.session_maker import make_session
from controller.config import parse_config
from controller.errors import FileError, RecordingError
from controller.report.comparison import (
    compare_sessions,
    differing_settings,
    figures_of,
    most_within,
    rows_of,
)
from controller.report.comparison_page import write_comparison
from controller.session.load import load_session

TEXT = """
title = "One"
[source]
kind = "synthetic"
alpha_uv = 18
seed = 5
[rhythm]
band = "alpha"
[montage]
weights = { O1 = 0.5, O2 = 0.5 }
[estimator]
kind = "iir"
[target]
phase_deg = 0
[gate]
amplitude = "percentile"
percentile = 30
[timing]
iti_s = 1.3
iti_jitter_s = 0.25
seed = 7
[output]
kind = "simulated-serial-byte"
"""


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    limits = Path("configs/demo.toml").read_text(encoding="utf-8")
    tail = limits[limits.index("[limits]") : limits.index("[run]")]
    text = TEXT + tail + "[run]\nrest_s = 16\nduration_s = 14\n"
    other = text.replace('"One"', '"Two"').replace("percentile = 30", "percentile = 90")
    root = tmp_path_factory.mktemp("sessions")
    return tuple(
        load_session(make_session(parse_config(one, where="test"), one, root))
        for one in (text, other)
    )


def test_triggers_per_minute_are_those_of_the_closed_loop(pair):
    figures = figures_of(pair[0])
    assert figures.loop_s == pytest.approx(14.0)
    assert figures.fired > 5
    assert figures.per_minute == pytest.approx(figures.fired / 14.0 * 60.0)
    assert figures.most_in_minute == figures.fired
    assert figures.shortest_interval_s >= 1.0
    assert figures.target_deg == (0.0,)
    assert figures.live


def test_two_sessions_stand_side_by_side(pair):
    compared = compare_sessions(*pair)
    assert compared.same_samples
    assert [row.name for row in compared.settings] == ["title", "gate.percentile"]
    rows = {row.name: row for row in rows_of(compared)}
    fired = rows["triggers fired"]
    assert int(fired.b) < int(fired.a)
    assert int(fired.change) == int(fired.b) - int(fired.a)
    assert rows["rhythm (Hz)"].change == "="
    assert f"A fired {fired.a} triggers, B {fired.b} trigger" in compared.sentence


def test_other_samples_are_told_from_the_same(pair):
    a, b = pair
    raw = b.raw.copy()
    raw[-1, -1] += 1.0
    assert not compare_sessions(a, dataclasses.replace(b, raw=raw)).same_samples


def test_machines_get_null_where_there_is_no_figure(pair):
    a, b = pair
    silent = dataclasses.replace(b, pulses=b.pulses[:0])
    told = compare_sessions(a, silent).as_dict()
    assert told["b"]["fired"] == 0
    assert told["b"]["mean_error_deg"] is None
    assert told["b"]["shortest_interval_s"] is None


def test_an_unfinished_session_is_refused(pair):
    with pytest.raises(FileError, match="was not finished"):
        figures_of(dataclasses.replace(pair[0], summary=None))


def test_the_page_stands_alone(pair, tmp_path):
    path = tmp_path / "both.html"
    write_comparison(*pair, path)
    html = path.read_text(encoding="utf-8")
    assert html.count("<svg") == 2
    assert "gate.percentile" in html
    assert "src=" not in html
    assert "http" not in html.replace("http://www.w3.org", "")


def test_a_page_that_cannot_be_written_is_a_sentence(pair, tmp_path):
    with pytest.raises(RecordingError, match="cannot be written"):
        write_comparison(*pair, tmp_path / "nowhere" / "both.html")


def test_settings_that_differ_are_named_with_their_table():
    rows = differing_settings("a = 1\n[t]\nx = 2\ny = 3\n", "a = 1\n[t]\nx = 4\n")
    assert [(row.name, row.a, row.b) for row in rows] == [
        ("t.x", "2", "4"),
        ("t.y", "3", "not set"),
    ]


@pytest.mark.parametrize(
    ("t", "most"),
    [
        ([], 0),
        ([5.0], 1),
        ([0.0, 59.9, 60.0, 60.1], 3),
        ([0.0, 60.0, 120.0], 1),
        (np.arange(0.0, 300.0, 1.0), 60),
    ],
)
def test_the_busiest_minute(t, most):
    assert most_within(np.asarray(t), 60.0) == most
    slow = max((sum(x - 60.0 < y <= x for y in t) for x in t), default=0)
    assert most == slow
