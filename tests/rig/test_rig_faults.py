import errno
import math

import pytest
from bad_days import assert_one_sentence

from controller.core.reasons import Artifact, Fault
from controller.core.records import NOW
from controller.errors import (
    EngineFault,
    OutputLost,
    PhasegateError,
    RecordingError,
    SignalFault,
    StreamLost,
)
from controller.kernels.jit import new_records
from controller.rig.faults import fault_error

NO_FAULTS = {Fault.NONE, Fault.STOPPED, Fault.END_OF_TAPE}
"""How a stretch ends when nothing went wrong."""

EXPECTED: dict[Fault, tuple[type[PhasegateError], float, str, str]] = {
    Fault.STREAM_LOST: (StreamLost, 0.0, "The stream has ended", "restart the program"),
    Fault.STREAM_SILENT: (
        StreamLost,
        1.02,
        "sent nothing for 1.02 s, longer than limits.max_silence_s",
        "check the amplifier",
    ),
    Fault.STAMP_REPEATED: (SignalFault, 0.0, "the same time stamp", "check how"),
    Fault.STAMP_BACKWARD: (SignalFault, -0.0125, "lies 12.5 ms before", "check how"),
    Fault.GAP_TOO_LONG: (
        SignalFault,
        1.5,
        "skipped 1.50 s, longer than limits.max_gap_s",
        "check the amplifier's link",
    ),
    Fault.BAD_SIGNAL: (
        SignalFault,
        10.04,
        "Channel O2 has been flat for 10.0 s, longer than limits.max_artifact_s",
        "mend the electrode",
    ),
    Fault.CLOCK_JUMP: (
        EngineFault,
        -1.0,
        "clock ran backwards",
        "restart the computer",
    ),
    Fault.WRITE_FAILED: (
        OutputLost,
        errno.EIO,
        "The box at /dev/ttyUSB0 did not take a trigger (Input/output error)",
        "check the cable",
    ),
    Fault.RECORDER_BEHIND: (
        RecordingError,
        0.0,
        "a whole buffer behind",
        "faster disk",
    ),
}


def error_of(fault: Fault, value: float, **fields: int) -> PhasegateError:
    now = new_records(NOW)
    now.fault, now.fault_value = fault, value
    now.fault_channel, now.artifacts = 1, int(Artifact.FLAT)
    for name, field in fields.items():
        now[name] = field
    return fault_error(
        fault, now[0], labels=("O1", "O2"), output="The box at /dev/ttyUSB0"
    )


def test_no_fault_is_forgotten() -> None:
    assert set(EXPECTED) == set(Fault) - NO_FAULTS


@pytest.mark.parametrize("fault", EXPECTED, ids=lambda fault: fault.name)
def test_fault_is_one_sentence_of_its_kind(fault: Fault) -> None:
    kind, value, what, advice = EXPECTED[fault]
    error = error_of(fault, value)
    assert type(error) is kind
    assert_one_sentence(str(error), what, advice)
    # What is wrong, then what to do.
    assert str(error).index(what) < str(error).rindex(";") < str(error).index(advice)


@pytest.mark.parametrize("fault", sorted(NO_FAULTS), ids=lambda fault: fault.name)
def test_planned_ends_are_no_errors(fault: Fault) -> None:
    with pytest.raises(KeyError):
        error_of(fault, 0.0)


@pytest.mark.parametrize("flag", list(Artifact), ids=lambda flag: flag.name)
def test_bad_signal_says_what_is_bad(flag: Artifact) -> None:
    error = error_of(Fault.BAD_SIGNAL, 2.0, artifacts=int(flag), fault_channel=0)
    assert_one_sentence(str(error), "Channel O1 has been ", " for 2.0 s, longer than")
    assert "been  for" not in str(error)


def test_bad_signal_names_every_flag() -> None:
    flags = int(Artifact.SATURATED | Artifact.AMPLITUDE)
    error = error_of(Fault.BAD_SIGNAL, 2.0, artifacts=flags)
    assert "above the amplitude limit and at the amplifier's rail for" in str(error)


@pytest.mark.parametrize("channel", [-1, 2])
def test_bad_signal_without_a_known_channel(channel: int) -> None:
    error = error_of(Fault.BAD_SIGNAL, 2.0, fault_channel=channel)
    assert_one_sentence(str(error), "A channel has been flat for 2.0 s")


@pytest.mark.parametrize("step", [math.nan, math.inf, -math.inf])
def test_stamp_that_is_no_number_is_called_that(step: float) -> None:
    error = error_of(Fault.STAMP_BACKWARD, step)
    assert_one_sentence(str(error), "time stamp of the stream is not a finite number")
