"""MagPro: every byte string of its tables, its rules, its twin, and fuzzed streams."""

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stimulator_bench import FUZZ, Bench, magpro, make_ready

from drivers.base import DriverSettingError, PortLost
from drivers.magpro import codec, grids
from drivers.magpro.codec import FrameParser, crc8, frame
from drivers.magpro.codes import Mode, Model, Page, Wave
from drivers.magpro.messages import (
    AmplitudeChanged,
    CoilReported,
    CountsReported,
    DelaysReported,
    ExtendedStatus,
    Flags,
    GarbledMessage,
    MepMeasured,
    ModeReported,
    PageChanged,
    ProtocolAmplitude,
    PulseGiven,
    Status,
    TimingReported,
)
from drivers.magpro.parse import parse_message
from drivers.magpro.setup import Waveform, set_delays
from drivers.sim.magpro_machine import MagProMachine
from drivers.sim.magpro_settings import MagProTwinSettings
from drivers.stimulator import StimulatorRefused, StimulatorSilent, Train
from drivers.stimulator_conformance import attend_for

COMMANDS = [
    (codec.GET_STATUS, "FE 01 00 00 FF"),
    (codec.amplitude(60), "FE 02 01 3C D9 FF"),
    (codec.amplitude(50), "FE 02 01 32 C6 FF"),
    (codec.amplitude(60, 0), "FE 03 01 3C 00 CB FF"),
    (codec.ENABLE, "FE 02 02 01 CF FF"),
    (codec.DISABLE, "FE 02 02 00 91 FF"),
    (codec.FIRE, "FE 01 03 E2 FF"),
    (codec.FIRE_LONG, "FE 02 03 01 0B FF"),
    (codec.START_TRAIN, "FE 01 04 61 FF"),
    (codec.GET_EXTENDED_STATUS, "FE 01 05 3F FF"),
    (codec.old_train(100, 10, 3, 50), "FE 09 06 00 64 00 0A 00 03 00 32 74 FF"),
    (codec.page(1), "FE 02 07 01 30 FF"),
    (codec.page(2), "FE 02 07 02 D2 FF"),
    (codec.page(1, long_form=True), "FE 03 07 01 00 BE FF"),
    (
        codec.mode(
            model=1,
            mode=0,
            direction=0,
            wave=3,
            burst_pulses=3,
            tenths_ipi_ms=200,
            hundredths_ba=100,
        ),
        "FE 0B 09 01 01 00 00 03 02 00 C8 00 64 E9 FF",
    ),
    (codec.GET_MODE, "FE 02 09 00 B2 FF"),
    (codec.GET_DELAYS, "FE 02 0A 00 E7 FF"),
    (codec.GET_TIMING, "FE 02 0B 00 23 FF"),
    (codec.GET_COUNTS, "FE 02 0C 00 4D FF"),
    (codec.delays(10, -20, 500), "FE 08 0A 01 00 0A FF EC 01 F4 6A FF"),
    (
        codec.timing(control=0, tenths_hz=100, n_pulses=10, n_trains=3, tenths_s=50),
        "FE 0C 0B 01 00 00 64 00 0A 00 03 00 32 00 09 FF",
    ),
    (codec.old_delays(0, 0, 100), "FE 09 08 00 00 00 00 00 64 00 00 66 FF"),
]

ON = Flags(mode=Mode.STANDARD, wave=Wave.BIPHASIC, enabled=True, model=Model.X100)
STATUS = Status(
    flags=ON,
    serial_number=1234,
    temperature_c=21,
    coil=72,
    amplitude_a=60,
    amplitude_b=0,
)
EXTENDED = ExtendedStatus(
    status=STATUS,
    original_a=60,
    original_b=0,
    factor_a=100,
    factor_b=100,
    page=2,
    train_running=True,
)
BURST = ModeReported(
    model=1, mode=0, direction=0, wave=3, burst_pulses=3, ipi_index=80, ba_index=80
)
REPLIES = [
    (STATUS, "FE 09 00 34 00 04 D2 15 48 3C 00 25 FF"),
    (EXTENDED, "FE 0F 05 34 00 04 D2 15 48 3C 00 3C 00 64 64 02 01 15 FF"),
    (PulseGiven(realised_a=95, realised_b=0, flags=ON), "FE 04 02 5F 00 34 FC FF"),
    (CoilReported(temperature_c=21, coil=72, flags=ON), "FE 04 03 15 48 34 C5 FF"),
    (PageChanged(page=2, train_running=True, flags=ON), "FE 04 08 02 01 34 48 FF"),
    (BURST, "FE 0A 09 00 01 00 00 03 02 50 00 50 42 FF"),
]
OTHERS = [
    (AmplitudeChanged(amplitude_a=60, amplitude_b=1, flags=ON), 8),
    (ProtocolAmplitude(kind=6, a=1, b=2, flags=ON), 8),
    (ProtocolAmplitude(kind=7, a=1, b=2, flags=ON), 8),
    (MepMeasured(highest_uv=500, lowest_uv=-300, t_highest_us=22000), 17),
    (DelaysReported(tenths_in_ms=1, tenths_out_ms=-2, charge_ms=500), 12),
    (
        TimingReported(
            control=2,
            extended_rate=True,
            tenths_hz=100,
            n_pulses=10,
            n_trains=3,
            tenths_s=50,
            warn=True,
        ),
        18,
    ),
    (CountsReported(n_trains=3, total_pulses=70000, stimulus_count=9, page=2), 18),
]


