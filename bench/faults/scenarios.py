"""The faults: each done to a session that has been seen to fire."""

import dataclasses
import os
import resource
import signal
from collections.abc import Callable

from bench.faults.evidence import Reason
from bench.faults.reasons import controller_died, fault_with, held_as, refused_as
from bench.faults.rig import Rig
from controller.core.reasons import Artifact, HoldReason
from controller.engine.clock import host_clock
from controller.errors import (
    EXIT_INTERRUPTED,
    ConfigChanged,
    ConsoleLost,
    EngineFault,
    OutputLost,
    RecordingError,
    SignalFault,
    StimulatorFault,
    StreamLost,
)
from controller.safety.interlock import Refusal
from controller.session.load import Session
from controller.session.recording.rings import open_rings, rings_of

_LATE_S = 0.1
_STALL_CUE = "stall"
_HOT = ("--heat-c-per-kj", "150")
_UNCHARGED = ("--charger-fails-after", "2")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One fault.

    Parameters
    ----------
    name : str
    strike : callable
        Does it, to a rig that has just fired, and returns when; None where a device
        does it by itself.
    t_fault : callable or None
        Finds in the records when it was, where nobody did it.
    reason : Reason
        What the records must say.
    exit_codes : frozenset of int
    goes_on : bool
        The session does not end by itself: it only may not fire.
    source_fault : tuple of str
        Options of the simulated participant that do it; the seconds come last.
    stimulator_options : tuple of str
    cue : str or None
        Name of the file whose coming makes the loop stall.
    with_console : bool
        The study requires an operator's console.
    """

    name: str
    strike: Callable[[Rig], float] | None = None
    t_fault: Callable[[Session], float] | None = None
    reason: Reason
    exit_codes: frozenset[int]
    goes_on: bool = False
    source_fault: tuple[str, ...] = ()
    stimulator_options: tuple[str, ...] = ()
    cue: str | None = None
    with_console: bool = False


def _then(do: Callable[[Rig], object]) -> Callable[[Rig], float]:
    """Return a strike whose instant is that before the deed."""

    def strike(rig: Rig) -> float:
        t_fault = host_clock()
        do(rig)
        return t_fault

    return strike


def _signal_source(number: int) -> Callable[[Rig], float]:
    return _then(lambda rig: os.kill(rig.source.pid or 0, number))


def _fill_disk(rig: Rig) -> None:
    """Give the recorder's process not a byte more."""
    (path,) = rings_of(rig.session)
    recorder = int(open_rings(path).recorder["pid"][0])
    _, hard = resource.prlimit(recorder, resource.RLIMIT_FSIZE)
    resource.prlimit(recorder, resource.RLIMIT_FSIZE, (1, hard))


def _unplug_box(rig: Rig) -> float:
    """Unplug the trigger box between two triggers."""
    rig.wait_for(lambda: rig.box.arrivals()[-1].code == 0, 1.0, "a falling edge")
    return _then(lambda rig: rig.box_cable.cut())(rig)


def _edit_config(rig: Rig) -> None:
    text = rig.config.read_text(encoding="utf-8")
    rig.config.write_text(
        text.replace("intensity_pct_mso = 45", "intensity_pct_mso = 55"),
        encoding="utf-8",
    )


def _at_pulse(number: int) -> Callable[[Rig], float]:
    """Return a strike that a device does by itself, with its pulse of that number."""
    return lambda rig: rig.wait_for_pulses(number)


def _first(flag: Artifact) -> Callable[[Session], float]:
    def find(session: Session) -> float:
        samples = session.samples
        bad = samples["artifacts"].astype(int) & int(flag) != 0
        return float(samples["t_arrival"][bad][0])

    return find


def _first_late(session: Session) -> float:
    samples = session.samples
    late = samples["t_arrival"] - samples["t_sample"] > _LATE_S
    # Whatever waited for the first receiver is late as well.
    steady = samples["t_arrival"] > samples["t_arrival"][0] + 1.0
    return float(samples["t_arrival"][late & steady][0])


def _last_sample(session: Session) -> float:
    return float(session.samples["t_arrival"][-1])


