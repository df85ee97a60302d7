"""Which trial may be given next: said from outside, taken up between two patterns.

An offer travels in the upper bits of the word of permits, so that samples and edges
carry it into the records, and a replay is offered the same trials at the same moments.
"""

import math

from numba import types

from controller.core.structures import (
    MEMORY_TYPE,
    PROGRAM_TYPE,
    Memory,
    Program,
)
from controller.kernels.jit import compiled

OFFER_SHIFT = 16
"""Bits of the word of permits below the offer."""

_ROW_BITS = 22
_COUNT_BITS = 14
_ROWS = 1 << _ROW_BITS
_COUNTS = 1 << _COUNT_BITS


def offer_of(row: int | None, count: int) -> int:
    """Return an offer, as the control words hold it.

    Parameters
    ----------
    row : int or None
        Place among the program's trials; None to offer nothing.
    count : int
        Tells this offer from the one before, even of the same row.

    Raises
    ------
    ValueError
        There can be no such row.
    """
    if row is None:
        row = -1
    if not -1 <= row < _ROWS - 1:
        raise ValueError(f"row {row} cannot be offered")
    return (count % _COUNTS) << _ROW_BITS | (row + 1)


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE))
def take_offer(program: Program, memory: Memory) -> None:
    """Turn to the trial that is offered; not while a pattern is under way."""
    now = memory.now[0]
    if program.settings[0].offered == 0 or not math.isinf(now.t_next_edge):
        return
    offer = now.permits >> OFFER_SHIFT
    if offer == now.offer:
        return
    now.offer = offer
    row = (offer & (_ROWS - 1)) - 1
    if row < 0 or row >= program.trials.shape[0]:
        row = program.trials.shape[0]
    now.trial = row


@compiled(types.void(PROGRAM_TYPE, MEMORY_TYPE))
def go_on(program: Program, memory: Memory) -> None:
    """Turn to what follows the row that was given just now.

    That is its trial's next burst, or the next trial; where trials are offered, none.
    """
    now = memory.now[0]
    n_rows = program.trials.shape[0]
    is_over = program.trials[min(now.trial, n_rows - 1)].more == 0
    if program.settings[0].offered == 1 and is_over:
        now.trial = n_rows
    else:
        now.trial += 1
