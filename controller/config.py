"""The configuration file: what may stand in it, and what is wrong with one that is not.

TOML in, frozen models out. Units are in the names, unknown keys and non-finite numbers
are refused, and `[limits]` has no defaults.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic
from pydantic import Field

from controller.config_console import Console as Console
from controller.config_fields import (
    NotNegative,
    Number,
    Positive,
    Section,
    Seed,
    Whole,
)
from controller.config_gate import Gate
from controller.config_limits import LimitsSection
from controller.config_mistakes import sentences
from controller.config_output import Output
from controller.config_recording import Recording
from controller.config_source import FileSource as FileSource
from controller.config_source import LslSource as LslSource
from controller.config_source import Source
from controller.config_source import SyntheticSource as SyntheticSource
from controller.config_stimulator import Stimulator, stimulator_complaint
from controller.errors import ConfigError, not_text


class Rhythm(Section):
    """The rhythm to lock to."""

    band: Literal["alpha", "mu", "theta", "beta", "spindle", "slow"]
    search_hz: tuple[Positive, Positive] | None = Field(
        None, description="where to look for the individual frequency"
    )
    frequency_hz: Positive | None = Field(
        None, description="the individual frequency, where it is known already"
    )

    @pydantic.model_validator(mode="after")
    def _ascending(self) -> Self:
        if self.search_hz is not None and not self.search_hz[0] < self.search_hz[1]:
            raise ValueError("search_hz goes from the lower to the higher frequency")
        return self


class Montage(Section):
    """How channels, by label, become the one virtual channel."""

    weights: dict[str, Number] | None = None
    hjorth: str | None = Field(None, description="centre of a Hjorth derivation")
    neighbours: tuple[str, ...] = Field(
        (), description="of hjorth; found by their positions if absent"
    )
    ssd: str | None = Field(
        None,
        description="channel at or beside which calibration looks for the strongest "
        "component of the rhythm (spatio-spectral decomposition)",
    )
    file: Path | None = Field(
        None, description="weights by label (.csv, .json) or an ICA that MNE saved"
    )
    component: Whole = Field(0, description="of the ICA")
    reference: Literal["as-recorded", "average"] = "as-recorded"
    average_over: tuple[str, ...] | None = Field(
        None, description="channels of the common average; all EEG channels if absent"
    )

    @property
    def labels(self) -> tuple[str, ...]:
        """Channels that it must find; `ssd` only names a place on the head."""
        centre = () if self.hjorth is None else (self.hjorth,)
        named = (*(self.weights or ()), *centre, *self.neighbours)
        return named + (self.average_over or ())

    @pydantic.model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = (self.weights, self.hjorth, self.ssd, self.file)
        if sum(way is not None for way in ways) != 1:
            raise ValueError("give one of weights, hjorth, ssd and file")
        if self.neighbours and (self.hjorth is None or len(self.neighbours) < 2):
            raise ValueError("neighbours go with hjorth, at least two of them")
        if self.weights is not None and not any(self.weights.values()):
            raise ValueError("give at least one weight that is not zero")
        return self


class Estimator(Section):
    """How the phase is estimated."""

    kind: str = "blend"


class Target(Section):
    """Where in the cycle the pulse shall land."""

    phase_deg: Annotated[float, Field(strict=True, ge=-360, le=360)]


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
    lock_ms: Annotated[float, Field(strict=True, gt=0, le=500)] | None = Field(
        None, description="when a deadline is fixed; found from the stream if absent"
    )
    seed: Seed = 1


class Run(Section):
    """How long the session lasts."""

    rest_s: NotNegative = 30.0
    duration_s: Positive | None = None
    participant: str = "unnamed"


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
    stimulator: Stimulator | None = None
    console: Console | None = None
    limits: LimitsSection
    recording: Recording = Recording()
    run: Run = Run()

    @property
    def needs_console(self) -> bool:
        """Whether nothing is armed before somebody attends at a console."""
        return self.console is not None and self.console.required

    @pydantic.model_validator(mode="after")
    def _stimulator_fits(self) -> Self:
        if self.stimulator is not None:
            complaint = stimulator_complaint(
                self.stimulator, self.limits, output_simulated=self.output.simulated
            )
            if complaint is not None:
                raise ValueError(complaint)
        return self

    @pydantic.model_validator(mode="after")
    def _montage_of_source(self) -> Self:
        # Of other sources nobody knows the labels before they are there.
        if isinstance(self.source, SyntheticSource):
            given = self.source.labels
            lacking = [label for label in self.montage.labels if label not in given]
            if lacking:
                raise ValueError(
                    f"montage reads {', '.join(lacking)}, but source.channels has only "
                    f"{', '.join(given)}"
                )
        return self

    @pydantic.model_validator(mode="after")
    def _within_limits(self) -> Self:
        shortest = self.timing.iti_s - self.timing.iti_jitter_s
        if not shortest >= self.limits.min_interval_s:
            raise ValueError(
                f"timing.iti_s - timing.iti_jitter_s is {shortest:g} s, shorter than "
                f"limits.min_interval_s = {self.limits.min_interval_s:g} s"
            )
        duration_s = self.run.duration_s
        if duration_s is not None and not duration_s <= self.limits.max_armed_s:
            raise ValueError(
                f"run.duration_s is {duration_s:g} s, longer than limits.max_armed_s = "
                f"{self.limits.max_armed_s:g} s, when the arming ends"
            )
        longest = 500.0 * self.limits.min_interval_s
        if not self.output.pulse_ms <= longest:
            raise ValueError(
                f"output.pulse_ms is {self.output.pulse_ms:g} ms, longer than half of "
                f"limits.min_interval_s, {longest:g} ms"
            )
        return self


def load_config(path: Path) -> Config:
    """Read a configuration file.

    Raises
    ------
    ConfigError
        One sentence per mistake: the key, the rule, the value, the nearest valid name.
    """
    return parse_config(config_text(path), where=str(path))


def config_text(path: Path) -> str:
    """Return what a configuration file says.

    Raises
    ------
    ConfigError
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(
            f"There is no configuration file {path}; "
            "`phasegate check` accepts any of the files in configs/."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise not_text(path, error) from error


def parse_config(text: str, *, where: str) -> Config:
    """Read a configuration from TOML text; `where` names it in messages."""
    try:
        return Config.model_validate(toml_tables(text, where))
    except pydantic.ValidationError as error:
        mistakes = " ".join(sentences(error, Config))
        raise ConfigError(f"{where}: {mistakes}") from error


def toml_tables(text: str, where: str) -> dict[str, Any]:
    """Return the tables of TOML text; `where` names it in messages.

    Raises
    ------
    ConfigError
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where} is not valid TOML: {error}.") from error
