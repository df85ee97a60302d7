"""Rules of the Magstim drivers, against scripts and twins in virtual time."""

import pytest
from stimulator_bench import CODE, magstim, make_ready

from drivers.base import PortLost
from drivers.links import ScriptedLink
from drivers.magstim import codec
from drivers.magstim.connect import magstim_200, magstim_bistim, magstim_rapid
from drivers.magstim.replies import parse_temperature
from drivers.magstim.session import MagstimSession
from drivers.sim import magstim_commands
from drivers.sim.magstim_commands import Conflict
from drivers.sim.virtual_time import VirtualClock
from drivers.stimulator import StimulatorRefused, StimulatorSilent, Train
from drivers.stimulator_conformance import attend_for

STANDBY = bytes.fromhex("51 89 25")


def session_on(*exchanges, unlock_code=None):
    clock = VirtualClock()
    link = ScriptedLink(exchanges, on_wait=clock.move)
    session = MagstimSession(link, clock.now, "M", unlock_code)
    session.open()
    return session, link, clock


def test_reply_in_pieces_and_behind_stale_bytes_is_read():
    session, link, _ = session_on((None, b"\x00junk"), (codec.REMOTE_ON, STANDBY))
    session.take_control()
    assert session.status.remote
    link.finish()


def test_keep_alive_comes_before_half_a_second():
    session, link, clock = session_on(*[(codec.REMOTE_ON, STANDBY)] * 2)
    session.poll()
    clock.move(0.3)
    assert not session.keep_contact()
    clock.move(0.1)
    assert session.keep_contact()
    link.finish()


def test_unlocked_device_is_kept_alive_with_its_status():
    session, link, _ = session_on(
        (codec.unlock(CODE), STANDBY),
        (codec.GET_SYSTEM_STATUS, bytes.fromhex("78 8C 38 00 00 C3")),
        unlock_code=CODE,
    )
    session.take_control()
    assert session.poll().ready
    link.finish()


def test_reply_that_came_while_the_host_stood_still_is_read():
    session, link, clock = session_on((codec.REMOTE_ON, STANDBY))
    write = link.write

    def stall(payload):
        write(payload)
        clock.move(5.0)

    link.write = stall
    session.poll()
    assert session.fault is None


def test_damaged_reply_to_a_question_is_asked_for_again():
    session, link, _ = session_on(
        (codec.REMOTE_ON, b"\x51\x89\x26"), (codec.REMOTE_ON, STANDBY)
    )
    session.poll()
    assert session.fault is None
    link.finish()


def test_two_damaged_replies_are_a_fault_and_disarm():
    bad = (codec.REMOTE_ON, b"\x51\x89\x26")
    session, link, _ = session_on(bad, bad, (codec.DISARM, None))
    with pytest.raises(StimulatorSilent, match="checksum"):
        session.poll()
    link.finish()
    with pytest.raises(StimulatorSilent, match="failed earlier"):
        session.poll()


def test_damaged_reply_to_an_order_is_never_repeated():
    session, link, _ = session_on((codec.FIRE, b"\x45\x8c\x00"), (codec.DISARM, None))
    with pytest.raises(StimulatorSilent, match="checksum"):
        session.ask(codec.FIRE)
    link.finish()


def test_silence_is_a_fault_within_the_timeout():
    session, link, clock = session_on((codec.REMOTE_ON, None), (codec.DISARM, None))
    t = clock.now()
    with pytest.raises(StimulatorSilent, match="did not answer"):
        session.poll()
    assert clock.now() - t == pytest.approx(0.3)
    link.finish()


@pytest.mark.parametrize(
    ("reply", "match"),
    [
        (b"?", "unknown command"),
        (bytes.fromhex("40 3F 80"), "not acceptable"),
        (bytes.fromhex("40 53 6C"), "present state"),
    ],
)
def test_refusals_are_sentences_and_no_faults(reply, match):
    session, link, _ = session_on((codec.power(50), reply))
    with pytest.raises(StimulatorRefused, match=match):
        session.ask(codec.power(50))
    assert session.fault is None
    link.finish()