@pytest.mark.parametrize(("command", "expected"), COMMANDS)
def test_command_has_the_bytes_of_the_table(command, expected):
    assert command == bytes.fromhex(expected)


@pytest.mark.parametrize(("message", "expected"), REPLIES)
def test_message_has_the_bytes_of_the_table(message, expected):
    raw = bytes.fromhex(expected)
    assert frame(message.payload()) == raw
    assert [parse_message(found) for found in FrameParser().feed(raw)] == [message]


@pytest.mark.parametrize(("message", "length"), OTHERS)
def test_other_messages_survive_a_round_trip(message, length):
    raw = frame(message.payload())
    assert len(raw) == length
    assert parse_message(message.payload()) == message


def test_crc_is_that_of_dallas_and_maxim():
    assert crc8(b"123456789") == 0xA1


@pytest.mark.parametrize("payload", [b"", b"\x00" * 33])
def test_impossible_payloads_are_refused(payload):
    with pytest.raises(DriverSettingError, match="1 to 32 bytes"):
        frame(payload)


@pytest.mark.parametrize("value", [-1, 256])
def test_values_that_do_not_fit_are_refused(value):
    with pytest.raises(DriverSettingError, match="cannot take"):
        codec.amplitude(value)


@pytest.mark.parametrize("payload", [b"", b"\x0d\x00", b"\x01\x00"])
def test_unknown_or_short_messages_are_garbled(payload):
    with pytest.raises(GarbledMessage):
        parse_message(payload)


def test_interval_lists_are_those_of_the_device():
    pairs, bursts = grids.PAIR_INTERVAL.descending(), grids.BURST_INTERVAL.descending()
    assert (len(pairs), len(bursts)) == (261, 196)
    assert [pairs[i] for i in (20, 70, 150, 170)] == [10000, 1000, 200, 100]
    assert bursts[80] == 200


@pytest.mark.parametrize(
    ("grid", "value", "units"),
    [
        (grids.RATE, 0.3, 3),
        (grids.RATE, 100, 1000),
        (grids.PULSES, 1100, 1100),
        (grids.BURST_INTERVAL, 0.0105, 105),
        (grids.DELAY_OUT, -0.002, -20),
        (grids.RATIO, 0.2, 20),
        (grids.CHARGE_DELAY, 4.05, 4050),
    ],
)
def test_values_on_a_grid(grid, value, units):
    assert grid.units(value) == units


@pytest.mark.parametrize(
    ("grid", "value"),
    [
        (grids.RATE, 1.1),
        (grids.RATE, 101),
        (grids.PULSES, 1050),
        (grids.PULSES, 0),
        (grids.BURST_INTERVAL, 0.01025),
        (grids.RATIO, 0.22),
        (grids.TRAINS, float("nan")),
        (grids.TRAINS, float("inf")),
    ],
)
def test_values_off_a_grid_are_refused(grid, value):
    with pytest.raises(StimulatorRefused, match=grid.what.split("(", maxsplit=1)[0]):
        grid.units(value)


FRAMES = [bytes.fromhex(text) for _, text in REPLIES]


@pytest.mark.parametrize("cut", [1, 2, 5, 7])
def test_frames_in_pieces_are_found(cut):
    raw = b"".join(FRAMES)
    parser = FrameParser()
    pieces = [raw[start : start + cut] for start in range(0, len(raw), cut)]
    found = [payload for piece in pieces for payload in parser.feed(piece)]
    assert [frame(payload) for payload in found] == FRAMES
    assert parser.n_discarded == 0


