"""What a session will do, in plain words, from its configuration alone."""

import dataclasses
import math
from collections.abc import Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from controller.cli.equipment_words import (
    arming_words,
    output_words,
    stimulator_words,
)
from controller.cli.gate_words import gate_rows
from controller.cli.phrases import clock
from controller.config import (
    Config,
    FileSource,
    LslSource,
    Montage,
    SyntheticSource,
)
from controller.config_limits import key_in_file, units_in_file
from controller.report.words import MINUS, phase_words
from controller.safety.ceilings import Ceiling, ceilings_of


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LimitRow:
    """One limit beside its absolute range.

    Parameters
    ----------
    name : str
        As in the configuration.
    value, lowest, highest : float
        In the unit of the name.
    source : str
        Where the absolute range comes from.
    """

    name: str
    value: float
    lowest: float
    highest: float
    source: str

    def as_dict(self) -> dict[str, str | float]:
        """Return the fields."""
        return dataclasses.asdict(self)


def plan_tables(config: Config) -> Iterator[RenderableType]:
    """Return the plan and the limits as a person reads them."""
    plan = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    plan.add_column(no_wrap=True, style="bold")
    plan.add_column()
    for topic, words in plan_rows(config):
        plan.add_row(topic, Text(words))
    yield plan
    yield ""
    yield from _limit_lines(limit_rows(config))


def _limit_lines(rows: list[LimitRow]) -> Iterator[RenderableType]:
    """Return two lines for each limit: its figures, and where its range comes from.

    A fourth column for the sentences would be too narrow for them in 80 columns.
    """
    width = max(len(row.name) for row in rows)
    yield Text(f"{'limit':<{width}}  this study  absolute range", style="bold")
    for row in rows:
        span = f"{row.lowest:g} to {row.highest:g}"
        yield Text(f"{row.name:<{width}}  {row.value:>10g}  {span}")
        yield Padding(Text(row.source, style="dim"), (0, 0, 0, 4))


def plan_rows(config: Config) -> list[tuple[str, str]]:
    """Return the plan as topics and sentences."""
    return [
        ("title", config.title or "none"),
        ("source", _source(config)),
        ("montage", montage_words(config.montage)),
        ("rhythm", _rhythm(config)),
        ("estimator", config.estimator.kind),
        ("target", phase_words(config.target.phase_deg)),
        *gate_rows(config.gate),
        ("artifacts", _artifacts(config)),
        ("modality", config.limits.modality),
        ("timing", _timing(config)),
        ("output", output_words(config.output)),
        ("stimulator", stimulator_words(config.stimulator)),
        ("arming", arming_words(config)),
        ("duration", _duration(config)),
        ("pulses", _pulses(config)),
    ]


def limit_rows(config: Config) -> list[LimitRow]:
    """Return every limit beside its absolute range, in the configuration's units."""
    limits = config.limits
    rows = []
    for name, ceiling in ceilings_of(limits.modality).items():
        key, unit = key_in_file(name), units_in_file(name)
        rows.append(_limit_row("", key, getattr(limits, key), ceiling, unit))
    for table in ("train", "stimulator", "dose"):
        section = getattr(limits, table)
        if section is None:
            continue
        for key, ceiling in section.ceilings.items():
            value = getattr(section, key)
            rows.append(_limit_row(f"{table}.", key, value, ceiling))
    return rows


def _limit_row(
    table: str, key: str, value: float, ceiling: Ceiling, unit: float = 1.0
) -> LimitRow:
    return LimitRow(
        name=table + key,
        value=float(value),
        lowest=ceiling.lowest * unit,
        highest=ceiling.highest * unit,
        source=ceiling.source,
    )


def montage_words(montage: Montage) -> str:
    """Return the montage in words, as a weighted sum of channels where it is known."""
    words = _found_later(montage) or _weighted_sum(montage)
    if montage.reference == "average":
        over = ", ".join(montage.average_over or ()) or "all EEG channels"
        words += f", against the average of {over}"
    return words


