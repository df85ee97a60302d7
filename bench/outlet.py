"""A synthetic amplifier in a process of its own: exact stamps, and when it pushed.

`python -m bench.outlet` streams a fast rhythm over LSL. Sample n is stamped
`t_start + n / rate`. The last channel carries, in microseconds, how long after its
stamp a sample was pushed, so that whoever receives it knows the instant of the push and
this process' own lateness is not counted against the loop.
"""

import argparse
import sys
import threading

import numpy as np
import pylsl

from bench.compiled_outlet import addresses, push_on_schedule
from bench.lifeline import take_fifo
from bench.signals import RHYTHM_HZ, rhythm
from controller.sources.network import configure_lsl
from controller.sources.pacing import shorten_timer_slack

_BELOW_THE_LOOP = 30
_TAPE_S = 2
_BUFFER_S = 30


def build(source_id: str, n_channels: int, rate_hz: float) -> pylsl.StreamOutlet:
    """Return the outlet, with labels and units."""
    stream = pylsl.StreamInfo("bench", "EEG", n_channels, rate_hz, "float32", source_id)
    channels = stream.desc().append_child("channels")
    for number in range(n_channels):
        channel = channels.append_child("channel")
        channel.append_child_value("label", f"E{number + 1}")
        channel.append_child_value("type", "EEG")
        channel.append_child_value("unit", "microvolts")
    # Writes on this thread spare two hops per push; liblsl knows how from 1.18 on.
    flags = pylsl.transp_sync_blocking if pylsl.library_version() >= 118 else 0
    return pylsl.StreamOutlet(
        stream, chunk_size=1, max_buffered=_BUFFER_S, transport_flags=flags
    )


def main() -> None:
    """Stream until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--source-id", required=True)
    parser.add_argument("--channels", type=int, required=True)
    parser.add_argument("--rate-hz", type=float, required=True)
    parser.add_argument("--chunk", type=int, default=1)
    options = parser.parse_args()
    configure_lsl(local_only=True)
    stop = np.zeros(1, np.int64)

    def end_with_input() -> None:
        sys.stdin.read()
        stop[0] = 1

    threading.Thread(target=end_with_input, daemon=True).start()
    shorten_timer_slack()
    take_fifo(_BELOW_THE_LOOP)
    outlet = build(options.source_id, options.channels, options.rate_hz)
    n_tape = round(_TAPE_S * options.rate_hz) // options.chunk * options.chunk
    tape = rhythm(n_tape, options.channels, options.rate_hz, RHYTHM_HZ)
    print("STREAM", options.source_id, flush=True)
    code = push_on_schedule(
        addresses(),
        outlet.obj.value,
        tape,
        options.chunk,
        options.rate_hz,
        stop,
        np.zeros(2, np.int64),
    )
    if code < 0:
        raise SystemExit(f"liblsl refused samples (code {code}).")


if __name__ == "__main__":
    main()
