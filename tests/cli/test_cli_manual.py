import re
from pathlib import Path

import pytest

from controller.cli.main import cli
from controller.errors import PhasegateError

MANUAL = Path(__file__).parents[2] / "docs" / "cli.md"


@pytest.fixture(scope="module")
def manual() -> str:
    return MANUAL.read_text(encoding="utf-8")


def test_manual_lists_every_command(manual: str) -> None:
    told = set(re.findall(r"^\| `phasegate (\w+)", manual, re.MULTILINE))
    assert told == set(cli.commands)


def test_manual_lists_every_exit_code(manual: str) -> None:
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", manual, re.MULTILINE)}
    codes = {kind.exit_code for kind in PhasegateError.__subclasses__()}
    assert told == codes | {0, 2, 70, 130}


def test_manual_names_no_option_that_does_not_exist(manual: str) -> None:
    told = set(re.findall(r"--[a-z]+(?:-[a-z]+)*", manual))
    known = {
        option
        for command in cli.commands.values()
        for parameter in command.params
        for option in parameter.opts
    }
    assert told <= known | {"--help"}
