"""What a configuration file may say, and the one sentence for each mistake in it."""

import pytest
from bad_days import config_of, config_text
from complaints import complaint, refused

from controller.config import Montage, parse_config

SERIAL = {"kind": "serial-byte", "port": "/dev/ttyUSB0"}
LINE = {"kind": "serial-line", "port": "/dev/ttyS0"}
LSL = {"kind": "lsl", "type": "EEG"}
SYNTHETIC = {"kind": "synthetic"}


def test_short_file_is_accepted_with_its_defaults() -> None:
    config = config_of()
    assert config.gate.window_s == 60.0
    assert config.artifact.amplitude_uv == 150.0
    assert config.timing.lock_ms is None
    assert config.output.code == 1
    assert config.source.rail_uv is None
    assert config.run.participant == "unnamed"


@pytest.mark.parametrize(
    ("table", "key", "lowest", "beyond"),
    [
        ("target", "phase_deg", -360, -360.1),
        ("target", "phase_deg", 360, 360.1),
        ("gate", "percentile", 0, -1),
        ("gate", "percentile", 99.9, 100),
        ("gate", "window_s", 10, 9.9),
        ("gate", "window_s", 600, 601),
        ("artifact", "amplitude_uv", 1e-3, 0),
        ("artifact", "gradient_uv_per_ms", 1e-3, 0),
        ("artifact", "flat_s", 1e-3, 0),
        ("artifact", "hold_s", 0, -0.1),
        ("timing", "iti_jitter_s", 0, -0.1),
        ("timing", "refractory_s", 0, -0.1),
        ("timing", "lock_ms", 0.1, 0),
        ("timing", "seed", 0, -1),
        ("rhythm", "frequency_hz", 8, 0),
        ("run", "rest_s", 0, -1),
        ("run", "duration_s", 0.1, 0),
    ],
)
def test_edge_of_a_range_is_allowed_and_beyond_is_not(
    table: str, key: str, lowest: float, beyond: float
) -> None:
    config = config_of(**{table: {key: lowest}})
    assert getattr(getattr(config, table), key) == lowest
    said = refused(**{table: {key: beyond}})
    assert said.startswith(f"{table}.{key} must be ")
    assert said.endswith(f", not {beyond}.")


@pytest.mark.parametrize(
    ("output", "key", "good", "bad"),
    [
        (SERIAL, "code", 255, 256),
        (SERIAL, "code", 1, 0),
        (SERIAL, "baud", 1, 0),
        (SERIAL, "pulse_ms", 0.1, 0),
        (SERIAL, "latency_ms", 0, -0.1),
        (LINE, "pulse_ms", 0.1, 0),
        (LINE, "latency_ms", 0, -0.1),
        (LINE, "line", "dtr", "cts"),
        ({"kind": "simulated-serial-byte"}, "code", 255, 256),
        ({"kind": "simulated-serial-byte"}, "pulse_ms", 0.1, 0),
    ],
)
def test_outputs_refuse_by_their_own_key(
    output: dict[str, object], key: str, good: object, bad: object
) -> None:
    assert getattr(config_of(output=output | {key: good}).output, key) == good
    said = refused(output=output | {key: bad})
    assert said.startswith(f"output.{key} must be ")
    assert repr(bad) in said


def test_port_must_be_named() -> None:
    assert refused(output=SERIAL | {"port": ""}) == (
        "output.port must not be empty, not ''."
    )
    assert refused(output={"kind": "serial-line"}) == (
        "output.port is missing; add it."
    )