def test_body_of_letters_is_a_fault():
    reply = codec.frame(b"F\x89abcdef")
    session, link, _ = session_on((codec.GET_TEMPERATURE, reply), (codec.DISARM, None))
    with pytest.raises(StimulatorSilent, match="digits"):
        session.query(codec.GET_TEMPERATURE, parse_temperature)
    link.finish()


def test_device_that_stays_armed_is_a_fault():
    armed = codec.frame(b"Q\x8a")
    session, link, _ = session_on(
        (codec.DISARM, codec.frame(b"E\x8a")),
        (codec.REMOTE_ON, armed),
        (codec.DISARM, None),
    )
    with pytest.raises(StimulatorSilent, match="emergency stop"):
        session.disarm()
    link.finish()


def test_closed_session_asks_nothing():
    session, _, _ = session_on((codec.DISARM, None), (codec.REMOTE_OFF, None))
    session.close()
    session.close()
    with pytest.raises(PortLost, match="not connected"):
        session.poll()


def test_200_is_not_armed_in_the_first_three_seconds():
    driver, bench = magstim(magstim_200, model="200")
    driver.open()
    bench.pass_time(1.0)
    with pytest.raises(StimulatorRefused, match=r"wait [12]\.\d s"):
        driver.arm()
    bench.pass_time(2.1)
    driver.arm()
    assert bench.machine.armed


def test_fire_says_how_long_to_wait():
    driver, bench = magstim(magstim_200, model="200")
    make_ready(driver, bench, 50)
    driver.fire()
    attend_for(driver, bench, 1.0)
    with pytest.raises(StimulatorRefused, match=r"wait [12]\.\d s"):
        driver.fire()
    assert 1.5 < driver.wait_s() < 2.1


@pytest.mark.parametrize(("percent", "interval"), [(49, 2.0), (50, 3.0), (80, 4.0)])
def test_min_interval_follows_the_power(percent, interval):
    driver, bench = magstim(magstim_200, model="200")
    make_ready(driver, bench, percent)
    assert driver.min_interval_s() == interval


def test_pulse_by_trigger_is_inferred_from_the_recharge():
    driver, bench = magstim(magstim_200, model="200")
    make_ready(driver, bench, 50)
    assert driver.wait_s() == 0
    bench.edge()
    attend_for(driver, bench, 0.6)
    assert 2.0 < driver.wait_s() <= 3.0


def test_lowering_the_power_takes_its_time():
    driver, bench = magstim(magstim_200, model="200")
    make_ready(driver, bench, 80)
    driver.set_intensity(60)
    assert driver.wait_s() == pytest.approx(2.0, abs=0.01)
    assert not driver.status().ready
    attend_for(driver, bench, 2.2)
    assert driver.status().ready
    bench.edge()
    assert bench.pulses() == [60]


def test_power_that_is_not_what_was_set_is_a_fault():
    driver, bench = magstim(magstim_200, model="200")
    make_ready(driver, bench, 50)
    driver.set_intensity(40)
    bench.machine._body.power = 90
    with pytest.raises(StimulatorSilent, match="90 %"):
        attend_for(driver, bench, 2.0)
    assert bench.harmless()


def test_hot_coil_is_not_armed():
    driver, bench = magstim(magstim_200, model="200", coil_c=41.0)
    driver.open()
    bench.pass_time(3.1)
    with pytest.raises(StimulatorRefused, match=r"coil has 4[01]\.\d °C"):
        driver.arm()


def test_device_that_gets_hot_is_reported():
    driver, bench = magstim(
        magstim_200, model="200", coil_c=39.7, heat_c_per_kj=10.0, cooling_s=1e6
    )
    make_ready(driver, bench, 50)
    bench.edge()
    attend_for(driver, bench, 6.0)
    status = driver.status()
    assert not status.armed
    assert "°C" in status.error
    assert bench.reasons("disarmed") == ["hot coil"]


