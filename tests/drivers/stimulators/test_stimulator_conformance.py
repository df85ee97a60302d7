"""Every stimulator driver against its twin in virtual time; and a test of the test."""

import contextlib
from functools import partial

import pytest
from stimulator_bench import CODE, duomag, magpro, magstim

from drivers.base import DriverError
from drivers.magstim.connect import magstim_200, magstim_bistim, magstim_rapid
from drivers.stimulator_conformance import (
    StimulatorConformanceError,
    check_stimulator,
)

DEVICES = {
    "200": partial(magstim, magstim_200, model="200"),
    "bistim": partial(magstim, magstim_bistim, model="bistim"),
    "bistim-high": partial(
        magstim, partial(magstim_bistim, resolution="high"), model="bistim"
    ),
    "rapid-8": partial(magstim, magstim_rapid, model="rapid"),
    "rapid-7": partial(magstim, magstim_rapid, model="rapid", software=(7, 1, 0)),
    "magpro": magpro,
    "magpro-long": partial(magpro, fire_form="long"),
    "duomag": duomag,
    "duomag-old": partial(duomag, old=True),
}
for version in ((9, 1, 0), (10, 0, 1), (11, 0, 0)):
    DEVICES[f"rapid-{version[0]}"] = partial(
        magstim,
        partial(magstim_rapid, unlock_code=CODE),
        model="rapid",
        software=version,
        unlock_code=CODE,
    )


@pytest.mark.parametrize("name", DEVICES)
def test_driver_keeps_the_promises_of_a_stimulator(name):
    check_stimulator(DEVICES[name])


def nothing(*_args):
    pass


def quietly(method):
    def call(driver):
        if not driver._session.is_open:
            getattr(type(driver), method)(driver)

    return call


def leave_armed(driver):
    driver._session.is_open = False
    driver._session._link.close()


def arm_at_open(driver):
    type(driver).open(driver)
    driver._session.ask(b"EBx")


def clamp(driver, percent):
    if not 0 <= percent <= 100:
        percent = 50
    type(driver).set_intensity(driver, percent)


def swallow(driver):
    with contextlib.suppress(DriverError):
        type(driver).attend(driver)


@pytest.mark.parametrize(
    ("method", "broken", "complaint"),
    [
        ("disarm", nothing, "after disarm"),
        ("close", leave_armed, "after close"),
        ("open", arm_at_open, "after open"),
        ("arm", nothing, "arm\\(\\) before open"),
        ("arm", quietly("arm"), "become ready"),
        ("attend", nothing, "keep it ready"),
        ("attend", swallow, "attend\\(\\) must raise"),
        ("set_intensity", clamp, "intensity of nan must be refused"),
        ("set_intensity", nothing, "intensity of nan must be refused"),
        ("fire", nothing, "fire\\(\\) before open"),
        ("fire", quietly("fire"), "fire\\(\\) while disarmed"),
        ("wait_s", lambda _driver: 60.0, "become ready"),
        ("take_reports", lambda _driver: [1], "reported if, and only if"),
    ],
)
def test_broken_driver_is_found(method, broken, complaint):
    def make():
        driver, bench = magstim(magstim_200, model="200")
        setattr(driver, method, partial(broken, driver))
        return driver, bench

    with pytest.raises(StimulatorConformanceError, match=complaint):
        check_stimulator(make)
