"""The configuration file: what may stand in it, and what is wrong with one that is not.

TOML in, frozen models out. Units are in the names, unknown keys and non-finite numbers
are refused, and `[limits]` has no defaults.
"""

import difflib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from controller.errors import ConfigError
from controller.safety.limits import Limits

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
PortName = Annotated[str, Field(min_length=1)]


class Section(BaseModel):
    """A table of the configuration file."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class LslSource(Section):
    """A stream that is already on the network, found by any of three marks."""

    kind: Literal["lsl"]
    name: str | None = None
    type: str | None = None
    source_id: str | None = None
    unit: Literal["uV", "mV", "V"] | None = Field(
        None, description="unit of the samples, where the stream does not say it"
    )
    rail_uv: Positive | None = Field(
        None, description="the amplifier's largest output; at it a sample is saturated"
    )
    resolve_timeout_s: Positive = 10.0

    @pydantic.model_validator(mode="after")
    def _named(self) -> Self:
        if self.name is None and self.type is None and self.source_id is None:
            raise ValueError("give at least one of name, type and source_id")
        return self


class SyntheticSource(Section):
    """A simulated participant in a process of its own, streaming over LSL."""

    kind: Literal["synthetic"]
    sfreq_hz: Positive = 1000.0
    channels: tuple[str, ...] = ("Fz", "C3", "Cz", "C4", "Pz", "O1", "Oz", "O2")
    alpha_hz: Positive = 10.2
    alpha_uv: NotNegative = 12.0
    theta_hz: Positive = 5.8
    theta_uv: NotNegative = 4.0
    noise_uv: NotNegative = 5.0
    line_hz: NotNegative = 50.0
    line_uv: NotNegative = 2.0
    blinks_per_minute: NotNegative = 6.0
    seed: int = 1
    rail_uv: Positive | None = None


class FileSource(Section):
    """A recording that mne reads, replayed over LSL by a process of its own."""

    kind: Literal["file"]
    path: Path
    speed: Positive = 1.0
    rail_uv: Positive | None = None


class Rhythm(Section):
    """The rhythm to lock to."""

    band: Literal["alpha", "theta"]
    search_hz: tuple[Positive, Positive] | None = Field(
        None, description="where to look for the individual frequency"
    )
    frequency_hz: Positive | None = Field(
        None, description="the individual frequency, where it is known already"
    )


class Montage(Section):
    """How channels, by label, become the one virtual channel."""

    weights: dict[str, float] | None = None
    hjorth: str | None = Field(None, description="centre of a Hjorth derivation")
    neighbours: tuple[str, ...] = ()
    reference: Literal["as-recorded", "average"] = "as-recorded"
    average_over: tuple[str, ...] | None = Field(
        None, description="channels of the common average; all EEG channels if absent"
    )

    @pydantic.model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.weights is None) == (self.hjorth is None):
            raise ValueError("give either weights or hjorth with neighbours")
        if self.hjorth is not None and len(self.neighbours) < 2:
            raise ValueError("hjorth needs at least two neighbours")
        if self.weights is not None and not any(self.weights.values()):
            raise ValueError("give at least one weight that is not zero")
        return self


class Estimator(Section):
    """How the phase is estimated."""

    kind: str = "wiener"


class Target(Section):
    """Where in the cycle the pulse shall land."""

    phase_deg: Annotated[float, Field(ge=-360, le=360)]


class Gate(Section):
    """When the rhythm is strong enough."""

    amplitude: Literal["open", "absolute", "percentile"] = "percentile"
    threshold_uv: Positive | None = None
    percentile: Annotated[float, Field(ge=0, lt=100)] = 60.0
    window_s: Annotated[float, Field(ge=5, le=600)] = 60.0

    @pydantic.model_validator(mode="after")
    def _threshold(self) -> Self:
        if (self.amplitude == "absolute") != (self.threshold_uv is not None):
            raise ValueError('threshold_uv goes with amplitude = "absolute", only')
        return self


class ArtifactRules(Section):
    """What makes a sample unusable, on any channel that the montage reads."""

    amplitude_uv: Positive = 150.0
    gradient_uv_per_ms: Positive = 50.0
    flat_s: Positive = 0.2
    hold_s: NotNegative = 0.5


class Timing(Section):
    """How often pulses come."""

    iti_s: Positive
    iti_jitter_s: NotNegative = 0.0
    refractory_s: NotNegative = 0.0
    lock_ms: Positive | None = Field(
        None, description="when a deadline is fixed; found from the stream if absent"
    )
    seed: int = 1


class SerialByteOutput(Section):
    """A box that shows each byte it gets on its trigger lines."""

    kind: Literal["serial-byte"]
    port: PortName
    baud: Annotated[int, Field(gt=0)] = 115200
    code: Annotated[int, Field(ge=1, le=255)] = 1
    pulse_ms: Positive = 5.0
    latency_ms: NotNegative = 0.0


class LineOutput(Section):
    """A control line of a serial port, wired to the trigger input."""

    kind: Literal["serial-line"]
    port: PortName
    line: Literal["rts", "dtr"] = "rts"
    pulse_ms: Positive = 5.0
    latency_ms: NotNegative = 0.0


class SimulatedOutput(Section):
    """The simulated trigger box, started in a process of its own."""

    kind: Literal["simulated-serial-byte"]
    code: Annotated[int, Field(ge=1, le=255)] = 1
    pulse_ms: Positive = 5.0
    latency_ms: NotNegative = 0.0


class LimitsSection(Section):
    """What the study allows; every line must be there."""

    min_interval_s: float
    max_pulses: int
    max_lateness_ms: float
    max_data_age_ms: float
    max_gap_s: float
    max_silence_s: float
    max_artifact_s: float

    def to_limits(self) -> Limits:
        """Return the limits in seconds, checked against the absolute ceilings."""
        return Limits(
            min_interval_s=self.min_interval_s,
            max_pulses=self.max_pulses,
            max_lateness_s=self.max_lateness_ms / 1e3,
            max_data_age_s=self.max_data_age_ms / 1e3,
            max_gap_s=self.max_gap_s,
            max_silence_s=self.max_silence_s,
            max_artifact_s=self.max_artifact_s,
        )


class Run(Section):
    """How long the session lasts."""

    rest_s: NotNegative = 30.0
    duration_s: Positive | None = None
    participant: str = "unnamed"


Source = Annotated[
    LslSource | SyntheticSource | FileSource, Field(discriminator="kind")
]
Output = Annotated[
    SerialByteOutput | LineOutput | SimulatedOutput, Field(discriminator="kind")
]


class Config(Section):
    """One session, as a file."""

    title: str = ""
    source: Source
    rhythm: Rhythm
    montage: Montage
    estimator: Estimator = Estimator()
    target: Target
    gate: Gate = Gate()
    artifact: ArtifactRules = ArtifactRules()
    timing: Timing
    output: Output
    limits: LimitsSection
    run: Run = Run()

    @pydantic.model_validator(mode="after")
    def _within_limits(self) -> Self:
        self.limits.to_limits()
        shortest = self.timing.iti_s - self.timing.iti_jitter_s
        if not shortest >= self.limits.min_interval_s:
            raise ValueError(
                f"timing.iti_s - timing.iti_jitter_s is {shortest:g} s, shorter than "
                f"limits.min_interval_s = {self.limits.min_interval_s:g} s"
            )
        return self


def load_config(path: Path) -> Config:
    """Read a configuration file.

    Raises
    ------
    ConfigError
        One sentence per mistake: the key, the rule, the value, the nearest valid name.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(
            f"There is no configuration file {path}; "
            "`phasegate check` accepts any of the files in configs/."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as text: {error}.") from error
    return parse_config(text, where=str(path))


def parse_config(text: str, *, where: str) -> Config:
    """Read a configuration from TOML text; `where` names it in messages."""
    try:
        return Config.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where} is not valid TOML: {error}.") from error
    except pydantic.ValidationError as error:
        sentences = [_sentence(item) for item in error.errors()]
        raise ConfigError(f"{where}: " + " ".join(sentences)) from error


