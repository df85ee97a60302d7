"""The command line of the accuracy benchmark."""

import dataclasses
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from bench.accuracy.evaluate import Plan, Result, Spec
from bench.accuracy.inputs import (
    check_outputs,
    estimator_names,
    horizons,
    recording_specs,
    reference_of,
    site_of,
    synthetic_specs,
)
from bench.accuracy.outcome import to_json
from bench.accuracy.pages import html, markdown
from bench.accuracy.parallel import evaluate_all
from bench.accuracy.sites import SITES
from bench.accuracy.smoke import PLAN, smoke_rows, smoke_specs
from bench.accuracy.summary import scored
from bench.accuracy.tables import tables_of
from bench.accuracy.truths import TRUTHS
from bench.budgets import BudgetError
from bench.outcome import conditions_now, exit_code, print_rows
from controller.config import Estimator
from controller.errors import EXIT_INTERRUPTED, ConfigError, PhasegateError
from controller.estimators.registry import list_designers

_FILE = click.Path(dir_okay=False, path_type=Path)
_SYNTHETIC = "synthetic"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was written on the command line."""

    files: tuple[Path, ...]
    montage: str | None
    weights: str | None
    band: str | None
    synthetic: bool
    seeds: int
    smoke: bool
    estimators: str | None
    reference: str | None
    horizon_ms: str
    target: float
    truth: str
    require_peak: bool
    no_promise: bool
    jobs: int | None
    page: Path | None
    html_file: Path | None
    json_file: Path | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one call measures, and what it calls itself."""

    specs: Sequence[Spec]
    estimators: Sequence[str]
    plan: Plan
    montage: str
    reference: str


@click.command(context_settings={"max_content_width": 100})
@click.argument("files", nargs=-1, type=_FILE)
@click.option("--montage", type=click.Choice(list(SITES)), help="Where to look.")
@click.option("--weights", help="A montage of your own, as in O1=0.5,O2=0.5.")
@click.option(
    "--band",
    type=click.Choice(["alpha", "theta"]),
    help="Theta at fz, alpha elsewhere, if not given.",
)
@click.option("--synthetic", is_flag=True, help="Known phase instead of recordings.")
@click.option(
    "--seeds",
    type=click.IntRange(1, 100),
    default=3,
    show_default=True,
    help="Synthetic recordings of each kind and ratio.",
)
@click.option("--smoke", is_flag=True, help="A short synthetic part, with budgets.")
@click.option("--estimators", help="Names with commas; all, if not given.")
@click.option("--reference", help="Of the contrasts; the default estimator's, if none.")
@click.option(
    "--horizon-ms",
    default="10",
    show_default=True,
    help="How far ahead; several with commas.",
)
@click.option(
    "--target",
    type=click.FloatRange(-360, 360),
    default=0.0,
    show_default=True,
    help="Phase of the triggers in degrees; 0 is the positive peak.",
)
@click.option(
    "--truth",
    type=click.Choice(list(TRUTHS)),
    default="fir",
    show_default=True,
    help="What scores; the others rank again.",
)
@click.option("--require-peak", is_flag=True, help="Refuse where there is no peak.")
@click.option("--no-promise", is_flag=True, help="Leave promised accuracy out.")
@click.option(
    "--jobs",
    type=click.IntRange(1),
    help="Processes; one for each processor, if not given.",
)
@click.option("--markdown", "page", type=_FILE, help="Printed, if not given.")
@click.option("--html", "html_file", type=_FILE, help="A page with figures.")
@click.option("--json", "json_file", type=_FILE, help="The rows.")
def main(**given: Any) -> None:
    """Score every estimator on recordings, or on synthetic EEG of known phase.

    The first half of each recording calibrates, the second half is scored. FILES are
    any recordings that mne reads.
    """
    options = Options(**given)
    try:
        code = _smoke(options) if options.smoke else _full(options)
    except PhasegateError as error:
        click.echo(f"Error: {error}", err=True)
        code = error.exit_code
    except BudgetError as error:
        click.echo(f"Error: {error}", err=True)
        code = 1
    except KeyboardInterrupt:
        click.echo("Stopped; nothing was written.", err=True)
        code = EXIT_INTERRUPTED
    sys.exit(code)


