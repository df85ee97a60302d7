"""No sequence of calls, however wild the clock, fires past a limit.

A machine draws permits, clocks and patterns; whatever the review lets through is kept
in a plain list, and every limit is checked on that list alone.
"""

import itertools
import math

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from study import limits_of

from controller.safety.interlock import Permit, Refusal, review
from controller.safety.ledger import count_pulse, new_ledger, new_rate_ring
from controller.safety.limits import TrainLimits

MIN_INTERVAL_S, MAX_PULSES, PER_MINUTE = 1.0, 14, 8
TRAIN_PULSES, TRAIN_S, INSIDE_S, PAUSE_S = 4, 0.5, 0.1, 2.0
LIMITS = limits_of(
    min_interval_s=MIN_INTERVAL_S,
    max_pulses=MAX_PULSES,
    max_per_minute=PER_MINUTE,
    max_lateness_s=0.001,
    max_data_age_s=0.05,
    train=TrainLimits(
        max_pulses=TRAIN_PULSES,
        max_train_s=TRAIN_S,
        min_pulse_interval_s=INSIDE_S,
        min_inter_train_s=PAUSE_S,
    ),
).to_record()

STEPS = st.sampled_from(
    [0.0, 0.05, 0.099, 0.1, 0.13, 0.4, 0.5, 0.999, 1.0, 2.0, 2.1, 7.0, 30.0, 60.0]
)
JUMPS = st.sampled_from([-1e6, -60.0, -1.0, 1e6, math.inf, -math.inf, math.nan])
LATE = st.sampled_from([0.0, 0.0005, 0.001, 0.0011, 3.0, -0.5, math.nan, math.inf])
AGES = st.sampled_from([0.0, 0.02, 0.0499, 0.051, 9.0, math.nan, math.inf, -math.inf])


class Interlock(RuleBasedStateMachine):
    """A loop that asks for whatever it likes."""

    def __init__(self):
        super().__init__()
        self.ledger = new_ledger()[0]
        self.ring = new_rate_ring(PER_MINUTE)
        self.t = 1000.0
        self.permits = Permit.ALL
        self.patterns = []

    @rule(step=STEPS)
    def wait(self, step):
        self.t += step

    @rule(permit=st.sampled_from(list(Permit)), given=st.booleans())
    def change_a_permit(self, permit, given):
        self.permits = self.permits | permit if given else self.permits & ~permit

    @rule()
    def give_every_permit(self):
        self.permits = Permit.ALL

    @rule(
        rise=st.integers(-1, 5),
        left=st.integers(-1, 6),
        late=LATE,
        age=AGES,
        fails=st.booleans(),
    )
    def ask(self, rise, left, late, age, fails):
        self.fire(rise, left, self.t, self.t + late, age)

    @rule(n=st.integers(1, 6), gap=st.sampled_from([0.05, 0.1, 0.101, 0.2, 0.3]))
    def ask_for_a_pattern(self, n, gap):
        for k in range(n):
            if not self.fire(k, n - k, self.t, self.t, 0.01):
                return
            self.t += gap

    @rule(jump=JUMPS)
    def ask_with_a_clock_that_jumps(self, jump):
        # Where it jumps to, samples have not been, or the pulse before comes later.
        before = len(self.patterns)
        self.fire(0, 1, self.t + jump, self.t + jump, jump)
        assert len(self.patterns) == before

    def fire(self, rise, left, t_fire, t_now, age):
        answer = review(
            LIMITS[0],
            self.ledger,
            int(self.permits),
            rise,
            left,
            t_fire,
            t_now,
            t_now - age,
        )
        if answer != Refusal.NONE:
            return False
        assert self.permits & Permit.ALL == Permit.ALL
        assert math.isfinite(t_fire)
        assert math.isfinite(t_now)
        assert t_now - t_fire <= 0.001 + 1e-9
        assert age <= 0.05 + 1e-9
        count_pulse(self.ledger, self.ring, rise, max(t_fire, t_now))
        if rise == 0:
            self.patterns.append([])
        self.patterns[-1].append(max(t_fire, t_now))
        self.t = max(self.t, t_now)
        return True

    @invariant()
    def stays_within_every_limit(self):
        fired = [t for pattern in self.patterns for t in pattern]
        assert len(fired) <= MAX_PULSES
        assert fired == sorted(fired)
        for sooner, later in zip(fired, fired[PER_MINUTE:], strict=False):
            assert later - sooner >= 60.0 - 0.002
        for pattern in self.patterns:
            assert len(pattern) <= TRAIN_PULSES
            assert pattern[-1] - pattern[0] <= TRAIN_S + 0.002
            for sooner, later in itertools.pairwise(pattern):
                assert later - sooner >= INSIDE_S - 1e-9
        for before, after in itertools.pairwise(self.patterns):
            pause = after[0] - before[-1]
            is_train = max(len(before), len(after)) > 1
            assert pause >= (PAUSE_S if is_train else MIN_INTERVAL_S) - 1e-9


TestInterlock = Interlock.TestCase
TestInterlock.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None
)
