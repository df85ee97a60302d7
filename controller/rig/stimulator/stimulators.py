"""The stimulator that a configuration names: its keeper started, itself set up."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from controller.config_limits import LimitsSection
from controller.config_stimulator import StimulatorSection
from controller.errors import (
    ConfigError,
    OutputBusy,
    OutputNotFound,
    PhasegateError,
    StimulatorFault,
)
from controller.rig.outputs.wiring import Wiring
from controller.rig.stimulator.setting import StimulatorSetting
from controller.rig.stimulator.state import Kept, where_it_is
from controller.safety.device import DeviceRules
from drivers.base import (
    DriverError,
    DriverSettingError,
    PortBusy,
    PortMissing,
    TriggerEdges,
)
from drivers.keeper.process import KeptStimulator
from drivers.keeper.spec import KeeperSpec
from drivers.sim.process import TwinProcess

AskPerson = Callable[[str], bool]
"""Puts a question about a device to a person, and returns whether the answer is yes."""

OpenStimulator = Callable[..., contextlib.AbstractContextManager["OpenedStimulator"]]
"""`opened_stimulator`, or the same with faults of the simulated device for a test."""

_KINDS: Final[tuple[tuple[type[DriverError], type[PhasegateError]], ...]] = (
    (PortMissing, OutputNotFound),
    (PortBusy, OutputBusy),
    (DriverSettingError, ConfigError),
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OpenedStimulator:
    """A stimulator that is set up, and disarmed.

    Parameters
    ----------
    kept : Kept
    setting : StimulatorSetting
    rules : DeviceRules
    """

    kept: Kept
    setting: StimulatorSetting
    rules: DeviceRules


@contextlib.contextmanager
def opened_stimulator(
    stimulator: StimulatorSection,
    limits: LimitsSection,
    *,
    log: Path,
    edges: TriggerEdges | None,
    wiring: Wiring,
    ask_person: AskPerson,
    twin_options: tuple[str, ...] = (),
) -> Iterator[OpenedStimulator]:
    """Start the keeper and set the intensity; the device is disarmed at the end.

    Parameters
    ----------
    stimulator : StimulatorSection
    limits : LimitsSection
    log : Path
        Where a simulated device logs.
    edges : TriggerEdges or None
        Of the open trigger output: whoever ends first, the keeper lowers the line.
    wiring : Wiring
    ask_person : callable
    twin_options : tuple of str
        Further arguments of the simulated device's process, faults for example.

    Raises
    ------
    ConfigError, OutputNotFound, OutputBusy, StimulatorFault
        Also if the device needs longer from pulse to pulse than the study allows.
    """
    if limits.stimulator is None:
        raise ConfigError(
            "There is a [stimulator], but limits.stimulator is missing; say what the "
            "study allows of it."
        )
    rules = limits.stimulator.to_rules()
    with kept_stimulator(
        stimulator,
        log=log,
        edges=edges,
        wiring=wiring,
        ask_person=ask_person,
        twin_options=twin_options,
    ) as kept:
        setting = StimulatorSetting(kept, rules, stimulator.intensity_pct_mso)
        with stimulator_errors():
            setting.set_up()
        _check_interval(kept, limits.min_interval_s, stimulator)
        yield OpenedStimulator(kept=kept, setting=setting, rules=rules)


@contextlib.contextmanager
def kept_stimulator(
    stimulator: StimulatorSection,
    *,
    log: Path,
    edges: TriggerEdges | None,
    wiring: Wiring,
    ask_person: AskPerson,
    twin_options: tuple[str, ...] = (),
) -> Iterator[KeptStimulator]:
    """Start the keeper, which disarms the device; parameters as `opened_stimulator`.

    Raises
    ------
    ConfigError, OutputNotFound, OutputBusy, StimulatorFault
    """
    with contextlib.ExitStack() as stack:
        with stimulator_errors():
            port = str(getattr(stimulator, "port", ""))
            if stimulator.has_twin:
                arguments = [*_twin_arguments(stimulator, wiring), *twin_options]
                twin = TwinProcess(stimulator.driver_name, *arguments, log=log)
                stack.enter_context(twin)
                port = twin.port
            kept = KeptStimulator(_spec(stimulator, port), edges, ask_person)
            stack.callback(kept.close)
            kept.open()
        yield kept


@contextlib.contextmanager
def stimulator_errors() -> Iterator[None]:
    """Turn errors of a stimulator's driver into ours within a block."""
    try:
        yield
    except DriverError as error:
        ours = (our for theirs, our in _KINDS if isinstance(error, theirs))
        raise next(ours, StimulatorFault)(str(error)) from error


def _check_interval(
    kept: KeptStimulator, allowed_s: float, stimulator: StimulatorSection
) -> None:
    needed_s = kept.min_interval_s
    if not allowed_s >= needed_s:
        raise ConfigError(
            f"limits.min_interval_s is {allowed_s:g} s, but the {where_it_is(kept)} "
            f"needs {needed_s:g} s from pulse to pulse at "
            f"{stimulator.intensity_pct_mso:g} %; give at least that."
        )


def _spec(stimulator: StimulatorSection, port: str) -> KeeperSpec:
    return KeeperSpec(
        driver=stimulator.driver_name,
        port=port,
        simulated=stimulator.simulated,
        settings=_SETTINGS.get(stimulator.driver_name, _none)(stimulator),
        unlock_code=_unlock_code(getattr(stimulator, "unlock_file", None)),
    )


def _none(_: Any) -> dict[str, object]:
    return {}


# Sections differ in their keys; which go with which driver, this table says.
_SETTINGS: Final[Mapping[str, Callable[[Any], dict[str, object]]]] = {
    "magstim-bistim": lambda s: {
        "resolution": s.resolution,
        "pair_interval_s": s.pair_interval_ms / 1e3,
        "second_intensity_pct_mso": s.second_intensity_pct_mso,
    },
    "magstim-rapid": lambda s: {
        "variant": s.variant,
        "mains": s.mains_v,
        "enhanced": s.enhanced,
    },
    "magpro": lambda s: {"hottest_c": s.hottest_c},
    "duomag": lambda s: {"min_interval_s": s.min_interval_s},
    "ttl": lambda s: {"min_interval_s": s.min_interval_s, "name": s.name},
}


def _twin_arguments(stimulator: Any, wiring: Wiring) -> Iterator[str]:
    if stimulator.driver_name == "magstim-rapid":
        yield from ("--variant", stimulator.variant)
        yield from ("--mains", str(stimulator.mains_v))
    if wiring.stimulator_in is not None:
        yield from ("--ttl-in", str(wiring.stimulator_in))
    for end in wiring.from_stimulator:
        yield from ("--ttl-out", str(end))


def _unlock_code(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="latin-1").strip()
    except OSError as error:
        raise ConfigError(
            f"stimulator.unlock_file {path} cannot be read ({error.strerror}); name "
            "the file that holds the unit's code."
        ) from error
