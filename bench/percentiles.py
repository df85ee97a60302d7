"""A distribution in the four figures that matter, and how many points it stands on."""

import dataclasses

import numpy as np
import numpy.typing as npt


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """Median, tail and worst of a distribution.

    Parameters
    ----------
    p50, p95, p99, p999, maximum : float
        In the unit of the values.
    n : int
        With fewer than a thousand points `p999` is close to the maximum.
    """

    p50: float
    p95: float
    p99: float
    p999: float
    maximum: float
    n: int

    def as_dict(self) -> dict[str, float | int]:
        """Return the figures under the names that records use."""
        return {
            "p50": self.p50,
            "p95": self.p95,
            "p99": self.p99,
            "p999": self.p999,
            "max": self.maximum,
            "n": self.n,
        }

    def __str__(self) -> str:
        """Return one line for people."""
        return (
            f"p50 {self.p50:.4g}, p95 {self.p95:.4g}, p99 {self.p99:.4g}, "
            f"p99.9 {self.p999:.4g}, max {self.maximum:.4g}, n {self.n}"
        )


def summarise(values: npt.ArrayLike) -> Percentiles:
    """Return the percentiles of values, linear between neighbours.

    Parameters
    ----------
    values : array, shape (n,)

    Raises
    ------
    ValueError
        If there are none, or one is not finite: a measurement that failed must not pass
        for a fast one.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0:
        raise ValueError("There are no values to summarise; the measurement gave none.")
    if not np.all(np.isfinite(array)):
        raise ValueError("A measured value is not finite; the measurement is broken.")
    p50, p95, p99, p999 = np.percentile(array, [50.0, 95.0, 99.0, 99.9])
    return Percentiles(
        p50=float(p50),
        p95=float(p95),
        p99=float(p99),
        p999=float(p999),
        maximum=float(array.max()),
        n=int(array.size),
    )