@pytest.mark.parametrize(
    "noise", [b"\xfe", b"\xfe\xff", b"\xff\xff", b"\xfe\x20", b"\0"]
)
def test_parser_finds_the_next_frame_after_noise(noise):
    parser = FrameParser()
    found = parser.feed(noise + FRAMES[0] + FRAMES[2])
    found += parser.give_up_partial() if parser.has_partial else []
    assert parse_message(found[-1]) == REPLIES[2][0]
    assert len(found) == 2
    assert parser.n_discarded >= len(noise)


def test_damaged_frame_is_passed_over():
    damaged = bytearray(FRAMES[0])
    damaged[5] ^= 1
    assert len(FrameParser().feed(bytes(damaged) + FRAMES[2])) == 1


@FUZZ
@given(st.lists(st.binary(max_size=40), max_size=6), st.integers(0, 5))
def test_fuzz_noise_never_hides_later_frames_for_good(pieces, which):
    parser = FrameParser()
    for payload in itertools.chain.from_iterable(map(parser.feed, pieces)):
        try:
            parse_message(payload)
        except GarbledMessage:
            continue
    found = parser.feed(FRAMES[which])
    while parser.has_partial:
        found += parser.give_up_partial()
    assert FRAMES[which][2:-2] in found


@FUZZ
@given(st.binary(min_size=1, max_size=32))
def test_fuzz_payloads_give_messages_or_clean_errors(payload):
    try:
        message = parse_message(payload)
    except GarbledMessage:
        return
    assert len(message.payload()) == len(payload)


@FUZZ
@given(st.binary(max_size=40), st.lists(st.binary(min_size=1, max_size=12), max_size=8))
def test_fuzz_twin_takes_any_bytes_and_stays_alive(noise, payloads):
    bench = Bench(MagProMachine(MagProTwinSettings()))
    bench.link.open()
    bench.link.write(noise)
    for payload in payloads:
        bench.link.write(frame(payload))
        bench.pass_time(0.2)
    bench.pass_time(1.0)
    bench.link.write(codec.DISABLE)
    bench.pass_time(0.2)
    bench.link.read(99999, 0.0)
    bench.link.write(codec.GET_EXTENDED_STATUS)
    bench.pass_time(1.0)
    assert not bench.machine.armed
    assert any(p[0] == 5 for p in FrameParser().feed(bench.link.read(99999, 0.0)))


def test_every_pulse_is_reported_with_its_steepness():
    driver, bench = magpro()
    make_ready(driver, bench, 60)
    for _ in range(3):
        bench.edge()
        attend_for(driver, bench, 0.5)
    reports = driver.take_reports()
    assert [(r.realised, r.unit) for r in reports] == [(95.0, "A/µs")] * 3
    assert driver.take_reports() == []


def test_panel_that_disables_shows_and_needs_arming_again():
    driver, bench = magpro()
    make_ready(driver, bench)
    bench.machine.press(enabled=False)
    attend_for(driver, bench, 0.1)
    bench.machine.press(enabled=True)
    attend_for(driver, bench, 0.1)
    status = driver.status()
    assert status.armed
    assert not status.ready
    assert "front panel" in status.error
    driver.arm()
    assert driver.status().ready


def test_panel_that_turns_the_amplitude_stands_against_a_pulse():
    driver, bench = magpro()
    make_ready(driver, bench, 50)
    bench.machine.press(amplitude=80)
    attend_for(driver, bench, 0.1)
    status = driver.status()
    assert status.intensity_pct_mso == 80
    assert not status.ready
    assert "80 % although 50 %" in status.error
    with pytest.raises(StimulatorRefused, match="80 %"):
        driver.fire()
    driver.set_intensity(50)
    assert driver.status().ready


@pytest.mark.parametrize(
    "several",
    [{"mode": Mode.TWIN}, {"mode": Mode.DUAL}, {"wave": Wave.BIPHASIC_BURST}],
)
def test_several_pulses_for_a_trigger_that_were_not_set_here_refuse(several):
    driver, bench = magpro()
    make_ready(driver, bench)
    bench.machine._body.mode = dataclasses.replace(bench.machine._body.mode, **several)
    status = driver.status()
    assert not status.ready
    assert "several pulses" in status.error
    driver.disarm()
    with pytest.raises(StimulatorRefused, match="several pulses"):
        driver.arm()
    driver.set_pair(None)
    driver.arm()
    bench.edge()
    assert len(bench.pulses()) == 1


