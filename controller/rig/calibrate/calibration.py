"""From recorded rest to a calibration: filter, rhythm, predictor, expectation."""

import dataclasses
from collections.abc import Callable

import numpy as np

from controller.calibration.bad_channels import BadChannel, find_bad_channels
from controller.calibration.profile import check_participant
from controller.calibration.profile_file import samples_sha256
from controller.calibration.result import CalibrationResult
from controller.calibration.spatial_filter import SpatialFilter
from controller.calibration.usable_rest import UsableRest, require_usable
from controller.config import Config
from controller.errors import ChannelError, ConfigError, RhythmTooWeak
from controller.estimators.base import Brief, Designer
from controller.estimators.registry import find_designer
from controller.estimators.rhythm import Rhythm, find_rhythm, given_rhythm
from controller.kernels.jit import Float64Array
from controller.rig.calibrate.clean_rest import CleanRest, clean_rest, usable_part
from controller.rig.calibrate.design import check_frequency
from controller.rig.calibrate.expectation import Expected, expect
from controller.rig.calibrate.held_out_parts import Task
from controller.rig.calibrate.rehearsal import Rehearsal
from controller.rig.calibrate.rest_quality import LEAST_REST_S, require_whole, warnings
from controller.rig.calibrate.rest_recording import RestRecording
from controller.rig.calibrate.spatial import (
    check_montage,
    eeg_channels,
    filter_of,
    resolved_montage,
    ssd_filter,
    with_pattern,
)
from controller.rig.programs.gate_rules import gate_rules
from controller.rig.programs.program import Rules
from controller.rig.programs.translate import horizon_s, rules_of
from controller.sources.montage import mixing_matrix, other_channels

_DOING = ("Designing the estimator on parts of the rest", "Rehearsing the loop")