@pytest.mark.parametrize("word", ["nan", "inf", "-inf"])
@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("max_gap_s = 0.2", "limits.max_gap_s"),
        ("max_lateness_ms = 2.0", "limits.max_lateness_ms"),
        ("iti_s = 0.3", "timing.iti_s"),
        ("phase_deg = 0", "target.phase_deg"),
        ("hold_s = 0.2", "artifact.hold_s"),
        ("sfreq_hz = 500.0", "source.sfreq_hz"),
        ("weights = { O1 = 0.5", "montage.weights.O1"),
        ("rest_s = 0", "run.rest_s"),
    ],
)
def test_numbers_are_finite(line: str, key: str, word: str) -> None:
    text = config_text()
    assert line in text
    bad = line.rpartition("= ")[0] + "= " + word
    assert complaint(text.replace(line, bad)) == (
        f"{key} must be a finite number, not {word}."
    )


@pytest.mark.parametrize("word", ["true", '"1"', "[1]", "2026-01-01"])
@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("limits", "max_gap_s"),
        ("limits", "max_pulses"),
        ("timing", "iti_s"),
        ("timing", "seed"),
        ("target", "phase_deg"),
        ("artifact", "hold_s"),
        ("run", "rest_s"),
    ],
)
def test_only_numbers_are_numbers(table: str, key: str, word: str) -> None:
    text = config_text(**{table: {key: 1}}, **_room(table))
    assert complaint(text.replace(f"{key} = 1\n", f"{key} = {word}\n")).startswith(
        f"{table}.{key} must be a "
    )


def _room(table: str) -> dict[str, dict[str, object]]:
    return {} if table == "timing" else {"timing": {"iti_s": 3}}


def test_pulses_are_counted_in_whole_numbers() -> None:
    assert refused(limits={"max_pulses": 10.5}) == (
        "limits.max_pulses must be a whole number, not 10.5."
    )


@pytest.mark.parametrize(
    ("tables", "key", "valid"),
    [
        ({"limits": {"max_pulse": 1}}, "limits.max_pulse", "max_pulses"),
        ({"target": {"phase_rad": 1}}, "target.phase_rad", "phase_deg"),
        ({"run": {"durations": 1}}, "run.durations", "duration_s"),
        ({"source": LSL | {"nam": "x"}}, "source.nam", "name"),
        ({"source": SYNTHETIC | {"alpha_z": 1}}, "source.alpha_z", "alpha_hz"),
        ({"output": SERIAL | {"bauds": 1}}, "output.bauds", "baud"),
        ({"output": LINE | {"pulse": 1}}, "output.pulse", "pulse_ms"),
    ],
)
def test_unknown_key_gets_the_nearest_that_is_valid_there(
    tables: dict[str, dict[str, object]], key: str, valid: str
) -> None:
    assert refused(**tables) == f"unknown key {key}; did you mean {valid}?"


def test_unknown_table_gets_the_nearest() -> None:
    assert complaint(config_text() + "[limit]\nx = 1\n") == (
        "unknown key limit; did you mean limits?"
    )


def test_names_of_another_kind_are_not_offered() -> None:
    said = refused(source=SYNTHETIC | {"nam": "x"})
    assert said.startswith("unknown key source.nam; valid here: alpha_hz, ")
    assert " name" not in said


@pytest.mark.parametrize("name", ["lsl", "file", "serial-line", "synthetic", "zzz"])
def test_unknown_table_named_like_a_kind_is_told_like_any_other(name: str) -> None:
    assert f"unknown key {name}; " in complaint(f"{name} = 1\n" + config_text())


def test_unknown_key_named_like_its_kind_keeps_its_name() -> None:
    said = refused(source=LSL | {"lsl": "EEG"})
    assert said.startswith("unknown key source.lsl; ")


def test_kinds_are_listed() -> None:
    assert refused(source={"kind": "lls"}) == (
        "source.kind is 'lls', but must be one of 'lsl', 'synthetic', 'file'."
    )
    said = refused(output={"kind": "serial"})
    for kind in ("serial-byte", "serial-line", "labjack", "simulated-serial-byte"):
        assert f"'{kind}'" in said
    assert refused(output={"kind": "serial-bite"}) == (
        "output.kind is 'serial-bite', which is no kind; did you mean 'serial-byte'?"
    )
    text = config_text().replace('kind = "synthetic"\n', "")
    assert complaint(text) == "source.kind is missing; add it."


