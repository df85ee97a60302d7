"""Why the pipeline held, and why the loop stopped: one word for each reason.

The sentences are what an operator reads; refusals by the interlock have their own list
in `controller.safety.interlock`.
"""

import enum


class Outcome(enum.IntEnum):
    """What became of one decision."""

    HELD = 0
    REFUSED = 1
    PLANNED = 2
    AS_IF = 3


class HoldReason(enum.IntFlag):
    """Gates that were closed at a decision; several may be closed at once."""

    NONE = 0
    WARMING_UP = 1 << 0
    ARTIFACT = 1 << 1
    STALE_DATA = 1 << 2
    STAMP_IN_FUTURE = 1 << 3
    AMPLITUDE = 1 << 4
    INTERVAL = 1 << 5
    REFRACTORY = 1 << 6
    TOO_LATE = 1 << 7
    BUSY = 1 << 8
    TRIALS_DONE = 1 << 9
    SNR = 1 << 10
    SPECTRAL_PEAK = 1 << 11
    FREQUENCY_SPREAD = 1 << 12
    FREQUENCY_OFFSET = 1 << 13
    PROBABILITY = 1 << 14
    VETO = 1 << 15
    COHERENCE = 1 << 16
    PHASE_LAG = 1 << 17
    SECOND_PHASE = 1 << 18
    SECOND_AMPLITUDE = 1 << 19
    MARKER = 1 << 20
    NOT_OFFERED = 1 << 21


HOLD_SENTENCES: dict[HoldReason, str] = {
    HoldReason.WARMING_UP: "the estimator has not seen enough samples yet",
    HoldReason.ARTIFACT: "an artifact was in the signal or ended too recently",
    HoldReason.STALE_DATA: "the newest sample was older than the data-age limit",
    HoldReason.STAMP_IN_FUTURE: "the newest sample was stamped ahead of this clock",
    HoldReason.AMPLITUDE: "the rhythm was weaker than the amplitude gate",
    HoldReason.INTERVAL: "the inter-trial interval had not passed",
    HoldReason.REFRACTORY: "the last pulse was too recent for its data to be used",
    HoldReason.TOO_LATE: "the target phase was too close to be met in time",
    HoldReason.BUSY: "another pulse was still under way",
    HoldReason.TRIALS_DONE: "all planned trials were done",
    HoldReason.SNR: "the rhythm did not stand out enough from its flanks",
    HoldReason.SPECTRAL_PEAK: "a peak outside the band was too high beside the rhythm",
    HoldReason.FREQUENCY_SPREAD: "the rhythm's frequency was not steady enough",
    HoldReason.FREQUENCY_OFFSET: "the rhythm was too far from its own frequency",
    HoldReason.PROBABILITY: "the phase was too uncertain to be met within tolerance",
    HoldReason.VETO: "a vetoing channel was active, or had been too recently",
    HoldReason.COHERENCE: "the coherence of the two sites was outside its range",
    HoldReason.PHASE_LAG: "the phase lag between the two sites was outside its range",
    HoldReason.SECOND_PHASE: "the second band was not in its phase range",
    HoldReason.SECOND_AMPLITUDE: "the second band was weaker than its threshold",
    HoldReason.MARKER: "no marker had opened the gate",
    HoldReason.NOT_OFFERED: "the protocol had no trial to give just then",
}


class Artifact(enum.IntFlag):
    """What is wrong with a sample."""

    NONE = 0
    NON_FINITE = 1 << 0
    AMPLITUDE = 1 << 1
    GRADIENT = 1 << 2
    FLAT = 1 << 3
    SATURATED = 1 << 4


ARTIFACT_SENTENCES: dict[Artifact, str] = {
    Artifact.NON_FINITE: "not a number",
    Artifact.AMPLITUDE: "above the amplitude limit",
    Artifact.GRADIENT: "changing faster than the gradient limit",
    Artifact.FLAT: "flat",
    Artifact.SATURATED: "at the amplifier's rail",
}


class Fault(enum.IntEnum):
    """Why the loop stopped; a fault latches the interlock."""

    NONE = 0
    STOPPED = 1
    STREAM_LOST = 2
    STREAM_SILENT = 3
    STAMP_REPEATED = 4
    STAMP_BACKWARD = 5
    GAP_TOO_LONG = 6
    BAD_SIGNAL = 7
    CLOCK_JUMP = 8
    WRITE_FAILED = 9
    RECORDER_BEHIND = 10
    END_OF_TAPE = 11
