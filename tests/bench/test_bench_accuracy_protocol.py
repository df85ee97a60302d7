import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from bench.accuracy.cases import RecordingSpec, scored_part, split_case
from bench.accuracy.evaluate import (
    Plan,
    calibration,
    design_for,
    evaluate,
    loaded,
)
from bench.accuracy.scores import gate_thresholds, require_estimates, score_phase
from bench.accuracy.sites import SITES
from bench.accuracy.synthetic import SFREQ_HZ, make_known
from controller.errors import FileError, RhythmTooWeak, SignalFault
from controller.estimators.offline import run_design
from controller.estimators.registry import find_designer, list_designers
from controller.kernels.circular import circular_sd

PLAN = Plan(horizons_s=(0.01,), target_rad=0.0)
SPEC = RecordingSpec(
    path=Path("simulated.edf"),
    site=SITES["occipital"],
    band_name="alpha",
    truth="fir",
    require_peak=False,
)


def simulated(seconds=60.0, snr_db=6.0, n_others=2):
    known = make_known("bursts", snr_db, np.random.default_rng(5), seconds)
    rng = np.random.default_rng(6)
    others = 0.5 * known.samples + rng.standard_normal((n_others, known.samples.size))
    return np.vstack((known.samples, others))


def case_of(samples, **changes):
    return split_case(samples, SFREQ_HZ, dataclasses.replace(SPEC, **changes), words="")


@dataclasses.dataclass(frozen=True)
class Ready:
    """A spec of a case that is there already; equal to itself only."""

    case: object
    name: str = "simulated"
    cell: str = ""

    def load(self):
        return self.case

    def __hash__(self):
        return id(self)


class Curious:
    """A designer that keeps what it is shown."""

    name = "curious"
    needs_rest = True
    reads_others = True

    def __init__(self):
        self.seen = []

    def design(self, brief, rest):
        self.seen.append(rest)
        return find_designer("echt").design(brief, rest)


@pytest.fixture(scope="module")
def samples():
    return simulated()


@pytest.mark.parametrize("name", sorted(list_designers().designers))
def test_second_half_cannot_reach_the_first(samples, name):
    """Whatever is recorded after the split: same frequency, design, gates, promise."""
    half = samples.shape[1] // 2
    changed = samples.copy()
    changed[:, half:] = 50.0 * np.random.default_rng(7).standard_normal(
        changed[:, half:].shape
    )
    found = []
    for recording in (samples, changed):
        case = case_of(recording)
        designer = find_designer(name)
        design = design_for(designer, case, 0.01)
        result = evaluate(Ready(case), name, PLAN)
        rows = recording if getattr(designer, "reads_others", False) else recording[:1]
        estimate = run_design(design, rows)
        thresholds = gate_thresholds(estimate, 500, case.n_calibration)
        found.append((case, design, result, thresholds))
    (case, design, result, gates), (case2, design2, result2, gates2) = found
    assert case.frequency_hz == case2.frequency_hz
    assert case.band_hz == case2.band_hz
    assert design.warm_up_s == design2.warm_up_s
    if design.fir is not None:
        np.testing.assert_array_equal(design.fir, design2.fir)
    if design.state_space is not None:
        for part in ("transition", "drive", "readout", "feedthrough"):
            one, two = (getattr(d.state_space, part) for d in (design, design2))
            np.testing.assert_array_equal(one, two)
    assert result.promise == result2.promise
    # The fast convolution's blocks straddle the split, and round differently.
    np.testing.assert_allclose(gates, gates2, rtol=1e-9)


