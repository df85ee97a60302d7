"""The promise is made on rest that its designs never saw."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from rests import SFREQ_HZ, block_of, calibrated, calibration_config, recording_of

from controller.estimators.base import Brief
from controller.estimators.registry import find_designer
from controller.estimators.truth import analytic_truth
from controller.kernels.circular import circular_sd
from controller.rig.calibrate.calibration import _rehearsal
from controller.rig.calibrate.clean_rest import CleanRest
from controller.rig.calibrate.expectation import expect
from controller.rig.calibrate.held_out_parts import FOLDS, Heard, Task, hear, part_of
from controller.rig.calibrate.more_rest import gain_deg
from controller.rig.calibrate.rehearsal import intervals_s, rehearse


def task_of(
    kind: str = "wiener",
    rest: CleanRest | None = None,
    alpha_uv: float = 15.0,
    **timing,
) -> Task:
    made = calibrated(alpha_uv)
    config = calibration_config(
        estimator={"kind": kind}, timing={"iti_s": 1.0, "iti_jitter_s": 0.2} | timing
    )
    recording = recording_of(block_of(60.0).samples)
    rhythm = made.result.rhythm
    return Task(
        designer=find_designer(kind),
        brief=Brief(
            sfreq_hz=SFREQ_HZ,
            frequency_hz=rhythm.frequency_hz,
            band_hz=rhythm.band_hz,
            horizon_s=made.result.horizon_s,
        ),
        rest=rest or made.rest,
        rehearsal=_rehearsal(config, recording),
        timing=config.timing,
        percentile=60.0,
        tolerance_rad=float(np.pi / 4),
    )


def heard_by(task: Task) -> list[Heard]:
    uv = task.rest.uv[0]
    truth = analytic_truth(uv - uv.mean(), SFREQ_HZ, task.brief.band_hz)
    with ThreadPoolExecutor(1) as pool:
        parts = [part_of(task, k) for k in range(FOLDS)]
        return hear(task, truth, parts, pool)


@pytest.mark.parametrize("kind", ["wiener", "iir"])
@pytest.mark.parametrize("k", [0, 2, 3])
def test_no_design_saw_the_part_it_is_scored_on(kind: str, k: int) -> None:
    task = task_of(kind)
    part = part_of(task, k)
    uv = task.rest.uv.copy()
    uv[:, part.first : part.stop] += 50.0 * np.random.default_rng(1).standard_normal(
        part.stop - part.first
    )
    other = part_of(task_of(kind, dataclasses.replace(task.rest, uv=uv)), k)
    for name in ("fir", "state_space"):
        before, after = getattr(part.design, name), getattr(other.design, name)
        if name == "state_space" and before is not None:
            before, after = before.readout, after.readout
        assert (before is None) == (after is None)
        if before is not None:
            np.testing.assert_array_equal(before, after)


def test_parts_cover_the_rest_once() -> None:
    task = task_of()
    parts = [part_of(task, k) for k in range(FOLDS)]
    assert parts[0].first == 0
    assert parts[-1].stop == task.rest.uv.shape[1]
    assert [p.stop for p in parts[:-1]] == [p.first for p in parts[1:]]
    assert all(p.begin <= p.first for p in parts)


@pytest.mark.parametrize("percentile", [0.0, 60.0, 80.0])
def test_loop_fires_where_one_open_rehearsal_says(percentile: float) -> None:
    """One pass with an open gate tells every gate's triggers, jitter included."""
    task = task_of(iti_s=1.0, iti_jitter_s=0.3)
    one = heard_by(task)[1]
    amplitude_uv = np.abs(one.estimate)
    threshold_uv = float(np.percentile(amplitude_uv, percentile)) if percentile else 0.0
    part, options = one.part, {"iti_s": 1.0, "iti_jitter_s": 0.3}
    loop = rehearse(
        task.rehearsal,
        part.design,
        task.rest.mixing[:1],
        task.rest.raw[part.begin : part.stop],
        threshold_uv=threshold_uv,
        **options,
    )
    intervals = intervals_s(
        1 + one.run.chances_s.size, seed=task.rehearsal.seed, **options
    )
    taken = one.run.taken_s(threshold_uv, intervals)
    assert len(taken) >= 5
    # The last one may be decided but not fired before the rest is over.
    assert 0 <= len(taken) - len(loop.edges_s) <= 1
    np.testing.assert_allclose(
        loop.edges_s, taken[: len(loop.edges_s)], rtol=0.0, atol=1e-9
    )