def plan_run(options: Options) -> Run:
    """Return what the options ask for.

    Raises
    ------
    PhasegateError
        If they contradict each other, or a recording cannot be measured.
    """
    check_outputs((options.page, options.html_file, options.json_file))
    names = estimator_names(options.estimators)
    plan = Plan(
        horizons_s=horizons(options.horizon_ms),
        target_rad=math.radians(options.target),
        # A promise is about the offline truth; the known phase is another matter.
        promise=not (options.no_promise or options.synthetic),
    )
    reference = reference_of(options.reference, names, default_estimator())
    if options.synthetic:
        _check_synthetic(options)
        return Run(
            specs=synthetic_specs(options.seeds),
            estimators=names,
            plan=plan,
            montage=_SYNTHETIC,
            reference=reference,
        )
    if not options.files:
        raise ConfigError("There is nothing to score; name recordings or --synthetic.")
    site = site_of(options.montage, options.weights)
    specs = recording_specs(
        options.files,
        site,
        band_name=options.band,
        truth=options.truth,
        require_peak=options.require_peak,
    )
    return Run(
        specs=specs,
        estimators=names,
        plan=plan,
        montage=site.name,
        reference=reference,
    )


def default_estimator() -> str:
    """Return the estimator that a session uses if none is named."""
    return Estimator().kind


def _check_synthetic(options: Options) -> None:
    for name, given in (
        ("recordings", options.files),
        ("--montage", options.montage),
        ("--weights", options.weights),
        ("--band", options.band),
        ("--require-peak", options.require_peak),
        ("--truth", options.truth != "fir"),
    ):
        if given:
            raise ConfigError(
                f"--synthetic does not go with {name}: it makes its recordings, in "
                "alpha, and knows their phase; leave one of the two out."
            )


def _full(options: Options) -> int:
    run = plan_run(options)
    for problem in list_designers().problems:
        click.echo(problem, err=True)
    jobs = options.jobs or os.cpu_count() or 1
    results = evaluate_all(run.specs, run.estimators, run.plan, jobs=jobs)
    _publish(run, options, results)
    return _verdict(results)


def _publish(run: Run, options: Options, results: Sequence[Result]) -> None:
    default = default_estimator()
    tables = tables_of(
        results, default=default, reference=run.reference, montage=run.montage
    )
    conditions = {**_words(run, options), **conditions_now()}
    text = markdown(tables, conditions)
    if options.page is None:
        click.echo(text, nl=False)
    else:
        options.page.write_text(text, encoding="utf-8")
    if options.html_file is not None:
        title = f"Phase accuracy, {run.montage}"
        page = html(results, tables, conditions, default=default, title=title)
        options.html_file.write_text(page, encoding="utf-8")
    if options.json_file is not None:
        rows = to_json(results, default, run.montage)
        options.json_file.write_text(rows, encoding="utf-8")


def _words(run: Run, options: Options) -> dict[str, str]:
    truth = "the known phase" if options.synthetic else options.truth
    return {
        "montage": run.montage,
        "recordings": str(len(run.specs)),
        "horizon": f"{1e3 * run.plan.horizons_s[0]:g} ms",
        "target": f"{options.target:g} deg",
        "truth": truth,
        "default estimator": default_estimator(),
    }


def _verdict(results: Sequence[Result]) -> int:
    """Return 1 if an estimator broke, or nothing at all could be scored."""
    failed = [result for result in results if result.failed]
    for result in failed:
        click.echo(
            f"{result.estimator} broke on {result.recording}: {result.reason}", err=True
        )
    if not scored(results):
        click.echo("No estimator has a figure; the table says why.", err=True)
        return 1
    return 1 if failed else 0


def _smoke(options: Options) -> int:
    names = estimator_names(options.estimators)
    # Starting a process takes longer than a few short recordings.
    results = evaluate_all(smoke_specs(), names, PLAN, jobs=options.jobs or 1)
    rows = smoke_rows(results)
    print_rows(rows)
    return exit_code(rows)
