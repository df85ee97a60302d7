"""The decision logic once more: slow, plain Python, one sample at a time.

Written from what the stages promise, not from how they do it: lists instead of rings,
sets instead of bits, no compiled function. It takes programs of `vector_program`, whose
estimate is channel 0 + i channel 1 counted from the first sample after a reset.
"""

import cmath
import dataclasses
import math

import numpy as np

AHEAD_S = 0.005
LONGEST_PULL_S = 0.1
TURN_S = 1e-6


@dataclasses.dataclass
class Edge:
    """One wire action that is still to come."""

    t_due: float
    rises: bool
    decision: int


class Twin:
    """A loop over a tape in virtual time, every wake-up punctual."""

    def __init__(self, program, n_window):
        self.settings, self.limits = program.settings[0], program.limits[0]
        self.scale, self.used = program.scale, program.used
        self.trials, self.pulse = program.trials, program.pattern_edges
        self.n_window = n_window
        self.decisions, self.edges, self.phases = [], [], []
        self.fault = None
        self.n_samples = self.trial = self.pulses = self.n_gaps = self.n_lost = 0
        self.t_sample = math.nan
        self.t_artifact = self.t_pulse_edge = self.t_last_pulse = -math.inf
        self.t_clean = None
        self.blind_from = self.blind_until = math.inf
        self.blind = False
        self.t_attempt, self.tracking = -math.inf, False
        self.pending = []
        self.baseline = {}
        self.amplitudes, self.n_amplitudes = [], 0
        self.threshold = math.nan
        self.held = np.zeros(2)
        self.forget()

    def forget(self):
        self.n_warm, self.origin, self.valid = 0, None, False
        self.previous, self.flat = {}, {}

    # The loop.

    def run(self, tape):
        self.clock = self.t_arrival = float(tape.t_arrival[0])
        self.permits = 0
        for k in range(len(tape.t_sample)):
            self.wait_for(float(tape.t_arrival[k]))
            if self.fault is None:
                self.clock = max(self.clock, float(tape.t_arrival[k]))
                self.permits = int(tape.permits[k])
                self.take(float(tape.t_sample[k]), tape.raw[k])
            if self.fault is not None:
                self.lower()
                return self
        self.fire_what_is_near()
        self.fault = "END_OF_TAPE"
        return self

    def wait_for(self, t_arrival):
        while self.fault is None:
            self.fire_what_is_near()
            longest = LONGEST_PULL_S
            if self.pending:
                to_spin = self.pending[0].t_due - self.clock - self.settings.spin_s
                longest = min(longest, to_spin)
            if t_arrival <= self.clock + longest + TURN_S:
                return
            self.clock += longest + TURN_S
            if self.clock - self.t_arrival > self.limits.max_silence_s:
                self.fault = "STREAM_SILENT"

    def fire_what_is_near(self):
        while (
            self.pending and self.pending[0].t_due - self.clock <= self.settings.spin_s
        ):
            self.clock = max(self.clock, self.pending[0].t_due)
            self.edge_due()

    def edge_due(self):
        edge = self.pending[0]
        refusal = self.refusal(edge.t_due, self.clock) if edge.rises else "NONE"
        self.edges.append(
            {
                "decision": edge.decision,
                "rises": edge.rises,
                "t_due": edge.t_due,
                "t_fired": self.clock,
                "n_samples": self.n_samples,
                "permits": self.permits,
                "trial": self.trial,
                "refusal": refusal,
            }
        )
        self.pending.pop(0)
        if refusal != "NONE":
            self.pending = []
        elif edge.rises:
            self.pulses += 1
            self.trial += 1
            self.t_last_pulse = self.clock
            self.t_pulse_edge = edge.t_due + self.settings.output_latency_s
            self.blind_from = self.t_pulse_edge
            self.blind_until = self.t_pulse_edge + self.settings.refractory_s
            for later in self.pending:
                later.t_due = self.clock + self.pulse[1].offset_s

    def lower(self):
        if self.pending and not self.pending[0].rises:
            self.edge_due()
        self.pending = []

    # One sample.

    def take(self, t_sample, raw):
        self.take_stamp(t_sample)
        if self.fault is None:
            self.condition(raw)
        if self.fault is not None:
            self.forget()
            return
        self.estimate()
        self.follow_amplitude()
        self.decide()
        self.phases.append(cmath.phase(self.z) if self.valid else math.nan)

    def take_stamp(self, t_sample):
        interval = self.settings.interval_s
        step = t_sample - self.t_sample
        if self.n_samples > 0:
            if not self.clock >= self.t_arrival:
                self.fault = "CLOCK_JUMP"
            elif math.isnan(step) or step <= -0.1 * interval:
                self.fault = "STAMP_BACKWARD"
            elif step <= 0.1 * interval:
                self.fault = "STAMP_REPEATED"
            elif step > 1.5 * interval:
                self.n_gaps += 1
                self.n_lost += max(1, round(step / interval) - 1)
                self.forget()
                if step > self.limits.max_gap_s:
                    self.fault = "GAP_TOO_LONG"
        self.t_sample, self.t_arrival = t_sample, self.clock
        self.n_samples += 1

    def condition(self, raw):
        self.artifacts = set()
        for channel in self.used:
            value = float(raw[channel]) * self.scale[channel]
            self.artifacts |= self.inspect(channel, value)
        if "NON_FINITE" not in self.artifacts:
            self.held = raw.astype(float)
        if not self.artifacts:
            self.t_clean = self.t_sample
            return
        self.t_artifact = self.t_sample
        if self.t_clean is None:
            self.t_clean = self.t_sample
        if self.t_sample - self.t_clean > self.limits.max_artifact_s:
            self.fault = "BAD_SIGNAL"

    def inspect(self, channel, value):
        rules, found = self.settings, set()
        if not math.isfinite(value):
            self.previous.pop(channel, None)
            self.flat[channel] = 0
            return {"NON_FINITE"}
        baseline = self.baseline.setdefault(channel, value)
        if abs(value - baseline) > rules.artifact_amplitude_uv:
            found.add("AMPLITUDE")
        if abs(value) >= rules.artifact_rail_uv:
            found.add("SATURATED")
        if channel in self.previous:
            step = value - self.previous[channel]
            if abs(step) > rules.artifact_gradient_uv:
                found.add("GRADIENT")
            self.flat[channel] = self.flat.get(channel, 0) + 1 if step == 0.0 else 0
        if self.flat.get(channel, 0) >= rules.artifact_flat_samples:
            found.add("FLAT")
        follow = min(1.0, rules.interval_s)
        self.baseline[channel] = baseline + follow * (value - baseline)
        self.previous[channel] = value
        return found

    def estimate(self):
        self.z = complex(math.nan, math.nan)
        if self.blind_from <= self.t_sample < self.blind_until:
            if not self.blind:
                self.forget()
            self.blind, self.valid = True, False
            return
        self.blind = False
        if self.n_warm == 0 and "NON_FINITE" in self.artifacts:
            self.valid = False
            return
        self.n_warm += 1
        if self.origin is None:
            self.origin = self.held.copy()
        self.valid = self.n_warm >= self.settings.warm_up_samples
        if self.valid:
            self.z = complex(*(self.held - self.origin))

    def follow_amplitude(self):
        rules = self.settings
        if rules.amplitude_gate == 0:
            self.threshold = 0.0
        elif rules.amplitude_gate == 1:
            self.threshold = rules.amplitude_uv
        elif self.valid and not self.artifacts:
            self.n_amplitudes += 1
            if self.n_amplitudes % rules.amplitude_stride == 0:
                self.amplitudes = [*self.amplitudes, abs(self.z)][-self.n_window :]
                enough = len(self.amplitudes) >= rules.amplitude_minimum
                self.threshold = (
                    float(np.quantile(self.amplitudes, rules.amplitude_quantile))
                    if enough
                    else math.nan
                )

    def decide(self):
        rules = self.settings
        period = 1.0 / rules.frequency_hz
        if not self.valid:
            self.tracking = False
            if self.t_arrival - self.t_attempt >= period:
                self.t_attempt = self.t_arrival
                why = "REFRACTORY" if self.blind else "WARMING_UP"
                self.record(math.nan, {why}, "NONE")
            return
        if not self.tracking:
            self.tracking = True
            self.t_attempt = self.t_arrival + rules.output_latency_s - 0.5 * period
        trial = self.trials[min(self.trial, len(self.trials) - 1)]
        t_due = self.crossing(trial.target_phase_rad, self.t_attempt + 0.5 * period)
        t_write = t_due - rules.output_latency_s
        if t_write - self.t_arrival > rules.lock_s:
            return
        self.t_attempt = t_due
        holds = self.holds(t_due, t_write, trial.iti_s)
        refusal = "NONE"
        if not holds:
            refusal = self.refusal(t_write, self.t_arrival)
        self.record(t_due, holds, refusal)
        if not holds and refusal == "NONE":
            self.pending = [
                Edge(t_write + edge.offset_s, bool(edge.rises), len(self.decisions) - 1)
                for edge in self.pulse
            ]

    def crossing(self, target_rad, t_after):
        """Walk from crossing to crossing until the first one after `t_after`."""
        period = 1.0 / self.settings.frequency_hz
        t_phase = self.t_sample + self.settings.horizon_s
        t_due = t_phase + (target_rad - cmath.phase(self.z)) / (2.0 * math.pi) * period
        while t_due > t_after:
            t_due -= period
        while t_due <= t_after:
            t_due += period
        return t_due

    def holds(self, t_due, t_write, iti_s):
        age = self.t_arrival - self.t_sample
        gates = {
            "ARTIFACT": self.t_sample - self.t_artifact > self.settings.artifact_hold_s,
            "STALE_DATA": age <= self.limits.max_data_age_s,
            "STAMP_IN_FUTURE": age >= -AHEAD_S,
            "AMPLITUDE": abs(self.z) >= self.threshold and abs(self.z) > 0.0,
            "INTERVAL": t_due - self.t_pulse_edge >= iti_s,
            "TOO_LATE": t_write >= self.t_arrival,
            "BUSY": not self.pending,
            "TRIALS_DONE": self.trial < len(self.trials),
        }
        return {name for name, is_open in gates.items() if not is_open}

    def refusal(self, t_fire, t_now):
        rules = self.limits
        questions = (
            ("NOT_ARMED", self.permits & 1),
            ("NOT_SUPERVISED", self.permits & 2),
            ("NOT_RECORDING", self.permits & 4),
            ("CONSOLE_SILENT", self.permits & 16),
            ("DEVICE_NOT_READY", self.permits & 32),
            ("INTERVAL_TOO_SHORT", t_fire - self.t_last_pulse >= rules.min_interval_s),
            ("BUDGET_SPENT", self.pulses < rules.max_pulses),
            ("DATA_TOO_OLD", -AHEAD_S <= t_now - self.t_sample <= rules.max_data_age_s),
            ("TOO_LATE", t_now - t_fire <= rules.max_lateness_s),
        )
        return next((name for name, holds in questions if not holds), "NONE")

    def record(self, t_due, holds, refusal):
        self.decisions.append(
            {
                "n_samples": self.n_samples,
                "t_due": t_due,
                "amplitude_uv": abs(self.z),
                "threshold_uv": self.threshold,
                "holds": holds,
                "refusal": refusal,
                "trial": self.trial,
                "artifacts": set(self.artifacts),
            }
        )
