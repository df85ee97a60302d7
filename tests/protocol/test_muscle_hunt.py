"""Motor responses are measured as they are, and hunts find the threshold by them."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.config_source import SyntheticSource
from controller.errors import ConfigError
from controller.protocol.motor_response import (
    Response,
    ResponseRules,
    measure_response,
)
from controller.protocol.muscle_hunt import (
    MOST_UNCOUNTED,
    MuscleHunt,
    hunt_down,
    most_pulses,
)
from controller.protocol.threshold import HuntRules, Verdict
from controller.sources.synthetic.responding import RespondingParticipant

RULES = ResponseRules()
SFREQ_HZ = 1000.0
T_PULSE = 10.25


def stretch(sfreq_hz=SFREQ_HZ):
    return T_PULSE + np.arange(-0.3, 0.2, 1.0 / sfreq_hz)


def slow_response(t_s, emg_uv, rules):
    """The obvious twin: sample by sample."""
    found = {}
    windows = {
        "before": (-0.005 - rules.before_s, -0.005),
        "after": (rules.from_s, rules.to_s),
    }
    for name, (low, high) in windows.items():
        inside = [
            float(v)
            for t, v in zip(t_s - T_PULSE, emg_uv, strict=True)
            if low <= t <= high
        ]
        found[name] = max(inside) - min(inside)
    return found


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    sfreq_hz=st.sampled_from([500.0, 1000.0, 2048.0, 5000.0]),
    from_ms=st.integers(15, 30),
    length_ms=st.integers(12, 20),
    scale_uv=st.floats(0.1, 500.0),
)
def test_as_the_slow_twin_says(seed, sfreq_hz, from_ms, length_ms, scale_uv):
    rules = ResponseRules(from_s=from_ms / 1e3, to_s=(from_ms + length_ms) / 1e3)
    t_s = stretch(sfreq_hz)
    emg_uv = scale_uv * np.random.default_rng(seed).standard_normal(len(t_s)) + 1e4
    found = measure_response(t_s, emg_uv, T_PULSE, rules)
    slow = slow_response(t_s, emg_uv, rules)
    assert found.before_uv == pytest.approx(slow["before"])
    assert found.mep_uv == pytest.approx(slow["after"])
    assert found.counts == (slow["before"] <= rules.relaxed_uv)


def response_of(emg_uv, keep=slice(None), rules=RULES):
    t_s = stretch()
    return measure_response(t_s[keep], np.asarray(emg_uv)[keep], T_PULSE, rules)


def at(*, ms):
    return np.abs(stretch() - T_PULSE - ms / 1e3) < 0.4e-3


def test_only_the_windows_count():
    emg_uv = np.zeros(500)
    # The artifact, and what comes before and after the windows.
    for ms in (-4, 0, 19, 41, -150):
        emg_uv[at(ms=ms)] = 5e3
    found = response_of(emg_uv)
    assert found == Response(mep_uv=0.0, before_uv=0.0)
    emg_uv[at(ms=25)], emg_uv[at(ms=30)] = 30.0, -25.0
    assert response_of(emg_uv).mep_uv == 55.0


def test_a_tense_muscle_does_not_count():
    emg_uv = np.zeros(500)
    emg_uv[at(ms=-50)] = 50.0
    assert response_of(emg_uv).counts
    emg_uv[at(ms=-50)] = 50.1
    found = response_of(emg_uv)
    assert not found.counts
    assert "not at rest (50 uV before the pulse, 50 allowed)" in found.why_not


@pytest.mark.parametrize("ms", [-50, 30])
@pytest.mark.parametrize("value", [math.nan, math.inf, 400.0])
def test_what_cannot_be_read_does_not_count(ms, value):
    rules = dataclasses.replace(RULES, rail_uv=400.0)
    emg_uv = np.zeros(500)
    emg_uv[at(ms=ms)] = value
    found = response_of(emg_uv, rules=rules)
    assert not found.counts
    assert "missing or saturated" in found.why_not


@pytest.mark.parametrize(
    ("keep", "counts"),
    [
        (slice(0, 342), True),
        (slice(0, 340), False),  # ends within the window
        (slice(194, None), True),
        (slice(196, None), False),  # begins within what is before
        (np.r_[0:325, 328:500], False),  # a hole
        (slice(0, 0), False),
    ],
)
def test_missing_samples_do_not_count(keep, counts):
    assert response_of(np.zeros(500), keep).counts is counts


@pytest.mark.parametrize(
    "changes",
    [
        {"from_s": 0.014},
        {"to_s": 0.051},
        {"from_s": 0.037},
        {"from_s": math.nan},
        {"criterion_uv": 0.0},
        {"relaxed_uv": math.nan},
        {"before_s": -1.0},
    ],
)
def test_rules_without_sense_are_refused(changes):
    with pytest.raises(ConfigError, match="The response's"):
        ResponseRules(**changes)


class Muscle:
    """A simulated participant under the coil, in virtual time."""

    def __init__(self, threshold_pct, seed, **changes):
        self.participant = RespondingParticipant(
            SyntheticSource(
                kind="synthetic",
                channels=("C3",),
                emg_channel="FDI",
                motor_threshold_pct_mso=threshold_pct,
                seed=seed,
                **changes,
            )
        )
        self.n_pulses = 0

    def stimulate(self, pct_mso):
        first = self.participant.n_read
        # Between two samples, as pulses come.
        t_pulse = (first + 200.5) / SFREQ_HZ
        self.participant.responses.pulse(t_pulse, pct_mso)
        emg_uv = self.participant.read(300).samples[:, 1].astype(float)
        self.n_pulses += 1
        t_s = (first + np.arange(300)) / SFREQ_HZ
        return measure_response(t_s, emg_uv, t_pulse, RULES)


def test_of_100_hunts_almost_all_end_within_5_percent():
    errors = []
    for seed in range(100):
        true_pct = 35.0 + 0.3 * seed
        hunt = MuscleHunt.begun(HuntRules(highest_pct=90.0), RULES)
        ended = hunt_down(hunt, Muscle(true_pct, seed).stimulate)
        assert ended.verdict() is Verdict.FOUND
        errors.append(ended.estimate().pct_mso / true_pct - 1.0)
    assert np.mean(np.abs(errors) <= 0.05) >= 0.93
    assert abs(np.mean(errors)) < 0.02


def test_what_does_not_count_is_kept_and_given_again():
    hunt = MuscleHunt.begun(HuntRules(highest_pct=80.0), RULES)
    tense = Response(mep_uv=700.0, before_uv=200.0, why_not="tense")
    after = hunt.with_response(45.0, tense)
    assert after.next_pct_mso() == 45.0
    assert after.hunt.answers == ()
    assert after.pulses[0].mep_uv == 700.0
    assert after.pulses[0].responded is None
    assert after.n_uncounted == 1


def test_a_muscle_that_never_rests_ends_the_hunt():
    rules = HuntRules(highest_pct=80.0)
    told = []
    ended = hunt_down(
        MuscleHunt.begun(rules, RULES),
        lambda _pct: Response(mep_uv=math.nan, before_uv=90.0, why_not="tense"),
        told.append,
    )
    assert ended.verdict() is Verdict.RESTLESS
    assert len(ended.pulses) == MOST_UNCOUNTED == len(told)
    assert ended.pulses[-1].mep_uv is None


def test_the_criterion_itself_is_a_response():
    hunt = MuscleHunt.begun(HuntRules(highest_pct=80.0), RULES)
    for mep_uv, responded in ((50.0, True), (49.99, False)):
        after = hunt.with_response(45.0, Response(mep_uv=mep_uv, before_uv=1.0))
        assert after.hunt.answers[0].responded is responded


@given(st.lists(st.tuples(st.floats(0, 200), st.booleans()), max_size=60))
def test_a_hunt_ends_whatever_the_muscle_does(course):
    rules = HuntRules(highest_pct=70.0, n_most=12)
    hunt = MuscleHunt.begun(rules, RULES)
    for mep_uv, counts in course:
        pct_mso = hunt.next_pct_mso()
        if pct_mso is None:
            break
        assert pct_mso <= 70.0
        why_not = None if counts else "it does not"
        response = Response(mep_uv=mep_uv, before_uv=1.0, why_not=why_not)
        hunt = hunt.with_response(pct_mso, response)
    assert len(hunt.pulses) <= most_pulses(rules)
