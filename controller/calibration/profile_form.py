"""The form of `profile.toml`: which keys stand where, and in which units."""

import datetime as dt
import math
import tomllib
from collections.abc import Mapping
from typing import Annotated, Any

import pydantic
from pydantic import Field

from controller.calibration.profile import Array, Profile, Setting, circ_sd_deg
from controller.calibration.result import GateLevel
from controller.calibration.toml_text import Value, to_toml
from controller.config_fields import Number, Positive, Section, Whole
from controller.config_mistakes import sentences
from controller.errors import ConfigError

FORMAT = 1
"""Rises when a profile of the old form would be misread."""

Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Source(Section):
    name: str
    samples_sha256: Sha256
    sfreq_hz: Positive
    channels: tuple[str, ...]


class _Rest(Section):
    used_s: Positive
    recorded_s: Positive


class _Montage(Section):
    kind: str
    weights: Annotated[dict[str, Number], Field(min_length=1)]


class _Rhythm(Section):
    band: str
    frequency_hz: Positive
    band_hz: tuple[Positive, Positive]
    snr_db: Number


class _Estimator(Section):
    kind: str
    horizon_s: Annotated[float, Field(strict=True, ge=0)]
    settings: dict[str, bool | int | float | str | list[float] | list[str]]


class _Level(Section):
    percentile: Annotated[float, Field(strict=True, ge=0, lt=100)]
    threshold_uv: Annotated[float, Field(strict=True, ge=0)]
    circ_sd_deg: Annotated[float, Field(strict=True, ge=0)] | None = None
    bias_deg: Annotated[float, Field(strict=True, ge=-180, le=180)]
    within_45: Share
    triggers_per_minute: Annotated[float, Field(strict=True, ge=0)]
    n_triggers: Annotated[int, Field(strict=True, ge=0)]


class _Expected(Section):
    sentence: str
    bias_deg: Annotated[float, Field(strict=True, ge=-180, le=180)]
    recommended: Annotated[int, Field(strict=True, ge=0)]
    levels: Annotated[tuple[_Level, ...], Field(min_length=1)]


class ArraysFile(Section):
    """Where the arrays are, and the hash that they must have."""

    file: str
    sha256: Sha256


class _Form(Section):
    format: Whole
    participant: str
    version: Annotated[int, Field(strict=True, ge=1)]
    created: pydantic.AwareDatetime
    phasegate: str
    source: _Source
    rest: _Rest
    montage: _Montage
    rhythm: _Rhythm
    estimator: _Estimator
    expected: _Expected
    arrays: ArraysFile


def form_text(profile: Profile, *, arrays_file: str, arrays_sha256: str) -> str:
    """Return the text of `profile.toml`.

    Raises
    ------
    ConfigError
        If the profile holds something that the file has no form for.
    """
    table = _table(profile, {"file": arrays_file, "sha256": arrays_sha256})
    try:
        text = to_toml(table)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"The {profile.name} cannot be written: {error}; calibrate again."
        ) from error
    _parse(text, where=f"the {profile.name}")
    return text


def parse_form(text: str, *, where: str) -> tuple[_Form, ArraysFile]:
    """Read the text of `profile.toml`; `where` names it in messages.

    Raises
    ------
    ConfigError
        If it is no profile, of another format, or has a mistake.
    """
    form = _parse(text, where=where)
    return form, form.arrays


