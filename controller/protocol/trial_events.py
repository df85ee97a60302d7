"""What happens to trials, one line of JSON each: the trial log is made of these."""

from typing import Annotated, Literal

import pydantic
from pydantic import Field

from controller.config_fields import Number, Section
from controller.errors import FileError

Count = Annotated[int, Field(strict=True, ge=0)]
Decider = Literal["timeout", "attempts", "operator", "stage-over"]
Fate = Literal["skip", "repeat", "pause"]


class _Event(Section):
    seq: Count = Field(description="counts the log's lines, from 0")
    t: Number = Field(description="host clock of the process that wrote it, seconds")


class Started(_Event):
    """A process took the session up: the first line, and once more after each crash."""

    kind: Literal["started"] = "started"
    protocol_hash: str
    seed: Count
    n_trials: Count


class StageBegun(_Event):
    """A stage began."""

    kind: Literal["stage-begun"] = "stage-begun"
    stage: Count


class StageEnded(_Event):
    """A stage is over."""

    kind: Literal["stage-ended"] = "stage-ended"
    stage: Count
    reason: str


class Refused(_Event):
    """A try at a trial was planned and then refused."""

    kind: Literal["refused"] = "refused"
    trial: Count
    reason: str


class Fired(_Event):
    """One decision of a trial gave pulses."""

    kind: Literal["fired"] = "fired"
    trial: Count
    key: Annotated[str, Field(min_length=1)] = Field(
        description="names the decision; pulses under one key count once"
    )
    n_pulses: Annotated[int, Field(strict=True, ge=1)]


class Done(_Event):
    """A trial is over."""

    kind: Literal["done"] = "done"
    trial: Count
    outcome: Literal["given", "cut-short", "as-if"]
    reason: str = ""


class GivenUp(_Event):
    """A trial could not be given, or the operator did not want it."""

    kind: Literal["given-up"] = "given-up"
    trial: Count
    because: Decider
    then: Fate
    reason: str = ""


class Again(_Event):
    """The operator wants a trial once more, at the end of its stage."""

    kind: Literal["again"] = "again"
    trial: Count
    reason: str = ""


class Paused(_Event):
    """Nothing is begun until `Resumed`."""

    kind: Literal["paused"] = "paused"
    reason: str


class Resumed(_Event):
    """Trials go on."""

    kind: Literal["resumed"] = "resumed"


class Note(_Event):
    """What the operator wrote."""

    kind: Literal["note"] = "note"
    text: str
    trial: Count | None = None


Event = Annotated[
    Started
    | StageBegun
    | StageEnded
    | Refused
    | Fired
    | Done
    | GivenUp
    | Again
    | Paused
    | Resumed
    | Note,
    Field(discriminator="kind"),
]
_EVENT: pydantic.TypeAdapter[Event] = pydantic.TypeAdapter(Event)


def to_line(event: Event) -> bytes:
    """Return an event as a line of the log, its end included."""
    return event.model_dump_json(exclude_none=True).encode() + b"\n"


def read_events(content: bytes, *, where: str) -> tuple[list[Event], int]:
    """Return the events of a log, and how many bytes of a torn last line there are.

    Parameters
    ----------
    content : bytes
    where : str
        Names the log in messages.

    Raises
    ------
    FileError
        A line before the last is damaged, or one is missing.
    """
    whole, newline, torn = content.rpartition(b"\n")
    events: list[Event] = []
    for number, line in enumerate((whole + newline).splitlines(), start=1):
        try:
            event = _EVENT.validate_json(line)
        except pydantic.ValidationError as error:
            raise FileError(
                f"The trial log {where} is damaged in line {number}; the lines before "
                "it are good. Keep the file, and begin a new session."
            ) from error
        if event.seq != len(events):
            raise FileError(
                f"The trial log {where} has entry {event.seq} in line {number}, where "
                f"{len(events)} belongs: lines are missing. Keep the file, and begin a "
                "new session."
            )
        events.append(event)
    return events, len(torn)
