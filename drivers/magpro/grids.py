"""The values that a MagPro's settings can take.

They were gathered from two open drivers, not from the maker; the device may take fewer
of them, by model and mode. Units are the ones on the wire.
"""

from typing import Final

from drivers.grids import Grid, Segment
from drivers.magpro.codes import Mode, Model, Wave

RATE: Final = Grid(
    what="The rate of a train (Hz)",
    unit=0.1,
    segments=(Segment(1, 10, 1), Segment(20, 1000, 10)),
)
PULSES: Final = Grid(
    what="The number of pulses",
    unit=1,
    segments=(Segment(1, 1000, 1), Segment(1100, 2000, 100)),
)
TRAINS: Final = Grid(
    what="The number of trains", unit=1, segments=(Segment(1, 500, 1),)
)
# One open driver allows 300 s; the other's limit counts.
INTER_TRAIN: Final = Grid(
    what="The time between trains (s)", unit=0.1, segments=(Segment(1, 1200, 1),)
)
PAIR_INTERVAL: Final = Grid(
    what="The interval of a pair (s)",
    unit=1e-4,
    segments=(
        Segment(10, 100, 1),
        Segment(105, 200, 5),
        Segment(210, 1000, 10),
        Segment(1100, 5000, 100),
        Segment(5500, 10000, 500),
        Segment(11000, 30000, 1000),
    ),
)
BURST_INTERVAL: Final = Grid(
    what="The interval within a burst (s)",
    unit=1e-4,
    segments=(Segment(5, 100, 1), Segment(105, 200, 5), Segment(210, 1000, 10)),
)
RATIO: Final = Grid(
    what="The ratio of the second pulse to the first",
    unit=0.01,
    segments=(Segment(20, 500, 5),),
)
DELAY_IN: Final = Grid(
    what="The delay of the trigger input (s)",
    unit=1e-4,
    segments=(Segment(0, 100, 1), Segment(110, 1000, 10), Segment(1100, 65000, 100)),
)
DELAY_OUT: Final = Grid(
    what="The delay of the trigger output (s)",
    unit=1e-4,
    segments=(Segment(-1000, 1000, 1),),
)
CHARGE_DELAY: Final = Grid(
    what="The charge delay (s)",
    unit=1e-3,
    segments=(
        Segment(0, 100, 10),
        Segment(125, 4000, 25),
        Segment(4050, 12000, 50),
    ),
)

_OPTION: Final = frozenset({Model.R30_OPTION, Model.R30_OPTION_MONO})
_PAIRS: Final = frozenset({Mode.TWIN, Mode.DUAL})


def interval_grid(mode: int) -> Grid:
    """Return the intervals of a mode: those of pairs, or those within a burst."""
    return PAIR_INTERVAL if mode in _PAIRS else BURST_INTERVAL


def max_rate_hz(model: int, mode: Mode, wave: Wave) -> float:
    """Return the highest rate of trains, hertz; less may be possible at high power."""
    if mode in _PAIRS:
        if model in _OPTION:
            return 5.0
        return 5.0 if wave is Wave.MONOPHASIC else 50.0
    if model in _OPTION or model == Model.R30:
        return 30.0
    return 20.0 if wave is Wave.BIPHASIC_BURST else 100.0
