from pathlib import Path

import pytest

from controller.cli.plan import limit_rows, montage_words, most_pulses, plan_rows
from controller.cli.settings import Settings
from controller.cli.shipped import shipped_config
from controller.config import Config, Montage, SyntheticSource, load_config
from controller.report.words import MINUS

SHIPPED = sorted(shipped_config("demo.toml").parent.glob("*.toml"))


def changed(table: str, **keys: object) -> Config:
    settings = Settings.read(shipped_config("demo.toml"))
    settings.put(table, **keys)
    return settings.parsed()[0]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_configuration_passes(invoke, path: Path) -> None:
    result = invoke("check", path)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.endswith(f"{path} is valid.\n")


def test_check_tells_the_plan_in_words(invoke) -> None:
    out = invoke("check", shipped_config("alpha-peak-serial.toml")).stdout
    words = " ".join(out.split())
    for part in (
        "the LSL stream with type 'EEG'",
        f"1 C3 {MINUS} 0.25 FC1 {MINUS} 0.25 FC5 {MINUS} 0.25 CP1 {MINUS} 0.25 CP5",
        "the peak (0°)",
        "a pulse every 2 to 3 s",
        "REAL: byte 1 to /dev/ttyUSB0",
        "asked for after calibration",
        "1:00 rest, then 20:00 closed loop",
        "at most 600; that is the limit",
        "max_data_age_ms 50 0.1 to 200",
    ):
        assert part in words


def test_check_gives_each_limit_a_line_and_its_source_another(invoke) -> None:
    lines = invoke("check", shipped_config("demo.toml")).stdout.splitlines()
    (at,) = (n for n, line in enumerate(lines) if line.startswith("max_gap_s "))
    assert lines[at].split()[2:] == ["0", "to", "5"]
    assert lines[at + 1].startswith("    our choice: after 5 s the calibration")
    assert max(len(line) for line in lines) <= 80


def test_check_json_has_the_limits_beside_their_ranges(invoke, read_json) -> None:
    told = read_json(invoke("check", shipped_config("demo.toml"), "--json"))
    assert told["valid"] is True
    assert told["plan"]["target"] == "the peak (0°)"
    lateness = next(r for r in told["limits"] if r["name"] == "max_lateness_ms")
    assert (lateness["value"], lateness["highest"]) == (1.0, 5.0)
    assert lateness["source"]


def test_check_names_every_mistake(invoke, tmp_path: Path, read_json) -> None:
    text = shipped_config("demo.toml").read_text()
    text = text.replace("percentile = 60", "percentil = 60").replace(
        "iti_s = 1.3", "iti_s = -1"
    )
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    result = invoke("check", path, "--json")
    assert result.exit_code == 3
    assert "did you mean percentile?" in result.stderr
    assert "timing.iti_s" in result.stderr
    assert read_json(result)["exit"]["code"] == 3


def test_check_knows_which_estimators_there_are(invoke, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    text = shipped_config("demo.toml").read_text()
    path.write_text(text.replace('kind = "blend"', 'kind = "blnd"'))
    result = invoke("check", path)
    assert result.exit_code == 3
    assert "did you mean 'blend'?" in result.stderr


def test_check_refuses_an_estimator_without_the_rest_it_needs(
    invoke, tmp_path: Path
) -> None:
    path = tmp_path / "restless.toml"
    text = shipped_config("demo.toml").read_text()
    path.write_text(text.replace("rest_s = 30", "rest_s = 0"))
    assert invoke("check", path).exit_code == 3


@pytest.mark.parametrize(
    ("duration_s", "most"),
    [
        (1.0, 1),  # one at once
        (1.04, 1),
        (1.05, 2),  # the next after iti_s - iti_jitter_s = 1.05 s
        (60.0, 58),
        (1000.0, 100),  # limits.max_pulses
    ],
)
def test_most_pulses_counts_the_shortest_intervals(duration_s, most) -> None:
    assert most_pulses(changed("run", duration_s=duration_s)) == most


def test_most_pulses_of_an_open_end_is_the_limit() -> None:
    assert most_pulses(load_config(shipped_config("replay.toml"))) == 1000


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (
            {"amplitude": "open"},
            "none on amplitude: pulses also come while the rhythm is weak",
        ),
        (
            {"amplitude": "absolute", "threshold_uv": 5},
            "amplitude of at least 5 uV",
        ),
        ({}, "amplitude above percentile 60 of the last 60 s"),
    ],
)
def test_gate_in_words(keys, words) -> None:
    assert dict(plan_rows(changed("gate", **keys)))["gate"] == words


@pytest.mark.parametrize(
    ("montage", "words"),
    [
        (Montage(weights={"O1": 0.5, "O2": 0.5}), "0.5 O1 + 0.5 O2"),
        (Montage(weights={"C3": -1.0, "C4": 1.0}), f"{MINUS} 1 C3 + 1 C4"),
        (
            Montage(hjorth="C3", neighbours=("F3", "P3")),
            f"1 C3 {MINUS} 0.5 F3 {MINUS} 0.5 P3",
        ),
        (
            Montage(weights={"Oz": 1.0}, reference="average"),
            "1 Oz, against the average of all EEG channels",
        ),
        (
            Montage(
                weights={"Oz": 1.0}, reference="average", average_over=("C3", "C4")
            ),
            "1 Oz, against the average of C3, C4",
        ),
        (Montage(hjorth="C3"), f"C3 {MINUS} the mean of its neighbours on the head"),
        (
            Montage(ssd="Cz", reference="average"),
            (
                "found by calibration: the component of the rhythm at or beside Cz "
                "(spatio-spectral decomposition), against the average of all EEG "
                "channels"
            ),
        ),
        (
            Montage(file=Path("ica.fif"), component=2),
            ("the weights in ica.fif, component 2"),
        ),
    ],
)
def test_montage_in_words(montage: Montage, words: str) -> None:
    assert montage_words(montage) == words


def test_limits_are_told_in_the_units_of_the_file() -> None:
    rows = {row.name: row for row in limit_rows(changed("run", rest_s=30.0))}
    told = load_config(SHIPPED[0]).limits.model_fields_set - {"modality"}
    assert set(rows) == told
    assert rows["max_data_age_ms"].value == 50
    assert rows["max_data_age_ms"].highest == pytest.approx(200)
    assert rows["min_interval_s"].highest == 3600


def test_third_rhythm_of_the_participant_is_told() -> None:
    source = {"kind": "synthetic", "rhythm_hz": 20, "rhythm_uv": 5, "rhythm_at": "C3"}
    config = changed("run").model_copy(
        update={"source": SyntheticSource.model_validate(source)}
    )
    assert ", 20 Hz under C3, seed " in dict(plan_rows(config))["source"]
