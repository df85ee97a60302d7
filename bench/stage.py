"""The two processes around a measured loop: an amplifier before it, a device behind."""

import contextlib
import dataclasses
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from bench.disturbance import StallingRunner
from bench.lifeline import Child
from bench.live import run_live
from bench.measured import Block
from bench.receiver import Receiver
from bench.reference import run_reference
from bench.scenes import Timing
from controller.config import LslSource
from controller.sources.lsl import FoundStream, find_stream
from controller.sources.network import configure_lsl


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A stream that runs, and the far end of the line.

    Parameters
    ----------
    stream : FoundStream
    receiver : Receiver
    seconds : float
        Length of a block.
    """

    stream: FoundStream
    receiver: Receiver
    seconds: float

    def live(
        self,
        timing: Timing,
        *,
        receiver: Receiver | None = None,
        runner: StallingRunner | None = None,
    ) -> Block:
        """Run a block of the compiled loop."""
        line = receiver if receiver is not None else self.receiver
        return run_live(self.stream, line, timing, seconds=self.seconds, runner=runner)

    def reference(self, timing: Timing) -> Block:
        """Run a block of the reference loop."""
        return run_reference(self.stream, self.receiver, timing, seconds=self.seconds)


@contextlib.contextmanager
def receiving(*, pipe: bool = False) -> Iterator[Receiver]:
    """Receive in a process of its own within a block."""
    with tempfile.TemporaryDirectory(prefix="phasegate-bench-") as folder:
        receiver = Receiver(Path(folder), pipe=pipe)
        with contextlib.closing(receiver):
            yield receiver


@contextlib.contextmanager
def streaming(
    receiver: Receiver, seconds: float, *, n_channels: int, rate_hz: float, chunk: int
) -> Iterator[Bench]:
    """Stream from a process of its own, past a line, within a block."""
    with streamed(n_channels=n_channels, rate_hz=rate_hz, chunk=chunk) as stream:
        yield Bench(stream=stream, receiver=receiver, seconds=seconds)


@contextlib.contextmanager
def streamed(*, n_channels: int, rate_hz: float, chunk: int) -> Iterator[FoundStream]:
    """Stream from a process of its own within a block."""
    configure_lsl(local_only=True)
    source_id = f"bench-{uuid.uuid4().hex[:12]}"
    arguments = ["--source-id", source_id, "--channels", str(n_channels)]
    arguments += ["--rate-hz", str(rate_hz), "--chunk", str(chunk)]
    with Child("bench.outlet", arguments):
        yield find_stream(_marked(source_id))


def _marked(source_id: str) -> LslSource:
    return LslSource(kind="lsl", source_id=source_id, unit=None, rail_uv=None)
