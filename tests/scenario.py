"""Programs, tapes and memory for the tests of the core and of the loop."""

import dataclasses
import math

import numpy as np
from study import limits_of as limits_of

from controller.core.memory import new_memory
from controller.core.records import Kernel, LocalMethod
from controller.engine.virtual import Tape
from controller.estimators.base import Brief, Decimation, Design, LocalPart
from controller.estimators.confidence import Confidence
from controller.estimators.iir import CausalQuadrature
from controller.rig.programs.program import Rules, build_program, make_trials
from controller.safety.interlock import Permit
from drivers.base import TriggerEdges, WireAction

SFREQ_HZ = 1000.0
FREQUENCY_HZ = 10.0
DESCRIPTOR = 3
RISE_AND_FALL = TriggerEdges(
    rise=WireAction(kind="write", descriptor=DESCRIPTOR, payload=b"\x05"),
    fall=WireAction(kind="write", descriptor=DESCRIPTOR, payload=b"\x00"),
)
RISE_ONLY = TriggerEdges(rise=RISE_AND_FALL.rise, fall=None)


def brief_of(horizon_s=0.004, frequency_hz=FREQUENCY_HZ, sfreq_hz=SFREQ_HZ):
    return Brief(
        sfreq_hz=sfreq_hz,
        frequency_hz=frequency_hz,
        band_hz=(frequency_hz - 2.0, frequency_hz + 2.0),
        horizon_s=horizon_s,
    )


def fir_design(brief, n_taps=256):
    """Return a windowed complex exponential that is exact for a cosine."""
    ago_s = np.arange(n_taps) / brief.sfreq_hz
    return Design(
        name="exact",
        brief=brief,
        kernel=Kernel.FIR,
        fir=_exact_weights(brief, ago_s, brief.horizon_s)[np.newaxis, :],
        warm_up_s=n_taps / brief.sfreq_hz,
    )


def _exact_weights(brief, ago_s, ahead_s, gain=1.0):
    """Return weights on samples so long ago that find a cosine so far ahead."""
    angle = 2.0 * math.pi * brief.frequency_hz
    window = np.hanning(ago_s.size + 2)[1:-1]
    basis = np.array([window * np.exp(1j * angle * ago_s * m) for m in (1, 0, -1)])
    # Gain 2 e^(i turn) at +f, none at 0 and at -f.
    probes = np.exp(-1j * angle * np.outer((1, 0, -1), ago_s))
    wanted = np.array([2.0 * np.exp(1j * angle * ahead_s) / gain, 0.0, 0.0])
    return np.linalg.solve(probes @ basis.T, wanted) @ basis


def both_design(brief):
    """Return half a filter and half a local forecast, with a confidence."""
    factor, n_fit, n_ahead = round(brief.sfreq_hz / 100.0), 60, 20
    decimation = Decimation(factor=factor, taps=np.full(factor, 1.0 / factor))
    delay_s = decimation.delay_samples / brief.sfreq_hz
    half_turn = math.pi * brief.frequency_hz / brief.sfreq_hz
    gain = math.sin(factor * half_turn) / (factor * math.sin(half_turn))
    ago_s = np.arange(n_fit - 1, -n_ahead - 1, -1) * factor / brief.sfreq_hz
    part = LocalPart(
        method=LocalMethod.FORECAST,
        n_fit=n_fit,
        n_least=n_fit,
        order=6,
        n_data=n_fit,
        n_ahead=n_ahead,
        row=_exact_weights(brief, ago_s, brief.horizon_s + delay_s, gain),
        weight=0.5,
    )
    filtering = fir_design(brief, n_taps=round(0.25 * brief.sfreq_hz))
    return dataclasses.replace(
        filtering,
        name="both",
        kernel=Kernel.FIR | Kernel.LOCAL,
        fir=0.5 * filtering.fir,
        decimation=decimation,
        local=(part,),
        confidence=Confidence(
            constant=0.5, exponent=0.5, slow_exponent=0.3, tolerance_rad=math.pi / 4.0
        ),
        warm_up_s=0.65,
    )


def iir_design(brief):
    return CausalQuadrature().design(brief, None)


def program_of(
    design="iir",
    *,
    horizon_s=0.004,
    sfreq_hz=SFREQ_HZ,
    frequency_hz=FREQUENCY_HZ,
    n_channels=1,
    mixing=None,
    scale_uv=None,
    rules=None,
    limits=None,
    trials=None,
    n_trials=1000,
    target_deg=0.0,
    iti_s=0.25,
    iti_jitter_s=0.0,
    seed=1,
    edges=RISE_AND_FALL,
    pulse_s=0.005,
):
    """Return a program; `design` is "iir", "fir", "both", None or a `Design`."""
    if isinstance(design, str):
        make = {"iir": iir_design, "fir": fir_design, "both": both_design}[design]
        design = make(brief_of(horizon_s, frequency_hz, sfreq_hz))
    if trials is None:
        trials = make_trials(
            n_trials,
            target_phase_rad=math.radians(target_deg),
            iti_s=iti_s,
            iti_jitter_s=iti_jitter_s,
            seed=seed,
        )
    if mixing is None:
        mixing = np.full((1, n_channels), 1.0 / n_channels)
    return build_program(
        sfreq_hz=sfreq_hz,
        mixing=mixing,
        scale_uv=np.ones(n_channels) if scale_uv is None else scale_uv,
        design=design,
        rules=rules or Rules(),
        limits=limits or limits_of(),
        trials=trials,
        edges=edges,
        pulse_s=pulse_s,
    )


