"""One session from its configuration to its report."""

import contextlib
import dataclasses
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from controller.calibration.profile import Profile
from controller.calibration.profile_file import copy_profile
from controller.config import Config, FileSource
from controller.errors import PhasegateError
from controller.estimators.base import Designer
from controller.estimators.registry import find_designer
from controller.kernels.jit import Float64Array
from controller.report.page import write_report
from controller.report.score import score_session
from controller.rig.calibrate.design import check_rest
from controller.rig.calibrate.profile import fitting, fitting_config, with_profile
from controller.rig.calibrate.spatial import check_montage, resolved_montage
from controller.rig.config_watch import ConfigFile, ConfigWatch
from controller.rig.console.status import Listener
from controller.rig.dose import require_accountable
from controller.rig.equipment import Equipment
from controller.rig.interrupt import Interrupt
from controller.rig.outputs.opened import (
    OpenOutput,
    ReadArrivals,
    driver_errors,
    opened_output,
    trigger_code,
)
from controller.rig.outputs.wiring import Wiring, wiring_of
from controller.rig.programs.gate_rules import gate_rules
from controller.rig.records import session_facts
from controller.rig.stages import ConfirmArming, Stages
from controller.rig.stimulator.log import read_stimulator_log
from controller.rig.stimulator.stimulators import (
    AskPerson,
    OpenedStimulator,
    OpenStimulator,
    opened_stimulator,
)
from controller.rig.study.conduct import Plan, conducted
from controller.rig.study.hunt import LiveHunt
from controller.session.folder import (
    OPEN_ENDED_S,
    PROFILE,
    PROVENANCE,
    SessionFolder,
    bytes_needed,
)
from controller.session.manifest import write_manifest
from controller.session.provenance import provenance
from controller.sources.description import StreamDescription
from controller.sources.lsl import LslInlet, find_stream
from controller.sources.montage import mixing_matrix, other_channels
from controller.sources.process import start_source
from controller.sources.recording import check_recording, recording_note
from drivers.base import TriggerOutput

StartSource = Callable[..., Any]
"""`start_source`, or the same with faults for a test."""

_DEVICE_LOG = "device.jsonl"
_STIMULATOR_LOG = "stimulator.jsonl"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A session that is over.

    Parameters
    ----------
    folder : Path
    summary : dict
    report : Path
    error : PhasegateError or None
        What ended it early.
    """

    folder: Path
    summary: dict[str, Any]
    report: Path
    error: PhasegateError | None

    @property
    def exit_code(self) -> int:
        """Exit code of the command."""
        return int(self.summary["exit"]["code"])


def run_session(
    config: Config,
    text: str,
    *,
    out: Path,
    listener: Listener,
    confirm_arming: ConfirmArming,
    ask_person: AskPerson = lambda _question: False,
    profile: Profile | None = None,
    hunt: Callable[[StreamDescription], LiveHunt] | None = None,
    config_file: ConfigFile | None = None,
    plan: Plan | None = None,
    begin_source: StartSource = start_source,
    open_output: OpenOutput = opened_output,
    open_stimulator: OpenStimulator = opened_stimulator,
) -> Finished:
    """Run a session; once its folder stands, its records are finished in any case.

    Parameters
    ----------
    config : Config
    text : str
        The file that it was read from, for the records.
    out : Path
        Where session folders go.
    listener : Listener
    confirm_arming : callable
        Not asked for simulated devices.
    ask_person : callable
        Gets what a device cannot tell by itself, as a question; not for simulated ones.
    profile : Profile, optional
        Of an earlier calibration, instead of this session's rest.
    config_file : ConfigFile, optional
        The session ends once it is not what it was.
    plan : Plan, optional
        The protocol that leads it.
    hunt : callable, optional
        Gets the stream; returns who leads the closed loop to a motor threshold.
    begin_source : callable
        Starts the source's process, where it is one of ours.
    open_output : callable
        Opens the output, and starts the simulated device where it is one.
    open_stimulator : callable
        The same for the stimulator.

    Raises
    ------
    PhasegateError
        Trouble before there was a session folder, or a disk that did not even take the
        summary.
    """
    require_accountable(config)
    designer = _designer_of(config, profile)
    with contextlib.ExitStack() as stack:
        if isinstance(config.source, FileSource):
            _warn_of(config.source.path, listener)
        listener.note("Looking for the stream ...")
        wiring = stack.enter_context(wiring_of(config))
        process, wanted = begin_source(config.source, wires=wiring.participant)
        if process is not None:
            stack.callback(process.stop)
        found = find_stream(wanted)
        stream = found.description
        leader = None if hunt is None else hunt(stream)
        if profile is not None:
            for warning in fitting(profile, config, stream):
                listener.note(warning)
            config = with_profile(config, profile)
        mixing = _mixing_of(config, stream, designer)
        # A vetoing channel that is not there is named before anything begins.
        gate_rules(config, stream)
        folder = _new_folder(config, stream, out)
        with contextlib.ExitStack() as unless_begun:
            unless_begun.callback(shutil.rmtree, folder.path, ignore_errors=True)
            folder.write_config(text)
            if profile is not None:
                copy_profile(profile, folder.path / PROFILE)
            conduct = stack.enter_context(conducted(plan, folder.path))
            output, arrivals = stack.enter_context(
                open_output(
                    config.output,
                    folder.path / _DEVICE_LOG,
                    limits=config.limits,
                    wires=wiring.from_output,
                )
            )
            stimulator = stack.enter_context(
                _stimulator(
                    config,
                    open_stimulator,
                    log=folder.path / _STIMULATOR_LOG,
                    output=output,
                    wiring=wiring,
                    ask_person=ask_person,
                )
            )
            unless_begun.pop_all()
        _write_provenance(config, folder, privileges={})
        interrupt = Interrupt()
        stack.enter_context(interrupt.listening())
        stages = Stages(
            config=config,
            equipment=Equipment(
                stream=stream,
                inlet=LslInlet(found),
                mixing=mixing,
                designer=designer,
                output=output,
                profile=profile,
                stimulator=stimulator,
                beside=() if config_file is None else (ConfigWatch(config_file),),
                conduct=conduct if leader is None else leader,
            ),
            folder=folder,
            listener=listener,
            confirm_arming=confirm_arming,
            interrupt=interrupt,
        )
        error = stages.run()
        # Before anything else takes its time: the line is brought down here.
        output.close()
        try:
            finished = _finish(config, stages, folder, arrivals, listener, error)
        except PhasegateError as later:
            if error is None:
                raise
            raise error from later
    # Last: nothing writes to the folder any more, the simulated devices included.
    write_manifest(folder)
    return finished


def _mixing_of(
    config: Config, stream: StreamDescription, designer: Designer
) -> Float64Array:
    montage = resolved_montage(config.montage, stream.labels)
    mixing = mixing_matrix(montage, stream)
    if designer.reads_others:
        mixing = np.concatenate([mixing, other_channels(montage, stream)])
    return mixing


def _designer_of(config: Config, profile: Profile | None) -> Designer:
    if profile is None:
        designer = check_rest(config)
        check_montage(config)
        return designer
    fitting_config(profile, config)
    return find_designer(config.estimator.kind)


@contextlib.contextmanager
def _stimulator(
    config: Config,
    open_stimulator: OpenStimulator,
    *,
    log: Path,
    output: TriggerOutput,
    wiring: Wiring,
    ask_person: AskPerson,
) -> Iterator[OpenedStimulator | None]:
    """Open the session's stimulator, if it has one."""
    if config.stimulator is None:
        yield None
        return
    with driver_errors():
        edges = output.edges(trigger_code(config.output))
    with open_stimulator(
        config.stimulator,
        config.limits,
        log=log,
        edges=edges,
        wiring=wiring,
        ask_person=_yes if config.stimulator.simulated else ask_person,
    ) as stimulator:
        yield stimulator


