"""Reading a protocol file; the one module of the package that opens files."""

import tomllib
from pathlib import Path
from typing import Any

import pydantic

from controller.config_mistakes import sentences
from controller.errors import ConfigError, not_text
from controller.protocol.consistency import contradictions
from controller.protocol.form import Protocol


def load_protocol(path: Path) -> Protocol:
    """Read a protocol file.

    Raises
    ------
    ConfigError
        One sentence per mistake: the key, the rule, the value, the nearest valid name.
    """
    return parse_protocol(read_text(path), where=str(path))


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises
    ------
    ConfigError
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(
            f"There is no file {path}; the files in configs/ and configs/protocols/ "
            "come along, and `phasegate new` writes another."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise not_text(path, error) from error


def is_protocol(text: str) -> bool:
    """Return whether a text is meant as a protocol rather than as a configuration."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return looks_like_protocol(tables)


def looks_like_protocol(tables: dict[str, Any]) -> bool:
    """Return whether tables have what only a protocol has."""
    telling = {"stages", "conditions", "dose", "randomisation", "modality"}
    return bool(telling & set(tables)) and not {"source", "output"} & set(tables)


def parse_protocol(text: str, *, where: str) -> Protocol:
    """Read a protocol from TOML text; `where` names it in messages.

    Raises
    ------
    ConfigError
    """
    try:
        protocol = Protocol.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where} is not valid TOML: {error}.") from error
    except pydantic.ValidationError as error:
        mistakes = " ".join(sentences(error, Protocol))
        raise ConfigError(f"{where}: {mistakes}") from error
    found = contradictions(protocol)
    if found:
        raise ConfigError(f"{where}: {' '.join(found)}")
    return protocol
