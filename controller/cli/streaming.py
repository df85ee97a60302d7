"""Run the process that streams a recording, and say how far it is."""

import contextlib
import dataclasses
import json
import math
import time
import uuid
from pathlib import Path
from typing import Any, Final

from controller.cli.speech import say
from controller.cli.steps import Steps, open_steps
from controller.config_source import FileSource
from controller.errors import ConfigError
from controller.sources.mne_realtime_player import STREAM_NAME, check_possible
from controller.sources.process import RECORDING_MODULE, SourceProcess
from controller.sources.recording import check_recording, recording_note
from controller.sources.serving import ABOUT_WORD, BEGIN_WORD

_MNE_MODULE: Final = "controller.sources.mne_realtime_player"
# A long recording is read as a whole before its stream stands.
_START_TIMEOUT_S: Final = 300.0
_LOOK_AGAIN_S: Final = 0.2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be streamed, and how; see the options of `phasegate stream`."""

    path: Path
    stream: str | None
    unit: str | None
    speed: float
    duration_s: float | None
    repeat: bool
    wait: bool
    name: str | None
    source_id: str | None
    markers: bool
    network: bool
    through_mne: bool

    @property
    def config(self) -> FileSource:
        """As the `[source]` of a session."""
        return FileSource.model_validate(
            {
                "kind": "file",
                "path": self.path,
                "stream": self.stream,
                "unit": self.unit,
                "speed": self.speed,
            }
        )

    @property
    def options(self) -> tuple[str, ...]:
        """Of the process that streams."""
        flags = {"--repeat": self.repeat, "--network": self.network}
        if not self.through_mne:
            flags["--markers"] = self.markers
        words = [flag for flag, is_set in flags.items() if is_set]
        if self.duration_s is not None:
            words += ["--duration", repr(self.duration_s)]
        if self.name is not None:
            words += ["--name", self.name]
        return tuple(words)


def stream_recording(wanted: Wanted) -> dict[str, Any]:
    """Stream until the end; return what was streamed.

    Raises
    ------
    PhasegateError
        The recording cannot be read, or cannot be streamed as wanted.
    """
    check_recording(wanted.path)
    if wanted.through_mne:
        _check_mne(wanted)
    note = recording_note(wanted.path)
    if note is not None:
        say(note)
    source_id = wanted.source_id or f"phasegate-stream-{uuid.uuid4().hex[:8]}"
    process = SourceProcess(
        _MNE_MODULE if wanted.through_mne else RECORDING_MODULE,
        wanted.config.model_dump_json(),
        source_id,
        options=wanted.options,
        wait=wanted.wait,
        start_timeout_s=_START_TIMEOUT_S,
    )
    with contextlib.ExitStack() as stack:
        steps = stack.enter_context(open_steps())
        steps.begin(f"Reading {wanted.path.name}")
        stack.enter_context(process)
        about = _about(process)
        say(_introduction(about, source_id))
        steps.begin("Waiting for a receiver" if wanted.wait else "Beginning")
        _follow(process, steps, _length_s(wanted, about))
        process.check()
    say(f"The stream of {wanted.path.name} has ended.")
    return {
        "file": str(wanted.path),
        "through": "mne-realtime" if wanted.through_mne else "phasegate",
        "source_id": source_id,
        "speed": wanted.speed,
        **about,
    }


def _check_mne(wanted: Wanted) -> None:
    check_possible(wanted.config, wait=wanted.wait)
    if wanted.name is not None:
        raise ConfigError(
            f"mne-realtime's MockLSLStream names every stream {STREAM_NAME!r}; leave "
            "out --name, and find the stream by its --id."
        )
    say(
        "mne-realtime is no longer developed; its makers point to mne-lsl, whose "
        "PlayerLSL is the one for new work."
    )


def _about(process: SourceProcess) -> dict[str, Any]:
    words = process.said(_START_TIMEOUT_S)
    if len(words) != 2 or words[0] != ABOUT_WORD:
        process.check()
        return {}
    about: dict[str, Any] = json.loads(words[1])
    return about


def _introduction(about: dict[str, Any], source_id: str) -> str:
    labels = about.get("labels", ())
    marks = about.get("n_markers", 0)
    return (
        f"Stream {about.get('name')!r} (type 'EEG', source_id {source_id!r}): "
        f"{len(labels)} channels at {about.get('sfreq_hz', math.nan):g} Hz, "
        f"{about.get('duration_s', math.nan):.1f} s, "
        f"{marks or 'no'} marker{'s' * (marks != 1)}. End it with Ctrl-C."
    )


def _length_s(wanted: Wanted, about: dict[str, Any]) -> float | None:
    """Return how long it will take, None without an end."""
    whole_s = math.inf if wanted.repeat else float(about.get("duration_s", math.inf))
    length_s = min(whole_s, wanted.duration_s or math.inf)
    return length_s if math.isfinite(length_s) else None


def _follow(process: SourceProcess, steps: Steps, length_s: float | None) -> None:
    while process.running() and process.said(_LOOK_AGAIN_S) != [BEGIN_WORD]:
        pass
    t_begin = time.monotonic()
    steps.begin("Streaming", length_s)
    while process.running():
        steps.tell(time.monotonic() - t_begin)
        time.sleep(_LOOK_AGAIN_S)
