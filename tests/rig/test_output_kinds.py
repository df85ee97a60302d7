"""Every kind of trigger output can be named in a configuration, opened and fired."""

import fcntl
import json
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any, get_args

import pytest
from bad_days import assert_one_sentence, config_of
from complaints import refused

from controller.cli.equipment_words import output_words
from controller.config_output import Output
from controller.errors import ConfigError, OutputLost
from controller.rig.outputs.drivers import make_output
from controller.rig.outputs.opened import opened_output, trigger_code
from drivers.base import Capabilities, TriggerEdges
from drivers.registry import BUILT_IN
from drivers.sim.catalogue import TWINS
from drivers.sim.port_calls import environment

SECTIONS = {
    get_args(section.model_fields["kind"].annotation)[0]: section
    for section in get_args(get_args(Output)[0])
}
NEEDED: dict[str, dict[str, Any]] = {
    "mmbts": {"switch": "P"},
    "labjack": {"line": "FIO4"},
    "plug-in": {"driver": "serial-byte", "settings": {"port": "/dev/ttyUSB9"}},
}
SIMULATED = sorted(kind for kind in SECTIONS if kind.startswith("simulated-"))
REAL = sorted(set(SECTIONS) - set(SIMULATED) - {"plug-in"})
PRELOADED = ["simulated-parallel", "simulated-serial-line"]
# One line knows one code.
ONE_LINE = ["simulated-labjack", "simulated-nidaq"]


def section(kind: str, **keys: Any) -> Any:
    needed = NEEDED.get(kind.removeprefix("simulated-"), {})
    port = {"port": "/dev/ttyUSB9"} if kind in REAL else {}
    return config_of(output={"kind": kind} | port | needed | keys).output


def test_every_driver_and_every_twin_of_one_can_be_named() -> None:
    assert set(REAL) == set(BUILT_IN)
    outputs = set(TWINS) & set(BUILT_IN)
    assert {kind.removeprefix("simulated-") for kind in SIMULATED} == outputs


@pytest.mark.parametrize("kind", sorted(SECTIONS))
def test_every_kind_makes_its_driver_and_says_what_it_is(kind: str) -> None:
    output = section(kind)
    driver = make_output(output, port="/dev/ttyUSB9", max_age_s=0.002)
    assert driver.capabilities.loop_fires
    assert trigger_code(output) in driver.capabilities.codes
    assert driver.simulated == output.simulated == (kind in SIMULATED)
    words = output_words(output)
    assert words.startswith("SIMULATED" if kind in SIMULATED else "REAL: ")
    assert f"{output.pulse_ms:g} ms" in words


def show_one(output: Any, log: Path, limits: Any) -> list[int]:
    """Return what the simulated device showed of one trigger."""
    with opened_output(output, log, limits=limits) as (driver, read):
        edges = driver.edges(output.code)
        for action in (edges.rise, edges.fall):
            if action is not None and action.kind == "ioctl":
                fcntl.ioctl(action.descriptor, action.request, action.payload)
            elif action is not None:
                os.write(action.descriptor, action.payload)
        driver.check()
    return [code for _, code in read()]


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(set(SIMULATED) - set(PRELOADED)))
def test_every_simulated_output_shows_the_trigger(kind: str, tmp_path: Path) -> None:
    code = 1 if kind in ONE_LINE else 3
    config = config_of(output={"kind": kind, "code": code} | NEEDED.get(kind[10:], {}))
    shown = show_one(config.output, tmp_path / "device.jsonl", config.limits)
    # Where the lines are bits; all others show the code itself.
    bits = {"simulated-teensy": 1 << 2, "simulated-labjack": 1 << 4}
    assert bits.get(kind, code) in shown
    assert shown[-1] == 0


@pytest.mark.slow
def test_counter_ends_its_pulse_itself(tmp_path: Path) -> None:
    config = config_of(output={"kind": "simulated-nidaq", "timed_by": "device"})
    shown = show_one(config.output, tmp_path / "device.jsonl", config.limits)
    assert shown[-2:] == [1, 0]


