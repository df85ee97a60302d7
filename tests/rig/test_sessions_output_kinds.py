"""Whole sessions with outputs that differ in who ends a pulse, and who makes it."""

from typing import Any

import pytest
from bad_days import config_text

pytestmark = [pytest.mark.lsl, pytest.mark.slow]

LINES = {"simulated-teensy": 1, "simulated-labjack": 1 << 4}


@pytest.mark.parametrize(
    "keys",
    [
        {"kind": "simulated-teensy"},
        {"kind": "simulated-mmbts", "switch": "P"},
        {"kind": "simulated-cedrus"},
        {"kind": "simulated-labjack"},
        {"kind": "simulated-nidaq", "timed_by": "device"},
    ],
    ids=lambda keys: keys["kind"],
)
def test_every_trigger_shows_on_the_line(run_day, keys: dict[str, Any]) -> None:
    run = {"rest_s": 0, "duration_s": 2.5}
    day = run_day(config_text(output=keys, limits={"max_lateness_ms": 5.0}, run=run))
    assert day.finished.error is None
    assert len(day.t_fired) >= 3
    # A bridge that the machine lets wait refuses, and says so.
    events = [one["event"] for one in day.session.events]
    refused = events.count("trigger refused by the bridge")
    assert sum(code != 0 for _, code in day.codes) == len(day.t_fired) - refused
    assert {code for _, code in day.codes} == {0, LINES.get(keys["kind"], 1)}
    day.assert_line_low()
    day.assert_complete()
