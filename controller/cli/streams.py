"""`phasegate streams`: what is on the network."""

import json

import click

from controller.cli.options import SECONDS, json_option
from controller.cli.speech import say


@click.command()
@click.option(
    "--wait",
    "wait_s",
    type=SECONDS,
    metavar="S",
    default=1.0,
    show_default=True,
    help="Seconds to listen; more for a slow network.",
)
@click.option("--labels", "with_labels", is_flag=True, help="Ask for channel labels.")
@json_option
def streams(*, wait_s: float, with_labels: bool, as_json: bool) -> None:
    """List the LSL streams that this machine can see.

    The marks shown here (name, type, source id) are those that [source] of a
    configuration finds a stream by.

    \b
    Example:
      phasegate streams --wait 3 --labels
    """  # noqa: D301 - \b keeps the lines apart
    from controller.cli.stream_list import NONE_VISIBLE, listed_streams, print_streams

    found = listed_streams(wait_s, with_labels=with_labels)
    if as_json:
        listing = {"streams": [stream.as_dict() for stream in found]}
        click.echo(json.dumps(listing, indent=1, ensure_ascii=False))
    elif found:
        print_streams(found)
    if not found:
        say(NONE_VISIBLE)
