"""How long a process takes from nothing to a loop that has run, with a warm cache.

`python -m bench.warm_start` prints one JSON object. Libraries are imported first, then
this project, whose import loads the machine code from the cache; what is left until the
loop has returned for the first time is the warm start.
"""

import json
import time


def main() -> None:
    """Import, run the loop over a short tape, and print what each step took."""
    t_begin = time.perf_counter()
    import numba  # noqa: F401
    import numpy  # noqa: F401, ICN001
    import scipy.signal  # noqa: F401

    t_libraries = time.perf_counter()
    from bench.scenes import (
        alpha_brief,
        alpha_program,
        hjorth,
        recursive_design,
    )
    from bench.signals import rhythm
    from controller.core.memory import new_memory
    from controller.engine.virtual import regular_tape, run_virtual
    from controller.rig.programs.program import amplitude_window

    t_imported = time.perf_counter()
    design = recursive_design(alpha_brief(1000.0))
    program, rules = alpha_program(design, hjorth(64), 100)
    memory = new_memory(program, n_window=amplitude_window(rules))
    tape = regular_tape(rhythm(100, 64, 1000.0, 10.0), 1000.0)
    run = run_virtual(program, memory, tape)
    t_ran = time.perf_counter()
    print(
        json.dumps(
            {
                "libraries_s": t_libraries - t_begin,
                "ours_s": t_imported - t_libraries,
                "first_run_s": t_ran - t_imported,
                "samples": len(run.batch.samples),
            }
        )
    )


if __name__ == "__main__":
    main()
