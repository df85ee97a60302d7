"""Whole sessions with a simulated stimulator at the end of the simulated line."""

import json
from typing import Any

import numpy as np
import pytest
from bad_days import Day, assert_one_sentence, config_text
from test_config_stimulator import tables

from controller.errors import ConfigError, StimulatorFault

pytestmark = [pytest.mark.lsl, pytest.mark.slow]

SOURCE = {
    "kind": "synthetic",
    "sfreq_hz": 500.0,
    "channels": ["C3", "O1", "O2"],
    "blinks_per_minute": 0,
    "trigger_channel": "TRIG",
    "seed": 5,
}


def text(kind: str, **changes: Any) -> str:
    given = tables(kind, **changes.pop("stimulator", {}))
    given["limits"] |= {"min_interval_s": 2.1, "max_artifact_s": 5.0}
    given["limits"] |= changes.pop("limits", {})
    return config_text(
        source=changes.pop("source", SOURCE),
        **given,
        timing={"iti_s": 2.2, "refractory_s": 0.5},
        run={"rest_s": 0, "duration_s": 6.0} | changes.pop("run", {}),
        **changes,
    )


def events_of(day: Day, kind: str) -> list[dict[str, Any]]:
    return [one for one in day.session.events if one["event"] == kind]


def log_of(day: Day) -> list[dict[str, Any]]:
    lines = (day.finished.folder / "stimulator.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize(
    "kind",
    [
        "simulated-magstim-200",
        "simulated-magstim-rapid",
        "simulated-magpro",
        "simulated-duomag",
    ],
)
def test_every_trigger_becomes_a_pulse(run_day, kind: str) -> None:
    day = run_day(text(kind))
    assert day.finished.error is None
    n = len(day.t_fired)
    assert n >= 2
    made = day.summary["stimulator"]
    assert made == {
        "kind": kind,
        "intensity_pct_mso": 45.0,
        "pulses": n,
        "missed": 0,
    }
    pulses = [one for one in log_of(day) if one["kind"] == "pulse"]
    assert all(one["intensity"] == 45.0 for one in pulses)
    delays_s = np.array([one["t"] for one in pulses]) - day.t_fired
    assert np.all((delays_s > 0) & (delays_s < 0.02))
    # The code stands in the EEG's trigger channel, as often as it was sent.
    trigger = day.session.raw[:, -1]
    assert np.count_nonzero(np.diff(trigger) > 0) == n
    (armed,) = events_of(day, "stimulator armed")
    assert armed["intensity_pct_mso"] == 45.0
    assert events_of(day, "stimulator disarmed")
    day.assert_line_low()
    day.assert_complete()
    if kind == "simulated-magpro":
        assert len(events_of(day, "stimulator pulse")) == n


def test_stimulator_that_nobody_knows_goes_with_any_output(run_day) -> None:
    day = run_day(text("simulated-ttl", run={"duration_s": 3.0}))
    assert day.finished.error is None
    assert len(day.t_fired) >= 1
    assert set(day.summary["stimulator"]) == {"kind", "intensity_pct_mso"}


def test_hot_coil_is_not_armed(run_day) -> None:
    day = run_day(text("simulated-magstim-200"), stimulator_options=("--hot",))
    day.assert_failed(StimulatorFault, "Magstim 200² at", "41.0 °C")
    assert len(day.t_fired) == 0
    assert day.operator.status.stage != "closed loop"
    assert not [one for one in log_of(day) if one["kind"] in ("armed", "pulse")]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("simulated-magstim-200", ("--silent-after", "60")),
        ("simulated-magpro", ("--panel-disable-after", "40")),
        ("simulated-duomag", ("--unplug-after", "600")),
    ],
)
def test_device_that_fails_ends_the_session_disarmed(
    run_day, kind: str, options: tuple[str, ...]
) -> None:
    day = run_day(text(kind, run={"duration_s": 20.0}), stimulator_options=options)
    day.assert_failed(StimulatorFault)
    assert len(events_of(day, "stimulator armed")) == 1
    day.assert_line_low()
    log = log_of(day)
    t_fault = day.last_event["t"]
    assert not [one for one in log if one["kind"] == "pulse" and one["t"] > t_fault]
    if kind != "simulated-duomag":
        # A device whose cable is off keeps its intensity: see docs/stimulators.md.
        changes = [one for one in log if one["kind"] in ("armed", "disarmed")]
        assert changes[-1]["kind"] == "disarmed"


def test_study_that_is_too_fast_for_the_device(run_day) -> None:
    with pytest.raises(ConfigError) as caught:
        run_day(text("simulated-magstim-200", stimulator={"intensity_pct_mso": 50}))
    assert_one_sentence(
        str(caught.value), "limits.min_interval_s is 2.1 s", "needs 3 s", "at 50 %"
    )
