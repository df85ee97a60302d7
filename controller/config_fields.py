"""What tables of the configuration file are made of: strict numbers, frozen tables."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# Strict: neither true nor "1" is a number.
Number = Annotated[float, Field(strict=True)]
Positive = Annotated[float, Field(strict=True, gt=0)]
NotNegative = Annotated[float, Field(strict=True, ge=0)]
Whole = Annotated[int, Field(strict=True)]
Seed = Annotated[int, Field(strict=True, ge=0)]
Code = Annotated[int, Field(strict=True, ge=1, le=255)]
Latency = Annotated[float, Field(strict=True, ge=0, le=500)]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Degrees = Annotated[float, Field(strict=True, ge=-360, le=360)]
PortName = Annotated[str, Field(min_length=1)]


class Section(BaseModel):
    """A table of the configuration file."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
