"""LabJack and NI outputs against stand-ins for the vendors' modules."""

import logging
import subprocess
import sys

import pytest
from box_vendors import FakeLjm, FakeNidaqmx

from drivers.base import DriverSettingError, MissingExtra, PortLost, PortMissing
from drivers.labjack import LabJackLine
from drivers.nidaq import NiOutput
from drivers.vendor import import_vendor


class Ticking:
    """A clock that gains a millisecond with each look."""

    def __init__(self):
        self.t = 0.0

    def __call__(self):
        self.t += 1e-3
        return self.t


@pytest.fixture
def ljm(monkeypatch):
    vendor = FakeLjm()
    monkeypatch.setitem(sys.modules, "labjack.ljm", vendor)
    return vendor


@pytest.fixture
def nidaqmx(monkeypatch):
    vendor = FakeNidaqmx()
    monkeypatch.setitem(sys.modules, "nidaqmx", vendor)
    return vendor


def test_importing_our_drivers_imports_no_vendor():
    program = (
        "import sys, drivers.registry, drivers.labjack, drivers.nidaq\n"
        "print(sorted({'labjack', 'nidaqmx'} & {m.split('.')[0] for m in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("output", "module", "words"),
    [
        (LabJackLine(), "labjack.ljm", r"phasegate\[labjack\].*LJM library"),
        (NiOutput("Dev1/port0/line0"), "nidaqmx", r"phasegate\[nidaq\].*NI-DAQmx"),
    ],
)
def test_missing_package_is_one_sentence(monkeypatch, output, module, words):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=words):
        output.open()
    with pytest.raises(DriverSettingError, match="not open"):
        output.fire()
    output.close()


def test_vendor_that_fails_as_it_loads_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "broken_vendor.py").write_text("raise RuntimeError('no library')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(MissingExtra, match="no library"):
        import_vendor("broken_vendor", device="A", extra="b", library="the C library")


def test_labjack_line_is_lowered_raised_and_lowered(ljm):
    output = LabJackLine("470012345", "EIO3", connection="USB", device="T7")
    output.open()
    output.fire()
    output.lower()
    output.fire(1)
    output.close()
    assert ljm.calls[0] == ("openS", "T7", "USB", "470012345")
    levels = [value for _, name, value in ljm.calls[1:] if name == "EIO3"]
    assert levels == [0, 1, 0, 1, 0]
    assert ljm.opened == 0


def test_labjack_stamps_both_sides_of_the_call(ljm):
    output = LabJackLine(now=Ticking())
    output.open()
    call = output.fire()
    assert (call.t_before, call.t_after) == (1e-3, 2e-3)
    output.close()


def test_labjack_that_is_not_there_is_missing(ljm):
    with pytest.raises(PortMissing, match="No LabJack T4 answers as ANY"):
        LabJackLine(device="T4").open()
    with pytest.raises(PortMissing, match="answers as 123"):
        LabJackLine("123").open()


def test_labjack_line_that_cannot_be_lowered_is_refused_and_given_back(ljm):
    ljm.analog.add("FIO4")
    with pytest.raises(DriverSettingError, match="FIO4 of LabJack cannot be lowered"):
        LabJackLine().open()
    assert ljm.opened == 0


def test_lost_labjack_is_noticed_and_closes_with_a_warning(ljm, caplog):
    output = LabJackLine()
    output.open()
    output.check()
    ljm.gone = True
    for call in (output.fire, output.lower, output.check):
        with pytest.raises(PortLost, match="was lost while in use"):
            call()
    with caplog.at_level(logging.WARNING):
        output.close()
    assert "FIO4 may still be up" in caplog.text
    with pytest.raises(PortLost, match="not open"):
        output.check()


@pytest.mark.parametrize(
    "settings", [("",), ("ANY", "DAC0"), ("ANY", "fio4"), ("ANY", "FIO8")]
)
def test_impossible_labjack_settings_are_refused(settings):
    with pytest.raises(DriverSettingError):
        LabJackLine(*settings)
    with pytest.raises(DriverSettingError, match="knows no 'U3'"):
        LabJackLine(device="U3")


def test_opening_twice_is_refused(ljm, nidaqmx):
    for output in (LabJackLine(), NiOutput("Dev1/port0/line0")):
        output.open()
        with pytest.raises(DriverSettingError, match="open already"):
            output.open()
        output.close()


def test_loop_is_told_that_it_cannot_fire(ljm, nidaqmx):
    for output in (LabJackLine(), NiOutput("Dev1/port0/line0")):
        assert not output.capabilities.loop_fires
        output.open()
        with pytest.raises(DriverSettingError, match="calls no vendor's library"):
            output.edges(1)
        output.close()


def test_ni_line_goes_up_and_down(nidaqmx):
    output = NiOutput("Dev1/port0/line0")
    output.open()
    output.fire()
    output.lower()
    output.fire()
    output.close()
    assert [call[1] for call in nidaqmx.calls] == [False, True, False, True, False]
    assert nidaqmx.tasks[0].closed


def test_ni_counter_times_the_pulse_and_starts_again(nidaqmx):
    output = NiOutput("Dev1/ctr0", 1e-3)
    assert output.capabilities.ends_by_itself
    assert output.capabilities.min_pulse_s == 1e-3
    output.open()
    output.fire()
    output.fire()
    output.close()
    assert nidaqmx.tasks[0].counter == ("Dev1/ctr0", 1e-5, 1e-3)
    assert [call[0] for call in nidaqmx.calls] == ["stop", "start"] * 2 + ["stop"]


def test_ni_device_that_is_not_there_is_missing_and_given_back(nidaqmx):
    with pytest.raises(
        PortMissing, match="Dev9/port0/line0 of NI-DAQ cannot be opened"
    ):
        NiOutput("Dev9/port0/line0").open()
    assert nidaqmx.tasks[0].closed
    nidaqmx.no_driver = True
    with pytest.raises(PortMissing, match="install NI-DAQmx"):
        NiOutput("Dev1/port0/line0").open()


def test_lost_ni_device_is_noticed_and_closes_with_a_warning(nidaqmx, caplog):
    output = NiOutput("Dev1/port0/line0")
    output.open()
    output.check()
    nidaqmx.gone = True
    for call in (output.fire, output.lower, output.check):
        with pytest.raises(PortLost, match="was lost while in use"):
            call()
    with caplog.at_level(logging.WARNING):
        output.close()
    assert "may still be up" in caplog.text


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (("",), "is empty"),
        (("Dev1/ctr0",), "needs the width"),
        (("Dev1/port0/line0", 1e-3), "is no counter"),
        (("Dev1/ctr0", 0.0), "must be from"),
        (("Dev1/ctr0", 2.0), "must be from"),
        (("Dev1/ctr0", float("nan")), "must be from"),
    ],
)
def test_impossible_ni_settings_are_refused(settings, words):
    with pytest.raises(DriverSettingError, match=words):
        NiOutput(*settings)


@pytest.mark.parametrize("code", [0, 2, True, 1.0, None])
def test_impossible_codes_are_refused(code):
    for output in (LabJackLine(), NiOutput("Dev1/port0/line0")):
        with pytest.raises(DriverSettingError, match="only the code 1"):
            output.fire(code)