def test_time_after_a_trigger_costs_triggers() -> None:
    calm = expect(task_of(), lambda _: None)
    blind = expect(task_of(refractory_s=0.8), lambda _: None)
    own = calm.recommended
    assert blind.levels[own].triggers_per_minute < calm.levels[own].triggers_per_minute
    assert blind.levels[own].circ_sd_rad == calm.levels[own].circ_sd_rad


def test_triggers_near_a_seam_are_not_scored() -> None:
    task = task_of()
    whole = expect(task, lambda _: None)
    seams = tuple(range(1000, task.rest.uv.shape[1], 1000))
    rest = dataclasses.replace(task.rest, seams=seams)
    cut = expect(dataclasses.replace(task, rest=rest), lambda _: None)
    assert cut.levels[0].n_triggers < 0.8 * whole.levels[0].n_triggers
    assert cut.levels[0].triggers_per_minute == whole.levels[0].triggers_per_minute


def test_promise_is_the_same_at_every_call() -> None:
    first, second = (expect(task_of(), lambda _: None) for _ in range(2))
    assert first.levels == second.levels
    assert first.more_rest_gain_deg == second.more_rest_gain_deg


def test_gain_of_more_rest_needs_enough_rest() -> None:
    task = task_of()
    designed = task.designer.design
    uv = task.rest.uv

    def from_rest(part):
        return designed(task.brief, np.ascontiguousarray(part))

    assert gain_deg(from_rest, uv[:, : round(59.0 * SFREQ_HZ)], SFREQ_HZ) is None
    gain = gain_deg(from_rest, uv, SFREQ_HZ)
    assert gain is not None
    assert 0.0 <= gain < 20.0


def test_promise_is_close_to_the_spread_around_the_true_phase() -> None:
    """The offline filter smooths what of the true phase is too quick for its band."""
    task = task_of(alpha_uv=40.0)
    heard = heard_by(task)
    promised = expect(task, lambda _: None)
    level = promised.levels[promised.recommended]
    phase = np.unwrap(block_of(60.0, alpha_uv=40.0).truth.alpha_phase_rad)
    t = np.arange(phase.size) / SFREQ_HZ
    landed = []
    for one in heard:
        at = one.run.taken_s(level.threshold_uv, np.full(4000, 0.25))
        at = at + one.part.begin / SFREQ_HZ
        landed.append(np.interp(at[at >= one.part.first / SFREQ_HZ], t, phase))
    true_sd = circular_sd(np.concatenate(landed))
    assert abs(np.degrees(level.circ_sd_rad - true_sd)) < 6.0


@pytest.mark.parametrize(("refractory_s", "most"), [(0.0, FOLDS), (0.8, 2 * FOLDS)])
def test_rest_goes_through_the_loop_as_seldom_as_can_be(
    monkeypatch: pytest.MonkeyPatch, refractory_s: float, most: int
) -> None:
    """What a calibration costs: slow estimators are asked once for all gate levels."""
    calls: list[int] = []

    def counted(rehearsal, design, mixing, raw, **options):
        calls.append(len(raw))
        return rehearse(rehearsal, design, mixing, raw, **options)

    monkeypatch.setattr("controller.rig.calibrate.held_out_parts.rehearse", counted)
    monkeypatch.setattr("controller.rig.calibrate.expectation.rehearse", counted)
    task = task_of(refractory_s=refractory_s)
    expect(task, lambda _: None)
    assert len(calls) == most
    assert sum(calls[:FOLDS]) < 2.0 * task.rest.uv.shape[1]