def test_removed_coil_is_reported_and_not_armed_again():
    driver, bench = magstim(magstim_200, model="200", coil_removed_after=40)
    driver.open()
    while bench.machine._body.coil_present:
        attend_for(driver, bench, 0.5)
    with pytest.raises(StimulatorRefused, match="no coil"):
        driver.arm()


@pytest.mark.parametrize(
    ("option", "words"), [("replace_coil", "another coil"), ("error", "an error")]
)
def test_obstacles_of_the_status_are_named(option, words):
    driver, bench = magstim(magstim_200, model="200", **{option: True})
    driver.open()
    bench.pass_time(3.1)
    with pytest.raises(StimulatorRefused, match=words):
        driver.arm()
    assert words in driver.status().error


def test_device_disarms_after_60_s_without_a_pulse_and_the_driver_says_so():
    driver, bench = magstim(magstim_200, model="200")
    make_ready(driver, bench, 50)
    attend_for(driver, bench, 62.0)
    status = driver.status()
    assert not status.armed
    assert "disarmed itself" in status.error
    driver.arm()
    assert bench.machine.armed


def test_neglected_driver_finds_its_device_disarmed():
    driver, bench = magstim(magstim_200, model="200")
    make_ready(driver, bench, 50)
    bench.pass_time(1.5)
    assert bench.harmless()
    attend_for(driver, bench, 0.2)
    assert "disarmed itself" in driver.status().error


def test_device_armed_by_somebody_else_is_disarmed():
    driver, bench = magstim(magstim_200, model="200")
    driver.open()
    bench.machine._body.arm()
    attend_for(driver, bench, 0.5)
    assert bench.harmless()
    assert "from elsewhere" in driver.status().error


def test_200_refuses_trains_and_pairs_but_takes_none():
    driver, _ = magstim(magstim_200, model="200")
    driver.set_train(None)
    driver.set_pair(None)
    with pytest.raises(StimulatorRefused, match="no trains"):
        driver.set_train(Train(frequency_hz=10, n_pulses=5))
    with pytest.raises(StimulatorRefused, match="no pairs"):
        driver.set_pair(0.01)


@pytest.mark.parametrize(
    ("resolution", "interval_s", "units"),
    [("low", 0.01, 10), ("low", 0.999, 999), ("high", 0.0123, 123), ("high", 0, 0)],
)
def test_bistim_takes_intervals_on_its_grid(resolution, interval_s, units):
    def make(port, **options):
        return magstim_bistim(port, resolution=resolution, **options)

    driver, bench = magstim(make, model="bistim")
    driver.open()
    driver.set_pair(interval_s)
    assert bench.machine._commands._interval == units


@pytest.mark.parametrize(
    ("resolution", "interval_s"),
    [
        ("low", 0.0105),
        ("low", 1.0),
        ("high", 0.1),
        ("low", float("nan")),
        ("low", None),
    ],
)
def test_bistim_refuses_other_intervals(resolution, interval_s):
    def make(port, **options):
        return magstim_bistim(port, resolution=resolution, **options)

    driver, _ = magstim(make, model="bistim")
    driver.open()
    with pytest.raises(StimulatorRefused):
        driver.set_pair(interval_s)


def test_bistim_tells_its_mode_and_takes_a_second_power():
    driver, _ = magstim(magstim_bistim, model="bistim")
    driver.open()
    assert driver.model.mode_in_words() == "master, BiStim in low resolution"
    driver.model.set_power_b(30)
    driver.set_pair(0)
    assert driver.model.mode() == "1"


def test_bistim_that_stays_in_another_mode_is_refused(monkeypatch):
    driver, bench = magstim(magstim_bistim, model="bistim")
    monkeypatch.setitem(magstim_commands._ACTIONS, "X", lambda _commands, _data: b"3")
    with pytest.raises(StimulatorRefused, match="independent triggers"):
        driver.open()
    assert bench.harmless()


