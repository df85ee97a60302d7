"""The simulated devices, by name."""

from collections.abc import Mapping
from typing import Final

from drivers.sim.serial_byte import SerialByteTwin
from drivers.sim.twin import Twin

TWINS: Final[Mapping[str, type[Twin]]] = {
    "serial-byte": SerialByteTwin,
}
