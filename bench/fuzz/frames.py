"""Frames to throw at a codec: noise, whole frames, and frames that were damaged."""

import random
from collections.abc import Callable

_LONGEST_NOISE = 40

MakeFrame = Callable[[random.Random], bytes]
"""A frame that is whole, with contents that may or may not make sense."""


def with_one_wrong_bit(frame: bytes, draws: random.Random) -> bytes:
    """Return the frame with one bit flipped."""
    place = draws.randrange(len(frame))
    wrong = frame[place] ^ 1 << draws.randrange(8)
    return frame[:place] + bytes([wrong]) + frame[place + 1 :]


def any_frame(make: MakeFrame, draws: random.Random) -> bytes:
    """Return noise, a frame, or one that was damaged on the way."""
    kind = draws.randrange(8)
    if kind == 0:
        return draws.randbytes(draws.randrange(_LONGEST_NOISE))
    frame = make(draws)
    if kind == 1 and frame:
        return with_one_wrong_bit(frame, draws)
    if kind == 2:
        return frame[: draws.randrange(len(frame) + 1)]
    if kind == 3:
        place = draws.randrange(len(frame) + 1)
        return frame[:place] + draws.randbytes(draws.randrange(4)) + frame[place:]
    if kind == 4:
        place = draws.randrange(len(frame) + 1)
        return frame[:place] + frame[place + 1 :]
    if kind == 5:
        return frame + make(draws)
    return frame
