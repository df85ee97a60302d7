"""The simulated stimulators as processes on real pseudo-terminals."""

import json
import os
import signal
import time

import pytest
from stimulator_bench import CODE

from drivers.base import DriverError, PortLost
from drivers.duomag.stimulator import DuoMagStimulator
from drivers.magpro.stimulator import MagProStimulator
from drivers.magstim.connect import magstim_200, magstim_rapid
from drivers.sim.process import TwinError, TwinProcess
from drivers.sim.ttl import TtlInput, TtlOutput
from drivers.stimulator import StimulatorSilent

pytestmark = pytest.mark.slow

TIMEOUT_S = 10.0


def magstim(port):
    driver = magstim_200(port, simulated=True)
    driver._connect_settle_s = 0.0
    return driver


def rapid(port):
    driver = magstim_rapid(port, unlock_code=CODE, simulated=True)
    driver._connect_settle_s = 0.0
    return driver


def duomag(port):
    return DuoMagStimulator(port, confirm=lambda _question: True, simulated=True)


LOCKED = ("--model", "rapid", "--software", "9.1.0", "--unlock", CODE)
DEVICES = [
    pytest.param("magstim", (), magstim, id="magstim"),
    pytest.param("magstim", LOCKED, rapid, id="rapid"),
    pytest.param("magpro", (), MagProStimulator, id="magpro"),
    pytest.param("duomag", (), duomag, id="duomag"),
]


def events(twin):
    if not twin.log.exists():
        return []
    return [json.loads(line) for line in twin.log.read_text().splitlines()]


def attend_until(driver, condition):
    t_end = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < t_end
        time.sleep(0.05)
        driver.attend()


def make_ready(driver):
    driver.open()
    driver.set_intensity(31)
    attend_until(driver, lambda: driver.wait_s() == 0)
    driver.arm()
    attend_until(driver, lambda: driver.status().ready and driver.wait_s() == 0)


@pytest.mark.parametrize(("name", "options", "make"), DEVICES)
def test_edge_makes_a_pulse_that_is_logged_and_forwarded(name, options, make, tmp_path):
    forwarded = TtlInput(tmp_path / "out")
    lines = ("--ttl-in", str(tmp_path / "in"), "--ttl-out", str(tmp_path / "out"))
    with TwinProcess(name, *options, *lines) as twin:
        driver = make(twin.port)
        make_ready(driver)
        trigger = TtlOutput(tmp_path / "in")
        t = time.monotonic()
        trigger.pulse(t)
        attend_until(driver, lambda: any(e["kind"] == "pulse" for e in events(twin)))
        trigger.pulse(time.monotonic() - 60.0)
        trigger.close()
        driver.close()
        attend_for_log(twin, lambda found: found[-1]["kind"] == "disarmed")
    (pulse,) = [e for e in events(twin) if e["kind"] == "pulse"]
    assert 0 <= pulse["t"] - t < 1e-3
    assert pulse["intensity"] == 31.0
    (change,) = forwarded.rises()
    assert (change.t, change.intensity_pct_mso) == (pulse["t"], 31.0)
    forwarded.close()


def attend_for_log(twin, condition):
    t_end = time.monotonic() + TIMEOUT_S
    while not condition(events(twin)):
        assert time.monotonic() < t_end
        time.sleep(0.02)


@pytest.mark.parametrize(("name", "options", "make"), DEVICES)
def test_killed_device_is_a_clean_error(name, options, make):
    with TwinProcess(name, *options) as twin:
        driver = make(twin.port)
        make_ready(driver)
        os.kill(twin.pid, signal.SIGKILL)
        with pytest.raises((PortLost, StimulatorSilent)) as caught:
            attend_until(driver, lambda: False)
        assert str(caught.value).endswith(".")
        with pytest.raises(DriverError):
            driver.disarm()
        driver.close()


def test_host_that_is_gone_leaves_a_magstim_disarmed():
    with TwinProcess("magstim") as twin:
        driver = magstim(twin.port)
        make_ready(driver)
        driver._session._link.close()
        attend_for_log(twin, lambda found: found[-1]["kind"] == "disarmed")
        assert events(twin)[-1]["reason"] == "no command for 1 s"
        driver.close()


def run_for_ever(driver):
    make_ready(driver)
    attend_until(driver, lambda: False)


def test_unplugged_twin_still_disarms_by_its_watchdog():
    with TwinProcess("magstim", "--unplug-after", "30") as twin:
        driver = magstim(twin.port)
        with pytest.raises((PortLost, StimulatorSilent)):
            run_for_ever(driver)
        driver.close()
        attend_for_log(twin, lambda found: found[-1]["kind"] == "disarmed")


@pytest.mark.parametrize(
    "options",
    [
        ("magstim", "--software", "nine"),
        ("magpro", "--auto-disable-s", "-1"),
        ("duomag", "--frames-per-s", "0"),
        ("magstim", "--silent-after", "-1"),
    ],
)
def test_impossible_option_is_a_sentence(options):
    with pytest.raises(TwinError, match="must be"), TwinProcess(*options):
        pass
