"""A test that any stimulator driver, ours or a plug-in's, can run on its twin.

Nothing may be connected to the stimulator: pulses are triggered. In virtual time it
takes milliseconds.
"""

import contextlib
import math
from collections.abc import Callable
from typing import Final, Protocol

from drivers.base import DriverError
from drivers.stimulator import Stimulator, StimulatorCapabilities, StimulatorRefused

_ATTEND_S: Final = 0.1
_READY_WITHIN_S: Final = 12.0
_FAULT_SEEN_WITHIN_S: Final = 3.0


class StimulatorProbe(Protocol):
    """The device's side of a stimulator under test."""

    def pass_time(self, seconds: float) -> None:
        """Let time pass for driver and device."""
        ...

    def edge(self) -> None:
        """Make an edge on the trigger input."""
        ...

    def pulses(self) -> list[float | None]:
        """Return the intensities of the pulses since the last call, percent."""
        ...

    def harmless(self) -> bool:
        """Return whether a trigger would make no pulse: disarmed, or at 0 %."""
        ...

    def silence(self) -> None:
        """Let the device say nothing any more, though it goes on listening."""
        ...


class StimulatorConformanceError(AssertionError):
    """A promise of `drivers.stimulator.Stimulator` that the driver breaks."""


def check_stimulator(
    make: Callable[[], tuple[Stimulator, StimulatorProbe]], intensity: float = 50.0
) -> None:
    """Check that what `make` returns keeps the promises of a stimulator.

    Parameters
    ----------
    make : callable
        Returns a new driver, not open, and the probe of a new device.
    intensity : float
        Percent of maximum output at which pulses are triggered.

    Raises
    ------
    StimulatorConformanceError
        At the first promise that is broken.
    """
    stimulator, probe = make()
    _check_capabilities(stimulator.capabilities)
    _check_closed(stimulator, "before open()")
    stimulator.open()
    with contextlib.closing(stimulator):
        _check_at_rest(stimulator, probe)
        _check_intensity(stimulator, probe, intensity)
        _check_pulse(stimulator, probe, intensity)
        _check_disarm(stimulator, probe, intensity)
        _arm(stimulator, probe)
    _check_harmless(probe, "after close() while armed")
    stimulator.close()
    _check_closed(stimulator, "after close()")
    stimulator.open()
    stimulator.close()
    _check_harmless(probe, "after a second open() and close()")
    if stimulator.capabilities.reads_back:
        _check_silence(*make(), intensity)


def attend_for(stimulator: Stimulator, probe: StimulatorProbe, seconds: float) -> None:
    """Let time pass with the driver attended as it should be."""
    for _ in range(math.ceil(seconds / _ATTEND_S)):
        probe.pass_time(_ATTEND_S)
        stimulator.attend()


