"""A marker stream of ours, for the task's program and for whoever records beside us."""

import socket

import pylsl

from controller.errors import StreamLost
from controller.sources.network import configure_lsl


class TextOutlet:
    """A stream of texts, from its making until `close`.

    Parameters
    ----------
    name : str
        Of the stream.
    session : str
        Makes the source id unique.

    Raises
    ------
    StreamLost
        If liblsl cannot make it.
    """

    def __init__(self, name: str, session: str) -> None:
        configure_lsl()
        source_id = f"{name}-markers-{socket.gethostname()}-{session}"
        stream = pylsl.StreamInfo(
            name, "Markers", 1, pylsl.IRREGULAR_RATE, "string", source_id
        )
        stream.desc().append_child_value("manufacturer", "phasegate")
        try:
            self._outlet: pylsl.StreamOutlet | None = pylsl.StreamOutlet(stream)
        except RuntimeError as error:
            raise StreamLost(
                f"The marker stream {name} cannot be made ({error}); check the network "
                "settings of this machine."
            ) from error

    def send(self, text: str) -> None:
        """Push a marker, stamped now."""
        if self._outlet is not None:
            self._outlet.push_sample([text])

    def close(self) -> None:
        """Take the stream off the network."""
        self._outlet = None
