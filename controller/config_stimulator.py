"""`[stimulator]`: the device behind the trigger line, real or simulated.

Without this section only the trigger line is known, and a person does the rest.
"""

import math
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import pydantic
from pydantic import Field

from controller.config_fields import PortName, Positive, Section
from controller.config_limits import LimitsSection
from controller.safety.ceilings import Modality

Percent = Annotated[float, Field(strict=True, ge=0, le=100)]
EnhancedPercent = Annotated[float, Field(strict=True, ge=0, le=110)]
OfThreshold = Annotated[float, Field(strict=True, gt=0, le=200)]
MotorThreshold = Annotated[float, Field(strict=True, ge=1, le=100)]


class StimulatorSection(Section):
    """What every stimulator has."""

    simulated: ClassVar[bool] = False
    by_person: ClassVar[bool] = False

    kind: str
    intensity_pct_mso: Percent = Field(
        description="percent of maximum stimulator output, whole"
    )
    intensity_pct_rmt: OfThreshold | None = Field(
        None, description="instead: percent of the resting motor threshold"
    )
    rmt_pct_mso: MotorThreshold | None = Field(
        None, description="the participant's resting motor threshold, with it"
    )

    @pydantic.model_validator(mode="before")
    @classmethod
    def _from_threshold(cls, given: Any) -> Any:
        """Turn a share of the threshold into one of the output, and keep both."""
        if not isinstance(given, dict) or "intensity_pct_rmt" not in given:
            return given
        if "intensity_pct_mso" in given:
            raise ValueError("give one of intensity_pct_mso and intensity_pct_rmt")
        share, rmt = given["intensity_pct_rmt"], given.get("rmt_pct_mso")
        if rmt is None:
            raise ValueError(
                "intensity_pct_rmt needs the participant's motor threshold; give "
                "rmt_pct_mso, or pass --rmt"
            )
        if not all(_is_number(value) for value in (share, rmt)):
            # Which of them is no number, the fields themselves say.
            return {"intensity_pct_mso": 0.0} | given
        # Devices take whole percents; down, so that it is never more than was asked.
        return given | {
            "intensity_pct_mso": float(math.floor(share * rmt / 100.0 + 1e-9))
        }

    @property
    def driver_name(self) -> str:
        """Name of the driver, which a simulated stimulator shares with the real one."""
        return self.kind.removeprefix("simulated-")

    @property
    def has_twin(self) -> bool:
        """Whether a simulated device stands at the end of the trigger line."""
        return self.simulated and self.driver_name != "ttl"


def _is_number(value: object) -> bool:
    is_one = isinstance(value, int | float) and not isinstance(value, bool)
    return is_one and math.isfinite(float(str(value)))


class RealStimulator(StimulatorSection):
    """A device on a port."""

    port: PortName


class SimulatedStimulator(StimulatorSection):
    """A simulated device, in a process of its own."""

    simulated: ClassVar[bool] = True


class Magstim200(RealStimulator):
    """A Magstim 200²."""

    kind: Literal["magstim-200"]


class SimulatedMagstim200(SimulatedStimulator):
    """The simulated 200²."""

    kind: Literal["simulated-magstim-200"]


class BistimPair(StimulatorSection):
    """What a BiStim² needs to know of its second pulse."""

    second_intensity_pct_mso: Percent = Field(
        description="of the second pulse; 0 for single pulses"
    )
    pair_interval_ms: Annotated[float, Field(strict=True, ge=0, le=999)] = Field(
        description="between the two pulses, 0 for both at once"
    )
    resolution: Literal["low", "high"] = "low"

    @property
    def makes_pairs(self) -> bool:
        """Whether a trigger makes two pulses."""
        return self.second_intensity_pct_mso > 0.0


class MagstimBistim(BistimPair, RealStimulator):
    """A BiStim²."""

    kind: Literal["magstim-bistim"]


class SimulatedMagstimBistim(BistimPair, SimulatedStimulator):
    """The simulated BiStim²."""

    kind: Literal["simulated-magstim-bistim"]


class RapidModel(StimulatorSection):
    """Which Rapid² it is."""

    intensity_pct_mso: EnhancedPercent
    variant: Literal["rapid", "super", "super-plus"] = "rapid"
    mains_v: Literal[115, 240] = 240
    enhanced: bool = False

    @pydantic.model_validator(mode="after")
    def _within_its_power(self) -> Self:
        if self.intensity_pct_mso > 100 and not self.enhanced:
            raise ValueError("intensity_pct_mso above 100 needs enhanced = true")
        return self


class MagstimRapid(RapidModel, RealStimulator):
    """A Rapid², software 7 to 11."""

    kind: Literal["magstim-rapid"]
    unlock_file: Path | None = Field(
        None,
        description="its one line is the code that software 9 and later waits for; it "
        "is never recorded",
    )


class SimulatedMagstimRapid(RapidModel, SimulatedStimulator):
    """The simulated Rapid², which needs no code."""

    kind: Literal["simulated-magstim-rapid"]


class MagProLimits(StimulatorSection):
    """What is not certain of a MagPro."""

    hottest_c: Annotated[float, Field(strict=True, gt=0, le=43)] = Field(
        42.0, description="not armed above this temperature of the coil"
    )


class MagPro(MagProLimits, RealStimulator):
    """A MagVenture MagPro."""

    kind: Literal["magpro"]


