"""A hunt for the motor threshold in a live session: which pulse is offered, and when.

The loop gives a pulse by the clock once it is offered, through the interlock as every
other; it is offered only once the stimulator has confirmed its intensity. Everything
here is one look after the other, with the time as an argument.
"""

import dataclasses
import json
import math
from collections.abc import Callable

import numpy as np

from controller.config_source import Source, SyntheticSource
from controller.core.offers import offer_of
from controller.core.records import TrialKind
from controller.engine.telemetry import Batch
from controller.errors import ChannelError, ConfigError
from controller.kernels.jit import Float64Array
from controller.protocol.core_rows import Row, Rows
from controller.protocol.motor_response import ResponseRules, measure_response
from controller.protocol.muscle_hunt import MuscleHunt, most_pulses
from controller.protocol.patterns import Edge
from controller.protocol.threshold import HuntRules
from controller.rig.study.director import Hands
from controller.safety.interlock import Refusal
from controller.sources.description import StreamDescription

STAGE = "motor threshold"

# What is kept of the muscle: enough for a pulse that is read a while after it.
_KEPT_S = 3.0
_SINGLE = 1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class HuntPlan:
    """A hunt to be led.

    Parameters
    ----------
    hunt : HuntRules
    response : ResponseRules
    channel : str
        Label of the muscle's channel in the session's stream.
    iti_s : tuple of float
        Shortest and longest interval between pulses; each is drawn evenly.
    seed : int
    output_latency_s : float
        From the call to the pulse.

    Raises
    ------
    ConfigError
    """

    hunt: HuntRules
    response: ResponseRules
    channel: str
    iti_s: tuple[float, float] = (4.0, 6.0)
    seed: int = 1
    output_latency_s: float = 0.0

    def __post_init__(self) -> None:
        shortest_s, longest_s = self.iti_s
        if not 0.5 <= shortest_s <= longest_s < math.inf:
            raise ConfigError(
                f"The interval between pulses is {shortest_s:g} to {longest_s:g} s, "
                "but must ascend from 0.5 s at least."
            )

    def rows(self, *, pulse_s: float, falls: bool, rhythm_hz: float) -> Rows:
        """Return what the core is told: single pulses by the clock.

        Parameters
        ----------
        pulse_s : float
            Width of the trigger.
        falls : bool
            Not looked at: what falls by itself is left out later.
        rhythm_hz : float
            Not looked at: no phase is waited for.
        """
        rng = np.random.default_rng(self.seed)
        edges = (Edge(offset_s=0.0, rises=True), Edge(offset_s=pulse_s, rises=False))
        intervals_s = rng.uniform(*self.iti_s, most_pulses(self.hunt))
        rows = tuple(
            _row(number, interval_s)
            for number, interval_s in enumerate(intervals_s.tolist())
        )
        return Rows(rows=rows, patterns=((), edges), pulses_per_edge=(1, 1))


def _row(number: int, interval_s: float) -> Row:
    return Row(
        trial=number,
        burst=0,
        is_last=True,
        kind=TrialKind.CLOCK,
        target_phase_rad=math.nan,
        earliest_s=interval_s,
        condition=0,
        pattern=_SINGLE,
        n_before=0,
        n_left=0,
        fires=True,
        at_s=math.nan,
        power_side=0,
        power_quantile=math.nan,
    )


def muscle_channel(source: Source, named: str | None) -> str:
    """Return the label of the muscle's channel.

    Raises
    ------
    ConfigError
        Nobody has named one.
    """
    if named is not None:
        return named
    if isinstance(source, SyntheticSource) and source.emg_channel is not None:
        return source.emg_channel
    raise ConfigError(
        "Nobody said which channel shows the muscle; name it with --emg, as "
        "`phasegate streams --labels` lists it."
    )


