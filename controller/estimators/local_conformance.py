"""What local parts must keep, for the conformance check."""

import numpy as np

from controller.core.records import LocalMethod
from controller.estimators.base import Design, LocalPart


def check_local(design: Design) -> list[str]:
    """Return one sentence for each mistake in a design's local parts."""
    decimation = design.decimation
    if decimation is None or not design.local:
        return ["the design names local parts but brings none, or no decimation."]
    taps = decimation.taps
    if not (np.isfinite(taps).all() and np.allclose(taps, taps[::-1])):
        return ["the taps before decimation are not symmetric, finite numbers."]
    return [sentence for part in design.local for sentence in _check_part(part)]


def _check_part(part: LocalPart) -> list[str]:
    n_row = part.n_back + part.n_data + part.n_ahead
    if part.row.shape != (n_row,):
        return [
            f"a local part's row has the shape {part.row.shape} and not ({n_row},)."
        ]
    if not np.isfinite(part.row).all():
        return ["a local part's row holds NaN or infinities."]
    n_kept = part.n_least - 2 * part.n_trim
    if not (0 < part.order < n_kept and part.n_data <= n_kept):
        return [f"a local part of order {part.order} keeps only {n_kept} samples."]
    if not part.n_least <= part.n_fit:
        return ["a local part needs more samples than it fits."]
    if part.n_back > 0 and not part.n_data == part.n_least == part.n_fit:
        return ["a backcast needs n_fit, n_least and n_data to be the same."]
    if part.method == LocalMethod.FORECAST:
        return []
    taps = part.taps
    if taps.size % 2 == 0 or not np.allclose(taps, taps[::-1]):
        return ["a local part's band-pass is not symmetric with an odd length."]
    if not taps.size // 2 < part.n_least:
        return ["a local part's band-pass reaches farther than its window."]
    return [] if part.period > 0.0 else ["a local part has no period."]
