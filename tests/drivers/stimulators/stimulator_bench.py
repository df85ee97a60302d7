"""Twins in virtual time, and the length of a fuzz, for the tests of stimulators.

`FUZZ_EXAMPLES=100000 pytest tests/drivers/stimulators -k fuzz` makes a long search.
"""

import os

from hypothesis import HealthCheck, settings

from drivers.duomag.stimulator import DuoMagStimulator
from drivers.magpro.stimulator import MagProSettings, MagProStimulator
from drivers.sim.duomag_machine import DuoMagMachine, DuoMagSettings
from drivers.sim.magpro_machine import MagProMachine
from drivers.sim.magpro_settings import MagProTwinSettings
from drivers.sim.magstim_machine import MagstimMachine
from drivers.sim.magstim_settings import MagstimSettings
from drivers.sim.outbox import FrameFaults
from drivers.sim.virtual_time import DirectLink, VirtualClock
from drivers.stimulator_conformance import attend_for

CODE = "1234-56789abc-de"

FUZZ = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "150")),
    suppress_health_check=[HealthCheck.too_slow],
)


class Bench:
    """A twin, its clock, and the onlooker's side of it."""

    def __init__(self, machine) -> None:
        self.machine = machine
        self.clock = VirtualClock()
        self.link = DirectLink(machine, self.clock)

    def pass_time(self, seconds):
        self.link.pass_time(seconds)

    def edge(self):
        self.link.edge()

    def pulses(self):
        pulses = [e.intensity for e in self.link.events if e.kind == "pulse"]
        self.link.events.clear()
        return pulses

    def reasons(self, kind):
        return [e.reason for e in self.link.events if e.kind == kind]

    def harmless(self):
        return not self.machine.armed

    def silence(self):
        self.fault(silent_after=0)

    def fault(self, **faults):
        self.machine._out._faults = FrameFaults(**faults)

    def n_frames(self):
        return self.machine._out.n_frames


def magstim(make, **options):
    bench = Bench(MagstimMachine(MagstimSettings(**options)))
    driver = make("twin", link=bench.link, now=bench.clock.now, simulated=True)
    return driver, bench


def magpro(twin=None, **settings):
    bench = Bench(MagProMachine(twin or MagProTwinSettings()))
    driver = MagProStimulator(
        "twin",
        settings=MagProSettings(**settings),
        link=bench.link,
        now=bench.clock.now,
        simulated=True,
    )
    return driver, bench


def duomag(confirm=lambda _question: True, **settings):
    bench = Bench(DuoMagMachine(DuoMagSettings(**settings)))
    driver = DuoMagStimulator(
        "twin", confirm=confirm, link=bench.link, now=bench.clock.now, simulated=True
    )
    return driver, bench


def make_ready(driver, bench, intensity=50):
    """Open the driver, set the intensity, arm, and wait until it is ready."""
    driver.open()
    driver.set_intensity(intensity)
    attend_for(driver, bench, 8.0)
    driver.arm()
    while not driver.status().ready or driver.wait_s() > 0:
        attend_for(driver, bench, 0.1)
    bench.link.events.clear()
