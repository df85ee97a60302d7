"""The check-up from the ground up: what later subjects rest on comes first."""

from collections.abc import Iterator
from pathlib import Path

from controller.cli.checkup.equipment import examine_equipment
from controller.cli.checkup.finding import Finding
from controller.cli.checkup.installation import examine_installation
from controller.cli.checkup.machine import examine_machine


def examine(config_path: Path | None) -> Iterator[Finding]:
    """Yield findings as they are made.

    Parameters
    ----------
    config_path : Path or None
        A configuration whose stream and output are examined too.
    """
    yield from examine_installation()
    yield from examine_machine()
    if config_path is not None:
        yield from examine_equipment(config_path)
