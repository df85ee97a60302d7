"""Start a bridge: `python -m drivers.bridge`, by the controller only."""

import gc
import os
import sys

from drivers.base import DriverError
from drivers.bridge.serve import serve
from drivers.guardian import Host


def main() -> int:
    """Run a bridge until its host ends; return the exit code."""
    parent = os.getppid()
    host = Host(parent)
    host.end_on_signals()
    # A collection in the middle would delay an edge.
    gc.freeze()
    gc.disable()
    try:
        return serve(host)
    except DriverError as error:
        host.say("failed", kind=type(error).__name__, sentence=str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
