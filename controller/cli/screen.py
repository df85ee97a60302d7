"""How a running session looks: pure functions from its status to lines."""

import math
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from controller.cli.phrases import (
    MOST_REASONS,
    clock,
    megabytes,
    most_frequent,
    phase_place,
)
from controller.core.reasons import HOLD_SENTENCES, HoldReason

if TYPE_CHECKING:
    from controller.rig.console.status import Status

_TOPIC_WIDTH = 11
_BAR_WIDTH = 30

_SPINNER = Spinner("dots")


NOTABLE_LAG_S = 0.25
"""A recorder takes its turns 25 times a second."""


def screen(status: "Status | None", activity: str, *, width: int) -> RenderableType:
    """Return the whole screen.

    Parameters
    ----------
    status : Status or None
        None while no stage runs.
    activity : str
        What is done while no stage runs.
    width : int
        Columns of the terminal.
    """
    if status is None:
        _SPINNER.update(text=f" {activity} ...")
        return _SPINNER
    rows = Table.grid(padding=(0, 2))
    rows.add_column(width=_TOPIC_WIDTH, no_wrap=True, style="bold")
    rows.add_column(max_width=max(20, width - _TOPIC_WIDTH - 3))
    for topic, words in _rows(status):
        rows.add_row(topic, Text(words))
    return Group(Text(""), _stage(status), rows, Text(_advice(), style="dim"))


def one_line(status: "Status") -> str:
    """Return the same in one line, for logs."""
    parts = [f"{status.stage} {progress_words(status)}"]
    if decides(status):
        refused = sum(status.refused.values())
        parts.append(f"{status.fired} fired, {refused} refused")
        held = most_frequent(status.held, 1)
        if held:
            reason, n = held[0]
            parts.append(f"held most often: {hold_words(reason)} ({n})")
    parts += [f"data age {age_words(status)}", f"{megabytes(status.n_bytes)} written"]
    parts += recorder_words(status)
    return "; ".join(parts)


def recorder_words(status: "Status") -> list[str]:
    """Return what is wrong with the recording; nothing where it keeps up."""
    words = []
    # The allowed side first: what is not a number is told as well.
    if not status.lag_s <= NOTABLE_LAG_S:
        words.append(f"the recorder is {status.lag_s:.1f} s behind")
    if status.n_lost_events:
        words.append(f"{status.n_lost_events} events lost")
    return words


def decides(status: "Status") -> bool:
    """Return whether the session has got as far as decisions."""
    counted = status.fired or status.held or status.refused
    # Without an estimator, as during rest, the amplitude is exactly 0.
    return bool(counted) or status.amplitude_uv > 0.0


def progress_words(status: "Status") -> str:
    """Return elapsed and remaining time."""
    if status.duration_s is None:
        return f"{clock(status.elapsed_s)}, until it ends or Ctrl-C"
    left = max(0.0, status.duration_s - status.elapsed_s)
    return (
        f"{clock(min(status.elapsed_s, status.duration_s))} of "
        f"{clock(math.ceil(status.duration_s))}, {clock(math.ceil(left))} left"
    )


def age_words(status: "Status") -> str:
    """Return how old the newest sample was when it came."""
    if not math.isfinite(status.data_age_s):
        return "unknown"
    return f"{status.data_age_s * 1e3:.1f} ms"


def hold_words(name: str) -> str:
    """Return what a gate's name means."""
    if name not in HoldReason.__members__:
        return name.lower().replace("_", " ")
    return HOLD_SENTENCES[HoldReason[name]]


def _stage(status: "Status") -> RenderableType:
    line = Table.grid(padding=(0, 2))
    line.add_column(no_wrap=True, min_width=_TOPIC_WIDTH, style="bold")
    words = Text(progress_words(status))
    if status.duration_s is None:
        line.add_row(status.stage, words)
        return line
    bar = ProgressBar(
        total=max(status.duration_s, 1e-9),
        completed=min(status.elapsed_s, status.duration_s),
        width=_BAR_WIDTH,
    )
    line.add_row(status.stage, bar, words)
    return line


def _rows(status: "Status") -> list[tuple[str, str]]:
    rows = []
    if decides(status):
        rows.append(("pulses", f"{status.fired} fired, {_refused(status)}"))
        rows += _held(status)
        rows.append(("phase", phase_words(status)))
        rows.append(("amplitude", amplitude_words(status)))
    rows.append(("data age", age_words(status)))
    disk = f"{megabytes(status.n_bytes)} written, {status.n_samples} samples received"
    rows.append(("disk", "; ".join([disk, *recorder_words(status)])))
    return rows


def _refused(status: "Status") -> str:
    total = sum(status.refused.values())
    if not total:
        return "none refused"
    # Here, because it loads compiled code, which the first screen must not wait for.
    from controller.session.pulses import refusal_sentence

    reasons = "; ".join(
        f"{n}: {refusal_sentence(name)}"
        for name, n in most_frequent(status.refused, MOST_REASONS)
    )
    return f"{total} refused ({reasons})"


def _held(status: "Status") -> list[tuple[str, str]]:
    held = most_frequent(status.held, MOST_REASONS)
    if not held:
        return [("held back", "never so far")]
    digits = len(str(held[0][1]))
    lines = [f"{n:>{digits}} x {hold_words(name)}" for name, n in held]
    return [("held back", "\n".join(lines))]


def phase_words(status: "Status") -> str:
    """Return the newest phase in degrees, and where in the cycle that is."""
    if not math.isfinite(status.phase_rad):
        return "no estimate at the moment"
    degrees = math.degrees(status.phase_rad)
    words = f"{degrees:+4.0f} deg, {phase_place(degrees)}"
    if not math.isfinite(status.sd_rad):
        return words
    return f"{words}; sure to {math.degrees(status.sd_rad):.0f} deg (circular SD)"


def amplitude_words(status: "Status") -> str:
    """Return the newest amplitude beside the gate's threshold."""
    if not math.isfinite(status.amplitude_uv):
        return "no estimate at the moment"
    now = f"{status.amplitude_uv:.1f} uV"
    if not math.isfinite(status.threshold_uv):
        return f"{now}; the gate waits until it has seen enough"
    if status.threshold_uv == 0.0:
        return f"{now}; no gate"
    is_open = status.amplitude_uv >= status.threshold_uv
    return (
        f"{now}; gate at {status.threshold_uv:.1f} uV is "
        f"{'open' if is_open else 'closed'}"
    )


def _advice() -> str:
    return "Ctrl-C disarms, finishes the records and shows the summary."