Tell = Callable[[float, str], None]
"""Told how far the calibration is, 0 to 1, and what it does."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibrated:
    """A calibration, and what a profile keeps of it for the loop.

    Parameters
    ----------
    result : CalibrationResult
    rest : CleanRest
        What the estimator is designed from.
    """

    result: CalibrationResult
    rest: CleanRest


def check_calibration(config: Config, rest_s: float | None = None) -> None:
    """Refuse what no rest could calibrate, before anybody rests.

    Parameters
    ----------
    config : Config
    rest_s : float, optional
        How much rest is asked for.

    Raises
    ------
    ConfigError, ChannelError, FileError, MissingExtra
    """
    if rest_s is not None and not rest_s >= LEAST_REST_S:
        raise ConfigError(
            f"Calibration needs at least {LEAST_REST_S:g} s of clean rest, not "
            f"{rest_s:g}; ask for more with --rest."
        )
    check_participant(config.run.participant)
    check_frequency(config)
    find_designer(config.estimator.kind)
    if config.montage.ssd is None:
        check_montage(config)


def calibrate_rest(config: Config, recording: RestRecording, tell: Tell) -> Calibrated:
    """Calibrate on a rest recording.

    Parameters
    ----------
    config : Config
    recording : RestRecording
    tell : callable

    Raises
    ------
    SignalFault
        Too little of the rest is free of artifacts or gaps.
    RhythmTooWeak
        Too little rest, or no rhythm in it that can be followed.
    ChannelError
        A channel that the montage reads is bad, or not there.
    ConfigError
    """
    stream, sfreq_hz = recording.stream, recording.stream.sfreq_hz
    designer = find_designer(config.estimator.kind)
    recorded_s = len(recording.raw) / sfreq_hz
    if not recorded_s >= LEAST_REST_S:
        raise RhythmTooWeak(
            f"The rest of {recording.name} lasts {recorded_s:.1f} s, but calibration "
            f"needs {LEAST_REST_S:g} s; record more rest."
        )
    tell(0.0, "Looking for bad channels")
    eeg_uv, labels = _eeg(recording)
    bad = find_bad_channels(eeg_uv, labels, sfreq_hz)
    tell(0.05, "Making the spatial filter")
    mixing = _followed(config, recording, eeg_uv, labels, bad)
    usable = usable_part(config, recording, mixing)
    require_whole(recording, usable)
    require_usable(usable, LEAST_REST_S)
    if designer.reads_others:
        others = other_channels(config.montage, stream)
        mixing = np.concatenate([mixing, _without(others, stream.labels, bad)])
    rest = clean_rest(config, recording, mixing, usable)
    tell(0.1, "Finding the rhythm")
    rhythm = _rhythm(config, rest.uv[0], sfreq_hz)
    spatial = with_pattern(
        filter_of(mixing, stream, config.montage),
        eeg_uv,
        sfreq_hz,
        rhythm.band_hz,
        usable.stretches,
    )
    brief = Brief(
        sfreq_hz=sfreq_hz,
        frequency_hz=rhythm.frequency_hz,
        band_hz=rhythm.band_hz,
        horizon_s=horizon_s(config, recording.timing),
    )
    task = Task(
        designer=designer,
        brief=brief,
        rest=rest,
        rehearsal=_rehearsal(config, recording),
        timing=config.timing,
        percentile=config.gate.closed_below,
        threshold_uv=config.gate.threshold_uv,
        tolerance_rad=float(np.radians(config.gate.tolerance_deg)),
    )
    expected = expect(task, lambda done: tell(0.15 + 0.85 * done, _DOING[done >= 0.4]))
    result = _result(
        config, recording, rhythm, spatial, bad, usable, designer, expected
    )
    return Calibrated(result=result, rest=rest)


def _result(
    config: Config,
    recording: RestRecording,
    rhythm: Rhythm,
    spatial: SpatialFilter,
    bad: tuple[BadChannel, ...],
    usable: UsableRest,
    designer: Designer,
    expected: Expected,
) -> CalibrationResult:
    return CalibrationResult(
        participant=config.run.participant,
        source_name=recording.name,
        source_sha256=samples_sha256(recording.raw),
        sfreq_hz=recording.stream.sfreq_hz,
        labels=spatial.labels,
        rhythm=rhythm,
        spatial_filter=spatial,
        bad_channels=bad,
        rest_used_s=usable.used_s,
        rest_recorded_s=usable.recorded_s,
        estimator=designer.name,
        horizon_s=horizon_s(config, recording.timing),
        levels=expected.levels,
        recommended=expected.recommended,
        errors_all_rad=expected.errors_all_rad,
        errors_gated_rad=expected.errors_gated_rad,
        more_rest_gain_deg=expected.more_rest_gain_deg,
        warnings=warnings(recording, rhythm, spatial),
    )


def _rhythm(config: Config, followed_uv: Float64Array, sfreq_hz: float) -> Rhythm:
    wanted = config.rhythm
    if wanted.frequency_hz is not None:
        return given_rhythm(followed_uv, sfreq_hz, wanted.band, wanted.frequency_hz)
    return find_rhythm(followed_uv, sfreq_hz, wanted.band, wanted.search_hz)


def _eeg(recording: RestRecording) -> tuple[Float64Array, tuple[str, ...]]:
    stream = recording.stream
    eeg = eeg_channels(stream)
    uv = recording.raw[:, eeg].astype(np.float64) * stream.scale_uv[eeg]
    return np.ascontiguousarray(uv.T), tuple(stream.labels[index] for index in eeg)


def _followed(
    config: Config,
    recording: RestRecording,
    eeg_uv: Float64Array,
    labels: tuple[str, ...],
    bad: tuple[BadChannel, ...],
) -> Float64Array:
    """Return the followed channel's row; refuse one that reads a bad channel."""
    stream = recording.stream
    ssd = None
    if config.montage.ssd is not None:
        names = {channel.label for channel in bad}
        good = [index for index, label in enumerate(labels) if label not in names]
        ssd = ssd_filter(
            config.montage,
            config.rhythm,
            eeg_uv[good],
            tuple(labels[index] for index in good),
            stream.sfreq_hz,
        )
    montage = resolved_montage(config.montage, stream.labels, ssd=ssd)
    mixing = mixing_matrix(montage, stream)
    for channel in bad:
        if mixing[0, stream.labels.index(channel.label)] != 0.0:
            raise ChannelError(
                f"The montage reads {channel.label}, which cannot be used: "
                f"{channel.reason} Mend the electrode, or change [montage]."
            )
    return mixing


def _without(
    rows: Float64Array, labels: tuple[str, ...], bad: tuple[BadChannel, ...]
) -> Float64Array:
    at = [labels.index(channel.label) for channel in bad]
    return np.asarray(rows[~np.any(rows[:, at] != 0.0, axis=1)])


def _rehearsal(config: Config, recording: RestRecording) -> Rehearsal:
    return Rehearsal(
        sfreq_hz=recording.stream.sfreq_hz,
        scale_uv=recording.stream.scale_uv,
        rules=_rules(config, recording),
        limits=config.limits.to_limits(),
        data_age_s=max(0.0, recording.timing.data_age_p50_s),
        target_phase_rad=float(np.radians(config.target.phase_deg)),
        seed=config.timing.seed,
    )


def _rules(config: Config, recording: RestRecording) -> Rules:
    # Nobody sets markers during a rehearsal.
    gates = dataclasses.replace(gate_rules(config, recording.stream), marker=False)
    return dataclasses.replace(rules_of(config, recording.timing), gates=gates)
