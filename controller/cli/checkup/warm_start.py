"""How long a process takes to have the compiled loop: `python -m` prints seconds."""

import importlib
import json
import time

import click


def main() -> None:
    """Load everything that a session loads, and print how long that took."""
    t_start = time.perf_counter()
    importlib.import_module("controller.rig.run")
    click.echo(json.dumps({"load_s": time.perf_counter() - t_start}))


if __name__ == "__main__":
    main()
