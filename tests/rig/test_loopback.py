"""How late triggers are in the EEG's trigger channel, and where that is kept."""

import datetime as dt
import json

import numpy as np
import pytest
from bad_days import config_of, config_text, in_closed_loop

from controller.errors import ChannelError, ConfigError, FileError, SignalFault
from controller.rig.outputs.latency_file import (
    equipment_of,
    latency_path,
    measured_latency_ms,
    save_latency,
)
from controller.rig.outputs.loopback import (
    Loopback,
    loopback_of,
    rises,
    trigger_channel,
)
from controller.session.pulses import PULSE

NOW = dt.datetime(2031, 5, 6, 7, 8, 9, tzinfo=dt.UTC)
LABELS = ("C3", "Status", "O1")
TYPES = ("EEG", "misc", "EEG")
TABLES = {
    "source": {"kind": "lsl", "type": "EEG", "seed": 1},
    "output": {"kind": "serial-byte", "port": "/dev/ttyUSB0", "latency_ms": 3.0},
}


class Told:
    """As much of a session as a loopback looks at."""

    def __init__(self, t_fired, late_s, *, sfreq_hz=1000.0, n_shown=None):
        t = np.arange(0.0, t_fired[-1] + 1.0, 1.0 / sfreq_hz)
        values = np.full(len(t), 7.0, np.float32)
        for t_edge in (t_fired + late_s)[:n_shown]:
            values[(t >= t_edge) & (t < t_edge + 0.005)] = 8.0
        self.samples = {"t_sample": t}
        self.raw = np.column_stack([np.zeros(len(t)), values])
        self.pulses = np.zeros(len(t_fired), PULSE)
        self.pulses["t_fired"] = t_fired
        self.stream = type("Stream", (), {"labels": ("C3", "T"), "sfreq_hz": sfreq_hz})


def fired(n=40):
    # Anywhere between two samples.
    return 0.5 + 0.3 * np.arange(n) + np.linspace(0.0, 1e-3, n, endpoint=False)


def test_a_rise_is_where_the_channel_leaves_rest():
    assert rises(np.array([3, 3, 9, 9, 3, 3, 3, 1, 3])).tolist() == [2, 7]
    assert rises(np.array([3, 3, 3])).tolist() == []


@pytest.mark.parametrize("late_s", [0.0, 0.0021, 0.15])
def test_the_median_is_the_lateness(late_s):
    found = loopback_of(Told(fired(), late_s), "T")
    assert found.p50_s == pytest.approx(late_s, abs=1.5e-4)
    assert found.p5_s >= late_s - 0.6e-3
    assert found.max_s <= late_s + 0.6e-3
    assert (found.n_sent, found.n_seen) == (40, 40)


@pytest.mark.parametrize(("n_shown", "is_enough"), [(38, True), (37, False)])
def test_one_in_twenty_may_be_missing(n_shown, is_enough):
    told = Told(fired(), 0.002, n_shown=n_shown)
    if is_enough:
        assert loopback_of(told, "T").n_seen == n_shown
    else:
        with pytest.raises(SignalFault, match="Only 37 of 40 triggers show"):
            loopback_of(told, "T")


def test_too_few_triggers_say_nothing():
    with pytest.raises(SignalFault, match="19 of 19"):
        loopback_of(Told(fired(19), 0.002), "T")
    assert loopback_of(Told(fired(20), 0.002), "T").n_seen == 20


def measured(p50_s=0.0042):
    return Loopback(
        channel="T",
        n_sent=100,
        n_seen=100,
        resolution_s=1e-3,
        p5_s=p50_s,
        p50_s=p50_s,
        p95_s=p50_s,
        max_s=p50_s,
        sd_s=0.0,
    )


def test_a_trigger_before_its_call_is_refused_but_for_half_a_sample():
    assert measured(-0.0005).latency_s == 0.0
    with pytest.raises(SignalFault, match=r"0\.6 ms before they are sent"):
        _ = measured(-0.0006).latency_s


