"""Sources of our own, each in a process of its own."""

import dataclasses
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import uuid
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from controller.config_source import FileSource, LslSource, SyntheticSource
from controller.errors import ConfigError, PhasegateError, StreamNotFound
from controller.sources.recording import check_recording
from controller.sources.serving import STREAM_WORD

# Importing mne and reading a long recording takes most of it, on a slow machine.
_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 3.0

SYNTHETIC_MODULE = "controller.sources.synthetic"
RECORDING_MODULE = "controller.sources.recording_player"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantWires:
    """The simulated participant's ends of virtual TTL lines.

    Its process makes a socket at each path before its stream stands; the `--ttl-out` of
    a simulated device leads there.

    Parameters
    ----------
    trigger_in : Path or None
        Trigger codes, as an amplifier's trigger input sees them; they show in
        `source.trigger_channel`.
    pulse_in : Path or None
        A stimulator's pulses. Only these reach the participant.
    """

    trigger_in: Path | None = None
    pulse_in: Path | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """Arguments of the participant's process."""
        ends = (("--trigger-in", self.trigger_in), ("--pulse-in", self.pulse_in))
        return tuple(
            word
            for name, path in ends
            if path is not None
            for word in (name, str(path))
        )


class SourceProcess:
    """A process that streams over LSL, as a context manager.

    Parameters
    ----------
    module : str
        What `python -m` runs.
    config_json : str
        Its settings.
    source_id : str
        Of its stream.
    options : sequence of str
        Further arguments.
    wait : bool
        It pushes nothing before somebody receives.
    start_timeout_s : float
        How long it may take until its stream stands.
    """

    def __init__(
        self,
        module: str,
        config_json: str,
        source_id: str,
        *,
        options: tuple[str, ...] = (),
        wait: bool = True,
        start_timeout_s: float = _START_TIMEOUT_S,
    ) -> None:
        self.source_id = source_id
        self._start_timeout_s = start_timeout_s
        self._module = module
        # -P: a folder named controller in the working directory must not be us.
        self._command = [
            *(sys.executable, "-P", "-m", module),
            *("--config", config_json, "--source-id", source_id),
            *("--parent", str(os.getpid()), "--wait" if wait else "--no-wait"),
            *options,
        ]
        self._process: subprocess.Popen[str] | None = None
        self._complaints: IO[bytes] | None = None
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader: threading.Thread | None = None

    def start(self) -> None:
        """Start the process and return once its stream stands.

        Raises
        ------
        PhasegateError
            What the process itself complained of, or `StreamNotFound` if it said
            nothing.
        """
        # A file, for nobody reads it while the stream runs; `stop` closes it.
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115
        # A session of its own: Ctrl-C reaches the controller, which ends the source
        # after its records are complete, and not the source first.
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
            start_new_session=True,
        )
        try:
            self._await_stream(self._process)
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int | None:
        """Process id, or None while it does not run."""
        return None if self._process is None else self._process.pid

    def running(self) -> bool:
        """Return whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def said(self, timeout_s: float) -> list[str]:
        """Return the words of the next line that it printed, none if none came.

        Parameters
        ----------
        timeout_s : float
            How long to wait for one.
        """
        try:
            return self._lines.get(timeout=timeout_s).strip().split(maxsplit=1)
        except queue.Empty:
            return []

    def check(self) -> None:
        """Return if the process runs, or ended as it should.

        Raises
        ------
        PhasegateError
            What it complained of in the end.
        """
        code = None if self._process is None else self._process.poll()
        if code:
            raise self._complaint(code)

    def stop(self) -> None:
        """End the process; safe to call at any time, and again."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if self._reader is not None:
                self._reader.join(_STOP_TIMEOUT_S)
            if process.stdout is not None and not self._reading:
                process.stdout.close()
        if self._complaints is not None:
            self._complaints.close()
            self._complaints = None

    def __enter__(self) -> Self:
        """Start the process unless it runs."""
        if not self.running():
            self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the process."""
        self.stop()

    def _await_stream(self, process: "subprocess.Popen[str]") -> None:
        stdout = process.stdout
        if stdout is None:
            raise StreamNotFound(f"{self._module} has no output to read.")
        # A thread, because a pipe cannot be waited for with a time limit on Windows.
        lines = self._lines = queue.SimpleQueue()
        self._reader = threading.Thread(
            target=_read_lines, args=(stdout, lines), daemon=True
        )
        self._reader.start()
        if self.said(self._start_timeout_s) == [STREAM_WORD, self.source_id]:
            return
        try:
            code = process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise StreamNotFound(
                f"{self._module} did not bring up its stream within "
                f"{self._start_timeout_s:g} s; see whether the machine is overloaded."
            ) from None
        raise self._complaint(code)

    @property
    def _reading(self) -> bool:
        return self._reader is not None and self._reader.is_alive()

    def _complaint(self, exit_code: int) -> PhasegateError:
        text = ""
        if self._complaints is not None:
            self._complaints.seek(0)
            text = self._complaints.read().decode(errors="replace").strip()
        for kind in PhasegateError.__subclasses__():
            if kind.exit_code == exit_code and text:
                return kind(text)
        last = text.splitlines()[-1] if text else "without a word"
        return StreamNotFound(f"{self._module} ended with code {exit_code}: {last}.")


def _read_lines(stdout: IO[str], lines: "queue.SimpleQueue[str]") -> None:
    for line in stdout:
        lines.put(line)
    lines.put("")


def start_source(
    source: LslSource | SyntheticSource | FileSource,
    wires: ParticipantWires | None = None,
    *,
    options: tuple[str, ...] = (),
) -> tuple[SourceProcess | None, LslSource]:
    """Start the source's process, if it is one of ours, and say how to find its stream.

    Parameters
    ----------
    source : LslSource or SyntheticSource or FileSource
    wires : ParticipantWires or None
        Of a simulated participant; no other source has any.
    options : sequence of str
        Further arguments of the process, simulated faults for example.

    Returns
    -------
    process : SourceProcess or None
        Running; the caller stops it. None for a stream of somebody else.
    stream : LslSource
        The stream to look for.

    Raises
    ------
    ConfigError
        Wires for a source that has none.
    PhasegateError
        The process did not come up; the reason is the process' own.
    """
    if wires is not None:
        if not isinstance(source, SyntheticSource):
            raise ConfigError(
                f"source.kind is {source.kind!r}, but only a simulated participant can "
                'be wired to simulated devices; use "synthetic", or real devices.'
            )
        options = (*wires.options, *options)
    if isinstance(source, LslSource):
        return None, source
    settings = source.model_dump(mode="json")
    module = SYNTHETIC_MODULE
    if isinstance(source, FileSource):
        check_recording(source.path)
        settings["path"] = str(source.path.resolve())
        module = RECORDING_MODULE
    source_id = f"phasegate-{source.kind}-{uuid.uuid4().hex[:12]}"
    process = SourceProcess(module, json.dumps(settings), source_id, options=options)
    process.start()
    stream = LslSource(
        kind="lsl", source_id=source_id, unit=None, rail_uv=source.rail_uv
    )
    return process, stream