def test_panel_options_of_the_twin_act_after_their_count():
    twin = MagProTwinSettings(panel_disable_after=30, panel_amplitude_after=(20, 70))
    driver, bench = magpro(twin)
    driver.open()
    driver.set_intensity(50)
    driver.arm()
    attend_for(driver, bench, 20.0)
    status = driver.status()
    assert (status.armed, status.intensity_pct_mso) == (False, 70)


def test_arming_needs_an_intensity_from_here():
    driver, _ = magpro()
    driver.open()
    with pytest.raises(StimulatorRefused, match="no intensity"):
        driver.arm()


@pytest.mark.parametrize(
    ("twin", "match"),
    [
        (MagProTwinSettings(coil_c=44.0), "44 °C"),
        (MagProTwinSettings(coil=0), "no coil"),
    ],
)
def test_obstacles_refuse_arming(twin, match):
    driver, _ = magpro(twin)
    driver.open()
    driver.set_intensity(50)
    with pytest.raises(StimulatorRefused, match=match):
        driver.arm()


def test_hot_coil_disables_and_is_reported():
    twin = MagProTwinSettings(coil_c=42.4, heat_c_per_kj=10.0, cooling_s=1e9)
    driver, bench = magpro(twin, hottest_c=43.0)
    make_ready(driver, bench, 60)
    bench.edge()
    attend_for(driver, bench, 0.5)
    status = driver.status()
    assert not status.armed
    assert "by itself" in status.error or "°C" in status.error


def test_twin_that_disables_itself_is_noticed():
    driver, bench = magpro(MagProTwinSettings(auto_disable_s=30.0))
    make_ready(driver, bench)
    attend_for(driver, bench, 31.0)
    assert "by itself" in driver.status().error


def test_train_starts_on_an_edge_and_is_reported_pulse_by_pulse():
    driver, bench = magpro()
    driver.open()
    driver.set_intensity(50)
    train = Train(frequency_hz=10.0, n_pulses=5, n_trains=2, inter_train_s=1.0)
    driver.set_train(train)
    driver.arm()
    bench.edge()
    attend_for(driver, bench, 0.3)
    assert not driver.status().ready
    bench.edge()
    attend_for(driver, bench, 3.0)
    times = [e.t for e in bench.link.events if e.kind == "pulse"]
    assert len(times) == 10
    assert times[5] - times[4] == pytest.approx(1.0)
    assert bench.reasons("missed") == ["train running"]
    assert len(driver.take_reports()) == 10
    assert driver.min_interval_s() == pytest.approx(1.8 + 0.01)
    assert driver.status().ready
    with pytest.raises(StimulatorRefused, match="waits for an edge"):
        driver.fire()


def test_train_starts_on_command_if_so_configured():
    driver, bench = magpro(train_start="command")
    driver.open()
    driver.set_intensity(50)
    driver.set_train(Train(frequency_hz=10.0, n_pulses=5))
    driver.arm()
    driver.fire()
    attend_for(driver, bench, 1.0)
    assert len(bench.pulses()) == 5
    driver.disarm()
    driver.set_train(None)
    assert bench.machine._body.page == Page.MAIN


def test_disabling_stops_a_train():
    driver, bench = magpro()
    driver.open()
    driver.set_intensity(50)
    driver.set_train(Train(frequency_hz=10.0, n_pulses=50))
    driver.arm()
    bench.edge()
    attend_for(driver, bench, 1.0)
    driver.disarm()
    bench.pulses()
    bench.pass_time(5.0)
    assert bench.pulses() == []


@pytest.mark.parametrize(
    ("train", "match"),
    [
        (Train(frequency_hz=1.5, n_pulses=5), "rate of a train"),
        (Train(frequency_hz=10.0, n_pulses=1050), "number of pulses"),
        (Train(frequency_hz=10.0, n_pulses=5, n_trains=501), "number of trains"),
        (
            Train(frequency_hz=10.0, n_pulses=5, n_trains=2, inter_train_s=121.0),
            "time between trains",
        ),
    ],
)
def test_trains_off_the_grid_are_refused_and_leave_the_main_page(train, match):
    driver, bench = magpro()
    driver.open()
    with pytest.raises(StimulatorRefused, match=match):
        driver.set_train(train)
    assert bench.machine._body.page == Page.MAIN


def test_slow_model_refuses_fast_trains():
    driver, _ = magpro(MagProTwinSettings(model=Model.R30))
    driver.open()
    with pytest.raises(StimulatorRefused, match="up to 30 Hz"):
        driver.set_train(Train(frequency_hz=40.0, n_pulses=5))