def rapid(software=(9, 1, 0), code=CODE, variant="rapid", **options):
    def make(port, **rest):
        return magstim_rapid(
            port,
            unlock_code=code if software[0] >= 9 else None,
            variant=variant,
            **rest,
        )

    return magstim(
        make,
        model="rapid",
        software=software,
        unlock_code=CODE if software[0] >= 9 else None,
        variant=variant,
        **options,
    )


def test_rapid_that_needs_a_code_asks_for_it():
    driver, bench = magstim(magstim_rapid, model="rapid", software=(9, 1, 0))
    with pytest.raises(StimulatorRefused, match=r"9\.1\.0.*unlock code"):
        driver.open()
    assert bench.harmless()


def test_rapid_with_the_wrong_code_stays_silent():
    driver, _ = rapid(code="wrong")
    with pytest.raises(StimulatorSilent, match="unlock code"):
        driver.open()


def test_rapid_without_a_lock_refuses_a_code():
    def make(port, **rest):
        return magstim_rapid(port, unlock_code=CODE, **rest)

    driver, _ = magstim(make, model="rapid", software=(8, 0, 0))
    with pytest.raises(StimulatorRefused, match="no unlock code"):
        driver.open()


def test_rapid_with_unknown_software_is_refused():
    driver, _ = magstim(magstim_rapid, model="rapid", software=(6, 0, 0))
    with pytest.raises(StimulatorRefused, match="7 to 11"):
        driver.open()


@pytest.mark.parametrize("software", [(7, 0, 0), (8, 0, 0), (9, 1, 0), (11, 0, 0)])
def test_rapid_makes_a_train_and_rests(software):
    driver, bench = rapid(software)
    driver.open()
    driver.set_intensity(60)
    attend_for(driver, bench, 4.0)
    driver.set_train(Train(frequency_hz=10.0, n_pulses=20))
    driver.arm()
    attend_for(driver, bench, 1.5)
    bench.link.events.clear()
    bench.edge()
    attend_for(driver, bench, 1.0)
    assert not driver.status().ready
    assert driver.wait_s() > 0
    attend_for(driver, bench, 1.5)
    times = [e.t for e in bench.link.events if e.kind == "pulse"]
    assert len(times) == 20
    assert times[-1] - times[0] == pytest.approx(1.9)
    attend_for(driver, bench, driver.min_interval_s())
    assert driver.status().ready


@pytest.mark.parametrize(
    ("train", "percent", "match"),
    [
        (Train(frequency_hz=20.0, n_pulses=20), 80, "up to 18 Hz at 80 %"),
        (Train(frequency_hz=10.0, n_pulses=400), 100, "up to 25.0 s"),
        (Train(frequency_hz=10.05, n_pulses=20), 30, "steps of 0.1"),
        (Train(frequency_hz=30.0, n_pulses=10), 30, "duration"),
        (Train(frequency_hz=10.0, n_pulses=0), 30, "1 to 6000 pulses"),
        (Train(frequency_hz=10.0, n_pulses=20, n_trains=2), 30, "one train for each"),
        (Train(frequency_hz=1.0, n_pulses=200), 30, "0.1 to 100 s"),
        (Train(frequency_hz=float("nan"), n_pulses=20), 30, "frequency"),
        (Train(frequency_hz=0.0, n_pulses=20), 30, "0.1 Hz or more"),
    ],
)
def test_rapid_refuses_trains_beyond_its_rules(train, percent, match):
    driver, bench = rapid()
    driver.open()
    driver.set_intensity(percent)
    with pytest.raises(StimulatorRefused, match=match):
        driver.set_train(train)
    assert bench.machine._body.duration == 0


def test_rapid_refuses_more_power_than_its_train_allows():
    driver, _ = rapid()
    driver.open()
    driver.set_intensity(50)
    driver.set_train(Train(frequency_hz=30.0, n_pulses=30))
    with pytest.raises(StimulatorRefused, match="up to 25 Hz at 60 %"):
        driver.set_intensity(60)