def _sentence(item: Any) -> str:
    path = [part for part in item["loc"] if part not in _KINDS]
    key = ".".join(str(part) for part in path) or "the file"
    match item["type"]:
        case "extra_forbidden":
            return f"unknown key {key}{_nearest(path)}."
        case "missing":
            return f"{key} is missing; add it."
        case "finite_number":
            return f"{key} must be a finite number, not {item['input']}."
        case "value_error":
            reason = str(item["ctx"]["error"]).rstrip(".")
            return f"{key}: {reason}."
        case "union_tag_invalid":
            return (
                f"{key}.kind is {item['ctx']['tag']!r}, but must be one of "
                f"{item['ctx']['expected_tags']}."
            )
        case "union_tag_not_found":
            return f"{key}.kind is missing; add it."
    value = item["input"]
    shown = "" if isinstance(value, dict) else f" (it is {value!r})"
    message = item["msg"][0].lower() + item["msg"][1:]
    return f"{key}: {message}{shown}."


def _nearest(path: list[Any]) -> str:
    names = sorted(_names_beside(path))
    close = difflib.get_close_matches(str(path[-1]), names, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]}?".rstrip("?") + "?"
    return f"; valid here: {', '.join(names)}" if names else ""


def _names_beside(path: list[Any]) -> Iterable[str]:
    models: list[type[BaseModel]] = [Config]
    for part in path[:-1]:
        models = [
            inner
            for model in models
            if part in model.model_fields
            for inner in _models_in(model.model_fields[str(part)].annotation)
        ]
    return {name for model in models for name in model.model_fields}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    arguments = getattr(annotation, "__args__", ())
    return [model for argument in arguments for model in _models_in(argument)]


_KINDS = {
    model.model_fields["kind"].annotation.__args__[0]  # type: ignore[union-attr]
    for model in (
        LslSource,
        SyntheticSource,
        FileSource,
        SerialByteOutput,
        LineOutput,
        SimulatedOutput,
    )
}
