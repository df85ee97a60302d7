"""The firmware in C and in Python do the same, whatever comes; no rule is passed."""

import itertools
import random
import re

import pytest
from firmware_build import SOURCE, CompiledFirmware
from hypothesis import given
from hypothesis import strategies as st

from drivers.sim import trigger_firmware
from drivers.sim.trigger_firmware import TriggerFirmware
from drivers.teensy_frames import (
    Command,
    encode_frame,
    encode_pulse,
    encode_pulse_at,
    encode_read_clock,
    encode_watchdog,
    split_frames,
)
from drivers.teensy_messages import Pulsed, parse_event

ARM = encode_frame(Command.ARM)
DISARM = encode_frame(Command.DISARM)
START = 1_000_000


def a_frame(draws, now):
    """Return a frame that a host could send, or rubbish."""
    width_us = draws.choice([5, 10, 100, 100, 700, 90_000])
    t_due = max(0, now + draws.randrange(-1000, 40_000))
    return draws.choice(
        [
            ARM,
            DISARM if draws.random() < 0.2 else ARM,
            encode_pulse(draws.randrange(9), width_us),
            encode_pulse(draws.randrange(3), 100),
            encode_pulse_at(draws.randrange(65536), draws.randrange(9), 400, t_due),
            encode_watchdog(draws.choice([0, 50, 51, 400, 60_000, 60_001])),
            encode_read_clock(draws.randrange(2**32)),
            encode_frame(Command.READ_INPUT_EDGES),
            encode_frame(Command.IDENTIFY),
            encode_frame(draws.randrange(256), draws.randbytes(draws.randrange(17))),
            draws.randbytes(draws.randrange(1, 30)),
        ]
    )


def spoilt(draws, frame):
    if draws.random() < 0.1:
        at = draws.randrange(len(frame))
        frame = frame[:at] + draws.randbytes(1) + frame[at + 1 :]
    return frame[: draws.randrange(len(frame))] if draws.random() < 0.05 else frame


def step(firmware, received, edge, now):
    for byte in received:
        firmware.receive(byte, now)
    if edge is not None:
        firmware.note_input(*edge, now)
    firmware.tick(now)


def compare(library, seed, n_steps):
    """Give the same steps to both; return how often a line rose."""
    draws = random.Random(seed)
    now = draws.choice([0, START, 2**32 - 5000])
    compiled, modelled = CompiledFirmware(library, now), TriggerFirmware(now)
    n_rises = 0
    for _ in range(n_steps):
        now += draws.choice([0, 1, 7, 300, 501, 9_999, 10_000, 25_000])
        received = spoilt(draws, a_frame(draws, now)) if draws.random() < 0.7 else b""
        edge = (draws.randrange(256), draws.randrange(2))
        edge = edge if draws.random() < 0.15 else None
        room = draws.choice([256, 256, 256, draws.randrange(1, 64)])
        before = modelled.lines
        for firmware in (compiled, modelled):
            step(firmware, received, edge, now)
        assert compiled.lines == modelled.lines
        assert compiled.take(room) == modelled.take(room)
        n_rises += (modelled.lines & ~before).bit_count()
    assert compiled.is_whole()
    return n_rises


@pytest.mark.parametrize("seed", range(5))
def test_c_and_python_agree_on_random_sequences(library, seed):
    assert compare(library, seed, 400) > 5


@pytest.mark.slow
def test_c_and_python_agree_on_many_random_sequences(library):
    assert sum(compare(library, 1000 + seed, 2000) for seed in range(15)) > 1500


@given(st.binary(max_size=200), st.integers(0, 2**40))
def test_c_survives_any_bytes_and_agrees(library, received, now):
    compiled, modelled = CompiledFirmware(library, now), TriggerFirmware(now)
    for byte in received:
        compiled.receive(byte, now)
        modelled.receive(byte, now)
    assert compiled.take() == modelled.take()
    assert compiled.lines == modelled.lines == 0
    assert compiled.is_whole()


@given(st.lists(st.integers(0, 30_000), min_size=1, max_size=60), st.integers(0, 10**6))
def test_no_sequence_of_pulses_passes_the_interval(gaps, seed):
    firmware, draws = TriggerFirmware(0), random.Random(seed)
    now, said = 0, b""
    for gap in gaps:
        now += gap
        planned = encode_pulse_at(1, 0, 50, now + draws.randrange(1, 30_000))
        step(
            firmware, ARM + draws.choice([b"", planned, encode_pulse(0, 50)]), None, now
        )
        said += firmware.take()
    events = map(parse_event, split_frames(said)[0])
    rises = [event.device_us for event in events if isinstance(event, Pulsed)]
    assert all(b - a >= 10_000 for a, b in itertools.pairwise(rises))


def test_next_instant_is_never_missed():
    firmware = TriggerFirmware(0)
    for byte in ARM + encode_pulse(2, 700) + encode_pulse_at(1, 5, 300, 20_000):
        firmware.receive(byte, 0)
    instants = []
    while (t_next := firmware.t_next()) < float("inf"):
        instants.append(t_next)
        firmware.tick(int(t_next))
    assert instants == [700, 20_000, 20_300, 3_000_000]


def test_limits_are_the_same_in_both_sources():
    header = (SOURCE / "phasegate_trigger.h").read_text()
    defined = dict(re.findall(r"#define PG_(\w+) (\d+)u", header))
    shared = {
        name: value
        for name, value in vars(trigger_firmware).items()
        if name.isupper() and type(value) is int and name not in ("START", "END")
    }
    assert len(shared) > 15
    shared["LINES"] = shared.pop("N_LINES")
    assert {name: int(defined[name]) for name in shared} == shared
