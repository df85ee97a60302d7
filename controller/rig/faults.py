"""From a fault of the loop to a sentence and an exit code."""

import math
import os
from collections.abc import Callable, Sequence
from typing import Any

from controller.core.reasons import ARTIFACT_SENTENCES, Artifact, Fault
from controller.errors import (
    EngineFault,
    OutputLost,
    PhasegateError,
    RecordingError,
    SignalFault,
    StreamLost,
)


def fault_error(
    fault: Fault, now: Any, *, labels: Sequence[str], output: str
) -> PhasegateError:
    """Return the error that a fault is to the user.

    Parameters
    ----------
    fault : Fault
    now
        The `NOW` record in which the loop stopped.
    labels : sequence of str
        Of the stream's channels.
    output : str
        The trigger output, in words.
    """
    if fault is Fault.BAD_SIGNAL:
        return SignalFault(_bad_signal(now, labels))
    if fault is Fault.WRITE_FAILED:
        reason = os.strerror(int(now.fault_value))
        return OutputLost(
            f"{output} did not take a trigger ({reason}); check the cable and the "
            "device, then start again."
        )
    kind, sentence = _SENTENCES[fault]
    return kind(sentence(float(now.fault_value)))


def _bad_signal(now: Any, labels: Sequence[str]) -> str:
    channel = int(now.fault_channel)
    who = f"Channel {labels[channel]}" if 0 <= channel < len(labels) else "A channel"
    flags = Artifact(int(now.artifacts))
    what = " and ".join(ARTIFACT_SENTENCES[flag] for flag in flags)
    return (
        f"{who} has been {what} for {float(now.fault_value):.1f} s, longer "
        "than limits.max_artifact_s; mend the electrode or leave it out of the montage."
    )


def _where(step_s: float) -> str:
    if not math.isfinite(step_s):
        return "is not a finite number"
    return f"lies {-step_s * 1e3:.1f} ms before the one before it"


_SENTENCES: dict[Fault, tuple[type[PhasegateError], Callable[[float], str]]] = {
    Fault.STREAM_LOST: (
        StreamLost,
        lambda _: (
            "The stream has ended; restart the program that streams, then start again."
        ),
    ),
    Fault.STREAM_SILENT: (
        StreamLost,
        lambda value: (
            f"The stream has sent nothing for {value:.2f} s, longer than "
            "limits.max_silence_s; check the amplifier and the network."
        ),
    ),
    Fault.STAMP_REPEATED: (
        SignalFault,
        lambda _: (
            "Two samples of the stream carry the same time stamp; "
            "check how the amplifier's program stamps its samples."
        ),
    ),
    Fault.STAMP_BACKWARD: (
        SignalFault,
        lambda value: (
            f"A time stamp of the stream {_where(value)}; check how the amplifier's "
            "program stamps its samples."
        ),
    ),
    Fault.GAP_TOO_LONG: (
        SignalFault,
        lambda value: (
            f"The stream skipped {value:.2f} s, longer than "
            "limits.max_gap_s; check the amplifier's link."
        ),
    ),
    Fault.CLOCK_JUMP: (
        EngineFault,
        lambda _: (
            "This computer's clock ran backwards; restart the computer before "
            "the next session."
        ),
    ),
    Fault.RECORDER_BEHIND: (
        RecordingError,
        lambda _: (
            "The recorder fell a whole buffer behind, so the loop stopped "
            "before anything was lost; use a faster disk or fewer programs."
        ),
    ),
}
