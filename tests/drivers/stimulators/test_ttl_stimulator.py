"""The stimulator that only a person knows."""

import pytest

from drivers.base import DriverError
from drivers.stimulator import StimulatorRefused, Train
from drivers.ttl_stimulator import TtlStimulator


class Person:
    def __init__(self, *answers):
        self.answers = list(answers)
        self.questions = []

    def __call__(self, question):
        self.questions.append(question)
        return self.answers.pop(0)


def stimulator(*answers):
    person = Person(*answers)
    made = TtlStimulator(person, 3.0, "PowerMAG", now=lambda: 7.0)
    made.open()
    return made, person


def test_arming_by_hand_is_confirmed_twice():
    made, person = stimulator(True, True)
    made.set_intensity(55)
    made.arm()
    status = made.status()
    assert (status.armed, status.ready, status.intensity_pct_mso) == (True, True, 55)
    assert status.t_read == 7.0
    assert person.questions == [
        "Is PowerMAG set by hand to 55 %?",
        "Is PowerMAG armed by hand, at 55 %?",
    ]


def test_arming_without_an_intensity_asks_nobody():
    made, person = stimulator()
    with pytest.raises(StimulatorRefused, match="no declared intensity"):
        made.arm()
    assert person.questions == []


def test_intensity_that_is_not_confirmed_is_not_declared():
    made, _ = stimulator(False)
    with pytest.raises(StimulatorRefused, match="not confirmed at 55 %"):
        made.set_intensity(55)
    assert made.status().intensity_pct_mso == 0


def test_arming_that_is_not_confirmed_is_refused():
    made, _ = stimulator(True, False)
    made.set_intensity(55)
    with pytest.raises(StimulatorRefused, match="not confirmed as armed"):
        made.arm()
    assert not made.status().armed


@pytest.mark.parametrize("value", [-1, 101, 50.5, float("nan"), float("inf")])
def test_impossible_intensity_is_refused(value):
    made, person = stimulator()
    with pytest.raises(StimulatorRefused, match="whole percent"):
        made.set_intensity(value)
    assert person.questions == []


def test_intensity_is_not_changed_while_armed():
    made, _ = stimulator(True, True)
    made.set_intensity(55)
    made.arm()
    with pytest.raises(StimulatorRefused, match="disarm it before"):
        made.set_intensity(60)


@pytest.mark.parametrize("end", ["disarm", "close"])
def test_disarm_and_close_ask_nobody_and_take_the_arming_back(end):
    made, person = stimulator(True, True)
    made.set_intensity(55)
    made.arm()
    getattr(made, end)()
    assert len(person.questions) == 2
    if end == "close":
        made.open()
    assert not made.status().armed


@pytest.mark.parametrize("call", ["attend", "arm", "status", "fire"])
def test_closed_stimulator_refuses(call):
    made, _ = stimulator()
    made.close()
    with pytest.raises(DriverError):
        getattr(made, call)()


def test_what_is_not_there_is_refused():
    made, _ = stimulator()
    made.attend()
    made.set_train(None)
    made.set_pair(None)
    for call in (
        made.fire,
        lambda: made.set_train(Train(frequency_hz=1.0, n_pulses=2)),
        lambda: made.set_pair(0.01),
    ):
        with pytest.raises(StimulatorRefused):
            call()
    assert made.take_reports() == []
    assert (made.wait_s(), made.min_interval_s()) == (0.0, 3.0)
    assert made.capabilities.fire_latency_s is None


@pytest.mark.parametrize("interval", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_interval_is_refused(interval):
    with pytest.raises(StimulatorRefused, match="min_interval_s"):
        TtlStimulator(lambda _question: True, interval)
