"""What a pulse evoked in the EEG, after its artifact has gone.

Pulses locked to a phase meet the rhythm at the same place each time, so that their
average holds the rhythm too. Shadows meet it there as well, without a pulse: where
there are enough of them, their average is taken off.
"""

import dataclasses

import numpy as np

from controller.kernels.jit import Float64Array
from controller.report.responses import channels_of, epochs_around
from controller.report.svg import (
    BLUE,
    GREY,
    PALE,
    VERMILION,
    drawing,
    new_figure,
    to_svg,
)
from controller.report.words import FEW_PULSES
from controller.session.load import Session

T_BEFORE_S = 0.1
T_AFTER_S = 0.35
_BASELINE_UNTIL_S = -0.01
_CUT_BEFORE_S = 0.002
_SHORTEST_CUT_S = 0.005
_LONGEST_CUT_S = 0.05
_MARGIN_S = 0.002
_STEEP = 8.0
_PEAK_FROM_S = 0.015  # before, even the rest of an artifact is larger
_PEAK_UNTIL_S = 0.3


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evoked:
    """The average response.

    Parameters
    ----------
    n, n_shadows : int
        Pulses in it, and shadows whose average was taken off.
    t_s : array, shape (n_times,)
        Relative to the edge at the device.
    labels : tuple of str
    mean_uv : array, shape (n_channels, n_times)
        NaN while the artifact lasts.
    artifact_s : float
        When it is over.
    """

    n: int
    n_shadows: int
    t_s: Float64Array
    labels: tuple[str, ...]
    mean_uv: Float64Array
    artifact_s: float

    @property
    def field_uv(self) -> Float64Array:
        """Standard deviation over the channels at each time, shape (n_times,)."""
        return np.asarray(np.std(self.mean_uv, axis=0))

    @property
    def peak(self) -> tuple[float, float]:
        """Time and size of the largest field, from 15 ms on and after the artifact."""
        begin = max(self.artifact_s, _PEAK_FROM_S)
        after = (self.t_s > begin) & (self.t_s <= _PEAK_UNTIL_S)
        at = int(np.argmax(np.where(after, np.nan_to_num(self.field_uv), -1.0)))
        return float(self.t_s[at]), float(self.field_uv[at])


def evoked_of(
    session: Session, instants: Float64Array, shadow_instants: Float64Array
) -> Evoked | str:
    """Return the evoked response, or a sentence that says why there is none.

    Parameters
    ----------
    session : Session
    instants : array, shape (n_pulses,)
        When the edges were at the device.
    shadow_instants : array, shape (n_shadows,)
    """
    channels, scale_uv = channels_of(session, ("EEG", ""))
    if len(channels) < 2:
        return "No evoked potential: it needs two EEG channels with a known unit."
    sfreq_hz = session.stream.sfreq_hz
    first, last = -round(T_BEFORE_S * sfreq_hz), round(T_AFTER_S * sfreq_hz)
    t_s = np.arange(first, last + 1) / sfreq_hz
    epochs, _ = epochs_around(session, channels, scale_uv, instants, t_s)
    if len(epochs) < FEW_PULSES:
        return f"No evoked potential: {len(epochs)} pulses are too few to average."
    mean = _averaged(epochs, t_s)
    over_s = artifact_end_s(mean, t_s)
    if over_s is None:
        return (
            "No evoked potential: the pulses' artifact lasts longer than "
            f"{_LONGEST_CUT_S * 1e3:.0f} ms."
        )
    shadows, _ = epochs_around(session, channels, scale_uv, shadow_instants, t_s)
    n_shadows = len(shadows) if len(shadows) >= FEW_PULSES else 0
    if n_shadows:
        mean = mean - _averaged(shadows, t_s)
    mean[:, (t_s >= -_CUT_BEFORE_S) & (t_s <= over_s)] = np.nan
    return Evoked(
        n=len(epochs),
        n_shadows=n_shadows,
        t_s=t_s,
        labels=tuple(session.stream.labels[place] for place in channels),
        mean_uv=mean,
        artifact_s=over_s,
    )


def artifact_end_s(mean_uv: Float64Array, t_s: Float64Array) -> float | None:
    """Return when an average no longer changes as fast as only an artifact does.

    That is eight times as fast as its fastest channel does before the pulse. At least
    5 ms; None if it goes on for longer than 50 ms.
    """
    steps = np.abs(np.diff(mean_uv, axis=1)).max(axis=0)
    t_steps = t_s[1:]
    before = t_steps <= _BASELINE_UNTIL_S
    most = _STEEP * float(np.sqrt(np.mean(steps[before] ** 2)))
    steep = t_steps[(steps > most) & (t_steps > 0)]
    steep = steep[steep <= _LONGEST_CUT_S + _MARGIN_S]
    if len(steep) == 0:
        return _SHORTEST_CUT_S
    if steep[-1] > _LONGEST_CUT_S:
        return None
    return max(_SHORTEST_CUT_S, float(steep[-1]) + _MARGIN_S)


def evoked_figure(evoked: Evoked) -> str:
    """Draw every channel and the field over all of them."""
    with drawing():
        figure = new_figure(12.2, 4.2)
        axes = figure.add_subplot()
        t_ms = evoked.t_s * 1e3
        axes.axvspan(-_CUT_BEFORE_S * 1e3, evoked.artifact_s * 1e3, color=PALE, lw=0)
        for row in evoked.mean_uv:
            axes.plot(t_ms, row, color=GREY, lw=0.7, alpha=0.7)
        axes.plot(
            t_ms, evoked.field_uv, color=BLUE, lw=2.2, label="field (SD over channels)"
        )
        axes.axvline(0, color=VERMILION, ls="--", lw=1.6)
        axes.set_xlim(t_ms[0], t_ms[-1])
        begin_s = max(evoked.artifact_s, _PEAK_FROM_S)
        calm = (evoked.t_s < -_CUT_BEFORE_S) | (evoked.t_s > begin_s)
        most = 1.15 * float(np.nanmax(np.abs(evoked.mean_uv[:, calm])))
        axes.set_ylim(-most, most)
        axes.set_xlabel("time from the edge at the device (ms)")
        axes.set_ylabel("average (µV)")
        axes.grid(axis="y")
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), borderpad=0)
        label = f"EEG evoked by {evoked.n} pulses in {len(evoked.labels)} channels"
        return to_svg(figure, "evoked", label)


def _averaged(epochs: Float64Array, t_s: Float64Array) -> Float64Array:
    mean = epochs.mean(axis=0)
    baseline = mean[:, t_s <= _BASELINE_UNTIL_S].mean(axis=1, keepdims=True)
    return np.asarray(mean - baseline)
