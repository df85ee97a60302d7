"""Twins of outputs that are no byte protocol: control lines, ppdev, vendors' libraries.

Each is a box of lines on a pseudo-terminal, one byte for each change. What speaks to
it instead of the device's own calls is a preloaded library (`drivers.sim.port_calls`)
or a module that stands where the vendor's would (`drivers/sim/vendor`).
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Final, NoReturn, Self

from drivers.sim.arrival_log import ArrivalLog
from drivers.sim.byte_presets import ByteDevice
from drivers.sim.lifetime import Lifetime
from drivers.sim.line_device import add_line_options, faults_of, latency_of
from drivers.sim.line_twin import LineTwin
from drivers.sim.port_calls import library
from drivers.sim.pseudo_port import PortKind, PseudoPort

VENDOR_PATH: Final = Path(__file__).with_name("vendor")
"""To put in front of PYTHONPATH, for the modules that stand in for the vendors'."""


class _PrintPath(argparse.Action):
    """Print a path and end."""

    def __init__(
        self,
        option_strings: Sequence[str],
        dest: str,
        *,
        find: Callable[[], Path],
        help: str,  # noqa: A002 - as argparse has it
    ) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=help)
        self._find = find

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> NoReturn:
        del namespace, values, option_string
        sys.stdout.write(f"{self._find()}\n")
        parser.exit()


class _LineBoxTwin:
    """A box of lines behind calls that are not its own.

    Parameters
    ----------
    twin : LineTwin
    port_kind : PortKind
    """

    summary: ClassVar[str]
    example: ClassVar[str] = "--log arrivals.jsonl"
    latency_us: ClassVar[float] = 0.0
    wanted_in: ClassVar[str]

    def __init__(self, twin: LineTwin, port_kind: PortKind) -> None:
        self._twin = twin
        self.port_kind = port_kind

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Add the options of this device."""
        parser.add_argument(
            "--print-path",
            action=_PrintPath,
            find=cls.path,
            help=f"print what to put into {cls.wanted_in} of the host's program, and "
            "end",
        )
        add_line_options(parser, latency_us=cls.latency_us, answers=False)

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Self:
        """Return the device that the options describe."""
        device = ByteDevice(latency_of(options), faults_of(options))
        return cls(LineTwin(device, ttl_out=options.ttl_out), cls.kind(options))

    @classmethod
    def kind(cls, options: argparse.Namespace) -> PortKind:
        """Return how the port is marked."""
        del options
        return PortKind.SERIAL

    @staticmethod
    def path() -> Path:
        """Return what the host's program needs."""
        return VENDOR_PATH

    def run(self, port: PseudoPort, log: ArrivalLog, lifetime: Lifetime) -> None:
        """Be the device, until its lifetime ends."""
        self._twin.run(port, log, lifetime)


class SerialLineTwin(_LineBoxTwin):
    """RTS (bit 0) and DTR (bit 1) of a serial port."""

    summary = "control lines of a serial port: RTS is bit 0, DTR is bit 1"
    wanted_in = "LD_PRELOAD"

    @classmethod
    def kind(cls, options: argparse.Namespace) -> PortKind:
        """Return how the port is marked."""
        del options
        return PortKind.LINES

    @staticmethod
    def path() -> Path:
        """Return the library to preload."""
        return library()


class ParallelTwin(_LineBoxTwin):
    """The data lines of a parallel port, through the calls of ppdev."""

    summary = "parallel port, through the calls of ppdev"
    wanted_in = "LD_PRELOAD"

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Add the options of this device."""
        super().add_options(parser)
        parser.add_argument(
            "--held", action="store_true", help="another driver, as lp, has the port"
        )

    @classmethod
    def kind(cls, options: argparse.Namespace) -> PortKind:
        """Return how the port is marked."""
        return PortKind.PARALLEL_HELD if options.held else PortKind.PARALLEL

    @staticmethod
    def path() -> Path:
        """Return the library to preload."""
        return library()


class LabJackTwin(_LineBoxTwin):
    """The lines FIO0 to FIO7 of a LabJack T7, behind a stand-in for `labjack.ljm`."""

    summary = "LabJack T7, behind a stand-in for the module labjack.ljm"
    wanted_in = "PYTHONPATH"


class NidaqTwin(_LineBoxTwin):
    """Eight lines and a counter of an NI device, behind a stand-in for `nidaqmx`."""

    summary = "NI device Dev1, behind a stand-in for the module nidaqmx"
    wanted_in = "PYTHONPATH"
