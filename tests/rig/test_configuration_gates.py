"""What `[gate]` may say, the sentence for each mistake in it, and how it reads back."""

import math

import numpy as np
import pytest
from bad_days import config_of, config_text
from complaints import complaint, refused

from controller.cli.gate_words import gate_rows
from controller.config import parse_config
from controller.errors import ChannelError
from controller.rig.programs.gate_rules import gate_rules, with_second_site
from controller.sources.description import StreamDescription

FULL = """
[gate]
amplitude = "open"
min_snr_db = 3
min_peak_ratio = 2
spectrum_s = 1.5
max_frequency_sd_hz = 1
max_frequency_offset_hz = 1.5
min_probability = 0.9
tolerance_deg = 30

[[gate.veto]]
channel = "O1"
amplitude_uv = 100
hold_s = 0.4

[[gate.veto]]
channel = "C3"
rms_uv = 20

[gate.coupling]
weights = { C3 = 1.0, O2 = -0.5 }
coherence = [0.3, 1.0]
phase_lag_deg = [150, -150]

[gate.second_band]
frequency_hz = 6
phase_deg = [-45, 45]
min_amplitude_uv = 2

[gate.marker]
stream = "task"
open = ["go"]
close = ["stop", "pause"]
timeout_s = 5
"""

MARKER_WORDS = (
    "from a marker 'go' in stream 'task' until 'stop' or 'pause' or 5 s have passed"
)


def text_with(gates):
    return config_text().replace('[gate]\namplitude = "open"\n', "") + gates


def parsed(gates=FULL):
    return parse_config(text_with(gates), where="gates.toml")


def stream_of(labels=("C3", "O1", "O2"), scale_uv=(1.0, 2.0, 4.0)):
    return StreamDescription(
        name="x",
        type="EEG",
        source_id="x",
        hostname="here",
        sfreq_hz=500.0,
        channel_format="float32",
        labels=labels,
        units=("microvolts",) * len(labels),
        channel_types=("EEG",) * len(labels),
        scale_uv=np.array(scale_uv),
    )


def test_rules_in_seconds_radians_and_channels():
    rules = gate_rules(parsed(), stream_of())
    assert (rules.min_snr_db, rules.min_peak_ratio, rules.spectrum_s) == (3, 2, 1.5)
    assert (rules.max_frequency_sd_hz, rules.max_frequency_offset_hz) == (1, 1.5)
    assert rules.min_probability == 0.9
    assert rules.tolerance_rad == pytest.approx(math.pi / 6)
    first, second = rules.vetoes
    assert (first.channel, first.amplitude_uv, first.rms_uv) == (1, 100, math.inf)
    assert (first.hold_s, second.hold_s) == (0.4, 0.3)
    assert (second.channel, second.amplitude_uv, second.rms_uv) == (0, math.inf, 20)
    assert rules.coupling.coherence == (0.3, 1.0)
    assert np.degrees(rules.coupling.phase_lag) == pytest.approx([150, 60])
    assert rules.second_band.bandwidth_hz == 3.0
    assert np.degrees(rules.second_band.phase) == pytest.approx([-45, 90])
    assert rules.second_band.min_amplitude_uv == 2
    assert rules.marker


def test_second_site_stands_below_in_microvolts():
    mixing = np.array([[0.0, 1.0, 1.0]])
    rules = gate_rules(parsed(), stream_of())
    assert with_second_site(mixing, rules).tolist() == [
        [0.0, 1.0, 1.0],
        [1.0, 0.0, -2.0],
    ]
    assert with_second_site(mixing, None) is mixing
    assert with_second_site(mixing, gate_rules(config_of(), stream_of())) is mixing


def test_without_gates_nothing_is_asked():
    rules = gate_rules(config_of(), stream_of())
    assert not rules.marker
    assert not rules.vetoes
    assert rules.min_snr_db is rules.coupling is rules.second_band is None


@pytest.mark.parametrize(
    ("labels", "where"),
    [(("C3", "Oz", "O2"), "gate.veto.channel"), (("Cz", "O1", "O2"), "gate.veto")],
)
def test_vetoing_channel_must_be_there(labels, where):
    with pytest.raises(ChannelError, match=f"^{where}.* no channel"):
        gate_rules(parsed(), stream_of(labels))


def test_channels_that_are_no_voltage_are_refused():
    stream = stream_of(scale_uv=(math.nan, 1.0, 1.0))
    with pytest.raises(ChannelError, match=r"gate\.veto: channel C3 .* no voltage"):
        gate_rules(parsed(), stream)
    stream = stream_of(scale_uv=(1.0, 1.0, math.nan))
    with pytest.raises(ChannelError, match=r"gate\.coupling\.weights: channel O2"):
        gate_rules(parsed(), stream)


