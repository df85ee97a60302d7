"""Patterns of pulses to the simulated trigger box: our loop, and a plain-Python script.

Both write to a twin of their own, `python -m drivers.sim serial-byte`, which stamps
what arrives on the host's clock. It runs above everybody where the system grants that,
since a device has a processor of its own.
"""

import contextlib
import dataclasses
import math
import time
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import serial

from bench.lifeline import take_fifo
from bench.live import watch
from bench.measured import WARM_UP_S, Float64Array, LineError
from bench.pattern_scene import pattern_program, pattern_rows
from controller.core.memory import new_memory
from controller.engine.control import ControlWords
from controller.engine.live import LiveEngine, Stretch, StretchRunner
from controller.engine.privileges import settle_collector
from controller.engine.telemetry import Batch, new_telemetry
from controller.safety.interlock import TIMED, Permit, Refusal
from controller.sources.lsl import FoundStream, LslInlet
from drivers.serial_byte import SerialByteTrigger
from drivers.sim.process import TwinProcess

MAX_LATENESS_S = 1e-3

_ABOVE_THE_LOOP = 45
_CODE = 1
_LEAD_S = 0.01
_RING_S = 8.0
_TRIALS_PER_S = 20


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pulses:
    """Rising edges of patterns, one row each, instants in seconds on the host clock.

    Parameters
    ----------
    condition : array of int, shape (n,)
        Place among the protocol's conditions.
    pattern : array of int, shape (n,)
        Which decision they belong to, ascending.
    t_due, t_fired, t_observed : array, shape (n,)
        Planned, just before the call, and as the twin stamped it.
    n_ended : int
        Patterns that were ended inside, because an edge would have been late.
    n_not_begun : int
        Patterns whose first edge was refused.
    n_merged : int
        Rises that reached the twin in one read with another edge.
    privileges : str
    """

    condition: npt.NDArray[np.int64]
    pattern: npt.NDArray[np.int64]
    t_due: Float64Array
    t_fired: Float64Array
    t_observed: Float64Array
    n_ended: int = 0
    n_not_begun: int = 0
    n_merged: int = 0
    privileges: str = ""

    @property
    def call_error_us(self) -> Float64Array:
        """From the planned instant to the call."""
        return 1e6 * (self.t_fired - self.t_due)

    @property
    def edge_error_us(self) -> Float64Array:
        """From the planned instant to the twin's stamp."""
        return 1e6 * (self.t_observed - self.t_due)

    @property
    def spacing_error_us(self) -> Float64Array:
        """How far later pulses are off their place after their pattern's first."""
        found, first, place = np.unique(
            self.pattern, return_index=True, return_inverse=True
        )
        del found
        error_us = self.edge_error_us
        off_us = np.abs(error_us - error_us[first][place])
        return np.asarray(np.delete(off_us, first))

    def of(self, *conditions: int) -> "Pulses":
        """Return the pulses of some conditions."""
        return self._kept(np.isin(self.condition, conditions))

    def since(self, t_first: float) -> "Pulses":
        """Return the pulses planned from an instant on."""
        return self._kept(self.t_due >= t_first)

    def _kept(self, keep: npt.NDArray[np.bool_]) -> "Pulses":
        arrays = ("condition", "pattern", "t_due", "t_fired", "t_observed")
        return dataclasses.replace(
            self, **{name: getattr(self, name)[keep] for name in arrays}
        )


def run_patterns(
    stream: FoundStream, *, seconds: float, runner: StretchRunner | None = None
) -> Pulses:
    """Let the compiled loop fire patterns in its engine's own thread.

    Parameters
    ----------
    stream : FoundStream
    seconds : float
        How long it counts, after the warm-up.
    runner : callable, optional
        See `LiveEngine`.

    Raises
    ------
    BlockError
        If the loop ended at fault.
    LineError
        If arrivals do not match what was sent.
    """
    settle_collector()
    words = ControlWords()
    words.permit(Permit.ALL)
    words.vouch_until(TIMED, math.inf)
    engine = LiveEngine(LslInlet(stream), words, runner=runner)
    with _twin() as twin:
        trigger = SerialByteTrigger(twin.port, simulated=True)
        with contextlib.closing(trigger):
            trigger.open()
            stretch = _stretch(stream, trigger, seconds)
            privileges = engine.open()
            try:
                window, batch = watch(engine, words, stretch, seconds)
            finally:
                engine.close()
        twin.stop()
        arrived = _rises(twin)
    pulses = _pulses(batch, *arrived)
    fifo = f"SCHED_FIFO {privileges.fifo}"
    return dataclasses.replace(pulses, privileges=fifo).since(window.t_first)


