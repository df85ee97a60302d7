"""Calibrate in front of a person: progress, table, sentence."""

import dataclasses
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table

from controller import __version__
from controller.config import Config

if TYPE_CHECKING:
    from controller.calibration.compare import ProfileComparison
    from controller.calibration.result import CalibrationResult
    from controller.rig.rest_recording import RestRecording

LIVE_REST_S = 120.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line asks for.

    Parameters
    ----------
    config : Config
    recording, session : Path or None
        Where the rest is; from the configuration's source if both are None.
    rest_s : float or None
    profiles : Path
    """

    config: Config
    recording: Path | None
    session: Path | None
    rest_s: float | None
    profiles: Path


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A calibration that is written.

    Parameters
    ----------
    result : CalibrationResult
    folder, page : Path
    comparison : ProfileComparison or None
        With the participant's profile before.
    """

    result: "CalibrationResult"
    folder: Path
    page: Path
    comparison: "ProfileComparison | None"

    def as_dict(self) -> dict[str, Any]:
        """Return the result for machines."""
        result = self.result
        return {
            "participant": result.participant,
            "sentence": result.sentence(),
            "profile": str(self.folder),
            "page": str(self.page),
            "frequency_hz": result.rhythm.frequency_hz,
            "snr_db": result.rhythm.snr_db,
            "estimator": result.estimator,
            "horizon_ms": result.horizon_s * 1e3,
            "rest_used_s": result.rest_used_s,
            "rest_recorded_s": result.rest_recorded_s,
            "montage": result.spatial_filter.montage,
            "recommended": result.recommended,
            "levels": [_level(level) for level in result.levels],
            "more_rest_gain_deg": result.more_rest_gain_deg,
            "warnings": list(result.warnings),
        }

    def show(self) -> None:
        """Print what a person wants to know."""
        console = Console(stderr=True)
        result = self.result
        for bad in result.bad_channels:
            console.print(f"Left out: {bad.reason}")
        for warning in result.warnings:
            console.print(f"Note: {warning}")
        console.print(
            f"Rhythm at {result.rhythm.frequency_hz:.2f} Hz, "
            f"{result.rhythm.snr_db:.1f} dB over the background; "
            f"{result.rest_used_s:.0f} of {result.rest_recorded_s:.0f} s used."
        )
        console.print(_table(result))
        if self.comparison is not None:
            console.print(self.comparison.sentence)
        console.print(f"[bold]{result.sentence()}[/bold]")


def conduct(wish: Wish) -> Made:
    """Get the rest, calibrate, write the profile and its page.

    Raises
    ------
    PhasegateError
    """
    with _progress() as progress:
        loading = progress.add_task("Loading the compiled loop", total=None)
        from controller.calibration.compare import compare_profiles
        from controller.calibration.profile import check_participant
        from controller.calibration.profile_file import load_profile, profile_folders
        from controller.report.calibration_page import write_calibration_page
        from controller.rig.calibration import calibrate_rest
        from controller.rig.profile import keep

        check_participant(wish.config.run.participant)
        progress.remove_task(loading)
        recording = _rest(wish, progress)
        task = progress.add_task("Calibrating", total=1.0)
        calibrated = calibrate_rest(
            wish.config,
            recording,
            lambda done, words: progress.update(
                task, completed=done, description=words
            ),
        )
        progress.update(task, completed=1.0, description="Calibrated")
        before = profile_folders(wish.profiles, wish.config.run.participant)
        folder = keep(calibrated, recording.stream, wish.profiles)
        after, comparison = load_profile(folder), None
        if before:
            comparison = compare_profiles(
                load_profile(before[-1]), load_profile(folder)
            )
        page = write_calibration_page(
            calibrated.result,
            folder / "calibration.html",
            created=after.created,
            version=__version__,
        )
    return Made(
        result=calibrated.result, folder=folder, page=page, comparison=comparison
    )


def _rest(wish: Wish, progress: Progress) -> "RestRecording":
    from controller.rig import rest_recording

    if wish.session is not None:
        return rest_recording.rest_of_session(wish.session)
    if wish.recording is not None:
        return rest_recording.rest_of_file(wish.recording, wish.rest_s)
    seconds = LIVE_REST_S if wish.rest_s is None else wish.rest_s
    task = progress.add_task(f"Rest: {seconds:g} s, relaxed and still", total=seconds)

    def tell(received_s: float) -> bool:
        progress.update(task, completed=received_s)
        return True

    recording = rest_recording.rest_of_stream(wish.config, seconds, tell)
    progress.update(task, completed=seconds)
    return recording


@contextmanager
def _progress() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield progress


def _table(result: "CalibrationResult") -> Table:
    table = Table(title="What a session may expect, gate by gate")
    for heading in ("gate", "threshold", "circular SD", "within 45 deg", "per minute"):
        table.add_column(heading, justify="right")
    for index, level in enumerate(result.levels):
        gate = (
            "open" if level.percentile == 0.0 else f"top {100 - level.percentile:g} %"
        )
        table.add_row(
            gate + (" *" if index == result.recommended else ""),
            f"{level.threshold_uv:.1f} uV",
            f"{math.degrees(level.circ_sd_rad):.0f} deg",
            f"{level.within_45:.0%}",
            f"{level.triggers_per_minute:.0f}",
            style="bold" if index == result.recommended else "",
        )
    table.caption = "* the gate of this configuration"
    return table


def _level(level: Any) -> dict[str, float]:
    return {
        "percentile": level.percentile,
        "threshold_uv": level.threshold_uv,
        "circ_sd_deg": math.degrees(level.circ_sd_rad),
        "bias_deg": math.degrees(level.bias_rad),
        "within_45": level.within_45,
        "triggers_per_minute": level.triggers_per_minute,
        "n_triggers": level.n_triggers,
    }
