"""Our edges as LSL markers, for whoever records or shows beside us.

The stream `phasegate-pulses` has a marker for each edge of the trigger line, stamped
with the host clock just before the call; in it stand the instants before and after the
call, between which the edge lies. Markers leave up to a tenth of a second after their
edge, as the loop itself pushes nothing.
"""

import json
import socket
from typing import Any, Final

import pylsl

from controller.errors import StreamLost
from controller.safety.interlock import Refusal
from controller.sources.network import configure_lsl

NAME: Final = "phasegate-pulses"


def edge_marker(edge: Any) -> str:
    """Return the text of an edge's marker.

    Parameters
    ----------
    edge : EDGE
        One row.

    Returns
    -------
    str
        JSON: `decision`, `trial`, `edge` (0 is the pulse's first), `rises`, `t_due`,
        `t_before`, `t_after`, `refusal` and `system_error`, null where all went well.
        The line has not moved if there is a refusal or an error.
    """
    refusal = int(edge["refusal"])
    marker = {
        "decision": int(edge["decision"]),
        "trial": int(edge["trial"]),
        "edge": int(edge["edge"]),
        "rises": bool(edge["rises"]),
        "t_due": float(edge["t_due"]),
        "t_before": float(edge["t_fired"]),
        "t_after": float(edge["t_after"]),
        "refusal": Refusal(refusal).name if refusal else None,
        "system_error": int(edge["system_error"]) or None,
    }
    return json.dumps(marker)


class PulseOutlet:
    """The marker stream, from its making until `close`.

    Parameters
    ----------
    session : str
        Makes the source id unique, so that a receiver finds this session's again.

    Raises
    ------
    StreamLost
        If liblsl cannot make it.
    """

    def __init__(self, session: str) -> None:
        configure_lsl()
        source_id = f"{NAME}-{socket.gethostname()}-{session}"
        stream = pylsl.StreamInfo(
            NAME, "Markers", 1, pylsl.IRREGULAR_RATE, "string", source_id
        )
        stream.desc().append_child_value("manufacturer", "phasegate")
        channel = stream.desc().append_child("channels").append_child("channel")
        channel.append_child_value("label", "edge")
        channel.append_child_value("type", "Marker")
        try:
            self._outlet: pylsl.StreamOutlet | None = pylsl.StreamOutlet(stream)
        except RuntimeError as error:
            raise StreamLost(
                f"The marker stream {NAME} cannot be made ({error}); check the network "
                "settings of this machine."
            ) from error

    def publish(self, edges: Any) -> None:
        """Push a marker for each row of EDGE, in their order."""
        if self._outlet is None:
            return
        for edge in edges:
            self._outlet.push_sample([edge_marker(edge)], float(edge["t_fired"]))

    def close(self) -> None:
        """Take the stream off the network."""
        # liblsl destroys the outlet with the last reference to it.
        self._outlet = None