_LOST = frozenset({StreamLost.exit_code})
_SIGNAL = frozenset({SignalFault.exit_code})
_DEVICE = frozenset({StimulatorFault.exit_code})
_OPERATOR = frozenset({EXIT_INTERRUPTED})

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="stream killed",
        strike=_signal_source(signal.SIGKILL),
        reason=fault_with("The stream has ended"),
        exit_codes=_LOST,
    ),
    Scenario(
        name="stream frozen",
        strike=_signal_source(signal.SIGSTOP),
        reason=fault_with("has sent nothing", "limits.max_silence_s"),
        exit_codes=_LOST,
    ),
    Scenario(
        name="stream late",
        source_fault=("--late-at",),
        t_fault=_first_late,
        reason=held_as(HoldReason.STALE_DATA),
        exit_codes=_OPERATOR,
        goes_on=True,
    ),
    Scenario(
        name="stream jumped back",
        source_fault=("--backward-at",),
        t_fault=_last_sample,
        reason=fault_with("lies 98.0 ms before"),
        exit_codes=_SIGNAL,
    ),
    Scenario(
        name="stream jumped ahead",
        source_fault=("--gap-s", "0.4", "--gap-at"),
        t_fault=_last_sample,
        reason=fault_with("The stream skipped", "limits.max_gap_s"),
        exit_codes=_SIGNAL,
    ),
    Scenario(
        name="stream not a number",
        source_fault=("--fault-channel", "O1", "--fault-s", "99", "--nan-at"),
        t_fault=_first(Artifact.NON_FINITE),
        reason=fault_with("Channel O1", "not a number"),
        exit_codes=_SIGNAL,
    ),
    Scenario(
        name="stream saturated",
        source_fault=("--fault-channel", "O1", "--fault-s", "99", "--saturate-at"),
        t_fault=_first(Artifact.SATURATED),
        reason=fault_with("Channel O1", "rail"),
        exit_codes=_SIGNAL,
    ),
    Scenario(
        name="supervisor killed",
        strike=_then(lambda rig: rig.program.kill()),
        reason=controller_died,
        exit_codes=frozenset({-signal.SIGKILL}),
    ),
    Scenario(
        name="console gone",
        with_console=True,
        strike=_then(lambda rig: rig.console.kill() if rig.console else None),
        reason=fault_with("The console has said nothing"),
        exit_codes=frozenset({ConsoleLost.exit_code}),
    ),
    Scenario(
        name="loop thread stalled",
        cue=_STALL_CUE,
        strike=_then(lambda rig: (rig.folder / _STALL_CUE).touch()),
        reason=fault_with("The loop has hung"),
        exit_codes=frozenset({EngineFault.exit_code}),
    ),
    Scenario(
        name="trigger port unplugged",
        strike=_unplug_box,
        reason=fault_with("/dev/pts/"),
        exit_codes=frozenset({OutputLost.exit_code}),
    ),
    Scenario(
        name="stimulator port unplugged",
        strike=_then(lambda rig: rig.stimulator_cable.cut()),
        reason=fault_with("/dev/pts/"),
        exit_codes=_DEVICE,
    ),
    Scenario(
        name="stimulator silent",
        strike=_then(lambda rig: rig.stimulator_cable.mute()),
        reason=fault_with("Magstim"),
        exit_codes=_DEVICE,
    ),
    Scenario(
        name="stimulator replies wrong",
        strike=_then(lambda rig: rig.stimulator_cable.spoil()),
        reason=fault_with("Magstim"),
        exit_codes=_DEVICE,
    ),
    Scenario(
        name="coil hot",
        stimulator_options=_HOT,
        strike=_at_pulse(2),
        reason=fault_with("the coil is hotter than limits.stimulator allows"),
        exit_codes=_DEVICE,
    ),
    Scenario(
        name="stimulator uncharged",
        stimulator_options=_UNCHARGED,
        strike=_at_pulse(2),
        reason=refused_as(Refusal.DEVICE_NOT_READY),
        exit_codes=_OPERATOR,
        goes_on=True,
    ),
    Scenario(
        name="disk full",
        strike=_then(_fill_disk),
        reason=fault_with("took no more of"),
        exit_codes=frozenset({RecordingError.exit_code}),
    ),
    Scenario(
        name="configuration edited",
        strike=_then(_edit_config),
        reason=fault_with("was changed while the session ran"),
        exit_codes=frozenset({ConfigChanged.exit_code}),
    ),
)
