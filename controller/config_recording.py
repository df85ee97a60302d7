"""The `[recording]` table of the configuration file: what goes beside the EEG."""

from typing import Annotated, Self

import pydantic
from pydantic import Field

from controller.config_fields import Section

Mark = Annotated[str, Field(min_length=1)]


class FurtherStream(Section):
    """An LSL stream that goes into the session's file, found by any of three marks."""

    name: Mark | None = None
    type: Mark | None = None
    source_id: Mark | None = None
    needed: bool = Field(
        default=True,
        strict=True,
        description="nothing is armed while it is not recorded",
    )

    @pydantic.model_validator(mode="after")
    def _named(self) -> Self:
        if not self.marks():
            raise ValueError("give at least one of name, type and source_id")
        return self

    def marks(self) -> dict[str, str]:
        """Return what it is found by."""
        marks = {"name": self.name, "type": self.type, "source_id": self.source_id}
        return {mark: value for mark, value in marks.items() if value}


class Recording(Section):
    """What is recorded beside the EEG."""

    streams: tuple[FurtherStream, ...] = ()
