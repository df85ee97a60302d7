"""A hunt offers a pulse once the device has its strength, and reads what it did."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from controller.config_source import LslSource, SyntheticSource
from controller.core.offers import OFFER_SHIFT, offer_of
from controller.core.records import EDGE, SAMPLE, TrialKind
from controller.errors import ChannelError, ConfigError
from controller.kernels.jit import new_records
from controller.protocol.motor_response import ResponseRules
from controller.protocol.threshold import HuntRules, Verdict
from controller.rig.study.director import Hands
from controller.rig.study.hunt import HuntPlan, LiveHunt, muscle_channel
from controller.safety.interlock import Refusal
from controller.sources.description import StreamDescription
from controller.sources.synthetic.responding import RespondingParticipant

SFREQ_HZ = 1000.0
TRUE_PCT = 48.0
_ROW = (1 << 22) - 1


def plan(**changes):
    return HuntPlan(
        **{
            "hunt": HuntRules(highest_pct=80.0),
            "response": ResponseRules(),
            "channel": "FDI",
        }
        | changes
    )


def stream(labels=("C3", "FDI"), scale_uv=(1.0, 1.0)):
    return StreamDescription(
        name="amp",
        type="EEG",
        source_id="",
        hostname="",
        sfreq_hz=SFREQ_HZ,
        channel_format="float32",
        labels=labels,
        channel_types=("EEG",) * len(labels),
        units=(None,) * len(labels),
        scale_uv=np.array(scale_uv),
    )


class Rig:
    """Stands in for loop, device and participant, in virtual time."""

    def __init__(self, hunt, *, device_takes_s=0.3, refused=()):
        self.hunt, self.t = hunt, 0.0
        self.device_takes_s, self.refused = device_takes_s, list(refused)
        self.strength = self.wanted = math.nan
        self.t_confirmed = 0.0
        self.offers, self.said, self.events, self.given = [], [], [], []
        self.rows = hunt.part.rows(pulse_s=0.001, falls=True, rhythm_hz=10.0)
        self.t_before = -math.inf
        self.pending = None
        self.participant = RespondingParticipant(
            SyntheticSource(
                kind="synthetic",
                channels=("C3",),
                emg_channel="FDI",
                motor_threshold_pct_mso=TRUE_PCT,
                seed=4,
            )
        )
        hunt.begin(
            self.rows,
            hands=Hands(
                offer=self.offer, say=self.said.append, strength_is=self.strength_is
            ),
            record=lambda kind, **fields: self.events.append((kind, fields)),
            t_now=0.0,
        )

    def strength_is(self, pct_mso):
        if pct_mso != self.wanted:
            self.wanted, self.strength = pct_mso, math.nan
            self.t_confirmed = self.t + self.device_takes_s
        elif self.t >= self.t_confirmed:
            self.strength = pct_mso
        return self.strength == pct_mso

    def offer(self, offer):
        assert self.strength == self.wanted
        self.offers.append(offer)
        self.pending = self.rows.rows[(offer & _ROW) - 1]

    def look(self):
        """Go 50 ms on."""
        edges = []
        if self.pending and self.t + 0.01 >= self.t_before + self.pending.earliest_s:
            t_fired = self.t + 0.0103
            refusal = self.refused.pop(0) if self.refused else Refusal.NONE
            edges = [(1, refusal, t_fired), (0, Refusal.NONE, t_fired + 0.001)]
            if refusal == Refusal.NONE:
                self.participant.responses.pulse(t_fired, self.strength)
                self.given.append((t_fired, self.strength))
                self.t_before, self.pending = t_fired, None
        block = self.participant.read(50).samples
        samples, rows = new_records(SAMPLE, 50), new_records(EDGE, len(edges) or 1)
        samples.t_sample = self.t + np.arange(50) / SFREQ_HZ
        for place, (rises, refusal, t) in enumerate(edges):
            rows.rises[place], rows.refusal[place] = rises, refusal
            rows.t_fired[place] = t
        self.t += 0.05
        batch = SimpleNamespace(
            samples=samples, raw=block, decisions=(), edges=rows[: len(edges)]
        )
        self.hunt.take(batch)
        assert self.hunt.look(self.t) == "motor threshold"

    def run(self, longest_s=400.0):
        while not self.hunt.is_over and self.t < longest_s:
            self.look()
        return self


def test_a_hunt_finds_the_threshold_at_random_intervals():
    told = []
    rig = Rig(LiveHunt(plan(), stream(), told.append)).run()
    hunt = rig.hunt.hunt
    assert hunt.verdict() is Verdict.FOUND
    assert abs(hunt.estimate().pct_mso / TRUE_PCT - 1.0) < 0.08
    assert [pct for _, pct in rig.given] == [pulse.pct_mso for pulse in hunt.pulses]
    apart_s = np.diff([t for t, _ in rig.given])
    assert apart_s.min() >= 4.0
    assert apart_s.max() <= 6.5
    assert apart_s.std() > 0.3
    assert len(told) == len(rig.given) == len(set(rig.offers)) == len(rig.said)
    assert [kind for kind, _ in rig.events] == ["hunt"] + ["hunt pulse"] * len(told)
    assert "Threshold" in rig.said[-1]
    assert rig.given[0][0] >= 4.0
    assert hunt.n_uncounted == 0


def test_nothing_is_offered_before_the_device_has_its_strength():
    rig = Rig(LiveHunt(plan(), stream()), device_takes_s=math.inf)
    for _ in range(100):
        rig.look()
    assert rig.offers == []


def test_a_refused_pulse_is_no_answer():
    rig = Rig(LiveHunt(plan(), stream()), refused=[Refusal.TOO_LATE] * 3).run()
    assert len(rig.given) == len(rig.hunt.hunt.pulses)
    assert rig.hunt.hunt.verdict() is Verdict.FOUND


def test_a_gap_in_the_emg_is_told_and_given_again():
    rig = Rig(LiveHunt(plan(), stream()))
    while not rig.given:
        rig.look()
    rig.hunt._emg_uv[:] = np.nan
    while not rig.said:
        rig.look()
    assert "not counted, the EMG before the pulse is missing" in rig.said[0]
    assert rig.hunt.hunt.hunt.answers == ()
    while len(rig.given) < 2:
        rig.look()
    assert rig.given[1][1] == rig.given[0][1] == 45.0
    assert rig.offers[1] == offer_of(1, 2)
    assert offer_of(1, 2) << OFFER_SHIFT < 2**53


def test_rows_are_single_pulses_by_the_clock():
    rows = plan(iti_s=(4.0, 6.0), seed=3).rows(pulse_s=0.002, falls=True, rhythm_hz=1.0)
    trials = rows.trial_records()
    assert set(trials.kind) == {TrialKind.CLOCK}
    assert (trials.iti_s >= 4.0).all()
    assert (trials.iti_s <= 6.0).all()
    patterns, edges = rows.pattern_records(falls=True)
    assert patterns.n_edges.tolist() == [0, 2]
    assert edges.rises.tolist() == [1, 0]


@pytest.mark.parametrize("iti_s", [(6.0, 4.0), (0.1, 4.0), (math.nan, 5.0)])
def test_intervals_without_sense_are_refused(iti_s):
    with pytest.raises(ConfigError, match="interval between pulses"):
        plan(iti_s=iti_s)


def test_a_channel_that_cannot_be_read_is_refused():
    with pytest.raises(ChannelError, match="no channel FDI"):
        LiveHunt(plan(), stream(labels=("C3", "APB")))
    with pytest.raises(ChannelError, match="unit of FDI"):
        LiveHunt(plan(), stream(scale_uv=(1.0, math.nan)))


def test_the_muscle_is_named_or_the_simulated_one():
    synthetic = SyntheticSource(kind="synthetic", emg_channel="FDI")
    assert muscle_channel(synthetic, None) == "FDI"
    assert muscle_channel(synthetic, "APB") == "APB"
    with pytest.raises(ConfigError, match="--emg"):
        muscle_channel(LslSource(kind="lsl", name="amp"), None)
