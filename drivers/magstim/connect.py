"""Make the driver of a Magstim from its settings."""

import time
from typing import Final, Literal

from drivers.links import Link, SerialLink
from drivers.magstim.limits import Mains, Variant
from drivers.magstim.models import Model200, ModelBistim
from drivers.magstim.rapid import ModelRapid, RapidSettings
from drivers.magstim.session import MagstimSession
from drivers.magstim.stimulator import MagstimStimulator
from drivers.stimulator import Now

_BAUD: Final = 9600


def magstim_200(
    port: str,
    name: str = "Magstim 200²",
    *,
    simulated: bool = False,
    link: Link | None = None,
    now: Now = time.monotonic,
) -> MagstimStimulator[Model200]:
    """Return the driver of a Magstim 200².

    Parameters
    ----------
    port : str
        Such as `/dev/ttyUSB0`.
    name : str
        How messages and records call it.
    simulated : bool
        Whether a simulated twin stands behind the port.
    link, now
        Way to the device, and clock; replaced in tests.
    """
    session = MagstimSession(link or SerialLink(port, _BAUD), now, name)
    return MagstimStimulator(session, Model200(session), port, simulated=simulated)


def magstim_bistim(
    port: str,
    name: str = "BiStim²",
    resolution: Literal["low", "high"] = "low",
    *,
    simulated: bool = False,
    link: Link | None = None,
    now: Now = time.monotonic,
) -> MagstimStimulator[ModelBistim]:
    """Return the driver of a BiStim²; parameters as for `magstim_200`.

    Parameters
    ----------
    resolution : {"low", "high"}
        Pulse intervals in 1 ms up to 999 ms, or in 0.1 ms up to 99.9 ms.
    """
    session = MagstimSession(link or SerialLink(port, _BAUD), now, name)
    model = ModelBistim(session, resolution)
    return MagstimStimulator(session, model, port, simulated=simulated)


def magstim_rapid(
    port: str,
    name: str = "Rapid²",
    unlock_code: str | None = None,
    variant: Variant = "rapid",
    mains: Mains = 240,
    *,
    enhanced: bool = False,
    ignore_coil_switch: bool = True,
    simulated: bool = False,
    link: Link | None = None,
    now: Now = time.monotonic,
) -> MagstimStimulator[ModelRapid]:
    """Return the driver of a Rapid²; parameters as for `magstim_200`.

    Parameters
    ----------
    unlock_code : str, optional
        For software 9 and later; each unit has its own, from Magstim.
    variant, mains, enhanced, ignore_coil_switch
        As in `drivers.magstim.rapid.RapidSettings`.
    """
    session = MagstimSession(link or SerialLink(port, _BAUD), now, name, unlock_code)
    settings = RapidSettings(
        variant=variant,
        mains=mains,
        enhanced=enhanced,
        ignore_coil_switch=ignore_coil_switch,
    )
    model = ModelRapid(session, settings, has_unlock_code=unlock_code is not None)
    return MagstimStimulator(session, model, port, simulated=simulated)
