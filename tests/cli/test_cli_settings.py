import datetime as dt
import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.cli.settings import Settings, as_toml
from controller.cli.shipped import shipped_config
from controller.errors import ConfigError, FileError
from controller.rig.outputs.latency_file import equipment_of, latency_path

# TOML text is UTF-8, so it has no halves of surrogate pairs.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | texts
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
    ),
    max_leaves=6,
)
documents = st.dictionaries(
    texts, scalars | st.dictionaries(texts, values, max_size=4), max_size=4
)


@given(documents)
def test_toml_reads_back_as_written(document) -> None:
    assert tomllib.loads(as_toml(document)) == document


REAL = shipped_config("alpha-peak-serial.toml")


def test_an_unchanged_file_is_kept_to_the_letter() -> None:
    settings = Settings.read(shipped_config("demo.toml"))
    settings.put("run", rest_s=None, duration_s=None)
    _, text = settings.parsed()
    assert text == shipped_config("demo.toml").read_text()


def test_changes_are_in_config_and_text() -> None:
    settings = Settings.read(shipped_config("demo.toml"))
    settings.put("run", rest_s=20.0, duration_s=None)
    config, text = settings.parsed()
    assert (config.run.rest_s, config.run.duration_s) == (20.0, 60)
    assert tomllib.loads(text)["run"] == {"rest_s": 20.0, "duration_s": 60}


def test_a_table_that_is_missing_is_added(tmp_path: Path) -> None:
    text = shipped_config("demo.toml").read_text().split("[run]")[0]
    path = tmp_path / "no-run.toml"
    path.write_text(text)
    settings = Settings.read(path)
    settings.put("run", duration_s=5.0)
    assert settings.parsed()[0].run.duration_s == 5.0


def test_replay_never_reaches_a_real_output() -> None:
    settings = Settings.read(shipped_config("alpha-peak-serial.toml"))
    settings.put("output", code=7)
    settings.replay(Path("/somewhere/rest.edf"), speed=None)
    config, _ = settings.parsed()
    assert config.output.kind == "simulated-serial-byte"
    assert config.output.code == 7
    assert config.source.kind == "file"
    assert config.source.path == Path("/somewhere/rest.edf")


def test_average_replaces_a_derivation_and_keeps_the_reference() -> None:
    settings = Settings.read(shipped_config("alpha-trough-line.toml"))
    settings.average(("P3", "P4", "Pz", "POz"))
    config, _ = settings.parsed()
    assert config.montage.weights == dict.fromkeys(("P3", "P4", "Pz", "POz"), 0.25)
    assert config.montage.reference == "average"


def test_contradicting_options_are_named() -> None:
    settings = Settings.read(shipped_config("demo.toml"))
    settings.put("timing", iti_s=0.5)
    with pytest.raises(ConfigError, match=r"with these options: .*min_interval_s"):
        settings.parsed()


def test_a_missing_shipped_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"demo\.toml is missing"):
        shipped_config("demo.toml", (tmp_path,))


def test_the_packaged_file_comes_before_that_of_a_checkout(tmp_path: Path) -> None:
    places = (tmp_path / "packaged", tmp_path / "checkout")
    for place in places:
        place.mkdir()
        (place / "demo.toml").write_text("")
    assert shipped_config("demo.toml", places) == places[0] / "demo.toml"
    assert shipped_config("demo.toml", places[1:]) == places[1] / "demo.toml"


@pytest.mark.parametrize(
    ("change", "path", "value"),
    [
        ("gate.percentile=75", ("gate", "percentile"), 75),
        ("gate.percentile = 62.5", ("gate", "percentile"), 62.5),
        ("estimator.kind=wiener", ("estimator", "kind"), "wiener"),
        ('estimator.kind="wiener"', ("estimator", "kind"), "wiener"),
        ("montage.weights.Oz=1.0", ("montage", "weights", "Oz"), 1.0),
        ("new.table.key=true", ("new", "table", "key"), True),
    ],
)
def test_a_change_is_put_where_it_says(change, path, value) -> None:
    settings = Settings.read(shipped_config("demo.toml"))
    settings.assign(change)
    found = settings.tables
    for name in path:
        found = found[name]
    assert found == value
    assert settings.changed


def test_a_key_without_a_value_is_taken_out() -> None:
    settings = Settings.read(shipped_config("demo.toml"))
    settings.assign("gate.percentile=")
    assert "percentile" not in settings.tables["gate"]


def test_a_measured_latency_takes_the_place_of_the_word(tmp_path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        REAL.read_text().replace("latency_ms = 0.0", 'latency_ms = "measured"')
    )
    with pytest.raises(ConfigError, match="--loopback"):
        Settings.read(path)
    kept = {
        "form": "phasegate latency 1",
        "measured": dt.datetime.now(dt.UTC).isoformat(),
        "latency_ms": 4.25,
        "equipment": equipment_of(tomllib.loads(path.read_text())),
    }
    latency_path(path).write_text(json.dumps(kept))
    config, text = Settings.read(path).parsed()
    assert config.output.latency_s == 0.00425
    # The session's records hold the figure, not the word.
    assert "latency_ms = 4.25" in text
