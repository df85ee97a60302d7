"""The stimulators that a keeper can keep, by name."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from drivers.base import DriverSettingError
from drivers.duomag.stimulator import DuoMagStimulator
from drivers.keeper.spec import KeeperSpec
from drivers.magpro.settings import MagProSettings
from drivers.magpro.stimulator import MagProStimulator
from drivers.magstim.connect import magstim_200, magstim_bistim, magstim_rapid
from drivers.magstim.models import ModelBistim
from drivers.magstim.stimulator import MagstimStimulator
from drivers.stimulator import Confirm, Stimulator
from drivers.ttl_stimulator import TtlStimulator

# Settings come as JSON; the drivers themselves refuse what they cannot take.
_Make = Callable[[KeeperSpec, Confirm, Any], Stimulator]


def _magpro(spec: KeeperSpec, _: Confirm, settings: Any) -> Stimulator:
    return MagProStimulator(
        spec.port, settings=MagProSettings(**settings), simulated=spec.simulated
    )


STIMULATORS: Final[Mapping[str, _Make]] = {
    "magstim-200": lambda spec, _, __: magstim_200(spec.port, simulated=spec.simulated),
    "magstim-bistim": lambda spec, _, settings: magstim_bistim(
        spec.port, resolution=settings["resolution"], simulated=spec.simulated
    ),
    "magstim-rapid": lambda spec, _, settings: magstim_rapid(
        spec.port,
        unlock_code=spec.unlock_code,
        simulated=spec.simulated,
        **settings,
    ),
    "magpro": _magpro,
    "duomag": lambda spec, confirm, settings: DuoMagStimulator(
        spec.port, confirm=confirm, simulated=spec.simulated, **settings
    ),
    "ttl": lambda spec, confirm, settings: TtlStimulator(
        confirm, simulated=spec.simulated, **settings
    ),
}


def make_stimulator(spec: KeeperSpec, confirm: Confirm) -> Stimulator:
    """Return the driver of a stimulator, not open.

    Raises
    ------
    DriverSettingError
        If there is none of this name.
    """
    if spec.driver not in STIMULATORS:
        raise DriverSettingError(
            f"There is no stimulator {spec.driver!r}; choose one of "
            f"{', '.join(STIMULATORS)}."
        )
    return STIMULATORS[spec.driver](spec, confirm, spec.settings)


def prepare(stimulator: Stimulator, spec: KeeperSpec) -> None:
    """Set up an open device beyond its intensity: the second pulse of a BiStim².

    Raises
    ------
    StimulatorRefused, StimulatorSilent
    """
    if spec.driver != "magstim-bistim":
        return
    settings: Any = spec.settings
    stimulator.set_pair(settings["pair_interval_s"])
    if isinstance(stimulator, MagstimStimulator) and isinstance(
        stimulator.model, ModelBistim
    ):
        stimulator.model.set_power_b(settings["second_intensity_pct_mso"])
