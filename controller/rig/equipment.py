"""What a session runs on."""

import dataclasses
from collections.abc import Sequence

from controller.calibration.profile import Profile
from controller.engine.live import Inlet
from controller.estimators.base import Designer
from controller.kernels.jit import Float64Array
from controller.rig.attendants import Attendant
from controller.rig.stimulator.stimulators import OpenedStimulator
from controller.rig.study.conduct import Conduct
from controller.rig.study.hunt import LiveHunt
from controller.sources.description import StreamDescription
from drivers.base import TriggerOutput


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """What a session runs on.

    Parameters
    ----------
    stream : StreamDescription
    inlet : Inlet
    mixing : array, shape (n_virtual, n_channels)
        Microvolts of the virtual channels per unit of the stream: the followed one
        first, then those that the designer may read beside it.
    designer : Designer
    output : TriggerOutput
        Open.
    profile : Profile, optional
        What a calibration found, instead of this session's own rest.
    stimulator : OpenedStimulator, optional
        Set up, and disarmed.
    beside : sequence of Attendant
        Who else looks after the session while the loop runs.
    conduct : Conduct or LiveHunt, optional
        Of a protocol, ended by whoever made it; or of a hunt for the motor threshold.
    """

    stream: StreamDescription
    inlet: Inlet
    mixing: Float64Array
    designer: Designer
    output: TriggerOutput
    profile: Profile | None = None
    stimulator: OpenedStimulator | None = None
    beside: Sequence[Attendant] = ()
    conduct: Conduct | LiveHunt | None = None

    @property
    def words(self) -> str:
        """What it is, in a sentence for the operator."""
        stream, output = self.stream, self.output
        return (
            f"Stream {stream.name}: {stream.n_channels} channels at "
            f"{stream.sfreq_hz:g} Hz. Output: {output.name} at {output.port}"
            f"{' (simulated)' if output.simulated else ''}."
        )
