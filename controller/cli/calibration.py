"""Calibrate in front of a person: progress, then what to expect."""

import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from controller import __version__
from controller.cli.steps import Steps, open_steps
from controller.config import Config
from controller.kernels.jit import cache_directory

if TYPE_CHECKING:
    from controller.calibration.compare import ProfileComparison
    from controller.calibration.result import CalibrationResult, GateLevel
    from controller.rig.calibrate.rest_recording import RestRecording

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
    before : str or None
        Name of the participant's profile before.
    comparison : ProfileComparison or None
        With that; None also where it cannot be compared, and `not_compared` says why.
    not_compared : str
    """

    result: "CalibrationResult"
    folder: Path
    page: Path
    before: str | None = None
    comparison: "ProfileComparison | None" = None
    not_compared: str = ""

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
            "bad_channels": {bad.label: bad.reason for bad in result.bad_channels},
            "recommended": result.recommended,
            "levels": [_level(level) for level in result.levels],
            "more_rest_gain_deg": result.more_rest_gain_deg,
            "warnings": list(result.warnings),
            "before": self.before,
            "comparison": self.comparison and dataclasses.asdict(self.comparison),
        }

    def show(self, console: Console | None = None) -> None:
        """Print what a person wants to know, on stdout."""
        console = console or Console(highlight=False)
        result = self.result
        for bad in result.bad_channels:
            _print(console, f"Left out: {bad.reason}")
        for warning in result.warnings:
            _print(console, f"Note: {warning}")
        _print(
            console,
            f"Rhythm at {result.rhythm.frequency_hz:.2f} Hz, "
            f"{result.rhythm.snr_db:.1f} dB over the background; "
            f"{result.rest_used_s:.0f} of {result.rest_recorded_s:.0f} s used.",
        )
        console.print(levels_table(result))
        if self.before is not None:
            said = (
                self.not_compared if not self.comparison else self.comparison.sentence
            )
            _print(console, f"Beside {self.before}: {said}")
        _print(console, result.sentence(), style="bold")


def conduct(wish: Wish) -> Made:
    """Get the rest, calibrate, write the profile and its page.

    Raises
    ------
    PhasegateError
    """
    with open_steps() as steps:
        is_first = not any(cache_directory().glob("**/*.nbi"))
        steps.begin(
            "Compiling the loop for this machine; once, some minutes"
            if is_first
            else "Loading the compiled loop"
        )
        from controller.rig.calibrate.calibration import (
            calibrate_rest,
            check_calibration,
        )
        from controller.rig.calibrate.profile import check_writable

        check_calibration(wish.config, wish.rest_s)
        check_writable(wish.profiles)
        recording = _rest(wish, steps)
        steps.begin("Looking for bad channels", 1.0)
        calibrated = calibrate_rest(wish.config, recording, steps.tell)
        steps.begin("Writing the profile and its page")
        return _written(wish, recording, calibrated)


def _written(wish: Wish, recording: "RestRecording", calibrated: Any) -> Made:
    from controller.calibration.compare import compare_profiles
    from controller.calibration.profile_file import load_profile, profile_folders
    from controller.errors import PhasegateError
    from controller.report.calibration_page import (
        CALIBRATION_PAGE,
        write_calibration_page,
    )
    from controller.rig.calibrate.profile import keep

    participant = wish.config.run.participant
    versions = profile_folders(wish.profiles, participant)
    folder = keep(
        calibrated,
        recording.stream,
        wish.profiles,
        ssd_anchor=wish.config.montage.ssd,
    )
    after = load_profile(folder)
    page = write_calibration_page(
        calibrated.result,
        folder / CALIBRATION_PAGE,
        created=after.created,
        version=__version__,
    )
    made = Made(result=calibrated.result, folder=folder, page=page)
    if not versions:
        return made
    made = dataclasses.replace(made, before=versions[-1].name)
    try:
        comparison = compare_profiles(load_profile(versions[-1]), after)
    except PhasegateError as error:  # the new profile stands, whatever the old one is
        return dataclasses.replace(made, not_compared=str(error))
    return dataclasses.replace(made, comparison=comparison)


def _rest(wish: Wish, steps: Steps) -> "RestRecording":
    from controller.rig.calibrate import rest_recording

    if wish.session is not None:
        steps.begin("Reading the session")
        return rest_recording.rest_of_session(
            wish.session, participant=wish.config.run.participant
        )
    if wish.recording is not None:
        steps.begin("Reading the recording")
        return rest_recording.rest_of_file(wish.recording, wish.rest_s)
    seconds = LIVE_REST_S if wish.rest_s is None else wish.rest_s
    steps.begin("Looking for the stream")
    has_begun = False

    def tell(received_s: float) -> bool:
        nonlocal has_begun
        if not has_begun:
            has_begun = True
            steps.begin(f"Rest: {seconds:g} s, relaxed and still", seconds)
        steps.tell(received_s)
        return True

    return rest_recording.rest_of_stream(wish.config, seconds, tell)


def levels_table(result: "CalibrationResult") -> Table:
    """Return what to expect, gate by gate."""
    table = Table(
        title="What a session may expect, gate by gate", title_justify="left", box=None
    )
    for heading in ("gate", "threshold", "circular SD", "within 45 deg", "per minute"):
        table.add_column(heading, justify="right", no_wrap=True)
    for index, level in enumerate(result.levels):
        is_own = index == result.recommended
        gate = "open" if level.percentile == 0.0 else f"above {level.percentile:.3g} %"
        sd = (
            f"{math.degrees(level.circ_sd_rad):.0f} deg"
            if math.isfinite(level.circ_sd_rad)
            else "none"
        )
        table.add_row(
            ("* " if is_own else "") + gate,
            f"{level.threshold_uv:.1f} uV",
            sd,
            f"{level.within_45:.0%}",
            f"{level.triggers_per_minute:.0f}",
            style="bold" if is_own else "",
        )
    table.caption = "* this configuration; % are percentiles of the amplitude at rest"
    table.caption_justify = "left"
    return table


def _print(console: Console, sentence: str, style: str = "") -> None:
    # Files and pipes get a sentence as one line.
    console.print(Text(sentence, style=style), soft_wrap=not console.is_terminal)


def _level(level: "GateLevel") -> dict[str, float | None]:
    from controller.calibration.profile import circ_sd_deg

    return {
        "percentile": level.percentile,
        "threshold_uv": level.threshold_uv,
        "circ_sd_deg": circ_sd_deg(level),
        "bias_deg": math.degrees(level.bias_rad),
        "within_45": level.within_45,
        "triggers_per_minute": level.triggers_per_minute,
        "n_triggers": level.n_triggers,
    }
