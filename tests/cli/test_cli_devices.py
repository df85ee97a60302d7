import io
import json

import pytest
from rich.console import Console

from controller.cli.device_list import print_drivers, print_ports
from controller.errors import OutputNotFound
from controller.rig.outputs import ports
from controller.rig.outputs.abilities import OutputAbility, stimulator_abilities
from controller.rig.outputs.ports import FoundPort
from drivers.asking import Answer
from drivers.registry import BUILT_IN

USB = FoundPort(
    name="/dev/ttyUSB0",
    stable_name="/dev/serial/by-id/usb-A1",
    description="FT232R",
    usb="0403:6001",
    may_be=("bbtk", "cedrus"),
)
PLAIN = FoundPort(name="/dev/ttyS0")


@pytest.fixture
def listed(monkeypatch) -> list[FoundPort]:
    found: list[FoundPort] = []
    monkeypatch.setattr(ports, "list_ports_here", lambda: found)
    return found


@pytest.fixture
def answers(monkeypatch) -> dict[str, Answer | None]:
    given: dict[str, Answer | None] = {}

    def ask(name: str) -> Answer | None:
        if name not in given:
            raise OutputNotFound(f"There is no serial port {name}.")
        return given[name]

    monkeypatch.setattr(ports, "ask_port", ask)
    return given


def printed(*arguments, of=print_ports) -> str:
    console = Console(file=io.StringIO(), width=200, highlight=False)
    of(*arguments, console=console)
    return console.file.getvalue()


def test_ports_and_drivers_are_listed_and_nothing_is_asked(
    invoke, listed, answers
) -> None:
    listed += [USB, PLAIN]
    result = invoke("devices")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "not asked" in result.stdout
    for name in (*BUILT_IN, "magstim-rapid", "ttl"):
        assert name in result.stdout


def test_named_ports_are_asked_and_stand_first(
    invoke, listed, answers, read_json
) -> None:
    listed += [PLAIN, USB]
    answers[USB.name] = Answer(driver="bbtk", words="Black Box ToolKit")
    result = invoke("devices", USB.name, "--json")
    told = read_json(result)
    assert [port["name"] for port in told["ports"]] == [USB.name, PLAIN.name]
    assert told["ports"][0]["answer"] == {
        "driver": "bbtk",
        "words": "Black Box ToolKit",
    }
    assert [port["asked"] for port in told["ports"]] == [True, False]
    assert {output["name"] for output in told["outputs"]} >= set(BUILT_IN)
    assert json.dumps(told)


def test_asking_prints_the_answers_alone(invoke, listed, answers) -> None:
    listed += [PLAIN, USB]
    answers[USB.name] = None
    result = invoke("devices", USB.name)
    assert "nobody" in result.stdout
    assert PLAIN.name not in result.stdout
    assert "stimulators" not in result.stdout
    assert "Asking who is on /dev/ttyUSB0" in result.stderr


def test_port_that_is_not_there_is_one_sentence(invoke, listed, answers) -> None:
    result = invoke("devices", "/dev/nowhere")
    assert result.exit_code == OutputNotFound.exit_code
    assert "There is no serial port /dev/nowhere." in result.stderr


def test_table_of_ports_says_what_may_be_there() -> None:
    text = printed([USB, PLAIN])
    assert "not asked; often bbtk or cedrus" in text
    assert "/dev/ttyUSB0 is always /dev/serial/by-id/usb-A1" in text
    assert "no serial and no parallel port" in printed([])


def test_table_of_drivers_says_what_hinders() -> None:
    broken = OutputAbility(name="odd", plug_in=True, can=None, problem="It is broken.")
    text = printed([broken], stimulator_abilities(), of=print_drivers)
    assert "It is broken." in text
    assert "by hand" in text
    assert "[stimulator] kind" in text
    assert "0-110 %" in text or "0-100 %" in text