@pytest.mark.parametrize(
    ("key", "lowest", "beyond"),
    [
        ("min_probability", 0.01, 0),
        ("min_probability", 0.99, 1),
        ("tolerance_deg", 180, 181),
        ("max_frequency_sd_hz", 0.1, 0),
        ("max_frequency_offset_hz", 0.1, 0),
        ("min_peak_ratio", 0.1, 0),
    ],
)
def test_edge_of_a_range_is_allowed_and_beyond_is_not(key, lowest, beyond):
    assert getattr(config_of(gate={key: lowest}).gate, key) == lowest
    said = refused(gate={key: beyond})
    assert said.startswith(f"gate.{key} must be ")


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (
            'channel = "C3"\nrms_uv = 20\n',
            'channel = "C3"\n',
            "gate.veto 2: give amplitude_uv, rms_uv, or both.",
        ),
        ("rms_uv = 20", "rms_uv = 0", "gate.veto 2.rms_uv must be greater than 0, not"),
        ("rms_uv", "rms", "unknown key gate.veto 2.rms; did you mean rms_uv?"),
        ('channel = "O1"\n', "", "gate.veto 1.channel is missing; add it."),
        (
            "weights = { C3 = 1.0, O2 = -0.5 }",
            "weights = { C3 = 0 }",
            "gate.coupling: give at least one weight that is not zero.",
        ),
        (
            "coherence = [0.3, 1.0]\nphase_lag_deg = [150, -150]\n",
            "",
            "gate.coupling: give coherence, phase_lag_deg, or both.",
        ),
        (
            "[0.3, 1.0]",
            "[1.0, 0.3]",
            "gate.coupling: coherence goes from the lowest to the highest.",
        ),
        (
            "[150, -150]",
            "[150, 150]",
            "gate.coupling: phase_lag_deg names no part of the circle: give two other",
        ),
        (
            "[-45, 45]\nmin_amplitude_uv = 2",
            "[-45, 315]",
            "gate.second_band: phase_deg names no part of the circle",
        ),
        (
            "phase_deg = [-45, 45]\nmin_amplitude_uv = 2\n",
            "",
            "gate.second_band: give phase_deg, min_amplitude_uv, or both.",
        ),
        ('stream = "task"\n', "", "gate.marker: give at least one of stream and type."),
        ('open = ["go"]\n', "", "gate.marker.open is missing; add it."),
        ('["go"]', "[]", "gate.marker.open must list 1 or more, not []."),
        ('["go"]', '["stop"]', "gate.marker: stop stands in open and in close."),
        (
            'close = ["stop", "pause"]\ntimeout_s = 5\n',
            "",
            "gate.marker: nothing ever closes the gate: give close or timeout_s.",
        ),
        (
            "min_snr_db = 3\nmin_peak_ratio = 2\n",
            "",
            "gate: spectrum_s goes with min_snr_db or min_peak_ratio, only.",
        ),
        ("min_snr_db", "min_snr", "unknown key gate.min_snr; did you mean min_snr_db?"),
    ],
)
def test_each_mistake_has_its_sentence(before, after, sentence):
    assert before in FULL
    assert complaint(text_with(FULL.replace(before, after))).startswith(sentence)


def test_plan_reads_every_gate_back():
    rows = gate_rows(parsed().gate)
    assert [topic for topic, _ in rows] == ["gate"] + ["and"] * (len(rows) - 1)
    assert [words for _, words in rows] == [
        "none on amplitude: pulses also come while the rhythm is weak",
        "at least 3 dB over the flanks, in the last 1.5 s",
        "a spectral peak 2 times the highest outside the band, in the last 1.5 s",
        "frequency steady within 1 Hz (SD)",
        "frequency at most 1.5 Hz away from the individual one",
        "probability of at least 90 % that the phase is met within 30 deg",
        "not while O1 is more than 100 uV from its baseline, nor 0.4 s on",
        "not while C3 is above 20 uV RMS beyond 20 Hz, nor 0.3 s on",
        "coherence with 1 C3 - 0.5 O2 from 0.3 to 1",
        "from 150 to -150 deg ahead of 1 C3 - 0.5 O2",
        "6 Hz at a phase from -45 to 45 deg",
        "6 Hz of at least 2 uV",
        MARKER_WORDS,
    ]


def test_full_circle_is_a_range():
    config = parsed(FULL.replace("[150, -150]", "[-180, 179]"))
    lag = gate_rules(config, stream_of()).coupling.phase_lag
    assert np.degrees(lag) == pytest.approx([-180, 359])
