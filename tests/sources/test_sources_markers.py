"""The gate that a marker opens: closed on every doubt, over real LSL as well."""

import time
import uuid

import pylsl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.config_gate import Marker as MarkerRules
from controller.errors import StreamAmbiguous, StreamLost
from controller.sources.markers import LslMarkers, Marker, MarkerGate


class Script:
    """An inlet that gives what it is told to, look by look."""

    def __init__(self, *looks):
        self.looks = list(looks)
        self.closed = 0

    def pull(self):
        look = self.looks.pop(0) if self.looks else ()
        if isinstance(look, Exception):
            raise look
        return [Marker(text=text, t_stamp=0.5) for text in look]

    def close(self):
        self.closed += 1


def rules_of(**changed):
    return MarkerRules(
        **{"stream": "task", "open": ("go",), "close": ("stop",), **changed}
    )


def opened(*looks, instants=None, **rules):
    """Return whether the gate was open after each look, one second apart."""
    gate = MarkerGate(rules_of(**rules), Script(*looks))
    instants = instants or [float(k) for k in range(len(looks))]
    return [gate.look(t).is_open for t in instants]


def test_is_closed_until_a_marker_opens_it():
    assert opened((), ("hello",), ("go",), (), ("stop",), ()) == [
        *(False, False, True, True, False, False)
    ]


def test_last_marker_of_a_look_decides():
    assert opened(("go", "stop"), ("stop", "go"), ("go", "other")) == [
        *(False, True, True)
    ]


def test_any_of_several_markers_opens_and_closes():
    assert opened(
        ("b",), ("y",), ("a",), ("x",), open=("a", "b"), close=("x", "y")
    ) == [True, False, True, False]


def test_timeout_closes_and_only_a_marker_opens_again():
    looks = (("go",), (), (), (), ("go",), ())
    instants = [10.0, 11.9, 12.0, 11.0, 20.0, 21.0]
    assert opened(*looks, instants=instants, timeout_s=2.0) == [
        *(True, True, False, False, True, True)
    ]


def test_a_further_opening_marker_begins_the_timeout_anew():
    assert opened(("go",), ("go",), (), (), timeout_s=1.5) == [
        *(True, True, True, False)
    ]


@pytest.mark.parametrize("t_back", [9.0, float("nan")])
def test_clock_that_runs_backwards_closes_a_gate_with_a_timeout(t_back):
    looks = (("go",), (), ())
    assert opened(*looks, instants=[10.0, t_back, 10.5], timeout_s=2.0) == [
        *(True, False, False)
    ]


@pytest.mark.parametrize("error", [StreamLost("Gone."), StreamAmbiguous("Two.")])
def test_lost_stream_closes_for_good_and_is_told_once(error):
    inlet = Script(("go",), error, ("go",))
    gate = MarkerGate(rules_of(), inlet)
    assert gate.look(0.0).is_open
    news = gate.look(1.0)
    assert (news.is_open, news.trouble) == (False, str(error))
    news = gate.look(2.0)
    assert (news.is_open, news.trouble, news.markers) == (False, None, ())
    assert inlet.closed == 1


def test_every_marker_is_handed_on_also_one_without_meaning():
    gate = MarkerGate(rules_of(), Script(("a", "go", "b")))
    assert [marker.text for marker in gate.look(0.0).markers] == ["a", "go", "b"]


def test_closed_gate_stays_closed():
    inlet = Script(("go",), ("go",))
    gate = MarkerGate(rules_of(), inlet)
    gate.look(0.0)
    gate.close()
    gate.close()
    assert not gate.look(1.0).is_open
    assert inlet.closed == 1


@given(
    st.lists(st.lists(st.sampled_from(["go", "stop", "x"]), max_size=3), max_size=12),
    st.one_of(st.none(), st.floats(0.5, 4.0)),
)
def test_is_open_exactly_as_its_history_says(looks, timeout_s):
    found = opened(*map(tuple, looks), timeout_s=timeout_s)
    for k in range(len(looks)):
        told = [(t, m) for t in range(k + 1) for m in looks[t] if m != "x"]
        expected = bool(told) and told[-1][1] == "go"
        if expected and timeout_s is not None:
            expected = k - told[-1][0] < timeout_s
        assert found[k] == expected


# Over real LSL.


def outlet_of(name, source_id="", kind="Markers", channel_format=pylsl.cf_string):
    return pylsl.StreamOutlet(
        pylsl.StreamInfo(name, kind, 1, 0.0, channel_format, source_id or name)
    )


def until(condition, seconds=15.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def wait_for_consumer(gate, outlet):
    def connected():
        gate.look(0.0)
        return outlet.have_consumers()

    assert until(connected)


@pytest.fixture
def name():
    return f"task-{uuid.uuid4().hex[:8]}"


@pytest.mark.lsl
@pytest.mark.slow
def test_markers_come_over_lsl_and_their_loss_is_noticed(name):
    gate = MarkerGate(rules_of(stream=name), LslMarkers(rules_of(stream=name)))
    # The stream may come later than the session.
    assert gate.look(0.0) == gate.look(0.1)
    outlet = outlet_of(name)
    wait_for_consumer(gate, outlet)
    outlet.push_sample(["go"], 123.0)
    seen = []

    def look():
        news = gate.look(2.0)
        seen.extend(news.markers)
        return news

    assert until(lambda: look().is_open)
    assert seen == [Marker(text="go", t_stamp=123.0)]
    outlet.push_sample(["stop"])
    assert until(lambda: not look().is_open)
    outlet.push_sample(["go"])
    assert until(lambda: look().is_open)
    del outlet
    troubles = []

    def lost():
        news = look()
        troubles.append(news.trouble)
        return not news.is_open

    assert until(lost)
    assert name in troubles[-1]
    assert not gate.look(3.0).is_open


@pytest.mark.lsl
@pytest.mark.slow
def test_numbers_are_read_as_their_digits(name):
    rules = rules_of(stream=name, type="Codes", open=("17",))
    gate = MarkerGate(rules, LslMarkers(rules))
    outlet = outlet_of(name, kind="Codes", channel_format=pylsl.cf_int32)
    wait_for_consumer(gate, outlet)
    outlet.push_sample([17])
    assert until(lambda: gate.look(1.0).is_open)
    gate.close()


@pytest.mark.lsl
@pytest.mark.slow
def test_two_streams_of_one_name_open_nothing(name):
    rules = rules_of(stream=name)
    outlets = [outlet_of(name, f"{name}-{k}") for k in range(2)]
    inlet = LslMarkers(rules)
    # Both have to be seen before anybody connects to the first one.
    assert until(lambda: len(inlet._resolver.results()) == 2)
    gate = MarkerGate(rules, inlet)
    news = gate.look(0.0)
    assert not news.is_open
    assert news.trouble.startswith("There are 2 marker streams with name")
    for outlet in outlets:
        outlet.push_sample(["go"])
    assert not gate.look(1.0).is_open
