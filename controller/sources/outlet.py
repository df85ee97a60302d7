"""Our own outlets: full channel metadata, one sample per push, as cheap as it gets."""

import ctypes
from collections.abc import Sequence

import pylsl

from controller.errors import StreamLost

_BUFFER_S = 60


class EegOutlet:
    """An LSL outlet for EEG in microvolts.

    Parameters
    ----------
    name, source_id : str
    sfreq_hz : float
    labels, types, units : sequence of str
        One per channel.
    """

    def __init__(
        self,
        *,
        name: str,
        source_id: str,
        sfreq_hz: float,
        labels: Sequence[str],
        types: Sequence[str],
        units: Sequence[str],
    ) -> None:
        stream = pylsl.StreamInfo(
            name, "EEG", len(labels), sfreq_hz, "float32", source_id
        )
        stream.desc().append_child_value("manufacturer", "phasegate")
        channels = stream.desc().append_child("channels")
        for label, kind, unit in zip(labels, types, units, strict=True):
            channel = channels.append_child("channel")
            channel.append_child_value("label", label)
            channel.append_child_value("type", kind)
            channel.append_child_value("unit", unit)
        # Writing on the caller's thread spares two thread hops per sample, where this
        # liblsl knows how: 1.18 brought it.
        flags = pylsl.transp_sync_blocking if pylsl.library_version() >= 118 else 0
        self._outlet: pylsl.StreamOutlet | None = pylsl.StreamOutlet(
            stream, chunk_size=1, max_buffered=_BUFFER_S, transport_flags=flags
        )
        # A prototype of our own: pylsl's copies every value into a new array first, and
        # setting argument types on its function object would change it for all.
        address = ctypes.cast(pylsl.lib.lib.lsl_push_sample_ftp, ctypes.c_void_p).value
        prototype = ctypes.CFUNCTYPE(
            ctypes.c_int,
            ctypes.c_void_p,
            ctypes.c_void_p,
            ctypes.c_double,
            ctypes.c_int,
        )
        self._push = prototype(address or 0)
        self._handle: int = self._outlet.obj.value

    def push(self, row: int, stamp: float) -> None:
        """Push the float32 values at address `row`, stamped `stamp`."""
        code = self._push(self._handle, row, stamp, 1)
        if code < 0:
            raise StreamLost(
                f"liblsl refused a sample (code {code}); restart the source."
            )

    def wait_for_consumer(self, timeout_s: float) -> bool:
        """Return whether somebody receives, after waiting up to `timeout_s`."""
        return self._outlet is not None and bool(
            self._outlet.wait_for_consumers(timeout_s)
        )

    def close(self) -> None:
        """Take the stream off the network; receivers see it as lost."""
        # liblsl destroys the outlet with the last reference to it.
        self._outlet = None
