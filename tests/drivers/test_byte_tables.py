"""What is left of the byte tables: single bits, and messages by hand."""

import pytest

from drivers import parallel
from drivers.magpro.codes import Mode, Model, Wave
from drivers.magpro.messages import (
    AmplitudeChanged,
    CountsReported,
    DelaysReported,
    Flags,
    MepMeasured,
    ModeReported,
    ProtocolAmplitude,
    TimingReported,
)
from drivers.magpro.parse import parse_message
from drivers.magstim.status import (
    MODES,
    ExtendedStatus,
    InstrumentStatus,
    RapidStatus,
)

INSTRUMENT = """standby armed ready coil_present replace_coil error_present error_type
remote"""
RAPID = """enhanced_power train_running waiting single_pulse high_voltage_connected
coil_ready theta_supply modified_coil_algorithm"""


@pytest.mark.parametrize(
    ("kind", "names"), [(InstrumentStatus, INSTRUMENT), (RapidStatus, RAPID)]
)
def test_each_bit_of_a_magstim_status_has_its_place(kind, names):
    assert len(names.split()) == 8
    for place, name in enumerate(names.split()):
        assert kind.from_byte(1 << place) == kind(**{name: True})
        assert kind(**{name: True}).to_byte() == 1 << place


@pytest.mark.parametrize(
    ("place", "name"),
    [(0, "plus_one_module"), (1, "special_trigger"), (2, "charge_delay_set")],
)
def test_each_bit_of_the_extended_status_has_its_place(place, name):
    status = ExtendedStatus(**{name: True})
    assert ExtendedStatus.from_bytes(0, 1 << place) == status
    assert status.to_bytes() == bytes([0, 1 << place])


def test_modes_of_a_bistim_have_their_characters():
    assert "".join(MODES) == "01234QRST"


DISABLED = Flags(
    mode=Mode.STANDARD, wave=Wave.BIPHASIC, enabled=False, model=Model.X100
)


@pytest.mark.parametrize(
    ("byte", "flags"),
    [
        (0x24, DISABLED),
        (0x00, Flags(mode=Mode.STANDARD, wave=Wave(0), enabled=False, model=0)),
        (0x7E, Flags(mode=Mode.TWIN, wave=Wave(3), enabled=True, model=3)),
        (0xA9, Flags(mode=Mode.POWER, wave=Wave(2), enabled=False, model=5)),
    ],
)
def test_flags_of_a_magpro_have_their_bits(byte, flags):
    assert Flags.from_byte(byte) == flags
    assert flags.to_byte() == byte


@pytest.mark.parametrize(
    ("message", "payload"),
    [
        (
            AmplitudeChanged(amplitude_a=60, amplitude_b=5, flags=DISABLED),
            "01 3C 05 24",
        ),
        (ProtocolAmplitude(kind=6, a=60, b=0, flags=DISABLED), "06 3C 00 24"),
        (ProtocolAmplitude(kind=7, a=100, b=90, flags=DISABLED), "07 64 5A 24"),
        (
            MepMeasured(highest_uv=1000, lowest_uv=-2, t_highest_us=22500),
            "04 00 00 03 E8 FF FF FF FE 00 00 57 E4",
        ),
        (
            ModeReported(
                model=3,
                mode=2,
                direction=1,
                wave=0,
                burst_pulses=5,
                ipi_index=260,
                ba_index=96,
            ),
            "09 00 03 02 01 00 00 04 01 60",
        ),
        (
            DelaysReported(tenths_in_ms=10, tenths_out_ms=-20, charge_ms=500),
            "0A 00 00 0A FF EC 01 F4",
        ),
        (
            TimingReported(
                control=1,
                extended_rate=True,
                tenths_hz=100,
                n_pulses=10,
                n_trains=3,
                tenths_s=50,
                warn=True,
            ),
            "0B 00 11 00 64 00 0A 00 03 00 32 01 00 00",
        ),
        (
            CountsReported(n_trains=3, total_pulses=70000, stimulus_count=9, page=2),
            "0C 00 03 00 01 11 70 00 00 00 09 00 00 02",
        ),
    ],
)
def test_other_messages_of_a_magpro_have_their_bytes(message, payload):
    raw = bytes.fromhex(payload)
    assert message.payload() == raw
    assert parse_message(raw) == message


def test_calls_of_ppdev_have_their_numbers():
    numbers = (parallel.PPEXCL, parallel.PPCLAIM, parallel.PPRELEASE)
    assert numbers == (0x708F, 0x708B, 0x708C)
    assert parallel.PPWDATA == 0x40017086
    assert parallel.PPDATADIR == 0x40047090
    assert parallel.PPRSTATUS == 0x80017081