def run_script(*, seconds: float) -> Pulses:
    """Send the same patterns as a script would: `time.sleep` before every write.

    Parameters
    ----------
    seconds : float
        How long it counts, after the warm-up.

    Raises
    ------
    LineError
        If arrivals do not match what was sent.
    """
    settle_collector()
    rows = pattern_rows(_n_trials(seconds))
    sent: list[tuple[float, float, float, float]] = []
    with _twin() as twin:
        with serial.Serial(twin.port, 115200) as port:
            t_begin = time.monotonic()
            for number, row in enumerate(rows.rows):
                if not time.monotonic() < t_begin + WARM_UP_S + seconds:
                    break
                t_onset = time.monotonic() + _LEAD_S
                for edge in rows.patterns[row.pattern]:
                    t_due = t_onset + edge.offset_s
                    time.sleep(max(0.0, t_due - time.monotonic()))
                    t_fired = time.monotonic()
                    port.write(bytes([_CODE if edge.rises else 0]))
                    if edge.rises:
                        sent.append((row.condition, number, t_due, t_fired))
        twin.stop()
        t_observed, n_merged = _rises(twin)
    columns = np.array(sent).reshape(-1, 4).T
    _require_all(columns.shape[1], t_observed)
    return Pulses(
        condition=columns[0].astype(np.int64),
        pattern=columns[1].astype(np.int64),
        t_due=columns[2],
        t_fired=columns[3],
        t_observed=t_observed,
        n_merged=n_merged,
    ).since(t_begin + WARM_UP_S)


@contextlib.contextmanager
def _twin() -> Iterator[TwinProcess]:
    with TwinProcess("serial-byte") as twin:
        take_fifo(_ABOVE_THE_LOOP, twin.pid)
        yield twin


def _n_trials(seconds: float) -> int:
    return math.ceil((seconds + 10.0 * WARM_UP_S) * _TRIALS_PER_S)


def _stretch(
    stream: FoundStream, trigger: SerialByteTrigger, seconds: float
) -> Stretch:
    description = stream.description
    program = pattern_program(
        pattern_rows(_n_trials(seconds)),
        sfreq_hz=description.sfreq_hz,
        n_channels=description.n_channels,
        edges=trigger.edges(_CODE),
        max_lateness_s=MAX_LATENESS_S,
    )
    return Stretch(
        program=program,
        memory=new_memory(program, n_window=1),
        telemetry=new_telemetry(
            description.n_channels, n_samples=round(_RING_S * description.sfreq_hz)
        ),
    )


def _rises(twin: TwinProcess) -> tuple[Float64Array, int]:
    rises = [one for one in twin.arrivals() if one.code == _CODE]
    t_observed = np.array([one.t_observed for one in rises])
    return t_observed, sum(one.merged > 1 for one in rises)


def _pulses(batch: Batch, t_observed: Float64Array, n_merged: int) -> Pulses:
    rises = batch.edges[batch.edges["rises"] == 1]
    sent = rises[rises["refusal"] == Refusal.NONE]
    refused = rises[rises["refusal"] != Refusal.NONE]
    _require_all(len(sent), t_observed)
    return Pulses(
        # Every decision since the loop was entered is in the batch.
        condition=np.array(batch.decisions["condition"][sent["decision"]]),
        pattern=np.array(sent["decision"]),
        t_due=np.array(sent["t_due"]),
        t_fired=np.array(sent["t_fired"]),
        t_observed=t_observed,
        n_ended=int(np.count_nonzero(refused["edge"] > 0)),
        n_not_begun=int(np.count_nonzero(refused["edge"] == 0)),
        n_merged=n_merged,
    )


def _require_all(n_sent: int, t_observed: Float64Array) -> None:
    if n_sent != len(t_observed):
        raise LineError(
            f"{n_sent} pulses left and {len(t_observed)} reached the simulated box; "
            "errors would be those of other pulses."
        )
