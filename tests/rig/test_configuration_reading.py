"""Configuration files from the disk, the shipped ones among them."""

import tomllib
from pathlib import Path

import pytest
from bad_days import config_text

from controller.config import load_config, parse_config
from controller.errors import ConfigError

CONFIGS = Path(__file__).parents[2] / "configs"


def test_text_that_is_no_toml() -> None:
    with pytest.raises(ConfigError, match=r"^x.toml is not valid TOML: .*line 1.*\.$"):
        parse_config("= 3", where="x.toml")


def test_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no configuration file .*gone\.toml; "):
        load_config(tmp_path / "gone.toml")


def test_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"x\.toml .* as text: byte 1 is no UTF-8"):
        load_config(path)
    with pytest.raises(ConfigError, match="is a folder; name a file in it"):
        load_config(tmp_path)


def test_file_is_read_as_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text('title = "Größe"\n' + config_text(), encoding="utf-8")
    assert load_config(path).title == "Größe"


@pytest.mark.parametrize(
    "path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem
)
def test_shipped_file_is_valid(path: Path) -> None:
    config = load_config(path)
    assert set(tomllib.loads(path.read_text())["limits"]) == set(
        config.limits.model_dump(exclude_none=True)
    )
    assert config.timing.iti_s >= config.limits.min_interval_s
