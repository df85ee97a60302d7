"""LabHackers USB2TTL8: text commands, one line each, for eight TTL lines."""

import json
from typing import Final

from drivers.base import Capabilities, DriverSettingError, TriggerEdges
from drivers.dialogue import Dialogue
from drivers.serial_box import SerialBox, StartDialogue, is_code
from drivers.serial_port import OpenPort, open_serial

BAUD: Final = 128000
MODEL: Final = "USB2TTL8"
SET_WRITE_MODE: Final = b"SET DATA_MODE WRITE\n"
GET_CONFIG: Final = b"GET CONFIG\n"

_ANSWER_TIMEOUT_S: Final = 0.5
_SETTLE_S: Final = 0.05
_USB_FRAME_S: Final = 1e-3
_MAX_WIDTH_US: Final = 1_000_000
_CODES: Final = range(1, 256)


def encode_write(code: int, width_us: int | None = None) -> bytes:
    """Return the command that shows `code`, for a width if one is given.

    Parameters
    ----------
    code : int
        0 to 255.
    width_us : int or None
        After which the device lowers all lines by itself.
    """
    if width_us is None:
        return b"WRITE %d\n" % code
    return b"WRITE %d %d 0\n" % (code, width_us)


def parse_config(received: bytes) -> dict[str, object] | None:
    """Return the configuration in what a device sent, or None if there is none.

    Parameters
    ----------
    received : bytes
        Whole lines and a beginning of one; only JSON objects with a model name count.
    """
    for line in received.split(b"\n")[:-1]:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and isinstance(found.get("model_name"), str):
            return found
    return None


def usb2ttl8_capabilities(width_us: int | None) -> Capabilities:
    """Return what the device can do, before anything is measured."""
    width_s = _USB_FRAME_S if width_us is None else width_us / 1e6
    return Capabilities(
        codes=_CODES,
        ends_by_itself=width_us is not None,
        min_pulse_s=width_s,
        min_gap_s=width_s + _USB_FRAME_S,
        typical_latency_s=_USB_FRAME_S,
        source="estimated: one frame of full-speed USB for each command; not measured",
    )


class Usb2Ttl8:
    """Trigger output on a USB2TTL8.

    Parameters
    ----------
    port : str
        Such as `/dev/ttyACM0`.
    name : str
        How messages and records call this output.
    width_us : int or None
        Let the device time the pulse, with the extended form of its command. None, the
        plain form, where the falling edge is a command of its own.
    simulated : bool
        Whether a simulated twin stands behind the port.
    open_port, start_dialogue : callable
        Replaced in tests only.

    Raises
    ------
    DriverSettingError
        If the port name is empty or the width impossible.
    """

    def __init__(
        self,
        port: str,
        name: str = "USB2TTL8",
        *,
        width_us: int | None = None,
        simulated: bool = False,
        open_port: OpenPort = open_serial,
        start_dialogue: StartDialogue = Dialogue,
    ) -> None:
        if width_us is not None and not is_code(width_us, range(1, _MAX_WIDTH_US + 1)):
            raise DriverSettingError(
                f"The width of {name} is {width_us!r} us, but must be a whole number "
                f"from 1 to {_MAX_WIDTH_US}."
            )
        self._box = SerialBox(
            port,
            BAUD,
            name,
            rest=encode_write(0),
            rest_when_lost=b"\n" + encode_write(0),
            open_port=open_port,
            start_dialogue=start_dialogue,
        )
        self._width_us = width_us
        self.name = name
        self.port = port
        self.simulated = simulated
        self.capabilities = usb2ttl8_capabilities(width_us)

    def open(self) -> None:
        """Open the port, ask who is there, set it to write and lower all lines.

        Raises
        ------
        PortMissing, PortBusy
        DriverSettingError
            If no USB2TTL8 answers.
        """
        self._box.open(self._prepare)

    def close(self) -> None:
        """Lower all lines and close the port."""
        self._box.close()

    def edges(self, code: int) -> TriggerEdges:
        """Return the writes of a trigger with `code`, from 1 to 255.

        Raises
        ------
        DriverSettingError
            If the port is not open, or the code impossible.
        """
        if not is_code(code, _CODES):
            raise DriverSettingError(
                f"{self.name} cannot send the code {code!r}; give a whole number from "
                "1 to 255."
            )
        rise = self._box.action(encode_write(code, self._width_us))
        if self._width_us is not None:
            return TriggerEdges(rise=rise, fall=None)
        return TriggerEdges(rise=rise, fall=self._box.action(encode_write(0)))

    def check(self) -> None:
        """Return if the port still answers.

        Raises
        ------
        PortLost
        """
        self._box.check()

    def _prepare(self, dialogue: Dialogue) -> None:
        # The empty line ends whatever an earlier program left unfinished.
        dialogue.send(b"\n" + SET_WRITE_MODE)
        dialogue.ask(b"", lambda _received: False, _SETTLE_S)
        answer = dialogue.ask(
            GET_CONFIG,
            lambda received: parse_config(received) is not None,
            _ANSWER_TIMEOUT_S,
        )
        config = parse_config(answer)
        if config is None:
            raise DriverSettingError(
                f"No {MODEL} answers at {self.port}; name the port that the device "
                "is on, or unplug it and plug it in again."
            )
        if config["model_name"] != MODEL:
            raise DriverSettingError(
                f"The device at {self.port} is a {config['model_name']}, not a "
                f"{MODEL}; name another port or another output."
            )