@pytest.mark.parametrize(
    ("model", "mode", "wave", "highest"),
    [
        (Model.R30, Mode.STANDARD, Wave.BIPHASIC, 30),
        (Model.X100, Mode.STANDARD, Wave.BIPHASIC, 100),
        (Model.X100, Mode.STANDARD, Wave.BIPHASIC_BURST, 20),
        (Model.X100_OPTION, Mode.TWIN, Wave.BIPHASIC, 50),
        (Model.X100_OPTION, Mode.DUAL, Wave.MONOPHASIC, 5),
        (Model.R30_OPTION, Mode.TWIN, Wave.BIPHASIC, 5),
    ],
)
def test_highest_rate(model, mode, wave, highest):
    assert grids.max_rate_hz(model, mode, wave) == highest


def test_pair_is_set_read_back_and_made():
    driver, bench = magpro(MagProTwinSettings(model=Model.X100_OPTION))
    driver.open()
    driver.set_intensity(50)
    driver.set_pair(0.01)
    driver.arm()
    bench.edge()
    attend_for(driver, bench, 0.5)
    times = [e.t for e in bench.link.events if e.kind == "pulse"]
    assert times[1] - times[0] == pytest.approx(0.01)
    assert len(driver.take_reports()) == 1
    driver.disarm()
    driver.set_pair(None)
    assert bench.machine._body.mode.mode == Mode.STANDARD


def test_burst_is_set_and_its_direction_kept():
    driver, bench = magpro()
    driver.open()
    burst = {"wave": Wave.BIPHASIC_BURST, "burst_pulses": 3, "interval_s": 0.02}
    driver.set_waveform(Waveform(reverse=True, **burst))
    driver.set_waveform(Waveform(**burst))
    assert bench.machine._body.mode.direction == 1
    assert bench.machine._body.mode.ipi_index == 80


@pytest.mark.parametrize("pulses", [1, 6])
def test_impossible_bursts_are_refused(pulses):
    driver, _ = magpro()
    driver.open()
    with pytest.raises(StimulatorRefused, match="2 to 5"):
        driver.set_waveform(Waveform(burst_pulses=pulses))


def test_waveform_is_not_changed_while_armed():
    driver, bench = magpro()
    make_ready(driver, bench)
    for call in (
        lambda: driver.set_pair(0.01),
        lambda: driver.set_train(Train(frequency_hz=1.0, n_pulses=2)),
    ):
        with pytest.raises(StimulatorRefused, match="is armed"):
            call()


def test_delay_of_the_input_delays_the_pulse():
    driver, bench = magpro()
    driver.open()
    set_delays(driver._session, into_s=0.005, out_s=-0.002, charge_s=0.5)
    driver.set_intensity(50)
    driver.arm()
    bench.link.events.clear()
    t = bench.clock.now()
    bench.edge()
    bench.pass_time(0.1)
    pulses = [e.t for e in bench.link.events if e.kind == "pulse"]
    assert pulses == [pytest.approx(t + 0.005 + 2e-5)]


def test_fire_without_a_report_is_a_fault():
    driver, bench = magpro()
    make_ready(driver, bench)
    bench.machine._body.fire = lambda _delay: None
    with pytest.raises(StimulatorSilent, match=r"within 0\.5 s"):
        driver.fire()
    assert bench.harmless()


def test_open_leaves_the_timing_page():
    driver, bench = magpro()
    bench.machine._body.page = Page.TIMING
    driver.open()
    assert bench.machine._body.page == Page.MAIN


@pytest.mark.parametrize(
    "faults", [{"wrong_checksum_after": 0}, {"silent_after": 0}, {"unplug_after": 0}]
)
def test_after_a_fault_the_device_ends_disabled_or_its_cable_is_off(faults):
    driver, bench = magpro()
    make_ready(driver, bench)
    bench.fault(**faults)
    with pytest.raises((StimulatorSilent, PortLost)):
        attend_for(driver, bench, 3.0)
    driver.close()
    bench.pass_time(0.1)
    assert bench.harmless() or "unplug_after" in faults


def test_one_dropped_byte_is_survived():
    driver, bench = magpro()
    make_ready(driver, bench)
    bench.fault(drop_byte_after=bench.n_frames() + 1)
    attend_for(driver, bench, 3.0)
    assert driver.status().ready
    bench.fault(drop_byte_after=bench.n_frames())
    assert driver.status().ready


def test_failed_driver_still_disables_when_asked():
    driver, bench = magpro()
    make_ready(driver, bench)
    driver._session.fault = "test"
    with pytest.raises(StimulatorSilent, match="failed earlier"):
        driver.disarm()
    assert bench.harmless()
