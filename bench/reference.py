"""The same work in careful plain Python: what the compiled loop is measured against.

pylsl pulls, numpy mixes and filters with the same weights, pyserial writes. Arrays are
allocated beforehand, the window lies in a mirrored ring, real and imaginary part are
one product, and the thread asks for the same privileges. It is spared what the compiled
loop does besides: artifact checks, gates, the interlock, the record of every sample.
"""

import math
import threading
import time

import numpy as np
import pylsl
import serial

from bench.measured import WARM_UP_S, Block, Fired, match_arrivals
from bench.receiver import Receiver
from bench.scenes import (
    HORIZON_S,
    LOCK_S,
    N_CODES,
    N_TAPS,
    Timing,
    fast_brief,
    fir_design,
    hjorth,
)
from bench.signals import RHYTHM_HZ
from controller.engine.privileges import acquire_for_this_thread, settle_collector
from controller.rig.programs.program import SPIN_S
from controller.sources.lsl import FoundStream

_BUFFER_S = 30
_OPEN_TIMEOUT_S = 5.0
_LONGEST_PULL_S = 0.1
_PERIOD_S = 1.0 / RHYTHM_HZ


class ReferenceEstimator:
    """Hjorth montage and 512-tap complex FIR in numpy, one sample at a time.

    Parameters
    ----------
    sfreq_hz : float
    n_channels : int
    """

    def __init__(self, sfreq_hz: float, n_channels: int) -> None:
        design = fir_design(fast_brief(sfreq_hz))
        if design.fir is None:
            raise ValueError("The design has no filter.")
        weights = design.fir[0, ::-1]
        self._taps = np.ascontiguousarray(np.stack([weights.real, weights.imag]))
        self._mixing = hjorth(n_channels)[0]
        self._ring = np.zeros(2 * N_TAPS)
        self._at = 0

    def phase(self, sample: list[float]) -> float:
        """Take a sample in; return the phase in radians one horizon after it."""
        at, ring = self._at, self._ring
        ring[at] = ring[at + N_TAPS] = np.dot(self._mixing, np.array(sample))
        self._at = at = at + 1 if at + 1 < N_TAPS else 0
        re, im = np.dot(self._taps, ring[at : at + N_TAPS])
        return math.atan2(im, re)


