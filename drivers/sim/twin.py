"""What every simulated device promises to `python -m drivers.sim`."""

import argparse
from typing import ClassVar, Protocol, Self

from drivers.sim.arrival_log import ArrivalLog
from drivers.sim.lifetime import Lifetime
from drivers.sim.pseudo_port import PseudoPort


class Twin(Protocol):
    """The simulated counterpart of one device."""

    summary: ClassVar[str]
    example: ClassVar[str]

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Add the options of this device to those that all devices share."""
        ...

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Self:
        """Return the device that the options describe.

        Raises
        ------
        DriverSettingError
            If they contradict each other.
        """
        ...

    def run(self, port: PseudoPort, log: ArrivalLog, lifetime: Lifetime) -> None:
        """Be the device, until its lifetime ends, also when it has failed before."""
        ...
