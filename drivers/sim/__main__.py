"""Start a simulated device: `python -m drivers.sim NAME [options]`."""

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from drivers.base import DriverError
from drivers.sim.arrival_log import ArrivalLog
from drivers.sim.catalogue import ALIASES, TWINS
from drivers.sim.lifetime import Lifetime
from drivers.sim.pseudo_port import (
    HAS_PSEUDO_TERMINALS,
    PortKind,
    PseudoPort,
    PseudoPortError,
)

_DESCRIPTION = """\
Start a simulated device on a pseudo-terminal. The one line on standard output,
PORT NAME, says which port to open. The device ends with exit code 0 on SIGTERM and
SIGINT, and when the process that started it ends.
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line, with one sub-command for each device."""
    examples = "\n".join(
        f"  python -m drivers.sim {name} {twin.example}" for name, twin in TWINS.items()
    )
    others = "\n".join(
        f"  {other} = {' '.join(meant)}" for other, meant in ALIASES.items()
    )
    parser = argparse.ArgumentParser(
        prog="python -m drivers.sim",
        description=_DESCRIPTION,
        epilog=f"examples:\n{examples}\n\nother names:\n{others}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = parser.add_subparsers(
        dest="name", required=True, title="devices", metavar="NAME"
    )
    for name, twin in TWINS.items():
        device = names.add_parser(name, help=twin.summary, description=twin.summary)
        device.set_defaults(twin=twin)
        device.add_argument(
            "--log",
            type=Path,
            metavar="FILE",
            help="append a JSON line for each change of the lines, stamped on "
            "CLOCK_MONOTONIC (the LSL clock on Linux); to standard error if left out",
        )
        device.add_argument(
            "--link",
            type=Path,
            metavar="PATH",
            help="also make a symbolic link to the port",
        )
        twin.add_options(device)
    return parser


def spelled_out(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with another name of a device replaced by its own."""
    for place, word in enumerate(arguments):
        if not word.startswith("-"):
            meant = ALIASES.get(word.lower().replace("_", "-"))
            if meant is None:
                break
            return [*arguments[:place], *meant, *arguments[place + 1 :]]
    return list(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one simulated device and return the exit code."""
    parent = os.getppid()
    given = sys.argv[1:] if arguments is None else arguments
    options = build_parser().parse_args(spelled_out(given))
    try:
        _run(options, parent)
    except DriverError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except BrokenPipeError:
        # Whoever started the device ended before it could be told the port.
        return 0
    return 0


def _run(options: argparse.Namespace, parent: int) -> None:
    if not HAS_PSEUDO_TERMINALS:
        raise PseudoPortError(
            "This system has no pseudo-terminals; run simulated devices on Linux or "
            "macOS."
        )
    device = options.twin.from_options(options)
    with Lifetime(parent) as lifetime:
        log = ArrivalLog(options.log)
        port = PseudoPort(options.link, getattr(device, "port_kind", PortKind.SERIAL))
        try:
            # A collection in the middle would delay a stamp.
            gc.freeze()
            gc.disable()
            os.write(sys.stdout.fileno(), f"PORT {port.name}\n".encode())
            device.run(port, log, lifetime)
        finally:
            port.unplug()
            log.close()


if __name__ == "__main__":
    sys.exit(main())
