"""Each trigger box against its twin, in the twin's own process."""

import contextlib
import time

import pytest
from box_bench import perform

from drivers.base import PortLost
from drivers.registry import BUILT_IN
from drivers.sim import latency
from drivers.sim.catalogue import BEHIND_CALLS, TWINS
from drivers.sim.process import TwinError, TwinProcess
from drivers.sim.ttl import TtlInput

pytestmark = pytest.mark.slow

BOXES = sorted((set(TWINS) & set(BUILT_IN)) - BEHIND_CALLS)
OPTIONS = {"arduino-lpt": ["--boot-ms", "0"]}


@contextlib.contextmanager
def opened(name, *options):
    with TwinProcess(name, *OPTIONS.get(name, []), *options) as twin:
        output = BUILT_IN[name](twin.port, simulated=True)
        with contextlib.closing(output):
            output.open()
            yield output, twin


def fire(output, code):
    edges = output.edges(code)
    perform(edges.rise)
    time.sleep(0.012)
    if edges.fall is not None:
        perform(edges.fall)


def shown(name, code):
    """The lines that a code raises: our firmware takes the number of a line."""
    return 1 << (code - 1) if name == "teensy" else code


@pytest.mark.parametrize("name", BOXES)
def test_codes_arrive_in_order_soon_and_end(name):
    with opened(name) as (output, twin):
        t_called = []
        for code in (1, 2, 3):
            t_called.append(time.monotonic())
            fire(output, code)
            output.check()
        output.close()
        assert twin.stop() == 0
        arrived = twin.arrivals()
    rises = [one for one in arrived if one.code]
    assert [one.code for one in rises] == [shown(name, code) for code in (1, 2, 3)]
    assert arrived[-1].code == 0
    for t, rise in zip(t_called, rises, strict=True):
        assert 0 < rise.t_observed - t < 0.1
    stamps = [one.t_observed for one in arrived]
    assert stamps == sorted(stamps)


@pytest.mark.parametrize("name", BOXES)
def test_unplugged_box_is_lost(name):
    with opened(name, "--unplug-after", "2") as (output, twin):
        with pytest.raises((PortLost, OSError)):
            fire_until_lost(output)
        output.close()
        assert twin.stop() == 0
        codes = [one.code for one in twin.arrivals() if one.code]
    assert codes == [shown(name, 1)] * 2


def fire_until_lost(output):
    for _ in range(200):
        fire(output, 1)
        output.check()


@pytest.mark.parametrize("name", sorted(set(BOXES) - {"serial-byte"}))
def test_deaf_box_shows_no_more(name):
    with opened(name, "--deaf-after", "1") as (output, twin):
        for code in (1, 2):
            with contextlib.suppress(PortLost):
                fire(output, code)
        output.close()
        twin.stop()
        codes = [one.code for one in twin.arrivals() if one.code]
    assert codes == [1]


@pytest.mark.parametrize("name", ["bbtk", "cedrus", "mmbts"])
def test_latency_shifts_the_stamps(name):
    with opened(name, "--latency-us", "3e5") as (output, twin):
        t_called = time.monotonic()
        perform(output.edges(1).rise)
        output.close()
        twin.stop()
        (rise,) = [one for one in twin.arrivals() if one.code]
    assert rise.t_observed - t_called >= 0.3


@pytest.mark.parametrize("name", ["usb2ttl8", "teensy"])
def test_changes_go_to_a_virtual_line(name, tmp_path):
    line = TtlInput(tmp_path / "line")
    with (
        contextlib.closing(line),
        opened(name, "--ttl-out", str(tmp_path / "line")) as (
            output,
            twin,
        ),
    ):
        fire(output, 3)
        rises, t_end = [], time.monotonic() + 5.0
        while not rises and time.monotonic() < t_end:
            rises += line.rises()
        arrived = [one for one in twin.wait_for_arrivals(1) if one.code]
    assert [(one.t, one.code) for one in rises] == [
        (one.t_observed, one.code) for one in arrived
    ]


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("bbtk", ("--input-every-ms", "0"), "cannot change every"),
        ("cedrus", ("--product", "mouse"), "invalid choice"),
        ("teensy", ("--drift-ppm", "nan"), "must be within 1000"),
        ("teensy", ("--restart-after", "0"), "must be 1 or more"),
        ("mmbts", ("--unplug-after", "0"), "must be 1 or more"),
        ("usb2ttl8", ("--latency-us", "-1"), "must be 0 or more"),
        ("arduino-lpt", ("--boot-ms", "-1"), "must be 0 or more"),
    ],
)
def test_impossible_options_are_refused(name, options, words):
    with pytest.raises(TwinError, match=words):
        TwinProcess(name, *options).start()


def test_latencies_are_measured_and_printed(capsys):
    assert latency.main(["--pulses", "3", "teensy"]) == 0
    table = capsys.readouterr().out
    assert "| teensy | 3 | " in table
    assert "| teensy, planned | 3 | " in table
    with pytest.raises(SystemExit):
        latency.main(["mouse"])


def test_percentile_is_a_value_of_the_list():
    assert latency.percentile([3.0, 1.0, 2.0, 4.0], 50) == 2.0
    assert latency.percentile([1.0], 99) == 1.0
    assert latency.percentile(list(range(1, 101)), 99) == 99
