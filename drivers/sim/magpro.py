"""The simulated MagPro as a device of `python -m drivers.sim`."""

import argparse
import math
from typing import ClassVar, Final, Self

from drivers.magpro.codes import Model, Wave
from drivers.sim.arrival_log import ArrivalLog
from drivers.sim.lifetime import Lifetime
from drivers.sim.machine_run import (
    MachineRun,
    TtlPaths,
    add_machine_options,
    frame_faults,
    ttl_paths,
)
from drivers.sim.magpro_machine import MagProMachine
from drivers.sim.magpro_settings import MagProTwinSettings
from drivers.sim.pseudo_port import PseudoPort

_MODELS: Final = {
    "r30": Model.R30,
    "x100": Model.X100,
    "r30-option": Model.R30_OPTION,
    "x100-option": Model.X100_OPTION,
    "r30-option-mono": Model.R30_OPTION_MONO,
    "mst": Model.MST,
}
_WAVES: Final = {
    "monophasic": Wave.MONOPHASIC,
    "biphasic": Wave.BIPHASIC,
    "half-sine": Wave.HALF_SINE,
    "biphasic-burst": Wave.BIPHASIC_BURST,
}
_HOT_C: Final = 44.0
_MILD_C: Final = 21.0


class MagProTwin:
    """A MagVenture MagPro on a pseudo-terminal.

    Parameters
    ----------
    settings : MagProTwinSettings
    paths : TtlPaths
    """

    summary: ClassVar[str] = "MagVenture MagPro stimulator"
    example: ClassVar[str] = "--model x100 --panel-disable-after 40"

    def __init__(self, settings: MagProTwinSettings, paths: TtlPaths) -> None:
        self._machine = MagProMachine(settings)
        self._paths = paths

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Add the options of this device."""
        device = parser.add_argument_group("device")
        device.add_argument("--model", choices=_MODELS, default="x100")
        device.add_argument("--wave", choices=_WAVES, default="biphasic")
        device.add_argument(
            "--coil", type=int, default=72, help="type; 0 for none (default: 72)"
        )
        device.add_argument("--hot", action="store_true", help="start with a hot coil")
        device.add_argument(
            "--auto-disable-s",
            type=float,
            default=math.inf,
            metavar="S",
            help="disable by itself so long after the last pulse (default: never)",
        )
        panel = parser.add_argument_group("front panel, counted in messages sent")
        panel.add_argument("--panel-disable-after", type=int, metavar="N")
        panel.add_argument(
            "--panel-amplitude-after", type=int, nargs=2, metavar=("N", "PERCENT")
        )
        add_machine_options(parser)

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Self:
        """Return the device that the options describe."""
        turned: list[int] | None = options.panel_amplitude_after
        settings = MagProTwinSettings(
            model=_MODELS[options.model],
            wave=_WAVES[options.wave],
            coil=options.coil,
            seed=options.seed,
            coil_c=_HOT_C if options.hot else _MILD_C,
            auto_disable_s=options.auto_disable_s,
            panel_disable_after=options.panel_disable_after,
            panel_amplitude_after=None if turned is None else (turned[0], turned[1]),
            faults=frame_faults(options),
        )
        return cls(settings, ttl_paths(options))

    def run(self, port: PseudoPort, log: ArrivalLog, lifetime: Lifetime) -> None:
        """Be the device until its lifetime ends."""
        MachineRun(self._machine, port, log, self._paths).until_end(lifetime)
