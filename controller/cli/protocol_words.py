"""A protocol in tables: stages, conditions, dose, and its time line in a few lines."""

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from controller.cli.phrases import clock
from controller.protocol.condition_forms import (
    Condition,
    Control,
    Intensity,
    OpenLoop,
    PhaseTarget,
    PowerGate,
    RandomPhase,
    Yoked,
)
from controller.protocol.dose import ConditionDose, PlannedDose
from controller.protocol.expectation import Expectation
from controller.protocol.form import Protocol
from controller.protocol.pattern_forms import (
    Burst,
    ContinuousThetaBurst,
    Custom,
    IntermittentThetaBurst,
    Paired,
    Pattern,
    Single,
    Train,
)
from controller.protocol.pattern_forms import (
    Sequence as PulseSequence,
)

LINE_COLUMNS = 64


def protocol_tables(
    protocol: Protocol, dose: PlannedDose, expected: Expectation
) -> Iterator[Table]:
    """Return stages, conditions and dose as tables."""
    yield _stages(protocol, expected)
    yield _conditions(protocol, dose)
    yield _dose(protocol, dose)


def time_line(expected: Expectation) -> str:
    """Return the session as a bar and what its parts are, a line each."""
    whole_s = expected.duration_s
    bar, lines = "", []
    for number, segment in enumerate(expected.segments, 1):
        share = segment.duration_s / whole_s if whole_s > 0 else 0.0
        mark = "0123456789"[number % 10]
        bar += mark * max(1, round(share * LINE_COLUMNS))
        about = "" if segment.exact else "about "
        length = f"{about}{clock(segment.duration_s)}"
        if segment.kind == "break" and segment.duration_s == 0.0:
            length = "until the operator goes on"
        trials = f", {segment.n_trials} trials" if segment.n_trials else ""
        lines.append(
            f"{mark}  {clock(segment.start_s):>8}  {segment.name}: {length}{trials}"
        )
    return "\n".join([f"|{bar}|", *lines])


def duration_sentence(expected: Expectation) -> str:
    """Return how long a session takes, and on what assumption."""
    about = "" if all(part.exact for part in expected.segments) else "about "
    because = "" if not about else f", {expected.assumption}"
    return f"A session takes {about}{clock(expected.duration_s)}{because}."


def pattern_words(pattern: Pattern) -> str:
    """Return a pattern in a few words."""
    match pattern:
        case Single():
            return "single"
        case Paired():
            return f"pair, {pattern.interval_ms:g} ms"
        case Burst():
            return f"burst of {pattern.n_pulses}, {pattern.interval_ms:g} ms"
        case PulseSequence():
            return f"sequence of {len(pattern.intervals_ms) + 1}"
        case Train():
            return f"train of {pattern.n_pulses} at {pattern.frequency_hz:g} Hz"
        case IntermittentThetaBurst() | ContinuousThetaBurst():
            locked = "every burst" if pattern.lock == "each" else "first burst"
            return (
                f"{pattern.n_bursts} bursts of {pattern.pulses_per_burst} at "
                f"{pattern.frequency_hz:g} Hz, {pattern.bursts_per_s:g} a second, "
                f"{locked} locked"
            )
        case Custom():
            return f"{len(pattern.offsets_ms)} pulses as listed"


def intensity_words(intensity: Intensity | None) -> str:
    """Return an intensity in a few words."""
    if intensity is None:
        return "as set"
    if intensity.pct_mso is not None:
        value, first, unit = intensity.pct_mso, intensity.first_pct_mso, "% MSO"
    else:
        assert intensity.pct_rmt is not None
        value, first, unit = intensity.pct_rmt, intensity.first_pct_rmt, "% RMT"
    return f"{value:g} {unit}" if first is None else f"{first:g}, then {value:g} {unit}"


def when_words(condition: Condition) -> str:
    """Return when a condition's pulses come."""
    match condition.when:
        case PhaseTarget() as target:
            return ", ".join(f"{phase:g}°" for phase in target.phase_deg)
        case RandomPhase():
            return "random phase"
        case OpenLoop():
            return "by the clock"
        case Yoked() as yoked:
            return f"as in {yoked.session}"
        case PowerGate() as gate:
            side = "above" if gate.level == "high" else "below"
            phase = "" if gate.phase_deg is None else f", {gate.phase_deg:g}°"
            return f"power {side} percentile {gate.percentile:g}{phase}"
        case Control():
            return "no pulse"


def dose_rows(protocol: Protocol, dose: PlannedDose) -> Sequence[tuple[str, int, int]]:
    """Return what, planned and allowed."""
    allowed = protocol.dose
    return (
        ("pulses a session", dose.per_session, allowed.max_pulses_per_session),
        ("pulses a day", dose.per_day, allowed.max_pulses_per_day),
        ("pulses in all", dose.total, allowed.max_pulses_total),
    )


def _table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), title_justify="left")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left")
    return table


def _stages(protocol: Protocol, expected: Expectation) -> Table:
    table = _table("stage", "kind", "length", "begins", "conditions", "interval")
    stimulating = dict(protocol.stimulating_stages())
    for place, stage in enumerate(protocol.stages):
        segment = expected.segments[place]
        begins = "at once"
        if stage.enter is not None:
            begins = (
                f"marker {stage.enter.marker}" if stage.enter.marker else "operator"
            )
        length = clock(segment.duration_s) if segment.duration_s else "open"
        conditions = interval = ""
        if place in stimulating:
            trials = stimulating[place]
            if trials.n_trials is not None:
                length = f"{trials.n_trials} trials"
            conditions = ", ".join(c.name for c in protocol.conditions_of(trials))
            iti_s, jitter_s = protocol.iti_of(trials)
            interval = f"{iti_s:g} s" + (f" ± {jitter_s:g}" if jitter_s else "")
        table.add_row(
            stage.name, stage.kind, length, begins, Text(conditions), interval
        )
    return table


def _conditions(protocol: Protocol, dose: PlannedDose) -> Table:
    table = _table(
        *("condition", "when", "pattern", "intensity", "trials", "shadows", "pulses"),
        right=("trials", "shadows", "pulses"),
    )
    for each in dose.conditions:
        table.add_row(
            each.condition.name,
            Text(when_words(each.condition)),
            _pattern_cell(each),
            _intensity_cell(protocol, each),
            str(each.n_trials),
            str(each.n_shadows),
            str(each.n_pulses),
        )
    return table


def _pattern_cell(each: ConditionDose) -> str:
    return pattern_words(each.pattern) if each.condition.gives_pulses else ""


def _intensity_cell(protocol: Protocol, each: ConditionDose) -> str:
    if not each.condition.gives_pulses:
        return ""
    return intensity_words(protocol.intensity_of(each.condition))


def _dose(protocol: Protocol, dose: PlannedDose) -> Table:
    table = _table("dose", "planned", "allowed", right=("planned", "allowed"))
    for what, planned, allowed in dose_rows(protocol, dose):
        table.add_row(what, str(planned), str(allowed))
    return table
