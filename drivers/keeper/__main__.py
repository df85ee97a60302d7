"""Start a keeper: `python -m drivers.keeper`, by the controller only."""

import os
import sys
import time

from drivers.base import DriverError
from drivers.guardian import Host, complain
from drivers.keeper.makers import make_stimulator
from drivers.keeper.serve import Keeper
from drivers.keeper.spec import KeeperSpec

_FIRST_WORD_S = 10.0


def main() -> int:
    """Keep a stimulator until the host ends; return the exit code."""
    parent = os.getppid()
    host = Host(parent)
    host.end_on_signals()
    word = host.first_word(_FIRST_WORD_S)
    if word is None:
        return 0
    spec = KeeperSpec.from_word(word)
    keeper = Keeper(host, spec, time.monotonic)
    try:
        keeper.run(make_stimulator(spec, keeper.ask))
    except DriverError as error:
        complain(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
