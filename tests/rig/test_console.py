"""The operator's console: heard, silent, stopping; and the lights that it shows."""

import numpy as np
import pytest
from bad_days import config_of

from controller.config_console import Console
from controller.core.records import DECISION, EDGE, SAMPLE
from controller.core.structures import Telemetry
from controller.errors import ConfigError, ConsoleLost, NotArmed
from controller.kernels.jit import new_records
from controller.rig.console.heartbeat import ConsoleAttendant
from controller.rig.console.lights import lights_of
from controller.rig.stimulator.attendant import Vouching
from controller.safety.interlock import Permit, Refusal
from controller.session.recording.rings import CONSOLE


class Desk:
    """A console's words, a clock, and what became of them."""

    def __init__(self, *, required=True):
        self.t = 100.0
        self.words = new_records(CONSOLE, 1)
        self.until = []
        self.withdrawn = 0
        self.events = []
        self.stops = 0
        self.at_sleep = lambda: None
        self.attendant = ConsoleAttendant(
            Console(required=required, max_silence_s=1.0),
            self.words,
            vouching=Vouching(until=self.until.append, withdraw=self.withdraw),
            record=lambda kind, **_: self.events.append(kind),
            stop=self.stop,
            now=lambda: self.t,
            sleep=self.sleep,
        )

    def beat(self, t=None):
        self.words["t_beat"] = self.t if t is None else t

    def withdraw(self):
        self.withdrawn += 1

    def stop(self):
        self.stops += 1

    def sleep(self, seconds):
        self.t += seconds
        self.at_sleep()

    def look(self):
        self.attendant.look(self.t)


@pytest.fixture
def desk():
    return Desk()


def armed(desk):
    desk.beat()
    desk.attendant.arm()
    return desk


def test_each_beat_is_good_for_the_silence_that_is_allowed(desk):
    armed(desk)
    desk.t += 0.5
    desk.look()
    assert desk.until == [101.0]


@pytest.mark.parametrize("silence_s", [1.0, 0.0])
def test_silence_as_long_as_allowed_is_no_fault(desk, silence_s):
    armed(desk)
    desk.t += silence_s
    desk.look()
    assert desk.withdrawn == 0


@pytest.mark.parametrize("t_beat", [98.999, 100.001, np.nan, np.inf, -np.inf], ids=str)
def test_silence_while_armed_ends_the_session(desk, t_beat):
    armed(desk)
    desk.beat(t_beat)
    with pytest.raises(ConsoleLost, match="for more than 1 s"):
        desk.look()
    assert desk.withdrawn == 1
    assert desk.until == []


def test_nobody_needs_to_be_there_before_the_arming(desk):
    desk.look()
    assert desk.withdrawn == 1


def test_arming_waits_for_somebody(desk):
    desk.at_sleep = lambda: desk.beat() if desk.t > 110.0 else None
    desk.attendant.arm()
    assert 110.0 < desk.t < 110.2
    assert desk.events == ["console"]


def test_nothing_is_armed_without_anybody(desk):
    with pytest.raises(NotArmed, match="phasegate attend"):
        desk.attendant.arm()
    assert desk.t > 200.0


def test_the_stop_key_ends_the_session_once(desk):
    armed(desk)
    desk.words["stop"] = 1
    desk.look()
    desk.look()
    assert desk.stops == 1
    assert desk.events[-1] == "stopped at the console"
    desk.attendant.stand_down()
    assert desk.withdrawn == 1


def test_who_is_not_required_may_be_silent_and_stops_all_the_same():
    desk = Desk(required=False)
    desk.attendant.arm()
    desk.words["stop"] = 1
    desk.look()
    desk.attendant.stand_down()
    assert (desk.stops, desk.withdrawn, desk.until) == (1, 0, [])


@pytest.mark.parametrize("silence_s", [0.4, 5.1])
def test_silence_has_a_range(silence_s):
    with pytest.raises(ConfigError, match="max_silence_s"):
        config_of(console={"required": True, "max_silence_s": silence_s})


def test_only_what_requires_it_needs_a_console():
    table = {"required": True, "max_silence_s": 1.0}
    assert config_of(console=table).needs_console
    assert not config_of(console=table | {"required": False}).needs_console
    assert not config_of().needs_console


def telemetry(sample=None, edges=()):
    """Return rings with one sample and some edges, all of them long overrun."""
    made = Telemetry(
        samples=new_records(SAMPLE, 4),
        raw=np.zeros((4, 1), np.float32),
        decisions=new_records(DECISION, 4),
        edges=new_records(EDGE, 4),
        heads=np.zeros(3, np.int64),
        tails=np.zeros(3, np.int64),
    )
    if sample is not None:
        made.heads[0] = 9
        for name, value in sample.items():
            made.samples[name][0] = value
    made.heads[2] = len(edges)
    for place, refusal in enumerate(edges):
        made.edges["refusal"][place] = refusal
        made.edges["t_after"][place] = 5e-6
    return made


GOOD = {
    "t_sample": 99.99,
    "t_arrival": 99.995,
    "phase_rad": 1.0,
    "amplitude_uv": 8.0,
    "permits": int(Permit.DEVICE),
}


def lit(made, t_now=100.0, **tables):
    return [lamp.is_on for lamp in lights_of(made, config_of(**tables), t_now)]


def test_before_anything_came_no_light_is_on():
    assert lit(telemetry()) == [False, False, None, None]


def test_each_light_goes_out_by_itself():
    good = telemetry(GOOD, [Refusal.NONE])
    assert lit(good) == [True, True, True, None]
    assert lit(good, 100.6) == [False, True, True, None]
    old = GOOD | {"t_sample": 99.9}
    assert lit(telemetry(old, [Refusal.NONE])) == [False, True, True, None]
    for wrong in ({"phase_rad": np.nan}, {"amplitude_uv": 0.0}, {"artifacts": 1}):
        made = telemetry(GOOD | wrong, [Refusal.NONE])
        assert lit(made) == [True, False, True, None]


def test_the_trigger_line_is_judged_by_its_last_call():
    failed = [Refusal.NONE, Refusal.OUTPUT_FAILED, Refusal.TOO_LATE]
    assert lit(telemetry(GOOD, failed))[2] is False
    assert lit(telemetry(GOOD, [Refusal.TOO_LATE]))[2] is None


def test_the_stimulator_is_ready_by_its_own_word_only():
    from test_config_stimulator import tables

    given = tables("simulated-magstim-200")
    given["limits"] |= {"min_interval_s": 2.1}
    given["timing"] = {"iti_s": 2.2}
    assert lit(telemetry(GOOD), **given)[3] is True
    assert lit(telemetry(GOOD | {"permits": 0}), **given)[3] is False
