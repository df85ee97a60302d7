"""Whatever ends the controller, the stimulator ends disarmed and the line low."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from drivers.sim.process import TwinProcess

STAND_IN = Path(__file__).with_name("kept.py")
# The keeper looks ten times a second; a question to a Magstim takes 60 ms.
WITHIN_S = 1.5


def events(log):
    return [json.loads(line) for line in log.read_text().splitlines()]


def wait_until(what, timeout_s=WITHIN_S):
    t_end = time.monotonic() + timeout_s
    while not (found := what()):
        assert time.monotonic() < t_end, "not in time"
        time.sleep(0.01)
    return found


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.slow
@pytest.mark.parametrize("driver", ["magpro", "duomag", "magstim-200"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_controller_that_is_killed_leaves_no_armed_stimulator(driver, how):
    with (
        TwinProcess(driver.removesuffix("-200")) as device,
        TwinProcess("serial-byte") as box,
        subprocess.Popen(
            [sys.executable, "-P", str(STAND_IN), driver, device.port, box.port],
            stdout=subprocess.PIPE,
            text=True,
        ) as controller,
    ):
        word, keeper = controller.stdout.readline().split()
        assert word == "armed"
        box.wait_for_arrivals(2)
        assert box.arrivals()[-1].code == 1
        t_killed = time.monotonic()
        os.kill(controller.pid, how)
        controller.wait()
        wait_until(lambda: box.arrivals()[-1].code == 0)
        assert box.arrivals()[-1].t_observed - t_killed < 0.5
        disarmed = wait_until(
            lambda: [e for e in events(device.log) if e["kind"] == "disarmed"]
        )
        assert disarmed[-1]["t"] - t_killed < WITHIN_S
        assert not [e for e in events(device.log) if e["kind"] == "pulse"]
        wait_until(lambda: gone(int(keeper)))
