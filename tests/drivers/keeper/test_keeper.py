"""What a keeper does, turn by turn, with a host and a device that stand in."""

import os

import pytest

from drivers.base import PortLost, WireAction
from drivers.guardian import decode, encode
from drivers.keeper.makers import make_stimulator
from drivers.keeper.serve import ATTEND_EVERY_S, HOST_SILENCE_S, Keeper, lower
from drivers.keeper.spec import KeeperSpec
from drivers.stimulator import (
    PulseReport,
    StimulatorCapabilities,
    StimulatorRefused,
    StimulatorStatus,
)

SPEC = KeeperSpec(driver="magpro", port="/dev/ttyS9")


class HostStandIn:
    """Says what a script has, each at its instant; gone at the end of it."""

    def __init__(self, script, t_gone):
        self.t = 100.0
        self.script = sorted(script, key=lambda line: line[0])
        self.t_gone = t_gone
        self.heard = []

    def now(self):
        return self.t

    @property
    def gone(self):
        return self.t - 100.0 >= self.t_gone

    def wait(self, timeout_s, *more):
        self.t += max(timeout_s, 1e-3)
        return []

    def words(self):
        due = [word for at, word in self.script if at <= self.t - 100.0]
        self.script = self.script[len(due) :]
        return due

    def say(self, word, **fields):
        self.heard.append({"word": word, **fields})

    def told(self, word):
        return [one for one in self.heard if one["word"] == word]


class Device:
    """Does as it is told."""

    name, port, simulated = "coil", "/dev/ttyS9", True
    capabilities = StimulatorCapabilities(
        arms_remotely=True,
        reads_back=True,
        confirms_pulses=True,
        trains=False,
        paired=False,
        intensity_pct_mso=(0.0, 100.0),
        fire_latency_s=None,
        source="made up",
    )

    def __init__(self, now):
        self.now = now
        self.done = []
        self.attended = []
        self.fail_at = float("inf")
        self.refuses = False
        self.disarms = True
        self.armed = False

    def open(self):
        self.done.append("open")

    def close(self):
        self.done.append("close")

    def attend(self):
        self.attended.append(self.now())
        if self.now() >= self.fail_at:
            raise PortLost("The cable is off; plug it in.")

    def set_intensity(self, percent):
        self.done.append(f"set {percent:g}")

    def arm(self):
        if self.refuses:
            raise StimulatorRefused("It charges; wait 2.0 s.")
        self.done.append("arm")
        self.armed = True

    def disarm(self):
        self.done.append("disarm")
        self.armed = False
        if not self.disarms:
            raise PortLost("The cable is off; plug it in.")

    def status(self):
        return StimulatorStatus(
            t_read=self.now(), armed=self.armed, ready=False, intensity_pct_mso=30.0
        )

    def min_interval_s(self):
        return 2.0

    def take_reports(self):
        return [PulseReport(t_read=self.now())]


def kept(script, t_gone=1.0, spec=SPEC, **changes):
    host = HostStandIn(script, t_gone)
    device = Device(host.now)
    for name, value in changes.items():
        setattr(device, name, value)
    keeper = Keeper(host, spec, host.now)
    error = None
    try:
        keeper.run(device)
    except PortLost as caught:
        error = caught
    return host, device, error


def beats(until, every=0.5):
    return [(k * every, {"word": "beat"}) for k in range(int(until / every))]


def test_orders_are_carried_out_and_answered_and_the_end_disarms():
    host, device, error = kept(
        [
            (0.1, {"word": "set_intensity", "n": 1, "intensity_pct_mso": 45.0}),
            (0.2, {"word": "arm", "n": 2}),
            (0.3, {"word": "dance", "n": 3}),
        ]
    )
    assert error is None
    assert device.done == ["open", "set 45", "arm", "disarm", "close"]
    assert [one["n"] for one in host.told("done")] == [1, 2]
    assert host.told("ended") == [{"word": "ended", "disarmed": True, "lowered": True}]