@pytest.mark.parametrize("kind", PRELOADED)
def test_twin_behind_preloaded_calls_says_how_to_start(
    kind: str, tmp_path: Path
) -> None:
    with (
        pytest.raises(ConfigError, match=r"start the program as `LD_PRELOAD=/") as told,
        opened_output(section(kind), tmp_path / "x"),
    ):
        pytest.fail("opened")
    assert_one_sentence(str(told.value).replace(" ...`", "`"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", PRELOADED)
def test_twin_behind_preloaded_calls(kind: str, tmp_path: Path) -> None:
    log = tmp_path / "device.jsonl"
    program = (
        "import sys; from pathlib import Path; "
        "from test_output_kinds import config_of, show_one; "
        "config = config_of(output={'kind': sys.argv[1]}); "
        "print(show_one(config.output, Path(sys.argv[2]), config.limits))"
    )
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", program, kind, str(log)],
        env=os.environ | environment() | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    shown = json.loads(done.stdout)
    assert 1 in shown
    assert shown[-1] == 0


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ({"kind": "mmbts", "port": "/dev/x"}, "output.switch is missing"),
        (
            {"kind": "mmbts", "port": "/dev/x", "switch": "P", "pulse_ms": 5},
            "output: with its switch at P the box ends pulses after 8 ms",
        ),
        ({"kind": "labjack", "port": "ANY"}, "output.line is missing"),
        ({"kind": "nidaq"}, "output.port is missing"),
        (
            {"kind": "cedrus", "port": "/dev/x", "pulse_ms": 1.5},
            "output: the device times pulses in whole milliseconds",
        ),
        ({"kind": "teensy", "port": "/dev/x", "code": 9}, "output.code"),
        ({"kind": "serial-line", "port": "/dev/x", "code": 2}, "output.code"),
        ({"kind": "plug-in"}, "output.driver is missing"),
    ],
)
def test_what_could_hurt_has_to_be_said(output: dict[str, Any], sentence: str) -> None:
    assert refused(output=output).startswith(sentence)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "cannot be made with these settings"),
        ({"port": "/dev/x", "bauds": 1}, "cannot be made with these settings"),
    ],
)
def test_settings_that_a_plug_in_does_not_take(
    settings: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    output = section("plug-in", settings=settings)
    with pytest.raises(ConfigError) as caught, opened_output(output, tmp_path / "x"):
        pytest.fail("opened")
    assert_one_sentence(str(caught.value), sentence)


def test_plug_in_that_is_not_installed(tmp_path: Path) -> None:
    output = section("plug-in", driver="serial-bite")
    with pytest.raises(ConfigError) as caught, opened_output(output, tmp_path / "x"):
        pytest.fail("opened")
    assert str(caught.value).endswith("; did you mean serial-byte?")


class Odd:
    """A plug-in's output, as odd as a test wants it."""

    name, port, simulated = "odd box", "nowhere", False

    def __init__(self, can: Capabilities) -> None:
        self.capabilities = can
        self.opened = False

    def open(self) -> None:
        self.opened = True

    def close(self) -> None: ...

    def check(self) -> None: ...

    def edges(self, code: int) -> TriggerEdges:
        raise NotImplementedError


def odd(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Odd:
    can: dict[str, Any] = {
        "codes": range(1, 3),
        "ends_by_itself": False,
        "min_pulse_s": 1e-3,
        "min_gap_s": 0.01,
        "typical_latency_s": 0.0,
        "source": "made up",
    }
    box = Odd(Capabilities(**can | changes))
    found = types.SimpleNamespace(driver=lambda _: lambda **_settings: box)
    monkeypatch.setattr("controller.rig.outputs.drivers.find_drivers", lambda: found)
    return box


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"codes": range(4, 9)},
            "output.code is 1, but the odd box sends codes from 4",
        ),
        ({"min_pulse_s": 0.0051}, "cannot make a pulse shorter than 5.1 ms"),
        (
            {"ends_by_itself": True, "min_pulse_s": 0.004},
            "ends a pulse by itself after 4 ms",
        ),
        ({"min_gap_s": 0.81}, "needs 0.81 s from one trigger to the next"),
    ],
)
def test_what_an_output_cannot_do_is_refused_before_it_is_opened(
    changes: dict[str, Any],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    box = odd(monkeypatch, **changes)
    config = config_of(output={"kind": "plug-in", "driver": "odd"})
    limits = config.limits.model_copy(update={"min_interval_s": 0.8})
    with (
        pytest.raises(ConfigError) as caught,
        opened_output(config.output, tmp_path / "x", limits=limits),
    ):
        pytest.fail("opened")
    assert_one_sentence(str(caught.value), sentence)
    assert not box.opened


def test_gap_that_nobody_knows_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd(monkeypatch, min_gap_s=float("nan"))
    config = config_of(output={"kind": "plug-in", "driver": "odd"})
    with (
        pytest.raises(ConfigError, match="from one trigger to the next"),
        opened_output(config.output, tmp_path / "x", limits=config.limits),
    ):
        pytest.fail("opened")


def test_what_an_output_can_just_do_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = odd(monkeypatch, min_pulse_s=0.005, min_gap_s=0.8, codes=range(1, 2))
    config = config_of(output={"kind": "plug-in", "driver": "odd"})
    limits = config.limits.model_copy(update={"min_interval_s": 0.8})
    with opened_output(config.output, tmp_path / "x", limits=limits) as (driver, read):
        assert driver is box
        assert box.opened
        assert read() == []


def test_bridge_that_cannot_start_says_why(tmp_path: Path) -> None:
    output = section("labjack")
    with pytest.raises(Exception, match="phasegate") as caught:  # noqa: SIM117
        with opened_output(output, tmp_path / "x"):
            pytest.fail("opened")
    assert not isinstance(caught.value, OutputLost)
    assert caught.value.exit_code == 18  # type: ignore[attr-defined]