def _yes(_question: str) -> bool:
    return True


def _stimulator_facts(config: Config, folder: SessionFolder) -> dict[str, Any] | None:
    stimulator = config.stimulator
    if stimulator is None:
        return None
    facts: dict[str, Any] = {
        "kind": stimulator.kind,
        "intensity_pct_mso": stimulator.intensity_pct_mso,
    }
    if stimulator.has_twin:
        made = read_stimulator_log(folder.path / _STIMULATOR_LOG)
        facts |= {"pulses": made.pulses, "missed": made.missed}
    return facts


def _warn_of(recording: Path, listener: Listener) -> None:
    check_recording(recording)
    warning = recording_note(recording)
    if warning is not None:
        listener.note(warning)


def _new_folder(config: Config, stream: StreamDescription, out: Path) -> SessionFolder:
    duration_s = config.run.rest_s + (config.run.duration_s or OPEN_ENDED_S)
    return SessionFolder.create(
        out,
        title=config.title,
        participant=config.run.participant,
        n_bytes_needed=bytes_needed(
            sfreq_hz=stream.sfreq_hz,
            n_channels=stream.n_channels,
            duration_s=duration_s,
        ),
    )


def _finish(
    config: Config,
    stages: Stages,
    folder: SessionFolder,
    arrivals: ReadArrivals,
    listener: Listener,
    error: PhasegateError | None,
) -> Finished:
    """Score the session, write its summary and its report."""
    facts = session_facts(config, stages.outcome, error)
    facts = dataclasses.replace(facts, stimulator=_stimulator_facts(config, folder))
    _write_provenance(config, folder, privileges=facts.privileges)
    listener.note("Scoring the session ...")
    summary = score_session(folder.path, facts, arrivals())
    listener.note("Writing the report ...")
    report = write_report(folder.path)
    return Finished(
        folder=folder.path, summary=dict(summary), report=report, error=error
    )


def _write_provenance(
    config: Config, folder: SessionFolder, *, privileges: Mapping[str, object]
) -> None:
    """Say what the session runs on; at its begin too, in case it is killed."""
    seeds = {"timing": config.timing.seed}
    folder.write_json(PROVENANCE, provenance(privileges=privileges, seeds=seeds))
