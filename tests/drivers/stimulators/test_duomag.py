"""DuoMAG: the bytes of its tables, its stream, its rules, its twin, and fuzz."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimulator_bench import FUZZ, Bench, duomag, make_ready

from drivers.base import DriverSettingError, PortLost
from drivers.duomag import codec
from drivers.duomag.codec import Delay
from drivers.duomag.frames import Frame, GarbledFrame, StreamParser
from drivers.duomag.stimulator import DuoMagStimulator
from drivers.sim.duomag_machine import DuoMagMachine, DuoMagSettings
from drivers.stimulator import StimulatorRefused, StimulatorSilent, Train
from drivers.stimulator_conformance import attend_for

SAMPLE = bytes.fromhex("00 37 3C 28 28 00 00 03 05 01 00 00 00 00 01 FF")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (codec.intensity(55), "37 37"),
        (codec.FIRE, "79 79"),
        (codec.recharge_delay(Delay(steps=60, unit=5)), "8F 8F B4 B4"),
        (codec.ttl_delay(Delay(steps=20, unit=3)), "C5 C5 EC EC"),
    ],
)
def test_command_has_the_bytes_of_the_table(command, expected):
    assert command == bytes.fromhex(expected)


@pytest.mark.parametrize("percent", [-1, 101, 50.0, True, None])
def test_impossible_intensity_is_refused(percent):
    with pytest.raises(DriverSettingError, match="whole percent"):
        codec.intensity(percent)


@pytest.mark.parametrize(
    ("seconds", "steps", "unit"),
    [(0.12, 12, 7), (0.0, 0, 7), (0.00005, 1, 0), (1.27, 127, 7), (0.0127, 127, 1)],
)
def test_delay_takes_the_largest_unit_that_is_exact(seconds, steps, unit):
    found = codec.delay(seconds)
    assert found == Delay(steps=steps, unit=unit)
    assert found.seconds == pytest.approx(seconds)


@pytest.mark.parametrize(
    "seconds", [1.28, -0.01, 0.00001, 0.1234, float("nan"), float("inf")]
)
def test_delay_off_the_grid_is_refused(seconds):
    with pytest.raises(DriverSettingError, match="cannot wait"):
        codec.delay(seconds)


@pytest.mark.parametrize("delay", [Delay(steps=128, unit=0), Delay(steps=1, unit=8)])
def test_impossible_delay_is_refused(delay):
    with pytest.raises(DriverSettingError, match="no delay"):
        codec.ttl_delay(delay)


def test_sample_frame_is_read():
    frame = Frame.from_bytes(SAMPLE[:-1])
    assert frame == Frame(
        intensity=55,
        coil_adc=0x3C,
        resistor_adc=0x28,
        discharge_adc=0x28,
        coil_data_ok=True,
        receiving=True,
        idle=True,
        charged=True,
        ttl_delay=Delay(steps=1, unit=0),
        coil=1,
    )
    assert frame.to_bytes() == SAMPLE
    assert frame.troubles() == []


@pytest.mark.parametrize(
    ("place", "bit", "name"),
    [
        (0, 5, "stimulates_on_ttl"),
        (6, 6, "power_overheat"),
        (6, 5, "coil_disconnected"),
        (6, 4, "hold_error"),
        (6, 3, "recharge_error"),
        (7, 6, "fan_seized"),
        (7, 4, "coil_overheat"),
        (7, 3, "resistor_overheat"),
        (7, 2, "discharge_overheat"),
        (7, 1, "coil_data_ok"),
        (7, 0, "receiving"),
        (8, 2, "idle"),
        (8, 0, "charged"),
    ],
)
def test_bits_of_a_frame(place, bit, name):
    data = bytearray(15)
    data[place] = 1 << bit
    frame = Frame.from_bytes(bytes(data))
    assert frame == dataclasses.replace(Frame(coil=0), **{name: True})


@pytest.mark.parametrize(("byte", "change"), [(0x1F, -1), (0x0F, 15), (0x10, -16)])
def test_turns_of_the_knob_have_a_sign(byte, change):
    assert Frame.from_bytes(bytes([byte, *[0] * 12])).intensity_change == change


@pytest.mark.parametrize("data", [b"", b"\x00" * 11, b"\x00" * 33, b"\x00\x65" * 7])
def test_impossible_frames_are_garbled(data):
    with pytest.raises(GarbledFrame):
        Frame.from_bytes(data)


def test_first_whole_frame_is_the_third():
    parser = StreamParser()
    assert parser.feed(SAMPLE[5:]) == []
    assert parser.feed(SAMPLE) == []
    assert len(parser.feed(SAMPLE * 2)) == 2


@pytest.mark.parametrize("cut", [1, 3, 7, 16, 17])
def test_frames_in_pieces_are_found(cut):
    parser = StreamParser()
    raw = SAMPLE * 10
    pieces = [raw[start : start + cut] for start in range(0, len(raw), cut)]
    assert sum(len(parser.feed(piece)) for piece in pieces) >= 8


def test_frame_that_lost_a_byte_is_never_believed():
    parser = StreamParser()
    parser.feed(SAMPLE * 3)
    short = SAMPLE[:1] + SAMPLE[2:]
    assert parser.feed(short) == []
    assert parser.feed(SAMPLE) == []
    assert len(parser.feed(SAMPLE)) == 1


def test_stream_without_an_end_is_thrown_away():
    parser = StreamParser()
    parser.feed(b"\x00" * 1000)
    assert parser.n_discarded > 0
    parser.feed(SAMPLE * 3)
    assert len(parser.feed(SAMPLE)) == 1


@FUZZ
@given(st.lists(st.binary(max_size=60), max_size=8))
def test_fuzz_any_stream_gives_frames_or_nothing(pieces):
    parser = StreamParser()
    for piece in pieces:
        for frame in parser.feed(piece):
            assert 0 <= frame.intensity <= 100
    parser.feed(b"\xff" + SAMPLE * 3)
    assert len(parser.feed(SAMPLE)) == 1


@FUZZ
@given(st.binary(min_size=12, max_size=20))
def test_fuzz_frames_survive_a_round_trip(data):
    try:
        frame = Frame.from_bytes(data)
    except GarbledFrame:
        return
    assert Frame.from_bytes(frame.to_bytes()[:-1]) == frame


@FUZZ
@given(st.lists(st.binary(max_size=20), max_size=8))
def test_fuzz_twin_takes_any_bytes_and_stays_alive(pieces):
    bench = Bench(DuoMagMachine(DuoMagSettings()))
    bench.link.open()
    for piece in pieces:
        bench.link.write(piece)
        bench.pass_time(0.1)
    bench.link.write(codec.doubled(b"\x00"))
    bench.pass_time(0.1)
    bench.link.write(codec.intensity(0))
    bench.pass_time(0.1)
    assert not bench.machine.armed
    assert bench.link.read(99999, 0.0)[-1] == 0xFF


def test_arming_without_a_person_is_refused():
    driver, bench = duomag(confirm=None)
    driver.open()
    driver.set_intensity(50)
    with pytest.raises(StimulatorRefused, match="only at the unit"):
        driver.arm()
    assert bench.harmless()


def test_arming_needs_a_yes_and_an_intensity():
    asked = []
    driver, bench = duomag(confirm=lambda question: asked.append(question) or False)
    driver.open()
    with pytest.raises(StimulatorRefused, match="no intensity"):
        driver.arm()
    driver.set_intensity(50)
    with pytest.raises(StimulatorRefused, match="not confirmed"):
        driver.arm()
    assert asked == ["Is DuoMAG armed at the unit, for pulses at 50 %?"]
    assert bench.harmless()


def test_slow_person_makes_no_stale_status():
    driver, bench = duomag()
    driver._confirm = lambda _question: bench.pass_time(20.0) is None
    driver.open()
    driver.set_intensity(50)
    driver.arm()
    attend_for(driver, bench, 0.2)
    assert driver.status().ready


def test_knob_turned_while_armed_shows():
    driver, bench = duomag()
    make_ready(driver, bench)
    bench.machine.press(intensity=70)
    attend_for(driver, bench, 0.1)
    status = driver.status()
    assert not status.ready
    assert "70 % although 50 %" in status.error


def test_knob_turned_while_disarmed_is_turned_back():
    driver, bench = duomag(panel_intensity_after=(50, 70))
    driver.open()
    attend_for(driver, bench, 2.0)
    assert bench.harmless()
    assert bench.reasons("armed") == ["front panel"]


def test_unit_that_is_not_armed_is_never_ready():
    driver, bench = duomag(armed_at_panel=False)
    driver.open()
    driver.set_intensity(50)
    driver.arm()
    attend_for(driver, bench, 2.0)
    assert not driver.status().ready
    with pytest.raises(StimulatorRefused, match="not charged"):
        driver.fire()


def test_overheated_coil_lowers_the_intensity():
    driver, bench = duomag(coil_adc=180, counts_per_pulse=10.0)
    make_ready(driver, bench, 60)
    bench.edge()
    attend_for(driver, bench, 0.3)
    assert bench.harmless()
    assert "coil is too hot" in driver.status().error
    driver.set_intensity(60)
    with pytest.raises(StimulatorRefused, match="too hot"):
        driver.arm()


def test_removed_coil_lowers_the_intensity():
    driver, bench = duomag(coil_removed_after=1000)
    make_ready(driver, bench)
    attend_for(driver, bench, 3.0)
    assert driver.status().coil_connected is False
    assert bench.machine._intensity == 0


def test_pulse_is_inferred_from_the_charge_and_omitted_ones_are_counted():
    driver, bench = duomag()
    make_ready(driver, bench)
    bench.edge()
    bench.edge()
    attend_for(driver, bench, 0.1)
    assert driver.wait_s() > 0
    assert not driver.status().ready
    assert bench.machine._frame().omitted == 1
    assert bench.reasons("missed") == ["charging"]


def test_intensity_while_armed_is_sent_at_once():
    driver, bench = duomag()
    make_ready(driver, bench)
    driver.set_intensity(30)
    assert bench.machine._intensity == 30


def test_recharge_delay_and_coil_are_read():
    driver, bench = duomag()
    driver.open()
    driver.set_recharge_delay(0.12)
    assert bench.machine._recharge_delay == Delay(steps=12, unit=7)
    assert driver.coil() == "70BF"


def test_trains_and_pairs_are_refused():
    driver, _ = duomag()
    driver.set_train(None)
    driver.set_pair(None)
    with pytest.raises(StimulatorRefused):
        driver.set_train(Train(frequency_hz=1.0, n_pulses=2))
    with pytest.raises(StimulatorRefused):
        driver.set_pair(0.01)


def test_single_byte_is_no_command():
    bench = Bench(DuoMagMachine(DuoMagSettings()))
    bench.link.open()
    bench.link.write(b"\x37")
    bench.pass_time(1.0)
    bench.link.write(b"\x37")
    bench.pass_time(1.0)
    assert bench.machine._intensity == 0


@pytest.mark.parametrize("option", [{"frames_per_s": 0}, {"recharge_s": float("nan")}])
def test_impossible_twins_are_refused(option):
    with pytest.raises(DriverSettingError):
        DuoMagSettings(**option)


@pytest.mark.parametrize("interval", [-1.0, float("nan"), float("inf")])
def test_impossible_interval_is_refused(interval):
    with pytest.raises(StimulatorRefused, match="min_interval_s"):
        DuoMagStimulator("x", min_interval_s=interval)


@pytest.mark.parametrize("faults", [{"silent_after": 0}, {"unplug_after": 0}])
def test_after_a_fault_the_device_ends_at_0_or_its_cable_is_off(faults):
    driver, bench = duomag()
    make_ready(driver, bench)
    bench.fault(**faults)
    with pytest.raises((StimulatorSilent, PortLost)):
        attend_for(driver, bench, 2.0)
    with pytest.raises((StimulatorSilent, PortLost)):
        driver.disarm()
    driver.close()
    assert bench.harmless() or "unplug_after" in faults


def test_spoilt_intensity_stands_against_a_pulse():
    driver, bench = duomag()
    make_ready(driver, bench, 20)
    bench.fault(wrong_checksum_after=0)
    bench.pass_time(0.1)
    assert "65 % although 20 %" in driver.status().error


def test_impossible_intensity_is_no_status():
    driver, bench = duomag()
    make_ready(driver, bench, 50)
    bench.fault(wrong_checksum_after=0)
    with pytest.raises(StimulatorSilent, match="no whole status"):
        attend_for(driver, bench, 1.0)
    assert bench.harmless()


def test_frames_that_piled_up_are_not_taken_for_fresh():
    driver, bench = duomag()
    make_ready(driver, bench)
    bench.pass_time(1.0)
    bench.silence()
    with pytest.raises(StimulatorSilent, match="no whole status"):
        driver.status()
    assert bench.harmless()


def test_one_dropped_byte_is_survived():
    driver, bench = duomag()
    make_ready(driver, bench)
    bench.fault(drop_byte_after=bench.n_frames() + 2)
    attend_for(driver, bench, 1.0)
    assert driver.status().ready
