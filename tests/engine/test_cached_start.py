import subprocess
import sys

import pytest

from controller.engine import fakes, loop  # noqa: F401 - compiled and cached by now

LOADED_ONLY = """
import numba.core.dispatcher
from controller.core import step
from controller.engine import fakes, loop
misses = {
    name: one.stats.cache_misses
    for module in (step, loop, fakes)
    for name, one in vars(module).items()
    if isinstance(one, numba.core.dispatcher.Dispatcher) and one.stats.cache_misses
}
assert not misses, misses
assert loop.run_loop.stats.cache_hits
"""


@pytest.mark.slow
def test_a_second_process_loads_the_loop_from_the_disk():
    done = subprocess.run(
        [sys.executable, "-c", LOADED_ONLY],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