class ReferenceLoop:
    """A loop in plain Python that fires at every cycle of the fast rhythm.

    Parameters
    ----------
    stream : FoundStream
    port : serial.Serial
    timing : Timing
    seconds : float
        How long it counts, after the warm-up.
    """

    def __init__(
        self,
        stream: FoundStream,
        port: serial.Serial,
        timing: Timing,
        *,
        seconds: float,
    ) -> None:
        self._stream = stream
        self._write = port.write
        self._clock = time.monotonic  # the clock of LSL on Linux, and cheaper to read
        self._ahead_s = LOCK_S if timing.at_once else 0.0
        self._max_lateness_s = timing.max_lateness_s
        self._seconds = seconds
        self._codes = [bytes([code]) for code in range(1, N_CODES + 1)]
        self._t_edge = math.inf
        self._t_attempt = -math.inf
        self._deciding = (0.0, 0.0)
        self.rows: list[tuple[float, float, float, float, float]] = []
        self.refused_late = 0
        self.n_samples = 0
        self.t_counts_from = math.inf
        self.cpu_s = math.nan
        self.wall_s = math.nan
        self.privileges = ""
        self.error: BaseException | None = None

    def run(self) -> None:
        """Run in the calling thread; an error is kept for the caller."""
        try:
            self.privileges = acquire_for_this_thread(loop="python").fifo
            inlet = pylsl.StreamInlet(
                self._stream.stream, max_buflen=_BUFFER_S, recover=False
            )
            inlet.open_stream(_OPEN_TIMEOUT_S)
            try:
                self._count(inlet)
            finally:
                inlet.close_stream()
        except BaseException as error:  # noqa: BLE001 - raised by `run_reference`
            self.error = error

    def _count(self, inlet: pylsl.StreamInlet) -> None:
        description = self._stream.description
        estimator = ReferenceEstimator(description.sfreq_hz, description.n_channels)
        self._turn(inlet, estimator, self._clock() + WARM_UP_S)
        self.t_counts_from = self._clock()
        self.refused_late = self.n_samples = 0
        cpu_before_s = time.thread_time()
        self._turn(inlet, estimator, self.t_counts_from + self._seconds)
        self.cpu_s = time.thread_time() - cpu_before_s
        self.wall_s = self._clock() - self.t_counts_from

    def _turn(
        self, inlet: pylsl.StreamInlet, estimator: ReferenceEstimator, t_end: float
    ) -> None:
        pull, clock, phase = inlet.pull_sample, self._clock, estimator.phase
        t_now = clock()
        while t_now < t_end:
            timeout_s = _LONGEST_PULL_S
            if self._t_edge != math.inf:
                t_now = clock()
                remaining_s = self._t_edge - t_now
                if remaining_s <= SPIN_S:
                    self._fire(t_now)
                    continue
                timeout_s = min(timeout_s, remaining_s - SPIN_S)
            sample, t_sample = pull(timeout_s)
            t_now = clock()
            if sample is not None:
                self.n_samples += 1
                self._plan(sample, t_sample, phase(sample), t_now)

    def _plan(
        self, sample: list[float], t_sample: float, phase: float, t_now: float
    ) -> None:
        t_due = t_sample + HORIZON_S - phase / (2.0 * math.pi) * _PERIOD_S
        t_after = self._t_attempt + 0.5 * _PERIOD_S
        if t_due <= t_after:
            t_due += _PERIOD_S * (math.floor((t_after - t_due) / _PERIOD_S) + 1.0)
        if not t_due - t_now <= LOCK_S:
            return
        self._t_attempt = t_due
        if t_due >= t_now and self._t_edge == math.inf:
            self._t_edge = t_due - self._ahead_s
            self._deciding = (t_sample, sample[-1] * 1e-6)

    def _fire(self, t_now: float) -> None:
        clock, t_edge = self._clock, self._t_edge
        while t_now < t_edge:
            t_now = clock()
        if t_now - t_edge <= self._max_lateness_s:
            self._write(self._codes[len(self.rows) % N_CODES])
            self.rows.append((*self._deciding, t_edge, t_now, clock()))
        else:
            self.refused_late += 1
        self._t_edge = math.inf


def run_reference(
    stream: FoundStream, receiver: Receiver, timing: Timing, *, seconds: float
) -> Block:
    """Run a block of the reference loop in a thread of its own.

    Parameters
    ----------
    stream : FoundStream
    receiver : Receiver
        With a port.
    timing : Timing
    seconds : float
        How long it counts, after the warm-up.

    Raises
    ------
    LineError
        If arrivals do not match what was sent.
    """
    settle_collector()
    with serial.Serial(receiver.port, 115200) as port:
        loop = ReferenceLoop(stream, port, timing, seconds=seconds)
        thread = threading.Thread(target=loop.run, name="reference-loop")
        thread.start()
        thread.join()
    if loop.error is not None:
        raise loop.error
    arrivals = receiver.take(len(loop.rows))
    columns = np.array(loop.rows).reshape(-1, 5).T.copy()
    fired = Fired(
        t_sample=columns[0],
        push_delay_s=columns[1],
        t_due=columns[2],
        t_fired=columns[3],
        t_after=columns[4],
        t_observed=match_arrivals(np.arange(columns.shape[1]), arrivals),
    )
    return Block(
        fired=fired.since(loop.t_counts_from),
        push_to_decision_us=np.empty(0),
        refused_late=loop.refused_late,
        n_samples=loop.n_samples,
        n_lost=0,
        cpu_s=loop.cpu_s,
        wall_s=loop.wall_s,
        merged=int(np.count_nonzero(arrivals[:, 2] > 1)),
        privileges=f"SCHED_FIFO {loop.privileges}",
    )
