"""`[output]`: one section for each kind of trigger output, real or simulated.

A key stands without a default where a wrong guess could move a line that it should not,
or leave one up.
"""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import pydantic
from pydantic import Field

from controller.config_fields import Code, Latency, PortName, Positive, Section
from controller.errors import ConfigError

LineNumber = Annotated[int, Field(strict=True, ge=1, le=8)]
LineMask = Annotated[int, Field(strict=True, ge=1, le=65535)]
OnlyCode = Literal[1]

MMBTS_PULSE_MS = 8.0
"""After which an MMBT-S with its switch at P ends a pulse."""

Setting = bool | int | float | str
"""What a setting of a plug-in may be."""


def _word_or_figure(value: Any, figure: pydantic.ValidatorFunctionWrapHandler) -> Any:
    """Take the word as it is; of anything else, complain as of a figure."""
    return value if value == "measured" else figure(value)


if TYPE_CHECKING:
    LatencyOrWord = float | Literal["measured"]
else:
    LatencyOrWord = Annotated[Latency, pydantic.WrapValidator(_word_or_figure)]


class OutputSection(Section):
    """What every trigger output has."""

    simulated: ClassVar[bool] = False

    kind: str
    pulse_ms: Positive = 5.0
    latency_ms: LatencyOrWord = Field(
        0.0, description='from call to pulse, or "measured": by doctor --loopback'
    )

    @property
    def latency_s(self) -> float:
        """From the call to the pulse, seconds.

        Raises
        ------
        ConfigError
            It is to be the measured one, and nobody has looked that up.
        """
        if isinstance(self.latency_ms, str):
            raise ConfigError(
                'output.latency_ms is "measured", which `phasegate run` and `phasegate '
                "check` look up beside the configuration file; write the figure."
            )
        return self.latency_ms / 1e3

    @property
    def driver_name(self) -> str:
        """Name of the driver, which a simulated output shares with the real one."""
        return self.kind.removeprefix("simulated-")


class RealOutput(OutputSection):
    """An output that moves a line of a device."""

    port: PortName


class SimulatedOutput(OutputSection):
    """An output whose device is a simulated one, in a process of its own."""

    simulated: ClassVar[bool] = True


class ByteCode(OutputSection):
    """An output whose lines show one byte."""

    code: Code = 1


class SerialByteOutput(ByteCode, RealOutput):
    """A box that shows each byte it gets on its trigger lines."""

    kind: Literal["serial-byte"]
    baud: Annotated[int, Field(strict=True, gt=0)] = 115200


class SimulatedSerialByte(ByteCode, SimulatedOutput):
    """The simulated generic trigger box."""

    kind: Literal["simulated-serial-byte"]


class ControlLine(OutputSection):
    """Which of a port's lines."""

    line: Literal["rts", "dtr"] = "rts"
    code: OnlyCode = 1


class LineOutput(ControlLine, RealOutput):
    """A control line of a serial port, wired to the trigger input."""

    kind: Literal["serial-line"]


class SimulatedLine(ControlLine, SimulatedOutput):
    """A simulated control line, for a program with the preloaded calls."""

    kind: Literal["simulated-serial-line"]


class TriggerBoxOutput(ByteCode, RealOutput):
    """A Brain Products TriggerBox, as a serial port."""

    kind: Literal["trigger-box"]


class SimulatedTriggerBox(ByteCode, SimulatedOutput):
    """The simulated TriggerBox."""

    kind: Literal["simulated-trigger-box"]


class MmbtsSwitch(ByteCode):
    """What the box cannot tell of itself."""

    switch: Literal["P", "S"] = Field(
        description="as on the box: at P it ends pulses itself, at S it holds them"
    )
    pulse_ms: Positive = MMBTS_PULSE_MS

    @pydantic.model_validator(mode="after")
    def _width_of_the_box(self) -> Self:
        if self.switch == "P" and self.pulse_ms != MMBTS_PULSE_MS:
            raise ValueError(
                f"with its switch at P the box ends pulses after {MMBTS_PULSE_MS:g} "
                "ms; leave pulse_ms out, or set the switch to S"
            )
        return self


class MmbtsOutput(MmbtsSwitch, RealOutput):
    """A Neurospec MMBT-S."""

    kind: Literal["mmbts"]


class SimulatedMmbts(MmbtsSwitch, SimulatedOutput):
    """The simulated MMBT-S."""

    kind: Literal["simulated-mmbts"]


class ArduinoLptOutput(ByteCode, RealOutput):
    """An Arduino that shows each byte on a parallel port."""

    kind: Literal["arduino-lpt"]


class SimulatedArduinoLpt(ByteCode, SimulatedOutput):
    """The simulated Arduino."""

    kind: Literal["simulated-arduino-lpt"]


class Usb2Ttl8Width(ByteCode):
    """Who ends the pulse."""

    timed_by: Literal["host", "device"] = Field(
        "host", description="who ends the pulse; the device's way is not confirmed"
    )


