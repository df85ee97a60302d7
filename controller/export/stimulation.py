"""What the loop cannot know of the stimulation, from a file that a person writes."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

import pydantic
from pydantic import Field

from controller.config_fields import Number, Positive, Section
from controller.config_mistakes import sentences
from controller.errors import ConfigError, not_text
from controller.export.signals import configured
from controller.session.load import Session

_MAKERS = {"magstim": "Magstim", "magventure": "MagVenture", "duomag": "Deymed"}

PERCENT_MSO = "% Maximum Stimulator Output"

Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]


class Device(Section):
    """The stimulator, or its coil, electrode or transducer."""

    id: Label
    manufacturer: str | None = None
    model: str | None = None
    serial_number: str | None = None
    description: str | None = None


class Position(Section):
    """Where the coil, electrode or transducer was; millimetres."""

    id: Label
    x_mm: Number
    y_mm: Number
    z_mm: Number
    description: str | None = None


class CoordinateSystem(Section):
    """What the coordinates of the positions mean."""

    name: str
    description: str | None = None


class Stimulation(Section):
    """One kind of stimulation, the same for every pulse of the session."""

    nibs_type: Literal["TMS", "tES", "TUS", "PNS"]
    description: str | None = None
    stimulus_shape: (
        Literal[
            "Monophasic",
            "Biphasic",
            "Halfsine",
            "Rectangle",
            "Sinusoid",
            "Noise",
            "Custom",
        ]
        | None
    ) = None
    stimulus_intensity: Positive | None = Field(
        default=None, description="in intensity_units"
    )
    intensity_units: str | None = Field(
        default=None, description=f"such as `{PERCENT_MSO}`"
    )
    intensity_reference: Literal["rMT", "aMT", "1mV", "e-field", "absolute"] | None = (
        None
    )
    intensity_reference_value: Positive | None = Field(
        default=None, description="the threshold, in intensity_units"
    )
    intensity_scaling: Positive | None = None
    first_inflection: Literal["rising", "descending"] | None = None
    current_direction: Literal["cl", "co", "cl-co", "co-cl"] | None = Field(
        default=None, description="in the coil's windings, seen from behind it"
    )
    stimulator: Device | None = None
    element: Device | None = None
    navigation_system: str | None = None
    coordinate_system: CoordinateSystem | None = None
    position: tuple[Position, ...] = ()

    @pydantic.model_validator(mode="after")
    def _meant(self) -> "Stimulation":
        if self.position and self.coordinate_system is None:
            raise ValueError("positions mean nothing without [coordinate_system]")
        if self.stimulus_intensity is not None and self.intensity_units is None:
            raise ValueError("stimulus_intensity needs intensity_units")
        if self.intensity_reference_value is not None and (
            self.intensity_reference in (None, "absolute")
        ):
            raise ValueError("intensity_reference_value needs an intensity_reference")
        return self


def recorded_stimulation(session: Session) -> Stimulation | None:
    """Return what the session itself knows of its stimulator; None without one."""
    told = (session.summary or {}).get("stimulator") or configured(session).get(
        "stimulator"
    )
    if not isinstance(told, dict) or "kind" not in told:
        return None
    kind = str(told["kind"])
    intensity = told.get("intensity_pct_mso")
    return Stimulation(
        nibs_type="TMS",
        stimulus_intensity=float(intensity) if intensity else None,
        intensity_units=PERCENT_MSO if intensity else None,
        intensity_reference="absolute" if intensity else None,
        stimulator=Device(
            id=kind,
            manufacturer=next(
                (maker for mark, maker in _MAKERS.items() if mark in kind), None
            ),
            description="simulated" if kind.startswith("simulated") else None,
        ),
    )


def read_stimulation(path: Path) -> Stimulation:
    """Read a file on the stimulation.

    Raises
    ------
    ConfigError
        One sentence per mistake.
    """
    try:
        return Stimulation.model_validate(
            tomllib.loads(path.read_text(encoding="utf-8"))
        )
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise not_text(path, error) from error
    except pydantic.ValidationError as error:
        raise ConfigError(f"{path}: {' '.join(sentences(error, Stimulation))}") from (
            error
        )
