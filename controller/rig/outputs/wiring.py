"""Virtual cables of a simulated session: box to amplifier and stimulator, coil to head.

A trigger goes from the simulated trigger box to the participant's trigger channel and
to the simulated stimulator; only what the stimulator makes of it reaches the
participant. A trigger into a device that is disarmed or not charged leaves its code in
the EEG, and nothing else.
"""

import contextlib
import dataclasses
import tempfile
from collections.abc import Iterator
from pathlib import Path

from controller.config import Config, SyntheticSource
from controller.sources.process import ParticipantWires


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """Which ends are joined; None and empty where there is no cable.

    Parameters
    ----------
    participant : ParticipantWires or None
        The simulated participant's ends.
    from_output : tuple of Path
        Where the simulated trigger box sends each change of its lines.
    stimulator_in : Path or None
        Trigger input of the simulated stimulator.
    from_stimulator : tuple of Path
        Where the simulated stimulator sends each pulse.
    """

    participant: ParticipantWires | None = None
    from_output: tuple[Path, ...] = ()
    stimulator_in: Path | None = None
    from_stimulator: tuple[Path, ...] = ()


@contextlib.contextmanager
def wiring_of(config: Config) -> Iterator[Wiring]:
    """Lay the cables that a configuration's simulated devices need.

    The sockets lie in a folder of their own, whose path is short as theirs must be, and
    which goes at the end of the block.
    """
    with tempfile.TemporaryDirectory(prefix="phasegate-wires-") as folder:
        yield _laid(config, Path(folder))


def _laid(config: Config, folder: Path) -> Wiring:
    stimulator = config.stimulator
    has_twin = stimulator is not None and stimulator.has_twin
    synthetic = isinstance(config.source, SyntheticSource)
    shows_code = isinstance(config.source, SyntheticSource) and (
        config.source.trigger_channel is not None
    )
    trigger_in = folder / "trigger" if shows_code and config.output.simulated else None
    stimulator_in = folder / "stimulator" if has_twin else None
    pulse_in = folder / "pulse" if has_twin and synthetic else None
    participant = None
    if trigger_in is not None or pulse_in is not None:
        participant = ParticipantWires(trigger_in=trigger_in, pulse_in=pulse_in)
    return Wiring(
        participant=participant,
        from_output=tuple(end for end in (trigger_in, stimulator_in) if end),
        stimulator_in=stimulator_in,
        from_stimulator=() if pulse_in is None else (pulse_in,),
    )
