"""The simulated Magstim, byte by byte, in virtual time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimulator_bench import CODE, FUZZ, Bench

from drivers.base import DriverSettingError
from drivers.magstim import codec
from drivers.sim.magstim_machine import MagstimMachine
from drivers.sim.magstim_settings import MagstimSettings


def twin(**options):
    bench = Bench(MagstimMachine(MagstimSettings(**options)))
    bench.link.open()
    return bench


def say(bench, command, wait_s=0.2):
    """Send, and return what comes back within `wait_s`."""
    bench.link.write(command if isinstance(command, bytes) else bytes.fromhex(command))
    bench.pass_time(wait_s)
    return bench.link.read(99, 0.0)


def ready(**options):
    bench = twin(**options)
    for command in (codec.REMOTE_ON, codec.power(50), codec.ARM):
        say(bench, command)
    for _ in range(8):
        say(bench, codec.REMOTE_ON)
    bench.link.events.clear()
    return bench


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("51 40 6E", "51 89 25"),
        ("45 42 78", "45 89 31"),
        ("51 40 6E", "51 8A 24"),
    ],
)
def test_worked_replies_of_a_standby_device(command, reply):
    bench = twin()
    if command != "51 40 6E" or reply == "51 8A 24":
        say(bench, codec.REMOTE_ON)
    if reply == "51 8A 24":
        say(bench, codec.ARM)
    assert say(bench, command) == bytes.fromhex(reply)


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("45 48 72", "45 8C 2E"),
        ("4A 40 75", "4A 8C 30 35 30 30 30 30 30 30 30 74"),
        ("45 42 78", "45 53 67"),
        ("40 58 30 30 37", "40 3F 80"),
        ("40 31 30 31 2D", "40 53 6C"),
        ("51 40 00", "51 3F 6F"),
        ("71", "3F"),
        ("5C 40 63", "3F"),
    ],
)
def test_worked_replies_of_a_ready_200(command, reply):
    assert say(ready(), command) == bytes.fromhex(reply)


def test_worked_replies_of_a_rapid():
    bench = ready(
        model="rapid", software=(9, 1, 0), unlock_code=CODE, short_version=True
    )
    assert say(bench, "51 40 6E") == b""
    assert say(bench, codec.unlock(CODE)) == bytes.fromhex("51 89 25")
    for command in (codec.power(50), codec.ARM):
        say(bench, command)
    for _ in range(8):
        say(bench, codec.REMOTE_ON)
    assert say(bench, "78 40 47") == bytes.fromhex("78 8C 38 00 00 C3")
    assert say(bench, "4E 44 6D") == bytes.fromhex("4E 39 2E 31 2E 30 00 BB")


def test_version_echoes_the_whole_command():
    bench = twin(model="rapid", software=(9, 1, 0))
    assert say(bench, "4E 44 6D") == bytes.fromhex("4E 44 39 2E 31 2E 30 00 77")


def test_remote_off_answers_with_the_state_after_it():
    bench = twin()
    say(bench, codec.REMOTE_ON)
    assert say(bench, "52 40 6D") == bytes.fromhex("52 09 A4")


def test_bistim_tells_its_mode():
    bench = twin(model="bistim")
    say(bench, codec.REMOTE_ON)
    assert say(bench, "58 40 67") == bytes.fromhex("58 89 32 EC")
    say(bench, codec.HIGH_RESOLUTION_ON)
    assert say(bench, codec.GET_MODE)[2:3] == b"4"
    say(bench, codec.interval(123))
    say(bench, codec.ARM)
    assert say(bench, codec.HIGH_RESOLUTION_OFF)[1:2] == b"S"


def test_any_filler_is_accepted():
    bench = twin()
    assert say(bench, codec.frame(b"Qx")) == bytes.fromhex("51 89 25")


def test_reply_takes_latency_and_time_on_the_wire():
    bench = twin()
    bench.link.write(codec.REMOTE_ON)
    t_sent = bench.clock.now()
    assert bench.link.read(1, 1.0) == b"\x51"
    first_s = bench.clock.now() - t_sent
    assert 0.003 + 4 * 10 / 9600 <= first_s <= 0.010 + 4 * 10 / 9600
    bench.link.read(1, 1.0)
    assert bench.clock.now() - t_sent - first_s == pytest.approx(10 / 9600)


def test_same_seed_gives_the_same_latencies():
    def latencies(seed):
        bench = twin(seed=seed)
        found = []
        for _ in range(5):
            bench.link.write(codec.REMOTE_ON)
            bench.link.read(1, 1.0)
            found.append(bench.clock.now())
            bench.pass_time(1.0)
            bench.link.read(9, 0.0)
        return found

    assert latencies(1) == latencies(1) != latencies(2)


def test_locked_rapid_answers_its_version_only():
    bench = twin(model="rapid", software=(9, 1, 0))
    for command in (codec.REMOTE_ON, codec.GET_RAPID_PARAMETERS, codec.ARM):
        assert say(bench, command) == b""
    assert say(bench, codec.GET_VERSION)[:1] == b"N"
    assert say(bench, codec.unlock(CODE)) == b""


def test_code_with_a_wrong_checksum_does_not_unlock():
    bench = twin(model="rapid", software=(9, 1, 0), unlock_code=CODE)
    assert say(bench, codec.unlock(CODE)[:-1] + b"\x00") == b""
    assert say(bench, codec.REMOTE_ON) == b""


def test_setting_without_remote_control_is_a_conflict():
    bench = twin()
    assert say(bench, codec.power(50)) == bytes.fromhex("40 53 6C")
    assert say(bench, codec.ARM) == bytes.fromhex("45 53 67")


def test_command_that_breaks_off_is_answered_and_forgotten():
    bench = twin()
    assert say(bench, b"@05") == codec.frame(b"@?")
    assert say(bench, codec.REMOTE_ON) == bytes.fromhex("51 89 25")


def test_charge_takes_a_second():
    bench = twin()
    say(bench, codec.REMOTE_ON)
    say(bench, codec.ARM, 0.5)
    assert say(bench, codec.REMOTE_ON, 0.52)[1] == 0x8A
    assert say(bench, codec.REMOTE_ON)[1] == 0x8C


def test_watchdog_disarms_and_drops_remote_control():
    bench = ready()
    bench.pass_time(0.75)
    assert bench.machine.armed
    bench.pass_time(0.1)
    assert not bench.machine.armed
    assert bench.reasons("disarmed") == ["no command for 1 s"]
    assert say(bench, codec.GET_PARAMETERS)[1] == 0x09


def test_edge_when_ready_makes_a_pulse_at_once():
    bench = ready()
    t = bench.clock.now()
    bench.edge()
    (event,) = bench.link.events
    assert (event.kind, event.intensity) == ("pulse", 50.0)
    assert event.t - t == pytest.approx(5e-5)


def test_edge_with_an_earlier_stamp_counts_from_its_stamp():
    bench = ready()
    t = bench.clock.now()
    bench.machine.edge(t - 0.001)
    bench.link.catch_up()
    assert bench.link.events[0].t == pytest.approx(t - 0.001 + 5e-5)


def test_edges_at_other_times_are_missed():
    bench = twin()
    bench.edge()
    bench = ready()
    bench.edge()
    bench.edge()
    assert bench.reasons("missed") == ["charging"]
    assert bench.pulses() == [50.0]


def test_edge_while_disarmed_is_missed():
    bench = twin()
    bench.edge()
    assert bench.reasons("missed") == ["disarmed"]


@pytest.mark.parametrize(("percent", "recharge"), [(49, 2.0), (79, 3.0), (80, 4.0)])
def test_recharge_by_power(percent, recharge):
    bench = ready()
    say(bench, codec.power(percent))
    for _ in range(10):
        say(bench, codec.REMOTE_ON)
    bench.edge()
    waited = 0.0
    while say(bench, codec.REMOTE_ON, 0.05)[1] != 0x8C:
        waited += 0.05
    assert waited == pytest.approx(recharge, abs=0.11)


@pytest.mark.parametrize(
    ("model", "shortest", "longest"),
    [("200", 6.8e-3, 9.1e-3), ("rapid", 4.5e-3, 5.9e-3)],
)
def test_fire_by_command_takes_its_time(model, shortest, longest):
    bench = ready(model=model)
    t = bench.clock.now()
    say(bench, codec.FIRE)
    pulses = [e for e in bench.link.events if e.kind == "pulse"]
    assert shortest <= pulses[0].t - t <= longest


def test_disarm_stops_a_commanded_pulse_that_is_not_out_yet():
    bench = ready()
    bench.link.write(codec.FIRE)
    bench.link.write(codec.DISARM)
    bench.pass_time(0.1)
    assert bench.pulses() == []


def test_hot_twin_does_not_arm():
    bench = twin(coil_c=41.0)
    say(bench, codec.REMOTE_ON)
    assert say(bench, codec.ARM) == bytes.fromhex("45 53 67")
    assert say(bench, codec.GET_TEMPERATURE)[2:8] == b"405410"


def test_coil_warms_with_pulses_and_cools_between():
    bench = ready(heat_c_per_kj=10.0)
    before = bench.machine._body.temperature_c()
    bench.edge()
    warm = bench.machine._body.temperature_c()
    assert warm - before == pytest.approx(0.63, abs=0.01)
    bench.pass_time(900.0)
    cool = bench.machine._body.temperature_c()
    assert cool - 22.0 == pytest.approx((warm - 22.0) / 2.718, rel=0.01)


def test_rapid_checks_its_numbers():
    bench = twin(model="rapid", software=(9, 1, 0), unlock_code=CODE)
    say(bench, codec.unlock(CODE))
    software = (9, 1, 0)
    for command in (
        codec.frequency(0),
        codec.frequency(1100),
        codec.n_pulses(0, software),
        codec.n_pulses(6001, software),
        codec.duration(1001, software),
        codec.charge_delay(2001, software),
        codec.power(101),
    ):
        assert say(bench, command)[1:2] == b"S"


def test_train_can_be_stopped():
    bench = ready(model="rapid")
    say(bench, codec.DISARM)
    software = (8, 0, 0)
    for command in (
        codec.train_mode(software, on=True),
        codec.frequency(100),
        codec.n_pulses(20, software),
        codec.duration(20, software),
        codec.ARM,
        *[codec.REMOTE_ON] * 6,
    ):
        say(bench, command)
    bench.link.events.clear()
    bench.edge()
    bench.pass_time(0.55)
    assert say(bench, codec.power(30))[1:2] == b"S"
    bench.edge()
    assert bench.reasons("missed") == ["train running"]
    say(bench, codec.DISARM)
    n_given = len(bench.pulses())
    bench.pass_time(2.0)
    assert 6 <= n_given <= 9
    assert bench.pulses() == []


def test_dropped_byte_and_wrong_checksum_and_silence():
    bench = twin()
    bench.fault(drop_byte_after=0)
    assert len(say(bench, codec.REMOTE_ON)) == 2
    bench.fault(wrong_checksum_after=0)
    assert say(bench, codec.REMOTE_ON)[:2] == b"\x51\x89"
    assert say(bench, codec.REMOTE_ON) != bytes.fromhex("51 89 25")
    bench.fault(silent_after=0)
    assert say(bench, codec.REMOTE_ON) == b""


@pytest.mark.parametrize(
    "options",
    [
        {"model": "300"},
        {"software": (-1, 0, 0)},
        {"coil_c": float("nan")},
        {"cooling_s": 0.0},
    ],
)
def test_impossible_settings_are_refused(options):
    with pytest.raises(DriverSettingError):
        MagstimSettings(**options)


MODELS = st.sampled_from(
    [
        {"model": "200"},
        {"model": "bistim"},
        {"model": "rapid"},
        {"model": "rapid", "software": (9, 0, 0), "unlock_code": CODE},
    ]
)
PIECES = st.lists(
    st.one_of(
        st.binary(max_size=8),
        st.sampled_from([codec.REMOTE_ON, codec.ARM, codec.FIRE, codec.power(60)]),
    ),
    max_size=12,
)


@FUZZ
@given(MODELS, PIECES)
def test_fuzz_twin_takes_any_bytes_and_stays_alive(options, pieces):
    bench = twin(**options)
    for piece in pieces:
        bench.link.write(piece)
        bench.pass_time(0.3)
    bench.pass_time(2.0)
    bench.link.read(4096, 0.0)
    assert not bench.machine.armed
    reply = say(bench, codec.GET_VERSION)
    assert reply[:1] in (b"N", b"?")


def kinds(bench):
    return [event.kind for event in bench.link.events]


def test_a_charger_that_fails_makes_no_further_pulse():
    bench = ready(charger_fails_after=2)
    for _ in range(4):
        bench.machine.edge(bench.clock.t)
        for _ in range(30):
            say(bench, codec.REMOTE_ON)
    assert kinds(bench) == ["pulse", "pulse", "missed", "missed"]


def test_pulses_warm_the_coil_as_fast_as_it_is_told():
    bench = ready(heat_c_per_kj=500.0)
    for _ in range(3):
        bench.machine.edge(bench.clock.t)
        for _ in range(30):
            say(bench, codec.REMOTE_ON)
    # Each pulse at 50 % is 63 J, and above 40 °C the device stops by itself.
    assert kinds(bench) == ["pulse", "disarmed", "missed", "missed"]