def test_old_rapid_has_shorter_trains():
    driver, _ = rapid((8, 0, 0))
    driver.open()
    with pytest.raises(StimulatorRefused, match="1 to 1000 pulses"):
        driver.set_train(Train(frequency_hz=10.0, n_pulses=2000))
    with pytest.raises(StimulatorRefused, match=r"0\.1 to 10 s"):
        driver.set_train(Train(frequency_hz=10.0, n_pulses=200))


def test_refused_train_leaves_single_pulses():
    driver, bench = rapid()
    driver.open()
    driver.set_intensity(30)
    bench.machine._commands._check_frequency = refuse
    with pytest.raises(StimulatorRefused, match="present state"):
        driver.set_train(Train(frequency_hz=10.0, n_pulses=20))
    assert bench.machine._body.duration == 0
    assert driver.min_interval_s() == 1.0


def refuse(*_args):
    raise Conflict


def test_rapid_that_stays_in_its_train_mode_is_refused(monkeypatch):
    driver, bench = rapid()
    body = type(bench.machine._body)
    monkeypatch.setattr(body, "in_train_mode", property(lambda _: True))
    with pytest.raises(StimulatorRefused, match="does not leave its train mode"):
        driver.open()
    assert bench.harmless()


def test_enhanced_power_goes_to_110_and_excludes_trains():
    def make(port, **rest):
        return magstim_rapid(port, enhanced=True, **rest)

    driver, bench = magstim(make, model="rapid", software=(8, 0, 0))
    make_ready(driver, bench, 110)
    assert driver.min_interval_s() == 2.0
    bench.edge()
    assert bench.pulses() == [110]
    driver.disarm()
    attend_for(driver, bench, 3.0)
    with pytest.raises(StimulatorRefused, match="enhanced"):
        driver.set_train(Train(frequency_hz=1.0, n_pulses=2))


@pytest.mark.parametrize("software", [(9, 1, 0), (10, 0, 0), (11, 0, 0)])
def test_charge_delay_is_read_back(software):
    driver, bench = rapid(software)
    driver.open()
    driver.model.set_charge_delay(1500)
    assert bench.machine._commands._charge_delay == 1500


@pytest.mark.parametrize(
    ("software", "delay_ms", "match"),
    [
        ((8, 0, 0), 100, "before software 9"),
        ((9, 1, 0), 2001, "0 to 2000"),
        ((10, 0, 0), 10001, "0 to 10000"),
        ((10, 0, 0), -1, "0 to 10000"),
    ],
)
def test_charge_delay_out_of_range_is_refused(software, delay_ms, match):
    driver, _ = rapid(software)
    driver.open()
    with pytest.raises(StimulatorRefused, match=match):
        driver.model.set_charge_delay(delay_ms)


@pytest.mark.parametrize(
    "faults",
    [
        {"wrong_checksum_after": 0},
        {"silent_after": 0},
        {"unplug_after": 0},
    ],
)
def test_after_any_fault_the_device_ends_disarmed(faults):
    driver, bench = magstim(magstim_200, model="200")
    make_ready(driver, bench, 50)
    bench.fault(**faults)
    with pytest.raises((StimulatorSilent, PortLost)):
        attend_for(driver, bench, 2.0)
    driver.close()
    bench.pass_time(1.1)
    assert bench.harmless()


def test_one_dropped_byte_is_survived():
    driver, bench = magstim(magstim_200, model="200")
    make_ready(driver, bench, 50)
    bench.fault(drop_byte_after=bench.n_frames())
    attend_for(driver, bench, 2.0)
    assert driver.status().ready


def test_exception_in_the_host_disarms_on_close():
    driver, bench = magstim(magstim_200, model="200")

    def experiment():
        try:
            make_ready(driver, bench, 50)
            raise RuntimeError
        finally:
            driver.close()

    with pytest.raises(RuntimeError):
        experiment()
    assert bench.harmless()
    assert not bench.machine._body.remote
