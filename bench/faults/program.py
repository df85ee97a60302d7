"""The command line of phasegate, whose loop can be made to stall.

Without `--stall-on FILE` it is `phasegate` itself. With it, the loop's thread stalls in
a reading of the clock, while it waits for a deadline, once FILE is there.
"""

import functools
import sys
import threading
import time
from pathlib import Path

from controller.cli.main import main as phasegate

_OPTION = "--stall-on"
_STALL_S = 4.0


def main() -> None:
    """Run the command line."""
    if sys.argv[1:2] == [_OPTION]:
        _stall_on(Path(sys.argv[2]))
        del sys.argv[1:3]
    phasegate()


def _stall_on(path: Path) -> None:
    from bench.disturbance import StallingRunner
    from controller.engine.live import LiveEngine
    from controller.rig import stages

    runner = StallingRunner(
        stall_s=_STALL_S, every_pulls=sys.maxsize, every_readings=sys.maxsize
    )

    def wait() -> None:
        while not path.exists():
            time.sleep(1e-3)
        runner.stall_in_next_wait()

    threading.Thread(target=wait, daemon=True).start()
    stages.LiveEngine = functools.partial(LiveEngine, runner=runner)  # type: ignore[misc,assignment]


if __name__ == "__main__":
    main()