def _found_later(montage: Montage) -> str:
    """Return how weights are found that the configuration does not spell out."""
    if montage.ssd is not None:
        return (
            f"found by calibration: the component of the rhythm at or beside "
            f"{montage.ssd} (spatio-spectral decomposition)"
        )
    if montage.file is not None:
        which = f", component {montage.component}" if montage.component else ""
        return f"the weights in {montage.file}{which}"
    if montage.hjorth is not None and not montage.neighbours:
        return f"{montage.hjorth} {MINUS} the mean of its neighbours on the head"
    return ""


def _weighted_sum(montage: Montage) -> str:
    weights = dict(montage.weights or {})
    if montage.hjorth is not None:
        share = -1.0 / len(montage.neighbours)
        weights = {montage.hjorth: 1.0} | dict.fromkeys(montage.neighbours, share)
    terms = [
        f"{'+' if weight >= 0 else MINUS} {abs(weight):.3g} {label}"
        for label, weight in weights.items()
    ]
    return " ".join(terms).removeprefix("+ ")


def most_pulses(config: Config) -> int:
    """Return how many pulses can come at the very most."""
    duration_s = config.run.duration_s
    if duration_s is None:
        return config.limits.max_pulses
    shortest_s = config.timing.iti_s - config.timing.iti_jitter_s
    return min(config.limits.max_pulses, math.floor(duration_s / shortest_s) + 1)


def _source(config: Config) -> str:
    source = config.source
    match source:
        case LslSource():
            marks = {
                "name": source.name,
                "type": source.type,
                "source_id": source.source_id,
            }
            given = " and ".join(f"{k} {v!r}" for k, v in marks.items() if v)
            words = (
                f"the LSL stream with {given}, looked for up to "
                f"{source.resolve_timeout_s:g} s"
            )
            if source.unit:
                words += f"; {source.unit} where it tells no unit"
            return words
        case SyntheticSource():
            third = ""
            if source.rhythm_hz is not None:
                third = f", {source.rhythm_hz:g} Hz under {source.rhythm_at}"
            return (
                f"SIMULATED participant: {len(source.channels)} channels at "
                f"{source.sfreq_hz:g} Hz, alpha {source.alpha_hz:g} Hz, theta "
                f"{source.theta_hz:g} Hz{third}, seed {source.seed}"
            )
        case FileSource():
            return f"RECORDING {source.path}, played at {source.speed:g} x real time"


def _rhythm(config: Config) -> str:
    rhythm = config.rhythm
    if rhythm.frequency_hz is not None:
        return f"{rhythm.band} at {rhythm.frequency_hz:g} Hz, as given"
    where = ""
    if rhythm.search_hz is not None:
        where = f" between {rhythm.search_hz[0]:g} and {rhythm.search_hz[1]:g} Hz"
    return f"{rhythm.band}; the individual frequency is found{where} during rest"


def _artifacts(config: Config) -> str:
    rules = config.artifact
    return (
        f"above {rules.amplitude_uv:g} uV, faster than {rules.gradient_uv_per_ms:g} "
        f"uV/ms, or flat for {rules.flat_s:g} s; then held for {rules.hold_s:g} s"
    )


def _timing(config: Config) -> str:
    timing = config.timing
    words = f"a pulse every {timing.iti_s:g} s at the earliest"
    if timing.iti_jitter_s:
        words = (
            f"a pulse every {timing.iti_s - timing.iti_jitter_s:g} to "
            f"{timing.iti_s + timing.iti_jitter_s:g} s at the earliest, drawn with "
            f"seed {timing.seed}"
        )
    if timing.refractory_s:
        words += f"; no data of {timing.refractory_s:g} s after a pulse are used"
    return words


def _duration(config: Config) -> str:
    rest_s, duration_s = config.run.rest_s, config.run.duration_s
    rest = f"{clock(rest_s)} rest" if rest_s else "no rest"
    if duration_s is None:
        return f"{rest}, then closed loop until Ctrl-C, the last trial or the end"
    return f"{rest}, then {clock(duration_s)} closed loop (minutes:seconds)"


def _pulses(config: Config) -> str:
    limit = config.limits.max_pulses
    most = most_pulses(config)
    why = f"the limit is {limit}" if most < limit else "that is the limit"
    return f"at most {most}; {why}"
