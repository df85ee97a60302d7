"""The status bytes of a Magstim: from bits to names, and back."""

import dataclasses
from typing import Final, Self


def _bits(flags: tuple[bool, ...]) -> int:
    return sum(1 << position for position, flag in enumerate(flags) if flag)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentStatus:
    """The first status byte, lowest bit first.

    Parameters
    ----------
    standby, armed, ready : bool
        Exactly one holds in a healthy device; armed means charging, ready charged.
    coil_present, replace_coil : bool
    error_present, error_type : bool
    remote : bool
        Under remote control.
    """

    standby: bool = False
    armed: bool = False
    ready: bool = False
    coil_present: bool = False
    replace_coil: bool = False
    error_present: bool = False
    error_type: bool = False
    remote: bool = False

    @classmethod
    def from_byte(cls, byte: int) -> Self:
        """Return the status in `byte`."""
        return cls(**_named(cls, byte))

    def to_byte(self) -> int:
        """Return the byte of this status."""
        return _bits(dataclasses.astuple(self))

    @property
    def enabled(self) -> bool:
        """Whether a trigger may make a pulse, now or once charged."""
        return self.armed or self.ready


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RapidStatus:
    """The second status byte of a Rapid², lowest bit first."""

    enhanced_power: bool = False
    train_running: bool = False
    waiting: bool = False
    single_pulse: bool = False
    high_voltage_connected: bool = False
    coil_ready: bool = False
    theta_supply: bool = False
    modified_coil_algorithm: bool = False

    @classmethod
    def from_byte(cls, byte: int) -> Self:
        """Return the status in `byte`."""
        return cls(**_named(cls, byte))

    def to_byte(self) -> int:
        """Return the byte of this status."""
        return _bits(dataclasses.astuple(self))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ExtendedStatus:
    """The last two status bytes of a Rapid² with software 9 or later.

    Only the low byte has bits with a published meaning.
    """

    plus_one_module: bool = False
    special_trigger: bool = False
    charge_delay_set: bool = False

    @classmethod
    def from_bytes(cls, _high: int, low: int) -> Self:
        """Return the status in the two bytes."""
        return cls(**_named(cls, low))

    def to_bytes(self) -> bytes:
        """Return the two bytes of this status."""
        return bytes([0, _bits(dataclasses.astuple(self))])


def _named(kind: type, byte: int) -> dict[str, bool]:
    names = [field.name for field in dataclasses.fields(kind)]
    return {name: bool(byte >> place & 1) for place, name in enumerate(names)}


MODES: Final = {
    "0": "single",
    "1": "master, simultaneous",
    "2": "master, BiStim in low resolution",
    "3": "master, independent triggers",
    "4": "master, BiStim in high resolution",
    "Q": "slave of a single",
    "R": "slave, simultaneous",
    "S": "slave, BiStim in low resolution",
    "T": "slave, independent triggers",
}
"""System modes of a BiStim², by the character in the reply to `X`.

The letters are the slave's modes in the order of the digits; which one stands for which
digit is an assumption beyond their order.
"""
