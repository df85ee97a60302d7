"""`[console]`: whether somebody has to attend at a console while a session is armed."""

from typing import Annotated

from pydantic import Field

from controller.config_fields import Section

Silence = Annotated[float, Field(strict=True, ge=0.5, le=5)]
"""A console says ten times a second that it lives; 5 s are what a keeper waits for its
own controller (our choice)."""


class Console(Section):
    """The operator's console, which is `phasegate attend` in a terminal of its own."""

    required: bool = Field(
        description="nothing is armed without it, and its silence disarms"
    )
    max_silence_s: Silence = Field(description="from 0.5 to 5")
