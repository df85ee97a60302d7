"""One line of a check-up."""

import dataclasses
import enum
import textwrap

from controller.errors import PhasegateError

_WIDTH = 96
_INDENT = 28


class Light(enum.Enum):
    """How serious a finding is, with a sign that needs no colour."""

    OK = "ok"
    NOTE = "note"
    FAULT = "FAULT"

    @property
    def sign(self) -> str:
        """One character."""
        return {Light.OK: "✓", Light.NOTE: "!", Light.FAULT: "✗"}[self]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found on one subject.

    Parameters
    ----------
    light : Light
    topic : str
    sentence : str
        What is so, and what to do where it should not be.
    exit_code : int
        Of the command, if this is its first fault.
    """

    light: Light
    topic: str
    sentence: str
    exit_code: int = 0

    def as_text(self) -> str:
        """Return the line for a person."""
        head = f"{self.light.sign} {self.light.value:<6}{self.topic}"
        return textwrap.fill(
            self.sentence,
            width=_WIDTH,
            initial_indent=f"{head:<{_INDENT - 1}} ",
            subsequent_indent=" " * _INDENT,
            break_long_words=False,
            break_on_hyphens=False,
        )

    def as_dict(self) -> dict[str, str]:
        """Return the line for machines."""
        return {
            "light": self.light.value.lower(),
            "topic": self.topic,
            "sentence": self.sentence,
        }


def ok(topic: str, sentence: str) -> Finding:
    """Return a finding that is as it should be."""
    return Finding(light=Light.OK, topic=topic, sentence=sentence)


def note(topic: str, sentence: str) -> Finding:
    """Return a finding that a person should know of."""
    return Finding(light=Light.NOTE, topic=topic, sentence=sentence)


def fault(topic: str, sentence: str, exit_code: int = 1) -> Finding:
    """Return a finding that keeps sessions from running."""
    return Finding(
        light=Light.FAULT, topic=topic, sentence=sentence, exit_code=exit_code
    )


def fault_of(topic: str, error: PhasegateError) -> Finding:
    """Return an error as a finding."""
    return fault(topic, str(error), error.exit_code)