def profile_from(form: _Form, arrays: Mapping[str, Array]) -> Profile:
    """Return the profile that a form and its arrays describe."""
    expected = form.expected
    return Profile(
        participant=form.participant,
        version=form.version,
        created=form.created.astimezone(dt.UTC),
        code_version=form.phasegate,
        source_name=form.source.name,
        source_sha256=form.source.samples_sha256,
        sfreq_hz=form.source.sfreq_hz,
        labels=form.source.channels,
        filter_kind=form.montage.kind,
        montage=form.montage.weights,
        band_name=form.rhythm.band,
        frequency_hz=form.rhythm.frequency_hz,
        snr_db=form.rhythm.snr_db,
        band_hz=form.rhythm.band_hz,
        estimator=form.estimator.kind,
        estimator_settings={
            key: _setting(value) for key, value in form.estimator.settings.items()
        },
        horizon_s=form.estimator.horizon_s,
        bias_rad=math.radians(expected.bias_deg),
        levels=tuple(map(_level, expected.levels)),
        recommended=expected.recommended,
        rest_used_s=form.rest.used_s,
        rest_recorded_s=form.rest.recorded_s,
        sentence=expected.sentence,
        arrays=arrays,
    )


def _parse(text: str, *, where: str) -> _Form:
    try:
        table: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where} is not valid TOML: {error}.") from error
    # Before anything else: another format may have other keys.
    found = table.get("format")
    if found != FORMAT or isinstance(found, bool):
        raise ConfigError(
            f"{where} is a profile of format {found!r}, but this version reads format "
            f"{FORMAT}; calibrate again or use the version that wrote it."
        )
    try:
        return _Form.model_validate(table)
    except pydantic.ValidationError as error:
        mistakes = " ".join(sentences(error, _Form))
        raise ConfigError(f"{where}: {mistakes}") from error


def _table(profile: Profile, arrays: dict[str, Value]) -> dict[str, Value]:
    return {
        "format": FORMAT,
        "participant": profile.participant,
        "version": profile.version or 0,
        "created": profile.created.astimezone(dt.UTC).replace(microsecond=0),
        "phasegate": profile.code_version,
        "source": {
            "name": profile.source_name,
            "samples_sha256": profile.source_sha256,
            "sfreq_hz": float(profile.sfreq_hz),
            "channels": list(profile.labels),
        },
        "rest": {
            "used_s": float(profile.rest_used_s),
            "recorded_s": float(profile.rest_recorded_s),
        },
        "montage": {
            "kind": profile.filter_kind,
            "weights": {name: float(w) for name, w in profile.montage.items()},
        },
        "rhythm": {
            "band": profile.band_name,
            "frequency_hz": float(profile.frequency_hz),
            "band_hz": [float(edge) for edge in profile.band_hz],
            "snr_db": float(profile.snr_db),
        },
        "estimator": {
            "kind": profile.estimator,
            "horizon_s": float(profile.horizon_s),
            "settings": {
                key: list(value) if isinstance(value, tuple) else value
                for key, value in profile.estimator_settings.items()
            },
        },
        "expected": {
            "sentence": profile.sentence,
            "bias_deg": math.degrees(profile.bias_rad),
            "recommended": profile.recommended,
            "levels": [_level_table(level) for level in profile.levels],
        },
        "arrays": arrays,
    }


def _level_table(level: GateLevel) -> dict[str, Value]:
    table: dict[str, Value] = {
        "percentile": float(level.percentile),
        "threshold_uv": float(level.threshold_uv),
        "bias_deg": math.degrees(level.bias_rad),
        "within_45": float(level.within_45),
        "triggers_per_minute": float(level.triggers_per_minute),
        "n_triggers": int(level.n_triggers),
    }
    sd_deg = circ_sd_deg(level)
    return table if sd_deg is None else table | {"circ_sd_deg": sd_deg}


def _level(level: _Level) -> GateLevel:
    sd_deg = math.inf if level.circ_sd_deg is None else level.circ_sd_deg
    return GateLevel(
        percentile=level.percentile,
        threshold_uv=level.threshold_uv,
        circ_sd_rad=math.radians(sd_deg),
        bias_rad=math.radians(level.bias_deg),
        within_45=level.within_45,
        triggers_per_minute=level.triggers_per_minute,
        n_triggers=level.n_triggers,
    )


def _setting(value: Any) -> Setting:
    return tuple(value) if isinstance(value, list) else value
