"""What a keeper is told as it starts."""

import dataclasses
from collections.abc import Mapping
from typing import Self, cast

from drivers.base import WireAction


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class KeeperSpec:
    """A stimulator, and the action that lowers its trigger line.

    Parameters
    ----------
    driver : str
        One of `drivers.keeper.makers.STIMULATORS`.
    port : str
    simulated : bool
    settings : mapping
        What else the driver is called with.
    unlock_code : str or None
        Told over the pipe only: it stands in no argument list, and in no record.
    fall : WireAction or None
        Lowers the trigger line, over an inherited descriptor.
    """

    driver: str
    port: str
    simulated: bool = False
    settings: Mapping[str, object] = dataclasses.field(default_factory=dict)
    unlock_code: str | None = dataclasses.field(default=None, repr=False)
    fall: WireAction | None = None

    def as_fields(self) -> dict[str, object]:
        """Return the fields of the word `start`."""
        fall = None
        if self.fall is not None:
            fall = dataclasses.asdict(self.fall)
            fall["payload"] = self.fall.payload.hex()
        return {
            "driver": self.driver,
            "port": self.port,
            "simulated": self.simulated,
            "settings": dict(self.settings),
            "unlock_code": self.unlock_code,
            "fall": fall,
        }

    @classmethod
    def from_word(cls, word: Mapping[str, object]) -> Self:
        """Return what the word `start` says."""
        fall = cast("dict[str, object] | None", word["fall"])
        action = None
        if fall is not None:
            payload = bytes.fromhex(str(fall.pop("payload")))
            action = WireAction(payload=payload, **fall)  # type: ignore[arg-type]
        code = word["unlock_code"]
        return cls(
            driver=str(word["driver"]),
            port=str(word["port"]),
            simulated=bool(word["simulated"]),
            settings=cast("dict[str, object]", word["settings"]),
            unlock_code=None if code is None else str(code),
            fall=action,
        )
