"""Throw frames at a subject and count what becomes of them."""

import dataclasses
import random

from bench.fuzz.frames import any_frame, with_one_wrong_bit
from bench.fuzz.subjects import Codec, Subject
from drivers.base import DriverError

_FRESH_EVERY = 1000
_ONE_BIT_SHARE = 0.1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What became of the frames of one subject.

    Parameters
    ----------
    name : str
    frames : int
    understood : int
        Frames in which something was understood, or that made the device do something.
    refused : int
        Frames refused with an error of the drivers.
    unclean : int
        Frames that raised anything else.
    damaged_understood : int
        Frames with one wrong bit that were understood in spite of a checksum.
    example : str or None
        The first unclean or damaged frame, in hexadecimal, and what came of it.
    """

    name: str
    frames: int
    understood: int
    refused: int
    unclean: int
    damaged_understood: int
    example: str | None

    @property
    def holds(self) -> bool:
        """Whether nothing went wrong."""
        return self.frames > 0 and self.unclean == 0 and self.damaged_understood == 0

    def as_dict(self) -> dict[str, object]:
        """Return the fields and the verdict."""
        return {**dataclasses.asdict(self), "holds": self.holds}


def search(subject: Subject, n_frames: int, seed: int = 1) -> Found:
    """Throw `n_frames` frames at a subject; the same seed throws the same frames."""
    draws = random.Random(f"{seed} {subject.name}")
    understood = refused = unclean = damaged = 0
    example: str | None = None
    codec = subject.start()
    for n in range(n_frames):
        if n % _FRESH_EVERY == 0:
            codec = subject.start()
        spoilt = subject.has_checksum and draws.random() < _ONE_BIT_SHARE
        if spoilt:
            frame = with_one_wrong_bit(subject.frame(draws), draws)
            codec = subject.start()
        else:
            frame = any_frame(subject.frame, draws)
        count, trouble = _take(codec, frame)
        if trouble is not None:
            unclean += 1
            example = example or f"{frame.hex(' ')}: {trouble}"
        elif count is None:
            refused += 1
        elif count > 0:
            understood += 1
            if spoilt:
                damaged += 1
                example = example or f"{frame.hex(' ')}: understood"
    return Found(
        name=subject.name,
        frames=n_frames,
        understood=understood,
        refused=refused,
        unclean=unclean,
        damaged_understood=damaged,
        example=example,
    )


def _take(codec: Codec, frame: bytes) -> tuple[int | None, str | None]:
    """Return what was understood, None if refused; and what went wrong, if anything."""
    try:
        return codec(frame), None
    except DriverError as error:
        sentence = str(error)
        clean = sentence.endswith(".") and "\n" not in sentence
        return None, None if clean else f"no sentence: {sentence!r}"
    except Exception as error:  # noqa: BLE001 - the very thing that is looked for
        return None, f"{type(error).__name__}: {error}"
