"""The small synthetic part that fails a build when an estimator gets worse."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.accuracy.evaluate import Plan, Result
from bench.accuracy.outcome import figures
from bench.accuracy.synthetic import KINDS, SyntheticSpec
from bench.budgets import BudgetError, read_budgets
from bench.rows import Bound, Row

BUDGETS = Path(__file__).parent.with_name("accuracy_budgets.toml")
SUITE = "accuracy"
ANY = "any"

_SNR_DB = 3.0
_SEED = 3
_CALIBRATION_S = 30.0
_TEST_S = 30.0

PLAN = Plan(horizons_s=(0.010,), target_rad=0.0, promise=False)


def smoke_specs() -> list[SyntheticSpec]:
    """Return one short recording of each kind."""
    return [
        SyntheticSpec(
            kind=kind,
            snr_db=_SNR_DB,
            seed=_SEED,
            calibration_s=_CALIBRATION_S,
            test_s=_TEST_S,
        )
        for kind in KINDS
    ]


def smoke_rows(results: Sequence[Result], path: Path = BUDGETS) -> list[Row]:
    """Return the resultant lengths with their budgets.

    An estimator without a budget of its own has to keep that of `any`, by kind.

    Parameters
    ----------
    results : sequence of Result
    path : Path
        Budgets.

    Raises
    ------
    BudgetError
        If a budget belongs to no estimator, or there is none for a kind.
    """
    limits = read_budgets(path).suites.get(SUITE, {})
    rows = [_row(result, limits) for result in results]
    known = {row.name for row in rows} | {f"{ANY}.{kind}" for kind in KINDS}
    idle = limits.keys() - known
    if idle:
        raise BudgetError(
            f"{path.name}: {', '.join(sorted(idle))} belongs to no estimator; take it "
            "out, or mend its name."
        )
    return rows


def _row(result: Result, limits: Mapping[str, Bound]) -> Row:
    kind = result.cell.split()[0]
    name = f"{result.estimator}.{kind}"
    budget = limits.get(name) or limits.get(f"{ANY}.{kind}")
    if budget is None:
        raise BudgetError(f"There is no budget {name}, nor one for {ANY}.{kind}.")
    return Row(
        name=name,
        value=figures(result)["r"],
        unit="R",
        budget=budget,
        detail=result.reason,
    )
