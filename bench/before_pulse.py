"""How well the phase is known from before a pulse: `python -m bench.before_pulse`.

A loop that is 20 ms behind fires at the peaks of simulated participants; every pulse
leaves an artifact of 800 microvolts and an evoked potential. The method sees that; what
it says is held against the zero-phase phase of the same signal without any pulse.
"""

import json
import math

import click
import numpy as np
import scipy.signal

from controller.config import SyntheticSource
from controller.estimators.base import Brief
from controller.estimators.wiener import PersonalWiener
from controller.kernels.circular import circular_mean, circular_sd, wrap_phase
from controller.kernels.jit import Float64Array
from controller.report.achieved import Virtual, achieved_phase
from controller.report.before_pulse import before_pulse
from controller.sources.synthetic.signal import SyntheticParticipant

_SFREQ_HZ = 250.0
_BAND_HZ = (8.0, 12.0)
_REST_S, _DURATION_S = 60.0, 330.0
_AHEAD_S = 0.020
_PAUSE_S = 2.0


def _samples(seed: int) -> Float64Array:
    config = SyntheticSource.model_validate(
        {
            "kind": "synthetic",
            "seed": seed,
            "sfreq_hz": _SFREQ_HZ,
            "channels": ["Oz"],
            "alpha_uv": 10,
            "noise_uv": 4.0,
            "line_uv": 0.0,
            "blinks_per_minute": 0.0,
        }
    )
    block = SyntheticParticipant(config).read(round(_SFREQ_HZ * _DURATION_S))
    return block.samples[:, 0].astype(np.float64)


def _pulses(samples: Float64Array, t: Float64Array) -> Float64Array:
    brief = Brief(
        sfreq_hz=_SFREQ_HZ, frequency_hz=10.0, band_hz=_BAND_HZ, horizon_s=_AHEAD_S
    )
    n_rest = round(_REST_S * _SFREQ_HZ)
    design = PersonalWiener().design(brief, samples[np.newaxis, :n_rest])
    assert design.fir is not None
    ahead = scipy.signal.oaconvolve(samples, design.fir[0])[: len(samples)]
    phase, strong = np.angle(ahead), np.abs(ahead) > np.median(np.abs(ahead[:n_rest]))
    pulses: list[float] = []
    for k in range(n_rest, len(samples) - round(2 * _SFREQ_HZ)):
        crosses = phase[k - 1] < 0 <= phase[k] < phase[k - 1] + 1
        if crosses and strong[k] and (not pulses or t[k] - pulses[-1] > _PAUSE_S):
            part = -phase[k - 1] / (phase[k] - phase[k - 1])
            pulses.append(float(t[k - 1] + part / _SFREQ_HZ + _AHEAD_S))
    return np.array(pulses)


def _stimulated(
    samples: Float64Array, t: Float64Array, pulses: Float64Array
) -> Float64Array:
    shown = samples.copy()
    for pulse in pulses:
        after = (t >= pulse) & (t < pulse + 0.3)
        since = t[after] - pulse
        shown[after] += 800 * np.exp(-since / 0.004)
        shown[after] += 20 * np.sin(2 * math.pi * 9 * since) * np.exp(-since / 0.1)
    return shown


def _degrees(phases: Float64Array) -> tuple[float, float]:
    known = phases[np.isfinite(phases)]
    return math.degrees(circular_mean(known)), math.degrees(circular_sd(known))


def participant(seed: int) -> dict[str, float]:
    """Return mean and circular SD by each way of looking, degrees."""
    samples = _samples(seed)
    t = 50.0 + np.arange(len(samples)) / _SFREQ_HZ
    pulses = _pulses(samples, t)
    clean = Virtual(stamps=t, microvolts=samples, sfreq_hz=_SFREQ_HZ)
    shown = _stimulated(samples, t, pulses)
    dirty = Virtual(stamps=t, microvolts=shown, sfreq_hz=_SFREQ_HZ)
    found = before_pulse(dirty, _BAND_HZ, pulses, pulses)
    assert found is not None
    errors = found.phase_rad[np.isfinite(found.phase_rad)]
    mean, sd = np.degrees(found.corrected(wrap_phase(errors)))
    true = _degrees(achieved_phase(clean, _BAND_HZ, pulses))
    whole = _degrees(achieved_phase(dirty, _BAND_HZ, pulses))
    plain = _degrees(errors)
    return {
        "seed": seed,
        "n": len(errors),
        "true_mean_deg": true[0],
        "true_sd_deg": true[1],
        "before_mean_deg": float(mean),
        "before_sd_deg": float(sd),
        "uncorrected_sd_deg": plain[1],
        "whole_mean_deg": whole[0],
        "whole_sd_deg": whole[1],
    }


@click.command()
@click.option("--participants", type=click.IntRange(min=1), default=20)
@click.option("--json", "as_json", is_flag=True)
def main(*, participants: int, as_json: bool) -> None:
    """Hold the pre-pulse phase against the truth of simulated participants."""
    rows = [participant(seed) for seed in range(1, participants + 1)]
    table = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    told = {"participants": participants}
    for way in ("before", "whole"):
        for figure in ("mean", "sd"):
            off = table[f"{way}_{figure}_deg"] - table[f"true_{figure}_deg"]
            told[f"{way}_{figure}_off_deg"] = round(float(np.mean(off)), 2)
            told[f"{way}_{figure}_off_largest_deg"] = round(float(abs(off).max()), 2)
    for name in ("true_sd_deg", "uncorrected_sd_deg", "whole_sd_deg", "before_sd_deg"):
        told[f"{name}_median"] = round(float(np.median(table[name])), 2)
    if as_json:
        click.echo(json.dumps(told | {"rows": rows}, indent=1))
        return
    for name, value in told.items():
        click.echo(f"{name:<32}{value}")


if __name__ == "__main__":
    main()
