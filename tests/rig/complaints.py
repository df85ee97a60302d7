"""What is said about a configuration that is refused."""

import pytest
from bad_days import config_text

from controller.config import parse_config
from controller.errors import ConfigError


def complaint(text: str) -> str:
    """Return what is said about a file, without its name."""
    with pytest.raises(ConfigError) as caught:
        parse_config(text, where="study.toml")
    said = str(caught.value)
    assert said.startswith("study.toml: ")
    assert "\n" not in said
    assert said[-1] in ".?"
    assert "?." not in said
    return said.removeprefix("study.toml: ")


def refused(**tables: dict[str, object]) -> str:
    return complaint(config_text(**tables))