def test_montage_of_a_simulated_participant_must_have_its_channels() -> None:
    source = SYNTHETIC | {"channels": ["C3", "Cz"], "emg_channel": "FDI"}
    said = refused(source=source, montage={"weights": {"C3": 1, "O1": -1}})
    assert said == "montage reads O1, but source.channels has only C3, Cz, FDI."
    montage = Montage(hjorth="Cz", neighbours=("C3", "C4"), average_over=("O1",))
    assert montage.labels == ("Cz", "C3", "C4", "O1")


def test_tables_must_be_tables() -> None:
    text = config_text()
    start, end = text.index("[source]"), text.index("[rhythm]")
    said = complaint('source = "lsl"\n' + text[:start] + text[end:])
    assert said == "source must be a table, not 'lsl'."
    assert refused(montage={"weights": 3}) == (
        "montage.weights must be a table, not 3."
    )


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (
            {"source": {"kind": "lsl"}},
            "source: give at least one of name, type and source_id.",
        ),
        (
            {"source": SYNTHETIC | {"channels": []}},
            "source.channels must list 1 or more, not [].",
        ),
        (
            {"montage": {"ssd": "Cz"}},
            "montage: give one of weights, hjorth, ssd and file.",
        ),
        (
            {"montage": {"neighbours": ["F3", "P3"]}},
            "montage: neighbours go with hjorth, at least two of them.",
        ),
        (
            {"montage": {"weights": {"O1": 0.0}}},
            "montage: give at least one weight that is not zero.",
        ),
        (
            {"gate": {"amplitude": "absolute"}},
            'gate: threshold_uv goes with amplitude = "absolute", only.',
        ),
        (
            {"gate": {"threshold_uv": 3}},
            'gate: threshold_uv goes with amplitude = "absolute", only.',
        ),
        (
            {"gate": {"amplitude": "loud"}},
            "gate.amplitude must be 'open', 'absolute' or 'percentile', not 'loud'.",
        ),
        (
            {"rhythm": {"search_hz": [12, 8]}},
            "rhythm: search_hz goes from the lower to the higher frequency.",
        ),
        (
            {"rhythm": {"search_hz": [8, 10, 12]}},
            "rhythm.search_hz must list 2 or fewer, not [8, 10, 12].",
        ),
        (
            {"timing": {"iti_s": 1.0, "iti_jitter_s": 0.8}},
            (
                "timing.iti_s - timing.iti_jitter_s is 0.2 s, shorter than "
                "limits.min_interval_s = 0.25 s."
            ),
        ),
    ],
)
def test_rules_across_keys(tables: dict[str, dict[str, object]], said: str) -> None:
    assert refused(**tables) == said


@pytest.mark.parametrize("line", ['hjorth = "C3"', 'ssd = "Cz"', 'file = "ica.fif"'])
def test_montage_may_leave_its_weights_to_be_found(line: str) -> None:
    text = config_text().replace("weights = { O1 = 0.5, O2 = 0.5 }", line)
    assert parse_config(text, where="x").montage.weights is None


def test_shortest_interval_may_equal_the_limit() -> None:
    config = config_of(
        timing={"iti_s": 1.0, "iti_jitter_s": 0.5}, limits={"min_interval_s": 0.5}
    )
    assert config.timing.iti_jitter_s == 0.5


def test_several_mistakes_are_several_sentences() -> None:
    said = refused(target={"phase_deg": 500}, run={"rest_s": -1, "dura": 3})
    assert said.startswith(
        "target.phase_deg must be less than or equal to 360, not 500. "
    )
    assert "run.rest_s must be greater than or equal to 0, not -1. " in said
    assert said.endswith("unknown key run.dura; did you mean duration_s?")


def test_models_are_frozen() -> None:
    config = config_of()
    with pytest.raises(ValueError, match="frozen"):
        config.limits.max_pulses = 9
