"""Print the path of the library for LD_PRELOAD."""

import sys

from drivers.sim.port_calls import PortCallsError, library

if __name__ == "__main__":
    try:
        sys.stdout.write(f"{library()}\n")
    except PortCallsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
