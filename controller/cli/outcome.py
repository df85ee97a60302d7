"""What a person sees of a session that is over."""

from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from controller.cli.phrases import MOST_REASONS, clock, most_frequent
from controller.report.words import (
    LATENCY_TITLES,
    headline,
    hold_bars,
    refusal_bars,
    signed,
    verdict,
)
from controller.rig.run import Finished


def show_outcome(finished: Finished, console: Console | None = None) -> None:
    """Print the summary to stdout, and where everything is."""
    console = console or Console(highlight=False)
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    for topic, words in outcome_rows(finished.summary):
        table.add_row(topic, Text(words))
    console.print()
    console.print(table)
    # Not in the table, which would break long paths into lines.
    click.echo(f"{'folder':<13}{finished.folder}", file=console.file)
    click.echo(f"{'report':<13}{finished.report}", file=console.file)


def outcome_rows(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the summary as topics and words."""
    judged = verdict(summary)
    samples, pulses = summary["samples"], summary["pulses"]
    rows = [
        ("result", f"{judged.sign} {judged.words}: {headline(summary)}"),
        ("ended", summary["exit"]["reason"]),
        ("closed loop", clock(summary["duration_s"] or 0.0)),
        ("rhythm", _rhythm(summary["rhythm"])),
        ("pulses", f"{pulses['fired']} fired of {pulses['planned']} planned"),
        ("refused", _refused(pulses["refused"])),
        ("held back", _held(summary["decisions"]["held"])),
        ("phase error", _phase_error(summary["phase_error_deg"])),
    ]
    if summary.get("promise"):
        rows.append(("promise", summary["promise"]["sentence"]))
    rows += [
        (f"{topic}", f"{LATENCY_TITLES[name]}: {_latency(summary['latency_us'][name])}")
        for topic, name in zip(("latency", "", ""), LATENCY_TITLES, strict=True)
    ]
    return [*rows, ("samples", _samples(samples))]


def _rhythm(rhythm: dict[str, Any]) -> str:
    frequency_hz = rhythm.get("frequency_hz")
    if frequency_hz is None:
        return f"{rhythm['band']}, not calibrated"
    words = f"{rhythm['band']} at {frequency_hz:.2f} Hz"
    if rhythm.get("expected_sd_deg") is not None:
        words += f", expected circular SD {rhythm['expected_sd_deg']:.0f} deg"
    return words


def _samples(samples: dict[str, int]) -> str:
    received, lost = f"{samples['received']} received", samples["lost"]
    if not lost:
        return f"{received}, none lost"
    return f"{received}, {lost} lost in {samples['gaps']} gaps"


def _refused(refused: dict[str, int]) -> str:
    if not refused:
        return "none"
    return "\n".join(f"{bar.n} x {bar.sentence}" for bar in refusal_bars(refused))


def _held(held: dict[str, int]) -> str:
    most = dict(most_frequent(held, MOST_REASONS))
    if not most:
        return "never"
    return "\n".join(f"{bar.n} x {bar.sentence}" for bar in hold_bars(most))


def _phase_error(error: dict[str, Any]) -> str:
    if not error["n"]:
        return "unknown: no pulse could be scored"
    sd = "none" if error["sd"] is None else f"{error['sd']:.1f} deg"
    if error["n"] == 1:
        return f"{signed(error['mean'])} deg at the only pulse that could be scored"
    return (
        f"mean {signed(error['mean'])} deg, circular SD {sd}, "
        f"{error['within_45']:.0%} within 45 deg (n = {error['n']})"
    )


def _latency(latency: dict[str, Any]) -> str:
    if not latency["n"]:
        return "not measured"
    return f"p50 {_microseconds(latency['p50'])}, p99 {_microseconds(latency['p99'])}"


def _microseconds(value_us: float) -> str:
    return f"{value_us:,.2f} us" if abs(value_us) < 10.0 else f"{value_us:,.0f} us"