def vector_program(**options):
    """Return a program whose estimate is channel 0 + i channel 1, at once.

    The tape then says phase and amplitude itself. Both channels must begin at 0 after
    every reset, for the core counts from the first sample.
    """
    brief = brief_of(options.pop("horizon_s", 0.0), options.pop("frequency_hz", 10.0))
    design = Design(
        name="vector",
        brief=brief,
        kernel=Kernel.FIR,
        fir=np.zeros((2, 1), complex),
        warm_up_s=options.pop("warm_up_samples", 1) / brief.sfreq_hz,
    )
    program = program_of(
        design, n_channels=2, mixing=np.eye(2), **{"iti_s": 0.1, **options}
    )
    return program._replace(
        fir_re=np.array([[1.0], [0.0]]), fir_im=np.array([[0.0], [1.0]])
    )


def memory_of(program, n_window=20):
    return new_memory(program, n_window=n_window)


def cosine(
    seconds,
    *,
    frequency_hz=FREQUENCY_HZ,
    sfreq_hz=SFREQ_HZ,
    t_start=1.0,
    amplitude_uv=10.0,
    noise_uv=0.0,
    n_channels=1,
    seed=0,
):
    """Return samples of a cosine with its peaks at whole periods of the clock."""
    t = t_start + np.arange(round(seconds * sfreq_hz)) / sfreq_hz
    clean = amplitude_uv * np.cos(2.0 * math.pi * frequency_hz * t)
    noise = np.random.default_rng(seed).normal(0.0, 1.0, (len(t), n_channels))
    return (clean[:, np.newaxis] + noise_uv * noise).astype(np.float32)


TROUBLES = (
    "gap",
    "nan",
    "spike",
    "flat",
    "stall",
    "disarm",
    "silence",
    "phase reset",
    "early stamp",
)


def troubled_tape(seed, n_samples, troubles):
    """Return a rotating vector with the named troubles at seeded places."""
    rng = np.random.default_rng(seed)
    t_sample = 100.0 + np.arange(n_samples) / SFREQ_HZ
    frequency_hz = 10.0 + 2.0 * np.sin(np.arange(n_samples) / 300.0 + rng.uniform(0, 6))
    phase = rng.uniform(0, 6) + 2.0 * np.pi * np.cumsum(frequency_hz) / SFREQ_HZ
    amplitude = 10.0 + 6.0 * np.sin(np.arange(n_samples) / 170.0)
    permits = np.full(n_samples, int(Permit.ALL), np.int64)
    delay = rng.exponential(2e-4, n_samples)
    blocks = {name: _places(rng, n_samples) for name in troubles}
    for first, _ in blocks.get("phase reset", ()):
        phase[first:] += rng.uniform(-3.0, 3.0)
    raw = np.stack([amplitude * np.cos(phase), amplitude * np.sin(phase)], axis=1)
    raw[0] = 0.0
    for first, last in blocks.get("flat", ()):
        raw[first:last] = raw[first]
    for first, _ in blocks.get("spike", ()):
        raw[first : first + 2, rng.integers(2)] += 400.0
    for first, _ in blocks.get("nan", ()):
        raw[first : first + 3, rng.integers(2)] = rng.choice([np.nan, np.inf])
    for first, last in blocks.get("disarm", ()):
        permits[first:last] &= ~int(rng.choice(list(Permit.ALL)))
    for first, last in blocks.get("stall", ()):
        delay[first:last] += t_sample[last - 1] - t_sample[first:last]
    for first, last in blocks.get("early stamp", ()):
        delay[first:last] -= 0.007
    for first, _ in blocks.get("silence", ())[:1]:
        delay[first:] += 0.3
    t_arrival = np.maximum.accumulate(t_sample + delay)
    kept = np.ones(n_samples, bool)
    for first, last in blocks.get("gap", ()):
        kept[first:last] = False
    kept[0] = True
    return Tape(
        t_sample=t_sample[kept],
        t_arrival=t_arrival[kept],
        permits=permits[kept],
        raw=raw[kept].astype(np.float32),
    )


def _places(rng, n_samples):
    firsts = rng.integers(1, n_samples - 1, rng.integers(1, 4))
    return [(int(k), int(min(k + rng.integers(1, 80), n_samples))) for k in firsts]


def same_rows(left, right, *, without=()):
    """Return the names of the fields that differ in a bit, or "length"."""
    if len(left) != len(right):
        return ["length"]
    return [
        name
        for name in left.dtype.names
        if name not in without
        and left[name].tobytes() != np.ascontiguousarray(right[name]).tobytes()
    ]
