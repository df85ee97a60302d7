"""A hunt for the motor threshold as a session: twin, loop, muscle."""

import numpy as np
import pytest
from test_sessions_stimulator import SOURCE, events_of, log_of, text

from controller.errors import ChannelError
from controller.protocol.motor_response import ResponseRules
from controller.protocol.threshold import HuntRules
from controller.rig.study.hunt import HuntPlan, LiveHunt

pytestmark = [pytest.mark.lsl, pytest.mark.slow]


def plan(channel: str = "FDI") -> HuntPlan:
    # As short as a hunt can be: what is tested is each pulse, not the threshold.
    rules = HuntRules(highest_pct=49.0, n_least=4, n_most=4, max_rise_pct=4.0)
    return HuntPlan(
        hunt=rules, response=ResponseRules(), channel=channel, iti_s=(2.2, 2.6)
    )


def hunting_text() -> str:
    return text(
        "simulated-magstim-200",
        run={"duration_s": 40.0},
        source=SOURCE | {"emg_channel": "FDI", "motor_threshold_pct_mso": 40.0},
    )


def test_every_pulse_has_the_strength_that_was_asked_for(run_day) -> None:
    hunts: list[LiveHunt] = []

    def lead(stream):
        hunts.append(LiveHunt(plan(), stream))
        return hunts[0]

    day = run_day(hunting_text(), hunt=lead)
    assert day.finished.error is None
    given = hunts[0].hunt.pulses
    assert len(given) == len(day.t_fired) == 4
    made = [one["intensity"] for one in log_of(day) if one["kind"] == "pulse"]
    assert made == [pulse.pct_mso for pulse in given]
    assert len(set(made)) > 1
    assert np.diff(day.t_fired).min() >= 2.2
    told = events_of(day, "hunt pulse")
    assert [one["mep_uv"] for one in told] == [pulse.mep_uv for pulse in given]
    assert all(pulse.why_not is None for pulse in given)
    # Half above, half below 40 %: the muscle answers as it should.
    for pulse in given:
        if abs(pulse.pct_mso - 40.0) > 8.0:
            assert pulse.responded is (pulse.pct_mso > 40.0)
    day.assert_line_low()
    day.assert_complete()


def test_a_channel_that_is_not_there_is_named_before_anything_begins(run_day) -> None:
    with pytest.raises(ChannelError, match="no channel APB"):
        run_day(hunting_text(), hunt=lambda stream: LiveHunt(plan("APB"), stream))
