"""The calibration page: what to expect of a participant, as one static file."""

import dataclasses
import datetime as dt
import math
from pathlib import Path

import jinja2

from controller.calibration.result import CalibrationResult, GateLevel
from controller.errors import RecordingError
from controller.report.calibration_figures import (
    error_figure,
    spectrum_figure,
    trade_off_figure,
)
from controller.report.facts import KeyFigure
from controller.report.topography import topography_figure, without_position
from controller.report.words import FAIR_SD_DEG, GOOD_SD_DEG, MINUS, Verdict, signed
from controller.session.recording.append_file import reason_of

CALIBRATION_PAGE = "calibration.html"

_TEMPLATE = "calibration.html.j2"
_FILTERS = {
    "weights": "given weights",
    "hjorth": "Hjorth derivation",
    "average": "average reference",
    "ssd": "spatio-spectral decomposition",
    "imported": "imported weights",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One gate level, as cells of the table."""

    cells: list[str]
    chosen: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationPage:
    """Everything that the template shows; figures are SVG text."""

    title: str
    subtitle: str
    version: str
    verdict: Verdict
    sentence: str
    warnings: list[str]
    key_figures: list[KeyFigure]
    spectrum: str
    topography: str
    not_drawn: str
    errors: str
    trade_off: str
    rows: list[Row]
    facts: list[tuple[str, str]]


def write_calibration_page(
    result: CalibrationResult, path: Path, *, created: dt.datetime, version: str
) -> Path:
    """Write the page of a calibration and return its path.

    Parameters
    ----------
    result : CalibrationResult
    path : Path
        The file.
    created : datetime
    version : str
        Of phasegate.

    Raises
    ------
    RecordingError
        If the disk is full or gone.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("controller.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    page = page_of(result, created=created, version=version)
    html = environment.get_template(_TEMPLATE).render(
        {field.name: getattr(page, field.name) for field in dataclasses.fields(page)}
    )
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        raise RecordingError(
            f"The calibration page {path} cannot be written: {reason_of(error)}."
        ) from error
    return path


def page_of(
    result: CalibrationResult, *, created: dt.datetime, version: str
) -> CalibrationPage:
    """Return what the page shows of a calibration."""
    when = created.astimezone(dt.UTC)
    return CalibrationPage(
        title=f"Calibration of {result.participant}",
        subtitle=(
            f"{when:%Y-%m-%d %H:%M} UTC, {result.rhythm.band_name} at rest, "
            f"from {result.source_name}"
        ),
        version=version,
        verdict=expected_verdict(result.level),
        sentence=result.sentence(),
        warnings=_warnings(result),
        key_figures=_key_figures(result),
        spectrum=spectrum_figure(result.rhythm),
        topography=_topography(result),
        not_drawn=", ".join(without_position(result.labels)),
        errors=error_figure(result.errors_all_rad, result.errors_gated_rad),
        trade_off=trade_off_figure(result.levels, result.recommended),
        rows=[
            Row(cells=_cells(level), chosen=k == result.recommended)
            for k, level in enumerate(result.levels)
        ],
        facts=_facts(result),
    )


def expected_verdict(level: GateLevel) -> Verdict:
    """Return whether phase-locking behind a gate can be expected to work."""
    sd_deg = math.degrees(level.circ_sd_rad)
    if not sd_deg <= FAIR_SD_DEG:
        return Verdict(
            grade="poor", sign="✕", words="hardly any phase-locking to expect"
        )
    if sd_deg > GOOD_SD_DEG:
        return Verdict(grade="fair", sign="△", words="phase-locking with a wide spread")
    return Verdict(grade="good", sign="✓", words="ready for phase-locked pulses")


def _warnings(result: CalibrationResult) -> list[str]:
    warnings = list(result.warnings)
    warnings += [f"Left out: {bad.reason}" for bad in result.bad_channels]
    lost_s = result.rest_recorded_s - result.rest_used_s
    if lost_s >= 0.05:
        warnings.append(
            f"{lost_s:.1f} of {result.rest_recorded_s:.1f} s of rest were not used, "
            "because of artifacts or because the stretch between two was too short."
        )
    return warnings


def _key_figures(result: CalibrationResult) -> list[KeyFigure]:
    level = result.level
    figures = {
        "Individual frequency": f"{result.rhythm.frequency_hz:.2f} Hz",
        "Over the 1/f line": f"{result.rhythm.snr_db:.1f} dB",
        "Expected circular SD": _degrees(level.circ_sd_rad),
        "Within 45°": f"{level.within_45:.0%}",
        "Triggers per minute": f"{level.triggers_per_minute:.1f}",
        "Rest used": f"{result.rest_used_s:.0f} s",
    }
    return [KeyFigure(name=name, value=value) for name, value in figures.items()]


def _topography(result: CalibrationResult) -> str:
    spatial = result.spatial_filter
    weights = [float(weight) for weight in spatial.weights]
    heads = {"weights": dict(zip(spatial.labels, weights, strict=True))}
    if spatial.pattern is not None:
        pattern = [float(value) for value in spatial.pattern]
        heads["pattern"] = dict(zip(spatial.labels, pattern, strict=True))
    return topography_figure(heads, [bad.label for bad in result.bad_channels])


def _cells(level: GateLevel) -> list[str]:
    gate = f"percentile {level.percentile:g}" if level.percentile else "open"
    return [
        gate,
        f"{level.threshold_uv:.1f}",
        _degrees(level.circ_sd_rad),
        f"{signed(math.degrees(level.bias_rad))}°",
        f"{level.within_45:.0%}",
        f"{level.triggers_per_minute:.1f}",
        f"{level.n_triggers:,}",
    ]


def _degrees(sd_rad: float) -> str:
    return f"{math.degrees(sd_rad):.1f}°" if math.isfinite(sd_rad) else "none"


def _facts(result: CalibrationResult) -> list[tuple[str, str]]:
    rhythm, spatial = result.rhythm, result.spatial_filter
    low_hz, high_hz = rhythm.band_hz
    montage = [
        f"{label} {weight:+.3f}".replace("-", MINUS)
        for label, weight in spatial.montage.items()
    ]
    return [
        ("Pass band", f"{low_hz:.1f} to {high_hz:.1f} Hz"),
        ("Slope of the 1/f line", f"{rhythm.background.exponent:.2f}"),
        ("Spatial filter", _FILTERS.get(spatial.kind, spatial.kind)),
        ("Weights", ", ".join(montage)),
        ("Estimator", f"{result.estimator}, {result.horizon_s * 1e3:.1f} ms ahead"),
        ("Rate", f"{result.sfreq_hz:g} Hz"),
        ("Channels", f"{len(result.labels)}, of which {len(result.bad_channels)} bad"),
        ("Samples", f"SHA-256 {result.source_sha256[:16]}…"),
    ]
