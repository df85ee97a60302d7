import subprocess
import sys

import pytest
from click.testing import CliRunner

import controller
from controller.cli.main import cli

HEAVY = ("numba", "scipy", "numpy", "mne", "matplotlib", "pylsl", "pydantic", "rich")


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, controller.cli.main as main\n"
        "try: main.main()\n"
        "except SystemExit: pass\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--help"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.strip().endswith("[]")
    assert "Usage: phasegate" in done.stdout


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_shows_an_example(name: str) -> None:
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0
    example = result.output.partition("Example:\n")[2]
    assert f"    phasegate {name}" in example


def test_overview_cuts_no_sentence_off() -> None:
    lines = CliRunner().invoke(cli, ["--help"]).output.splitlines()
    described = [line for line in lines if line.strip().split(" ")[0] in cli.commands]
    assert len(described) == len(cli.commands)
    assert all(line.endswith(".") and "..." not in line for line in described)
    assert max(len(line) for line in described) <= 79


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_speaks_to_machines(name: str) -> None:
    assert "--json" in CliRunner().invoke(cli, [name, "--help"]).output


def test_version_is_told() -> None:
    result = CliRunner().invoke(cli, ["--version"])
    assert result.output.strip() == f"phasegate, version {controller.__version__}"


@pytest.mark.parametrize(
    "arguments",
    [
        ["fly"],
        ["run"],
        ["demo", "--duration", "0"],
        ["demo", "--duration", "nan"],
        ["demo", "--rest", "-1"],
        ["demo", "--rest", "inf"],
        ["streams", "--wait", "0"],
        ["replay", "x.edf", "--target", "sideways"],
        ["replay", "x.edf", "--target", "361"],
        ["replay", "x.edf", "--target", "nan"],
        ["replay", "x.edf", "--channels", "O1,,O2"],
        ["replay", "x.edf", "--channels", "O1,O1"],
        ["replay", "x.edf", "--band", "gamma"],
        ["replay", "x.edf", "--speed", "0"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 2
    assert "Usage: cli" in result.stderr
    assert result.stdout == ""
