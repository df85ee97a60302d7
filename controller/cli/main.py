"""The entry point: the commands, and what a person reads when one of them fails."""

import click

from controller import __version__
from controller.cli.attend import attend
from controller.cli.blind import blind
from controller.cli.calibrate import calibrate
from controller.cli.check import check
from controller.cli.compare import compare
from controller.cli.demo import demo
from controller.cli.devices import devices
from controller.cli.doctor import doctor
from controller.cli.dose import dose
from controller.cli.export import export
from controller.cli.new import new
from controller.cli.profiles import profiles
from controller.cli.recover import recover
from controller.cli.replay import replay
from controller.cli.report import report
from controller.cli.run import run
from controller.cli.stream import stream
from controller.cli.streams import streams
from controller.cli.threshold import threshold
from controller.cli.trouble import CommandGroup
from controller.cli.verify import verify


@click.group(
    cls=CommandGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 2 usage, 3 to 28 as `docs/cli.md` lists them, "
    "70 a defect of phasegate, 130 after Ctrl-C.",
)
@click.version_option(__version__, prog_name="phasegate")
def cli() -> None:
    """Fire triggers locked to the phase of the EEG.

    \b
    New here?   phasegate demo                 one minute, everything simulated
    Own EEG?    phasegate streams              what is on the network
                phasegate devices              ports, boxes and stimulators
                phasegate check CONFIG         what a configuration will do
                phasegate doctor CONFIG        whether this machine is ready for it
                phasegate calibrate CONFIG     how accurate it will be
                phasegate run CONFIG           do it
    A study?    phasegate new protocol FILE    a commented protocol to begin with

    For research only: not a medical device.
    """  # noqa: D301 - \b keeps the lines apart


for command in (
    demo,
    calibrate,
    profiles,
    run,
    attend,
    replay,
    recover,
    verify,
    compare,
    report,
    export,
    stream,
    streams,
    devices,
    check,
    doctor,
    new,
    threshold,
    blind,
    dose,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line and end the process with its exit code."""
    cli(prog_name="phasegate")
