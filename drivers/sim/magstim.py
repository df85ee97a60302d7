"""The simulated Magstim as a device of `python -m drivers.sim`."""

import argparse
from typing import ClassVar, Final, Self

from drivers.base import DriverSettingError
from drivers.magstim.codec import Software
from drivers.sim.arrival_log import ArrivalLog
from drivers.sim.lifetime import Lifetime
from drivers.sim.machine_run import (
    MachineRun,
    TtlPaths,
    add_machine_options,
    frame_faults,
    ttl_paths,
)
from drivers.sim.magstim_machine import MagstimMachine
from drivers.sim.magstim_settings import MagstimSettings
from drivers.sim.pseudo_port import PseudoPort

_HOT_C: Final = 41.0
_MILD_C: Final = 24.0
_HEAT_C_PER_KJ: Final = 0.1
_PARTS: Final = 3


class MagstimTwin:
    """A Magstim 200², BiStim² or Rapid² on a pseudo-terminal.

    Parameters
    ----------
    settings : MagstimSettings
    paths : TtlPaths
    """

    summary: ClassVar[str] = "Magstim 200², BiStim² or Rapid² stimulator"
    example: ClassVar[str] = "--model rapid --software 9.1.0 --unlock 1234-56789abc-de"

    def __init__(self, settings: MagstimSettings, paths: TtlPaths) -> None:
        self._machine = MagstimMachine(settings)
        self._paths = paths

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Add the options of this device."""
        device = parser.add_argument_group("device")
        device.add_argument(
            "--model", choices=("200", "bistim", "rapid"), default="200"
        )
        device.add_argument(
            "--software",
            default="8.0.0",
            metavar="VERSION",
            help="of a rapid; from 9 on it is silent until unlocked "
            "(default: %(default)s)",
        )
        device.add_argument(
            "--short-version",
            action="store_true",
            help="echo one character before the version of a rapid, not two",
        )
        device.add_argument("--unlock", metavar="CODE", help="that it waits for")
        device.add_argument(
            "--variant", choices=("rapid", "super", "super-plus"), default="rapid"
        )
        device.add_argument("--mains", type=int, choices=(115, 240), default=240)
        state = parser.add_argument_group("state")
        state.add_argument("--hot", action="store_true", help="start with a hot coil")
        state.add_argument("--replace-coil", action="store_true")
        state.add_argument("--error", action="store_true", help="report an error")
        state.add_argument(
            "--coil-removed-after",
            type=int,
            metavar="N",
            help="take the coil off after N replies",
        )
        state.add_argument(
            "--charger-fails-after",
            type=int,
            metavar="N",
            help="charge no more after N pulses",
        )
        state.add_argument(
            "--heat-c-per-kj",
            type=float,
            default=_HEAT_C_PER_KJ,
            help="how fast pulses warm the coil (default: %(default)g, made up)",
        )
        add_machine_options(parser)

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Self:
        """Return the device that the options describe."""
        settings = MagstimSettings(
            model=options.model,
            software=_software(options.software),
            unlock_code=options.unlock,
            short_version=options.short_version,
            variant=options.variant,
            mains=options.mains,
            seed=options.seed,
            coil_c=_HOT_C if options.hot else _MILD_C,
            replace_coil=options.replace_coil,
            error=options.error,
            coil_removed_after=options.coil_removed_after,
            charger_fails_after=options.charger_fails_after,
            heat_c_per_kj=options.heat_c_per_kj,
            faults=frame_faults(options),
        )
        return cls(settings, ttl_paths(options))

    def run(self, port: PseudoPort, log: ArrivalLog, lifetime: Lifetime) -> None:
        """Be the device until its lifetime ends."""
        MachineRun(self._machine, port, log, self._paths).until_end(lifetime)


def _software(text: str) -> Software:
    parts = text.split(".")
    if len(parts) != _PARTS or not all(part.isdecimal() for part in parts):
        raise DriverSettingError(
            f"--software is {text!r}, but must be three numbers such as 9.1.0."
        )
    major, minor, patch = (int(part) for part in parts)
    return major, minor, patch
