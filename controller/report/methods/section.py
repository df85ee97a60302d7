"""What a paper has to say of a session: a paragraph, and two checklists filled in.

Everything stands in the session's records or is left open. An item that the records do
not hold is never guessed: `Item.value` is None, and the authors write it.
"""

import dataclasses

from controller.report.landing_statistics import Measured
from controller.report.methods.chipchase import chipchase_items
from controller.report.methods.closed_loop_items import closed_loop_items
from controller.report.methods.facts import methods_facts
from controller.report.methods.items import Item
from controller.report.methods.paragraph import paragraph
from controller.session.load import Session

TO_BE_TOLD = "to be added by the authors"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Methods:
    """What to paste into a paper.

    Parameters
    ----------
    paragraph : str
        In the past tense; ready for the methods section.
    closed_loop, tms : tuple of Item
        The checklists, line by line.
    """

    paragraph: str
    closed_loop: tuple[Item, ...]
    tms: tuple[Item, ...]

    @property
    def n_open(self) -> int:
        """How many items the authors have to add."""
        return sum(item.value is None for item in (*self.closed_loop, *self.tms))


def methods_of(session: Session, achieved: Measured | None = None) -> Methods:
    """Return paragraph and checklists of a session, from its records alone.

    Parameters
    ----------
    session : Session
        Also one that ended early: what it lacks stays open.
    achieved : Measured, optional
        Its phase errors, where they are known already.

    Raises
    ------
    FileError
        If the session's configuration is no TOML.
    """
    facts = methods_facts(session, achieved)
    return Methods(
        paragraph=paragraph(facts),
        closed_loop=closed_loop_items(facts),
        tms=chipchase_items(facts),
    )


def as_text(methods: Methods) -> str:
    """Return paragraph and checklists as plain text with Markdown lists."""
    parts = [methods.paragraph]
    titles = {
        "Closed-loop reporting items": methods.closed_loop,
        "TMS reporting items (Chipchase et al. 2012)": methods.tms,
    }
    for title, items in titles.items():
        rows = [f"- {item.name}: {item.value or TO_BE_TOLD}" for item in items]
        parts.append("\n".join([f"{title}\n", *rows]))
    return "\n\n".join(parts) + "\n"