class LiveHunt:
    """Leads the closed loop of a session from pulse to pulse.

    Parameters
    ----------
    plan : HuntPlan
    stream : StreamDescription
        With the muscle's channel.
    tell : callable
        Gets the hunt after every pulse.

    Raises
    ------
    ChannelError
        The stream has no such channel, or does not tell its unit.
    """

    def __init__(
        self,
        plan: HuntPlan,
        stream: StreamDescription,
        tell: Callable[[MuscleHunt], None] = lambda _hunt: None,
    ) -> None:
        self.part = plan
        self._column, self._scale_uv = _column(stream, plan.channel)
        self._tell = tell
        self._hands: Hands | None = None
        self._record: Callable[..., None] = lambda *_args, **_fields: None
        self._t: Float64Array = np.zeros(0)
        self._emg_uv: Float64Array = np.zeros(0)
        self._n_offers = 0
        self._offered = False
        self._t_pulse = math.nan
        self._t_first = math.inf
        self.hunt = MuscleHunt.begun(plan.hunt, plan.response)
        self._next_pct = self.hunt.next_pct_mso()

    @property
    def visit(self) -> None:
        """No session of any protocol."""
        return

    @property
    def is_over(self) -> bool:
        """Whether no pulse is wanted any more."""
        return self._next_pct is None

    def begin(
        self,
        rows: Rows | None,
        *,
        hands: Hands,
        record: Callable[..., None],
        t_now: float,
    ) -> None:
        """Begin to hunt, the output being armed.

        Parameters
        ----------
        rows : Rows
            That the loop's program was made of.
        hands : Hands
        record : callable
            The recorder's `event`.
        t_now : float
        """
        if rows is None:
            raise ConfigError("The loop has no pulses of the hunt.")
        self._hands, self._record = hands, record
        # The first pulse, too, needs a muscle that was seen at rest before it.
        self._t_first = t_now + self.part.iti_s[0]
        record(
            "hunt",
            t=t_now,
            channel=self.part.channel,
            rules=json.dumps(dataclasses.asdict(self.part.hunt)),
        )

    def take(self, batch: Batch) -> None:
        """Take in what the loop wrote since the last look."""
        if len(batch.samples):
            t = np.concatenate([self._t, batch.samples["t_sample"]])
            new_uv = batch.raw[:, self._column].astype(np.float64) * self._scale_uv
            emg_uv = np.concatenate([self._emg_uv, new_uv])
            first = int(np.searchsorted(t, t[-1] - _KEPT_S))
            self._t, self._emg_uv = t[first:], emg_uv[first:]
        for edge in batch.edges:
            if edge["rises"] == 1 and edge["refusal"] == Refusal.NONE:
                self._t_pulse = float(edge["t_fired"]) + self.part.output_latency_s

    def look(self, t_now: float) -> str | None:
        """Measure what a pulse did, or see that the next one can come.

        Raises
        ------
        PhasegateError
            The stimulator does not take its intensity.
        """
        if self._hands is None:
            return None
        if not math.isnan(self._t_pulse):
            self._measure(t_now)
        waits = (
            math.isnan(self._t_pulse) and not self._offered and (t_now >= self._t_first)
        )
        if waits and self._next_pct is not None:
            self._offer(self._hands, self._next_pct)
        return STAGE

    def _offer(self, hands: Hands, pct_mso: float) -> None:
        if not hands.strength_is(pct_mso):
            return
        self._n_offers += 1
        self._offered = True
        hands.offer(offer_of(len(self.hunt.pulses), self._n_offers))

    def _measure(self, t_now: float) -> None:
        """Read the muscle once all of its window has come."""
        rules = self.part.response
        seen_s = self._t[-1] - self._t_pulse if len(self._t) else -math.inf
        spare_s = 0.010
        if not (seen_s > rules.to_s + spare_s and self._hands is not None):
            return
        assert self._next_pct is not None
        response = measure_response(self._t, self._emg_uv, self._t_pulse, rules)
        self.hunt = self.hunt.with_response(self._next_pct, response)
        self._next_pct = self.hunt.next_pct_mso()
        pulse = self.hunt.pulses[-1]
        self._record(
            "hunt pulse",
            t=t_now,
            t_pulse=self._t_pulse,
            **dataclasses.asdict(pulse),
        )
        self._t_pulse, self._offered = math.nan, False
        self._hands.say(pulse_sentence(self.hunt))
        self._tell(self.hunt)


def pulse_sentence(hunt: MuscleHunt) -> str:
    """Return what came of the last pulse, and where the hunt stands."""
    pulse = hunt.pulses[-1]
    said = f"{len(hunt.pulses)}. {pulse.pct_mso:g} %: "
    if pulse.why_not is not None:
        return f"{said}not counted, {pulse.why_not}; it is given again."
    found = hunt.estimate()
    answer = "a response" if pulse.responded else "no response"
    return (
        f"{said}MEP {pulse.mep_uv:.0f} uV, {answer}. Threshold {found.pct_mso:.1f} % "
        f"({found.low_pct_mso:.1f} to {found.high_pct_mso:.1f})."
    )


def _column(stream: StreamDescription, channel: str) -> tuple[int, float]:
    if channel not in stream.labels:
        raise ChannelError(
            f"Stream {stream.name!r} has no channel {channel}, which is to show the "
            f"muscle; name one of {', '.join(stream.labels)} with --emg."
        )
    column = stream.labels.index(channel)
    scale_uv = float(stream.scale_uv[column])
    if not (math.isfinite(scale_uv) and scale_uv > 0.0):
        raise ChannelError(
            f"Stream {stream.name!r} does not tell the unit of {channel}, so a motor "
            "response has no size; give source.unit."
        )
    return column, scale_uv
