"""Motor responses, where a muscle was recorded."""

import dataclasses
import re
from collections.abc import Mapping

import numpy as np

from controller.kernels.jit import Float64Array, Int64Array
from controller.report.responses import channels_of, epochs_around
from controller.report.svg import BLUE, ORANGE, drawing, new_figure, to_svg
from controller.session.load import Session

RESPONSE_UV = 50.0
"""Peak to peak; less is no response (Rossini et al. 2015, Clin Neurophysiol 126)."""

RESPONSE_S = (0.015, 0.050)
"""Where a response of a hand muscle is looked for."""

_BEFORE_S = (-0.100, -0.005)
_ACTIVE_UV = 50.0
_OFFSET = 0.12


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MotorResponses:
    """Responses of one muscle; arrays of shape (n,), one for each pulse.

    Parameters
    ----------
    label : str
    t_s : array
        When the pulse came, from the first one.
    condition : array of int
    size_uv : array
        Peak to peak; NaN where the muscle was active before the pulse.
    n_active : int
        Pulses left out for that.
    """

    label: str
    t_s: Float64Array
    condition: Int64Array
    size_uv: Float64Array
    n_active: int


def motor_responses(
    session: Session, instants: Float64Array, condition: Int64Array
) -> tuple[MotorResponses, ...]:
    """Return the responses of every muscle that was recorded.

    Parameters
    ----------
    session : Session
    instants : array, shape (n_pulses,)
        When the edges were at the device.
    condition : array of int, shape (n_pulses,)
    """
    channels, scale_uv = channels_of(session, ("EMG",))
    found = []
    sfreq_hz = session.stream.sfreq_hz
    first, last = round(_BEFORE_S[0] * sfreq_hz), round(RESPONSE_S[1] * sfreq_hz)
    t_s = np.arange(first, last + 1) / sfreq_hz
    before = (t_s >= _BEFORE_S[0]) & (t_s <= _BEFORE_S[1])
    inside = (t_s >= RESPONSE_S[0]) & (t_s <= RESPONSE_S[1])
    for place, scale in zip(channels, scale_uv, strict=True):
        epochs, which = epochs_around(
            session, [place], np.array([scale]), instants, t_s
        )
        if len(epochs) == 0:
            continue
        muscle = epochs[:, 0]
        size = np.ptp(muscle[:, inside], axis=1)
        active = np.ptp(muscle[:, before], axis=1) > _ACTIVE_UV
        found.append(
            MotorResponses(
                label=session.stream.labels[place],
                t_s=instants[which] - np.nanmin(instants),
                condition=condition[which],
                size_uv=np.where(active, np.nan, size),
                n_active=int(np.count_nonzero(active)),
            )
        )
    return tuple(found)


def motor_rows(responses: MotorResponses, names: Mapping[int, str]) -> list[list[str]]:
    """Return one row for each condition: n, median, quartiles, share of responses."""
    rows = []
    for condition in np.unique(responses.condition).tolist():
        size = responses.size_uv[responses.condition == condition]
        size = size[np.isfinite(size)]
        name = names.get(condition, "all pulses")
        if len(size) == 0:
            rows.append([name, "0", "n/a", "n/a", "n/a"])
            continue
        low, middle, high = np.quantile(size, [0.25, 0.5, 0.75])
        share = np.mean(size >= RESPONSE_UV)
        rows.append(
            [
                name,
                f"{len(size)}",
                f"{middle:,.0f} µV",
                f"{low:,.0f} to {high:,.0f} µV",
                f"{share:.0%}",
            ]
        )
    return rows


def motor_figure(responses: MotorResponses, names: Mapping[int, str]) -> str:
    """Draw the size of each response over the session, and by condition."""
    conditions = np.unique(responses.condition).tolist()
    with drawing():
        figure = new_figure(12.2, 3.8)
        over, by = figure.subplots(1, 2, width_ratios=(2, 1), sharey=True)
        over.plot(responses.t_s, responses.size_uv, "o", color=BLUE, ms=4)
        over.set_xlabel("time from the first pulse (s)")
        over.set_ylabel(f"{responses.label}, peak to peak (µV)")
        for place, condition in enumerate(conditions):
            size = responses.size_uv[responses.condition == condition]
            # Beside one another in order of time, so that none hides another.
            at = place + np.linspace(-_OFFSET, _OFFSET, len(size))
            by.plot(at, size, "o", color=BLUE, ms=3, alpha=0.6)
            known = size[np.isfinite(size)]
            if len(known):
                middle = float(np.median(known))
                by.plot([place - 0.25, place + 0.25], [middle] * 2, color=ORANGE, lw=3)
        labels = [names.get(condition, "all pulses") for condition in conditions]
        by.set_xticks(range(len(conditions)), labels)
        by.set_xlim(-0.6, len(conditions) - 0.4)
        for axes in (over, by):
            axes.axhline(RESPONSE_UV, color=ORANGE, ls=":", lw=1.2)
            axes.grid(axis="y")
            axes.set_ylim(bottom=0)
        label = f"Motor responses of {responses.label} over time and by condition"
        name = re.sub(r"\W", "", responses.label)
        return to_svg(figure, f"motor-{name}", label)