def test_the_channel_is_told_by_label_or_by_the_user():
    assert trigger_channel(LABELS, TYPES, None) == "Status"
    assert trigger_channel(LABELS, TYPES, "O1") == "O1"
    with pytest.raises(ChannelError, match="no such channel"):
        trigger_channel(LABELS, TYPES, "TRIG")
    with pytest.raises(ChannelError, match="the stream has none"):
        trigger_channel(("C3",), ("EEG",), None)
    with pytest.raises(ChannelError, match=r"2 \(Status, X\)"):
        trigger_channel((*LABELS, "X"), (*TYPES, "TRIG"), None)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "mine.toml"
    save_latency(path, TABLES, measured(), NOW)
    return path


def test_what_was_measured_comes_back(path):
    assert latency_path(path).name == "mine.latency.json"
    later = NOW + dt.timedelta(days=30)
    assert measured_latency_ms(path, TABLES, later) == 4.2
    # Neither a seed nor the latency itself is equipment.
    others = {
        "source": TABLES["source"] | {"seed": 2},
        "output": TABLES["output"] | {"latency_ms": "measured"},
    }
    assert measured_latency_ms(path, others, NOW) == 4.2
    assert len(list(path.parent.iterdir())) == 1


@pytest.mark.parametrize("days", [-0.1, 30.1])
def test_an_old_measurement_is_refused(path, days):
    with pytest.raises(ConfigError, match="days ago"):
        measured_latency_ms(path, TABLES, NOW + dt.timedelta(days=days))


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [("output", "port", "/dev/ttyUSB1"), ("source", "name", "another")],
)
def test_other_equipment_is_refused(path, table, key, value):
    tables = TABLES | {table: TABLES[table] | {key: value}}
    with pytest.raises(ConfigError, match=f"with another {table} than"):
        measured_latency_ms(path, tables, NOW)


def test_another_computer_is_refused(path, monkeypatch):
    monkeypatch.setattr("platform.node", lambda: "elsewhere")
    assert equipment_of(TABLES)["computer"] == "elsewhere"
    with pytest.raises(ConfigError, match="another computer"):
        measured_latency_ms(path, TABLES, NOW)


def test_what_was_not_measured_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="--loopback"):
        measured_latency_ms(tmp_path / "other.toml", TABLES, NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"latency_ms": float("nan")},
        {"latency_ms": 501},
        {"latency_ms": "fast"},
        {"form": "another"},
        {"measured": "yesterday"},
        {"measured": "2031-05-06T07:08:09"},
    ],
    ids=str,
)
def test_a_damaged_measurement_is_refused(path, change):
    kept = latency_path(path)
    kept.write_text(json.dumps(json.loads(kept.read_text()) | change))
    with pytest.raises(FileError, match="is no measured latency"):
        measured_latency_ms(path, TABLES, NOW)


def test_a_word_that_nobody_looked_up_is_no_figure():
    output = {"kind": "simulated-serial-byte", "latency_ms": "measured"}
    with pytest.raises(ConfigError, match="write the figure"):
        _ = config_of(output=output).output.latency_s
    assert config_of(output=output | {"latency_ms": 4}).output.latency_s == 0.004
    with pytest.raises(ConfigError, match="latency_ms"):
        config_of(output=output | {"latency_ms": "fast"})


@pytest.mark.lsl
@pytest.mark.slow
def test_a_box_that_is_late_by_8_ms_is_found_to_be(run_day):
    source = {
        "kind": "synthetic",
        "sfreq_hz": 1000.0,
        "channels": ["C3", "O1", "O2"],
        "blinks_per_minute": 0,
        "trigger_channel": "TRIG",
        "seed": 5,
    }
    text = config_text(source=source, run={"rest_s": 0, "duration_s": 9.0})
    day = run_day(text, twin_options=("--latency-us", "8000"))
    assert in_closed_loop(fired=20)(day.operator.status)
    found = loopback_of(day.session, "TRIG")
    assert found.p50_s == pytest.approx(0.008, abs=0.0015)
