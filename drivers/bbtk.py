"""Black Box ToolKit USB TTL module: two hexadecimal characters for each command."""

from typing import Final

from drivers.base import Capabilities, DriverSettingError, TriggerEdges
from drivers.dialogue import Dialogue
from drivers.serial_box import SerialBox, StartDialogue, is_code
from drivers.serial_port import OpenPort, open_serial

BAUD: Final = 115200
RESET: Final = b"RR"
PING: Final = b"##"
PONG: Final = b"XX"

_RESET_S: Final = 0.1
_ANSWER_TIMEOUT_S: Final = 0.5
_PAIR_S: Final = 20 / BAUD
_OUTPUT_S: Final = 254e-6
_USB_FRAME_S: Final = 1e-3
_HEX: Final = frozenset(b"0123456789ABCDEF")

CAPABILITIES: Final = Capabilities(
    codes=range(1, 256),
    ends_by_itself=False,
    min_pulse_s=_PAIR_S,
    min_gap_s=2 * _PAIR_S,
    typical_latency_s=_PAIR_S + _OUTPUT_S + _USB_FRAME_S,
    source="computed: 20 bits a command, the output latency of 254 us that the maker "
    "states, and one frame of full-speed USB; not measured",
)


def encode_code(code: int) -> bytes:
    """Return the command that shows `code`, 0 to 255."""
    return b"%02X" % code


def parse_inputs(received: bytes) -> list[int]:
    """Return the states of the input lines in what a device sent unasked.

    Parameters
    ----------
    received : bytes
        Pairs of characters from the beginning of one; pairs that are no state, and a
        last character without its partner, are left out.
    """
    pairs = (received[i : i + 2] for i in range(0, len(received) - 1, 2))
    return [int(pair, 16) for pair in pairs if _HEX.issuperset(pair)]


class BlackBoxTtl:
    """Trigger output on a Black Box ToolKit USB TTL module.

    Parameters
    ----------
    port : str
        Such as `/dev/ttyUSB0`.
    name : str
        How messages and records call this output.
    simulated : bool
        Whether a simulated twin stands behind the port.
    open_port, start_dialogue : callable
        Replaced in tests only.

    Raises
    ------
    DriverSettingError
        If the port name is empty.
    """

    def __init__(
        self,
        port: str,
        name: str = "Black Box ToolKit USB TTL",
        *,
        simulated: bool = False,
        open_port: OpenPort = open_serial,
        start_dialogue: StartDialogue = Dialogue,
    ) -> None:
        self._box = SerialBox(
            port,
            BAUD,
            name,
            rest=encode_code(0),
            # Two of them, as the device counts in pairs and may be amid one.
            rest_when_lost=2 * encode_code(0),
            open_port=open_port,
            start_dialogue=start_dialogue,
        )
        self._unpaired = b""
        self.name = name
        self.port = port
        self.simulated = simulated
        self.capabilities = CAPABILITIES

    def open(self) -> None:
        """Open the port, reset the module, which lowers all lines, and ask for it.

        Raises
        ------
        PortMissing, PortBusy
        DriverSettingError
            If no such module answers.
        """
        self._unpaired = b""
        self._box.open(self._prepare)

    def close(self) -> None:
        """Lower all lines and close the port."""
        self._box.close()

    def edges(self, code: int) -> TriggerEdges:
        """Return the two writes of a trigger with `code`, from 1 to 255.

        Raises
        ------
        DriverSettingError
            If the port is not open, or the code impossible.
        """
        if not is_code(code, self.capabilities.codes):
            raise DriverSettingError(
                f"{self.name} cannot send the code {code!r}; give a whole number from "
                "1 to 255."
            )
        return TriggerEdges(
            rise=self._box.action(encode_code(code)),
            fall=self._box.action(encode_code(0)),
        )

    def check(self) -> None:
        """Return if the port still answers; changes of the inputs are thrown away.

        Raises
        ------
        PortLost
        """
        self.read_inputs()

    def read_inputs(self) -> list[int]:
        """Return the states that the input lines took since they were last read.

        Raises
        ------
        PortLost
        """
        received = self._unpaired + self._box.check()
        even = len(received) // 2 * 2
        self._unpaired = received[even:]
        return parse_inputs(received)

    def _prepare(self, dialogue: Dialogue) -> None:
        dialogue.send(RESET)
        dialogue.wait(_RESET_S)
        dialogue.drain()
        answer = dialogue.ask(
            PING, lambda received: PONG in received, _ANSWER_TIMEOUT_S
        )
        if PONG not in answer:
            raise DriverSettingError(
                f"No Black Box ToolKit USB TTL module answers at {self.port}; name the "
                "port that it is on, or unplug it and plug it in again."
            )
        self._unpaired = answer.partition(PONG)[2]
