"""The streams on the network, as a person looks for theirs."""

import dataclasses

import click
import pylsl
from rich.console import Console
from rich.table import Table

from controller.errors import PhasegateError
from controller.sources.description import check_format, describe
from controller.sources.further import CHANNEL_FORMATS
from controller.sources.lsl import visible_streams

NONE_VISIBLE = (
    "No LSL stream is visible. Start the amplifier's program and switch its LSL output "
    "on; listen longer with --wait 5; on another machine, see that both are in the "
    "same network and that no firewall blocks UDP 16571 and TCP and UDP 16572 to "
    "16604."
)

_DESCRIPTION_TIMEOUT_S = 3.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ListedStream:
    """One stream on the network.

    Parameters
    ----------
    name, type, source_id, host : str
    sfreq_hz : float
        0 for an irregular stream.
    channel_format : str
    n_channels : int
    labels : tuple of str or None
        None if they were not asked for, or the stream did not answer.
    problem : str or None
        Why the loop cannot work with it.
    """

    name: str
    type: str
    source_id: str
    host: str
    sfreq_hz: float
    channel_format: str
    n_channels: int
    labels: tuple[str, ...] | None
    problem: str | None

    def as_dict(self) -> dict[str, object]:
        """Return the fields."""
        return dataclasses.asdict(self)


def listed_streams(wait_s: float, *, with_labels: bool) -> list[ListedStream]:
    """Return the streams that answer within `wait_s`."""
    return [_listed(stream, with_labels) for stream in visible_streams(wait_s)]


def print_streams(found: list[ListedStream], console: Console | None = None) -> None:
    """Print the streams as a table, and what hinders each."""
    console = console or Console(highlight=False)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("name", "type", "source id", "host"):
        table.add_column(column, overflow="fold")
    for column in ("rate", "ch"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("format", no_wrap=True)
    table.add_column("for EEG", no_wrap=True)
    for stream in found:
        table.add_row(
            stream.name,
            stream.type,
            stream.source_id or "none",
            stream.host,
            f"{stream.sfreq_hz:g} Hz" if stream.sfreq_hz else "irregular",
            str(stream.n_channels),
            stream.channel_format,
            "no" if stream.problem else "yes",
        )
    console.print(table)
    for stream in found:
        if stream.labels is not None:
            labels = ", ".join(stream.labels) or "none given"
            click.echo(f"{stream.name} channels: {labels}", file=console.file)
        if stream.problem:
            click.echo(f"no: {stream.problem}", file=console.file)


def _listed(stream: pylsl.StreamInfo, with_labels: bool) -> ListedStream:  # noqa: FBT001
    labels, problem = None, None
    try:
        check_format(stream)
    except PhasegateError as error:
        problem = str(error)
    if with_labels:
        labels, problem = _labels(stream, problem)
    return ListedStream(
        name=stream.name(),
        type=stream.type(),
        source_id=stream.source_id(),
        host=stream.hostname(),
        sfreq_hz=float(stream.nominal_srate()),
        channel_format=CHANNEL_FORMATS.get(stream.channel_format(), "undefined"),
        n_channels=stream.channel_count(),
        labels=labels,
        problem=problem,
    )


def _labels(
    stream: pylsl.StreamInfo, problem: str | None
) -> tuple[tuple[str, ...] | None, str | None]:
    """Return the labels of a stream, and what hinders it, now that more is known."""
    try:
        inlet = pylsl.StreamInlet(stream, max_buflen=1, recover=False)
        full = inlet.info(_DESCRIPTION_TIMEOUT_S)
    except (TimeoutError, RuntimeError) as error:
        gone = f"Stream {stream.name()!r} does not answer ({error}); restart it."
        return None, problem or gone
    labels = tuple(label or "?" for label in full.get_channel_labels() or ())
    if problem is None:
        try:
            describe(full)
        except PhasegateError as error:
            problem = str(error)
    return labels, problem