class Usb2Ttl8Output(Usb2Ttl8Width, RealOutput):
    """A LabHackers USB2TTL8."""

    kind: Literal["usb2ttl8"]


class SimulatedUsb2Ttl8(Usb2Ttl8Width, SimulatedOutput):
    """The simulated USB2TTL8."""

    kind: Literal["simulated-usb2ttl8"]


class BbtkOutput(ByteCode, RealOutput):
    """A Black Box ToolKit USB TTL module."""

    kind: Literal["bbtk"]


class SimulatedBbtk(ByteCode, SimulatedOutput):
    """The simulated module."""

    kind: Literal["simulated-bbtk"]


class CedrusLines(OutputSection):
    """Lines as a mask, width in whole milliseconds: the device ends the pulse."""

    code: LineMask = 1

    @pydantic.model_validator(mode="after")
    def _whole_milliseconds(self) -> Self:
        if not self.pulse_ms.is_integer() or not self.pulse_ms <= 10_000:
            raise ValueError(
                "the device times pulses in whole milliseconds up to 10000; give "
                "such a pulse_ms"
            )
        return self


class CedrusOutput(CedrusLines, RealOutput):
    """A Cedrus c-pod or StimTracker of the second generation."""

    kind: Literal["cedrus"]


class SimulatedCedrus(CedrusLines, SimulatedOutput):
    """The simulated Cedrus device."""

    kind: Literal["simulated-cedrus"]


class ParallelOutput(ByteCode, RealOutput):
    """A parallel port of this computer, through ppdev."""

    kind: Literal["parallel"]


class SimulatedParallel(ByteCode, SimulatedOutput):
    """A simulated parallel port, for a program with the preloaded calls."""

    kind: Literal["simulated-parallel"]


class TeensyLine(OutputSection):
    """A line of the board, which ends the pulse itself."""

    code: LineNumber = Field(1, description="the line, counted from 1")
    pulse_ms: Annotated[float, Field(strict=True, ge=0.01, le=100)] = 5.0
    watchdog_ms: Annotated[int, Field(strict=True, ge=1500, le=60_000)] = Field(
        3000, description="the board disarms itself when it hears nothing for so long"
    )


class TeensyOutput(TeensyLine, RealOutput):
    """A micro-controller with the firmware in drivers/firmware."""

    kind: Literal["teensy"]


class SimulatedTeensy(TeensyLine, SimulatedOutput):
    """The simulated board."""

    kind: Literal["simulated-teensy"]


class LabJackOutput(RealOutput):
    """A line of a LabJack T4 or T7."""

    kind: Literal["labjack"]
    line: PortName = Field(description="such as FIO4")
    device: Literal["ANY", "T4", "T7"] = "ANY"
    connection: Literal["ANY", "USB", "ETHERNET", "WIFI"] = "ANY"
    code: OnlyCode = 1


class SimulatedLabJack(SimulatedOutput):
    """The simulated T7."""

    kind: Literal["simulated-labjack"]
    line: PortName = Field("FIO4", description="FIO0 to FIO7")
    code: OnlyCode = 1


class NidaqOutput(RealOutput):
    """A digital line of an NI device, or a counter that times the pulse."""

    kind: Literal["nidaq"]
    code: OnlyCode = 1

    @property
    def is_counter(self) -> bool:
        """Whether the port is a counter, which ends the pulse itself."""
        return "/ctr" in self.port


class SimulatedNidaq(SimulatedOutput):
    """The simulated NI device."""

    kind: Literal["simulated-nidaq"]
    timed_by: Literal["host", "device"] = Field(
        "host", description="who ends the pulse: a digital line, or a counter"
    )
    code: OnlyCode = 1

    @property
    def is_counter(self) -> bool:
        """Whether a counter ends the pulse."""
        return self.timed_by == "device"


class PlugInOutput(OutputSection):
    """A driver that another distribution brings."""

    kind: Literal["plug-in"]
    driver: PortName = Field(description="its name in the group phasegate.drivers")
    settings: dict[str, Setting] = Field(
        default_factory=dict, description="what the driver is called with"
    )
    code: LineMask = 1

    @property
    def driver_name(self) -> str:
        """Name of the driver."""
        return self.driver

    @property
    def port(self) -> str:
        """Where it is, in words."""
        return str(self.settings.get("port", "a place of its own"))


Output = Annotated[
    SerialByteOutput
    | LineOutput
    | TriggerBoxOutput
    | MmbtsOutput
    | ArduinoLptOutput
    | Usb2Ttl8Output
    | BbtkOutput
    | CedrusOutput
    | ParallelOutput
    | TeensyOutput
    | LabJackOutput
    | NidaqOutput
    | PlugInOutput
    | SimulatedSerialByte
    | SimulatedTriggerBox
    | SimulatedMmbts
    | SimulatedArduinoLpt
    | SimulatedUsb2Ttl8
    | SimulatedBbtk
    | SimulatedCedrus
    | SimulatedTeensy
    | SimulatedLine
    | SimulatedParallel
    | SimulatedLabJack
    | SimulatedNidaq,
    Field(discriminator="kind"),
]