def test_a_designer_sees_the_first_half_and_the_others_if_it_asks(samples):
    case = case_of(samples)
    curious = Curious()
    design_for(curious, case, 0.01)
    np.testing.assert_array_equal(curious.seen[0], samples[:, : samples.shape[1] // 2])
    curious.reads_others = False
    assert calibration(curious, case).shape == (1, samples.shape[1] // 2)
    assert calibration(find_designer("echt"), case).shape[0] == 1


def test_scored_part_is_the_protocols():
    scored = np.flatnonzero(scored_part(10_000, 5_000, 100.0))
    assert scored[0] == 5_050
    assert scored[-1] == 10_000 - 150 - 1
    shorter = np.flatnonzero(scored_part(10_000, 5_000, 100.0, edge_s=2.0))
    assert shorter[-1] == 10_000 - 250 - 1


def test_scores_of_a_known_error():
    n = 4000
    truth = np.exp(0.1j * np.arange(n)) * (1.0 + 0.5 * np.sin(0.01 * np.arange(n)))
    error = np.radians(20.0) + 0.4 * np.random.default_rng(8).standard_normal(n)
    estimate = truth * np.exp(1j * error)
    scored = np.arange(n) >= 1000
    scores = score_phase(estimate, truth, scored, (1.0, 2.0))
    assert scores.circ_sd_deg == pytest.approx(
        math.degrees(circular_sd(error[1000:])), rel=1e-9
    )
    assert scores.r == pytest.approx(math.exp(-0.5 * circular_sd(error[1000:]) ** 2))
    assert scores.bias_deg == pytest.approx(20.0, abs=1.5)
    assert scores.gate50_open == pytest.approx(np.mean(np.abs(truth[1000:]) >= 1.0))
    assert scores.gate20_open == 0.0
    assert math.isnan(scores.sd_gate20_deg)


@pytest.mark.parametrize("bad", [0.0, np.nan, complex(0.0, np.inf)])
def test_an_estimate_that_is_none_is_not_scored_as_phase_zero(bad):
    estimate = np.ones(100, dtype=complex)
    estimate[60] = bad
    require_estimates(estimate, np.arange(100) < 60)
    with pytest.raises(SignalFault, match="No estimate at 1 of 100"):
        require_estimates(estimate, np.ones(100, dtype=bool))


def test_gate_needs_a_warm_estimator():
    with pytest.raises(SignalFault, match="warms up"):
        gate_thresholds(np.ones(100, dtype=complex), 50, 50)


def test_a_refusal_is_a_row_with_its_reason():
    result = evaluate(Ready(case_of(simulated(20.0))), "wiener", PLAN)
    assert result.main is None
    assert "wiener" in result.reason
    assert not result.failed


def test_a_defect_is_a_row_that_says_so(samples, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("bench.accuracy.evaluate.run_design", broken)
    result = evaluate(Ready(case_of(samples)), "echt", PLAN)
    assert result.failed
    assert result.reason == "ZeroDivisionError: oh"


def test_a_recording_without_peak_is_marked_or_refused():
    noise = np.diff(np.random.default_rng(1).standard_normal((1, 20_001)))
    case = case_of(noise, band_name="theta")
    assert not case.has_peak
    assert case.frequency_hz == 6.0
    assert case_of(noise).band_hz[0] > 5.0
    with pytest.raises(RhythmTooWeak):
        case_of(noise, require_peak=True)


def test_too_short_a_recording_is_refused():
    with pytest.raises(FileError, match=r"simulated\.edf lasts 12\.0 s"):
        case_of(simulated(12.0))


def test_other_truths_rank_too_and_the_chosen_one_scores(samples):
    case = case_of(samples, truth="butterworth")
    assert list(case.references) == ["butterworth", "fir", "fir-2s"]
    result = evaluate(Ready(case), "echt", PLAN)
    assert set(result.main.others) == {"fir", "fir-2s"}
    for others in result.main.others.values():
        assert others.circ_sd_deg == pytest.approx(
            result.main.phase.circ_sd_deg, rel=0.3
        )


def test_a_case_is_made_once_for_all_estimators(samples):
    made = []

    class Counting(Ready):
        def load(self):
            made.append(1)
            return self.case

    spec = Counting(case_of(samples))
    assert loaded(spec) is loaded(spec)
    assert made == [1]