def test_a_first_status_comes_before_the_word_that_it_is_open():
    host, _, _ = kept([])
    words = [one["word"] for one in host.heard]
    assert words.index("status") < words.index("open")
    assert host.told("status")[0]["min_interval_s"] == 2.0
    assert len(host.told("status")) >= 3
    assert host.told("pulses")


def test_device_is_attended_ten_times_a_second():
    _, device, _ = kept([], t_gone=2.0)
    gaps = [b - a for a, b in zip(device.attended, device.attended[1:], strict=False)]
    assert max(gaps) < 1.2 * ATTEND_EVERY_S
    assert len(device.attended) >= 15


def test_refusal_goes_back_with_its_sentence():
    host, device, _ = kept([(0.1, {"word": "arm", "n": 7})], refuses=True)
    (refused,) = host.told("refused")
    assert refused == {"word": "refused", "n": 7, "sentence": "It charges; wait 2.0 s."}
    assert "arm" not in device.done


def test_armed_device_of_a_silent_host_is_disarmed():
    arm = (0.5, {"word": "arm", "n": 1})
    host, device, _ = kept([arm], t_gone=HOST_SILENCE_S + 2.0)
    assert device.done == ["open", "arm", "disarm", "disarm", "close"]
    (note,) = host.told("disarmed")
    assert "said nothing for 5 s" in note["sentence"]
    until = HOST_SILENCE_S + 3.0
    host, device, _ = kept([arm, *beats(until)], t_gone=until)
    assert device.done == ["open", "arm", "disarm", "close"]
    # A disarmed one may wait for as long as it likes.
    host, device, _ = kept([], t_gone=60.0)
    assert device.done == ["open", "disarm", "close"]


def test_device_that_fails_is_told_disarmed_and_closed():
    host, device, error = kept([], t_gone=9.0, fail_at=101.0, disarms=False)
    assert isinstance(error, PortLost)
    (failed,) = host.told("failed")
    assert (failed["kind"], failed["sentence"]) == ("PortLost", str(error))
    assert device.done[-2:] == ["disarm", "close"]
    assert host.told("ended")[0]["disarmed"] is False


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        ([(0.2, {"word": "answer", "n": 1, "yes": True})], True),
        ([(0.2, {"word": "answer", "n": 1, "yes": "yes"})], False),
        ([(0.2, {"word": "answer", "n": 9, "yes": True})], False),
        ([(0.2, {"word": "disarm", "n": 2})], False),
        ([], False),
    ],
)
def test_only_a_yes_to_this_question_is_a_yes(script, answer):
    host = HostStandIn(script, t_gone=3.0)
    keeper = Keeper(host, SPEC, host.now)
    assert keeper.ask("Is it armed?") is answer
    assert host.told("question") == [
        {"word": "question", "n": 1, "text": "Is it armed?"}
    ]


def test_line_is_lowered_by_the_inherited_action(tmp_path):
    there, here = os.pipe()
    fall = WireAction(kind="write", descriptor=here, payload=b"\0")
    host, _, _ = kept([], spec=KeeperSpec(driver="magpro", port="x", fall=fall))
    assert os.read(there, 9) == b"\0"
    assert host.told("ended")[0]["lowered"] is True
    os.close(here)
    assert lower(fall) is False
    assert lower(None) is True
    os.close(there)


def test_spec_travels_as_a_word_and_hides_its_code():
    spec = KeeperSpec(
        driver="magstim-rapid",
        port="/dev/ttyS9",
        settings={"mains": 115},
        unlock_code="1234-secret",
        fall=WireAction(kind="ioctl", descriptor=5, payload=b"\1\2", request=21527),
    )
    word = decode(encode("start", **spec.as_fields()))
    assert KeeperSpec.from_word(word) == spec
    assert "secret" not in repr(spec)


@pytest.mark.parametrize("driver", ["magpro", "duomag", "magstim-200"])
def test_every_driver_is_made_from_its_name(driver):
    settings = {"min_interval_s": 1.0} if driver == "duomag" else {}
    spec = KeeperSpec(driver=driver, port="/dev/ttyS9", settings=settings)
    assert make_stimulator(spec, lambda _: False).port == "/dev/ttyS9"