class SimulatedMagPro(MagProLimits, SimulatedStimulator):
    """The simulated MagPro."""

    kind: Literal["simulated-magpro"]


class DuoMagInterval(StimulatorSection):
    """A recharge time that nobody has published."""

    by_person: ClassVar[bool] = True

    min_interval_s: Positive = Field(
        description="shortest time between pulses, from its manual"
    )


class DuoMag(DuoMagInterval, RealStimulator):
    """A Deymed DuoMAG, which a person arms at the unit."""

    kind: Literal["duomag"]


class SimulatedDuoMag(DuoMagInterval, SimulatedStimulator):
    """The simulated DuoMAG."""

    kind: Literal["simulated-duomag"]


class DeclaredByPerson(StimulatorSection):
    """What a person has to say of a device that says nothing."""

    by_person: ClassVar[bool] = True

    name: PortName = "TTL stimulator"
    min_interval_s: Positive = Field(
        description="shortest time between pulses, from its manual"
    )


class TtlStimulator(DeclaredByPerson):
    """A stimulator of which only the trigger input is known: a person does the rest."""

    kind: Literal["ttl"]

    @property
    def port(self) -> str:
        """Where it is, in words."""
        return "its trigger input"


class SimulatedTtlStimulator(DeclaredByPerson, SimulatedStimulator):
    """A stimulator that is not there, for a rehearsal of the session."""

    kind: Literal["simulated-ttl"]


Stimulator = Annotated[
    Magstim200
    | MagstimBistim
    | MagstimRapid
    | MagPro
    | DuoMag
    | TtlStimulator
    | SimulatedMagstim200
    | SimulatedMagstimBistim
    | SimulatedMagstimRapid
    | SimulatedMagPro
    | SimulatedDuoMag
    | SimulatedTtlStimulator,
    Field(discriminator="kind"),
]


def stimulator_complaint(
    stimulator: StimulatorSection, limits: LimitsSection, *, output_simulated: bool
) -> str | None:
    """Return what is wrong with a stimulator beside the rest of a file, or None."""
    allowed = limits.stimulator
    if allowed is None:
        return (
            "there is a [stimulator], but no [limits.stimulator]; say what the study "
            "allows of it"
        )
    if not stimulator.intensity_pct_mso <= allowed.max_intensity_pct_mso:
        return (
            f"stimulator.intensity_pct_mso is {stimulator.intensity_pct_mso:g}, above "
            "limits.stimulator.max_intensity_pct_mso = "
            f"{allowed.max_intensity_pct_mso:g}"
        )
    complaint = _modality_complaint(stimulator, limits)
    if complaint is not None:
        return complaint
    if isinstance(stimulator, BistimPair) and stimulator.makes_pairs:
        complaint = _pair_complaint(stimulator, limits)
        if complaint is not None:
            return complaint
    if stimulator.simulated != output_simulated:
        one, other = "output", "stimulator"
        if stimulator.simulated:
            one, other = other, one
        return (
            f"the {one} is simulated and the {other} is not, so no line joins them; "
            "simulate both or neither"
        )
    return None


def _modality_complaint(
    stimulator: StimulatorSection, limits: LimitsSection
) -> str | None:
    """Return what is wrong with the modality, on which the absolute ranges depend.

    A simulated device reaches nobody, so its rehearsal may go faster than a study.
    """
    if stimulator.simulated:
        return None
    if stimulator.driver_name == "ttl":
        if limits.modality is not Modality.MARKER:
            return None
        what = "a marker reaches nobody; say what the stimulator does to a person"
    elif limits.modality is Modality.TMS:
        return None
    else:
        what = "this is a magnetic stimulator; say 'tms'"
    return f"limits.modality is '{limits.modality}', but {what}"


def _pair_complaint(pair: BistimPair, limits: LimitsSection) -> str | None:
    allowed, train = limits.stimulator, limits.train
    highest = math.inf if allowed is None else allowed.max_intensity_pct_mso
    if not pair.second_intensity_pct_mso <= highest:
        return (
            "stimulator.second_intensity_pct_mso is "
            f"{pair.second_intensity_pct_mso:g}, above "
            f"limits.stimulator.max_intensity_pct_mso = {highest:g}"
        )
    if train is None:
        return (
            "each trigger makes a pair of pulses, which nothing allows without "
            "limits.train; add it, or set stimulator.second_intensity_pct_mso to 0"
        )
    interval_s = pair.pair_interval_ms / 1e3
    if interval_s != 0.0 and not interval_s >= train.min_pulse_interval_s:
        return (
            f"stimulator.pair_interval_ms is {pair.pair_interval_ms:g}, shorter than "
            f"limits.train.min_pulse_interval_s = {train.min_pulse_interval_s:g} s"
        )
    between_s = train.min_inter_train_s + interval_s
    if not limits.min_interval_s >= between_s:
        return (
            f"limits.min_interval_s is {limits.min_interval_s:g} s, but each trigger "
            "makes a pair, and from pair to pair limits.train.min_inter_train_s and "
            f"stimulator.pair_interval_ms want {between_s:g} s; give at least that"
        )
    if not interval_s <= train.max_train_s:
        return (
            f"stimulator.pair_interval_ms is {pair.pair_interval_ms:g}, longer than "
            f"limits.train.max_train_s = {train.max_train_s:g} s"
        )
    return None
