"""One line of a reporting checklist."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of a reporting checklist.

    Parameters
    ----------
    section : str
        Under which it stands.
    name : str
        What is asked.
    value : str or None
        What the records say; None where they say nothing.
    """

    section: str
    name: str
    value: str | None


def items_of(section: str, answers: dict[str, str | None]) -> tuple[Item, ...]:
    """Return the items of one section, in their order."""
    return tuple(
        Item(section=section, name=name, value=value or None)
        for name, value in answers.items()
    )
