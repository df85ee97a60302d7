"""Ports and drivers, as a person looks for theirs."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from controller.rig.outputs.abilities import OutputAbility, StimulatorAbility
from controller.rig.outputs.ports import FoundPort

_NO_PORT = (
    "This machine has no serial and no parallel port; plug the device in, and see that "
    "its driver is loaded."
)
_NOBODY = (
    "nobody answers: a box that only listens (serial-byte, trigger-box, mmbts, "
    "arduino-lpt), a control line, a locked or silent device, or nothing"
)


def print_ports(ports: list[FoundPort], console: Console | None = None) -> None:
    """Print the ports, and who answers on those that were asked."""
    console = console or Console(highlight=False, markup=False)
    if not ports:
        console.print(_NO_PORT)
        return
    table = _table("ports")
    table.add_column("port", no_wrap=True)
    for column in ("what the system calls it", "USB", "who is there"):
        table.add_column(column, overflow="fold")
    for port in ports:
        table.add_row(port.name, port.description, port.usb or "", _who(port))
    console.print(table)
    for port in ports:
        if port.stable_name is not None:
            console.print(f"{port.name} is always {port.stable_name}")


def print_drivers(
    outputs: list[OutputAbility],
    stimulators: list[StimulatorAbility],
    console: Console | None = None,
) -> None:
    """Print what each driver can do."""
    console = console or Console(highlight=False, markup=False)
    table = _table("trigger outputs: [output] kind")
    table.add_column("name", no_wrap=True)
    for column in ("codes", "pulse ends", "shortest pulse", "shortest gap"):
        table.add_column(column)
    for column in ("latency", "fired by"):
        table.add_column(column)
    for output in outputs:
        table.add_row(output.name, *_output_cells(output))
    console.print()
    console.print(table)
    for output in outputs:
        if output.problem is not None:
            console.print(output.problem)
    table = _table("stimulators: [stimulator] kind")
    table.add_column("name", no_wrap=True)
    for column in ("arms", "reads back", "confirms", "trains", "pairs"):
        table.add_column(column)
    table.add_column("intensity", no_wrap=True)
    table.add_column("by its link after")
    for stimulator in stimulators:
        table.add_row(stimulator.name, *_stimulator_cells(stimulator))
    console.print()
    console.print(table)
    console.print(
        "Latencies are what makers state or others measured, not figures of your rig: "
        "`phasegate doctor` measures that."
    )


def _table(title: str) -> Table:
    # As text, or what stands in brackets would be taken for a colour.
    title_text = Text(title)
    return Table(title=title_text, title_justify="left", box=None, padding=(0, 2, 0, 0))


def _who(port: FoundPort) -> str:
    if port.answer is not None:
        return f"{port.answer.driver}: {port.answer.words}"
    if port.asked:
        return _NOBODY
    if port.may_be:
        return f"not asked; often {' or '.join(port.may_be)}"
    return "not asked"


def _output_cells(output: OutputAbility) -> tuple[str, ...]:
    can = output.can
    if can is None:
        return ("?",) * 6
    codes = f"{can.codes.start}-{can.codes.stop - 1}" if len(can.codes) > 1 else "1"
    return (
        codes,
        "by itself" if can.ends_by_itself else "by command",
        f"{can.min_pulse_s * 1e3:.3g} ms",
        f"{can.min_gap_s * 1e3:.3g} ms",
        f"{can.typical_latency_s * 1e3:.3g} ms",
        "the loop" if can.loop_fires else "a bridge",
    )


def _stimulator_cells(stimulator: StimulatorAbility) -> tuple[str, ...]:
    can = stimulator.can
    lowest, highest = can.intensity_pct_mso
    late = can.fire_latency_s
    return (
        "yes" if can.arms_remotely else "by hand",
        _yes(can.reads_back),
        _yes(can.confirms_pulses),
        _yes(can.trains),
        _yes(can.paired),
        f"{lowest:g}-{highest:g} %",
        "never" if late is None else f"{late * 1e3:.3g} ms",
    )


def _yes(holds: bool) -> str:  # noqa: FBT001
    return "yes" if holds else "no"
