"""`phasegate devices`: ports, who answers, and what each driver can do."""

import json

import click

from controller.cli.options import json_option
from controller.cli.speech import say


@click.command(short_help="List ports and drivers; ask who is on a PORT.")
@click.argument("ports", nargs=-1, metavar="[PORT]...")
@json_option
def devices(*, ports: tuple[str, ...], as_json: bool) -> None:
    """List ports, and what each driver can do; ask who is on a PORT.

    Without a PORT nothing is opened. Naming one writes to it: a box that shows each
    byte on its lines will show the questions, and opening a port can raise its lines.
    Disable the stimulator first.

    \b
    Example:
      phasegate devices
      phasegate devices /dev/ttyUSB0 /dev/ttyUSB1
    """  # noqa: D301 - \b keeps the lines apart
    from controller.cli.device_list import print_drivers, print_ports
    from controller.rig.outputs.abilities import output_abilities, stimulator_abilities
    from controller.rig.outputs.ports import asked_port, list_ports_here

    found = list_ports_here()
    asked = []
    for port in ports:
        say(f"Asking who is on {port}; this takes up to four seconds.")
        asked.append(asked_port(port, found))
    others = [port for port in found if port.name not in ports]
    outputs, stimulators = output_abilities(), stimulator_abilities()
    if as_json:
        listing = {
            "ports": [port.as_dict() for port in [*asked, *others]],
            "outputs": [output.as_dict() for output in outputs],
            "stimulators": [stimulator.as_dict() for stimulator in stimulators],
        }
        click.echo(json.dumps(listing, indent=1, ensure_ascii=False))
        return
    print_ports(asked or others)
    if not ports:
        print_drivers(outputs, stimulators)