def _promise(kept: bool, sentence: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not kept:
        raise StimulatorConformanceError(sentence)


def _refused(call: Callable[[], object], sentence: str) -> None:
    try:
        call()
    except StimulatorRefused as error:
        _promise(str(error).endswith("."), f"a refusal must be a sentence: {error}")
        return
    raise StimulatorConformanceError(sentence)


def _check_capabilities(capabilities: StimulatorCapabilities) -> None:
    low, high = capabilities.intensity_pct_mso
    _promise(0 <= low < high < math.inf, "intensities must go from 0 or more upwards.")
    latency_s = capabilities.fire_latency_s
    finite = latency_s is None or 0 <= latency_s < 1
    _promise(finite, "fire_latency_s must be below a second, or None.")
    _promise(bool(capabilities.source), "source must say where the figures come from.")


def _check_closed(stimulator: Stimulator, when: str) -> None:
    for name in ("arm", "fire", "status"):
        try:
            getattr(stimulator, name)()
        except DriverError:
            continue
        raise StimulatorConformanceError(f"{name}() {when} must raise a DriverError.")


def _check_at_rest(stimulator: Stimulator, probe: StimulatorProbe) -> None:
    _check_harmless(probe, "after open()")
    status = stimulator.status()
    _promise(not status.armed and not status.ready, "open() must leave it disarmed.")
    probe.edge()
    _promise(not any(probe.pulses()), "an edge while disarmed must make no pulse.")
    _refused(stimulator.fire, "fire() while disarmed must be refused.")


def _check_intensity(
    stimulator: Stimulator, probe: StimulatorProbe, intensity: float
) -> None:
    low, high = stimulator.capabilities.intensity_pct_mso
    for wrong in (math.nan, math.inf, -math.inf, low - 1, high + 1):
        _refused(
            lambda value=wrong: stimulator.set_intensity(value),  # type: ignore[misc]
            f"an intensity of {wrong} must be refused.",
        )
    stimulator.set_intensity(intensity)
    attend_for(stimulator, probe, 8.0)


def _arm(stimulator: Stimulator, probe: StimulatorProbe) -> None:
    stimulator.arm()
    waited_s = 0.0
    while not stimulator.status().ready or stimulator.wait_s() > 0:
        _promise(waited_s < _READY_WITHIN_S, "it must become ready after arm().")
        attend_for(stimulator, probe, _ATTEND_S)
        waited_s += _ATTEND_S


def _check_pulse(
    stimulator: Stimulator, probe: StimulatorProbe, intensity: float
) -> None:
    _arm(stimulator, probe)
    found = stimulator.status().intensity_pct_mso
    _promise(found == intensity, f"status() says {found} %, not {intensity} %.")
    attend_for(stimulator, probe, 5.0)
    _promise(stimulator.status().ready, "attend() must keep it ready.")
    probe.pulses()
    probe.edge()
    attend_for(stimulator, probe, 0.5)
    given = probe.pulses()
    _promise(given == [intensity], f"an edge when ready made {given}, not one pulse.")
    _promise(
        len(stimulator.take_reports()) == int(stimulator.capabilities.confirms_pulses),
        "a pulse must be reported if, and only if, confirms_pulses says so.",
    )
    attend_for(stimulator, probe, stimulator.min_interval_s() + 0.5)
    _promise(not stimulator.wait_s() > 0, "wait_s() must end with min_interval_s().")
    _promise(stimulator.status().ready, "it must be ready after min_interval_s().")
    _check_fire(stimulator, probe)


def _check_fire(stimulator: Stimulator, probe: StimulatorProbe) -> None:
    if stimulator.capabilities.fire_latency_s is None:
        _refused(stimulator.fire, "fire() must be refused where there is no latency.")
        return
    probe.pulses()
    stimulator.fire()
    attend_for(stimulator, probe, 0.5)
    _promise(len(probe.pulses()) == 1, "fire() when ready must make one pulse.")
    stimulator.take_reports()


def _check_disarm(
    stimulator: Stimulator, probe: StimulatorProbe, intensity: float
) -> None:
    stimulator.disarm()
    _check_harmless(probe, "after disarm()")
    probe.edge()
    _promise(not any(probe.pulses()), "an edge after disarm() must make no pulse.")
    stimulator.disarm()
    stimulator.set_intensity(intensity)
    attend_for(stimulator, probe, 8.0)
    _promise(not stimulator.status().armed, "setting the intensity must not arm.")


def _check_silence(
    stimulator: Stimulator, probe: StimulatorProbe, intensity: float
) -> None:
    stimulator.open()
    with contextlib.closing(stimulator):
        stimulator.set_intensity(intensity)
        attend_for(stimulator, probe, 8.0)
        _arm(stimulator, probe)
        probe.silence()
        try:
            attend_for(stimulator, probe, _FAULT_SEEN_WITHIN_S)
        except DriverError:
            pass
        else:
            raise StimulatorConformanceError("attend() must raise when it is silent.")
    probe.pass_time(_FAULT_SEEN_WITHIN_S)
    _check_harmless(probe, "after the device fell silent and close()")


def _check_harmless(probe: StimulatorProbe, when: str) -> None:
    _promise(probe.harmless(), f"a trigger must make no pulse {when}.")
