"""The simulated DuoMAG as a device of `python -m drivers.sim`."""

import argparse
from typing import ClassVar, Final, Self

from drivers.sim.arrival_log import ArrivalLog
from drivers.sim.duomag_machine import DuoMagMachine, DuoMagSettings
from drivers.sim.lifetime import Lifetime
from drivers.sim.machine_run import (
    MachineRun,
    TtlPaths,
    add_machine_options,
    frame_faults,
    ttl_paths,
)
from drivers.sim.pseudo_port import PseudoPort

_COLD_ADC: Final = 60
_HOT_ADC: Final = 200


class DuoMagTwin:
    """A Deymed DuoMAG on a pseudo-terminal.

    Parameters
    ----------
    settings : DuoMagSettings
    paths : TtlPaths
    """

    summary: ClassVar[str] = "Deymed DuoMAG stimulator"
    example: ClassVar[str] = "--frames-per-s 200 --old"

    def __init__(self, settings: DuoMagSettings, paths: TtlPaths) -> None:
        self._machine = DuoMagMachine(settings)
        self._paths = paths

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Add the options of this device."""
        device = parser.add_argument_group("device")
        device.add_argument(
            "--frames-per-s",
            type=float,
            default=100.0,
            help="status frames per second (default: %(default)g)",
        )
        device.add_argument("--old", action="store_true", help="send shorter frames")
        device.add_argument("--hot", action="store_true", help="start with a hot coil")
        device.add_argument(
            "--panel-disarmed", action="store_true", help="start disarmed at the unit"
        )
        device.add_argument(
            "--coil-removed-after",
            type=int,
            metavar="N",
            help="take the coil off after N frames",
        )
        device.add_argument(
            "--panel-intensity-after", type=int, nargs=2, metavar=("N", "PERCENT")
        )
        add_machine_options(parser)

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Self:
        """Return the device that the options describe."""
        turned: list[int] | None = options.panel_intensity_after
        settings = DuoMagSettings(
            frames_per_s=options.frames_per_s,
            old=options.old,
            armed_at_panel=not options.panel_disarmed,
            coil_adc=_HOT_ADC if options.hot else _COLD_ADC,
            coil_removed_after=options.coil_removed_after,
            panel_intensity_after=None if turned is None else (turned[0], turned[1]),
            faults=frame_faults(options),
        )
        return cls(settings, ttl_paths(options))

    def run(self, port: PseudoPort, log: ArrivalLog, lifetime: Lifetime) -> None:
        """Be the device until its lifetime ends."""
        MachineRun(self._machine, port, log, self._paths).until_end(lifetime)
