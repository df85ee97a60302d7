"""Spread estimators and recordings over processes, with a progress bar."""

import concurrent.futures
import multiprocessing
import os
from collections.abc import Sequence

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from bench.accuracy.evaluate import Plan, Result, Spec, evaluate

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def evaluate_all(
    specs: Sequence[Spec], estimators: Sequence[str], plan: Plan, *, jobs: int
) -> list[Result]:
    """Return every estimator on every recording, in that order of recordings.

    Parameters
    ----------
    specs : sequence of Spec
    estimators : sequence of str
    plan : Plan
    jobs : int
        Processes; 1 stays in this one.
    """
    tasks = [(spec, name) for spec in specs for name in estimators]
    results: list[Result | None] = [None] * len(tasks)
    with _progress() as progress:
        bar = progress.add_task("", total=len(tasks))

        def done(k: int, result: Result) -> None:
            results[k] = result
            words = f"{result.recording} {result.estimator}"
            progress.update(bar, advance=1, description=words)

        if jobs == 1:
            for k, (spec, name) in enumerate(tasks):
                done(k, evaluate(spec, name, plan))
        else:
            with _pool(min(jobs, len(tasks))) as pool:
                places = {
                    pool.submit(evaluate, spec, name, plan): k
                    for k, (spec, name) in enumerate(tasks)
                }
                try:
                    for future in concurrent.futures.as_completed(places):
                        done(places[future], future.result())
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
    return [result for result in results if result is not None]


def _pool(jobs: int) -> concurrent.futures.ProcessPoolExecutor:
    # Every process has a core; more threads in each would only wait for each other.
    for name in _ONE_THREAD:
        os.environ.setdefault(name, "1")
    return concurrent.futures.ProcessPoolExecutor(
        jobs, mp_context=multiprocessing.get_context("spawn")
    )


def _progress() -> Progress:
    return Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
        console=Console(stderr=True),
        transient=True,
    )
