"""Whether the stream and the output of a configuration are there and sound."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from controller.cli.checkup.finding import Finding, fault_of, note, ok
from controller.config import Config, load_config
from controller.errors import PhasegateError
from controller.rig.calibrate.design import check_rest
from controller.rig.calibrate.spatial import check_montage, resolved_montage
from controller.rig.outputs.opened import opened_output
from controller.rig.outputs.wiring import Wiring
from controller.rig.stimulator.state import where_it_is
from controller.rig.stimulator.stimulators import kept_stimulator
from controller.sources.lsl import FoundStream, LslInlet, find_stream
from controller.sources.montage import mixing_matrix, used_channels
from controller.sources.process import start_source
from controller.sources.timing import StreamTiming, measure_stream

_LISTEN_S = 4.0


def examine_equipment(config_path: Path) -> Iterator[Finding]:
    """Yield findings on the configuration, its stream and its output."""
    try:
        config = load_config(config_path)
        check_rest(config)
        check_montage(config)
    except PhasegateError as error:
        yield fault_of("configuration", error)
        return
    yield ok("configuration", f"{config_path} is valid.")
    yield from examine_stream(config)
    yield examine_output(config)
    if config.stimulator is not None:
        yield examine_stimulator(config)


def examine_stream(config: Config) -> Iterator[Finding]:
    """Yield findings on the stream: there, labels, timing."""
    topic = "stream"
    with contextlib.ExitStack() as stack:
        try:
            process, wanted = start_source(config.source)
            if process is not None:
                stack.callback(process.stop)
            found = find_stream(wanted)
            yield ok(topic, _stream_words(found))
            topic = "montage"
            montage = resolved_montage(config.montage, found.description.labels)
            mixing = mixing_matrix(montage, found.description)
            labels = [found.description.labels[i] for i in used_channels(mixing)]
            yield ok(topic, f"Reads {', '.join(labels)}.")
            topic = "timing"
            timing = _listen(found)
        except PhasegateError as error:
            yield fault_of(topic, error)
            return
    yield from timing_findings(timing, config.limits.max_data_age_ms / 1e3)


def timing_findings(timing: StreamTiming, max_data_age_s: float) -> Iterator[Finding]:
    """Yield findings on how samples come.

    Parameters
    ----------
    timing : StreamTiming
    max_data_age_s : float
        Beyond it the interlock refuses.
    """
    p50, p99 = timing.data_age_p50_s, timing.data_age_p99_s
    words = (
        f"When samples come they are p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms old"
    )
    if p99 <= max_data_age_s:
        yield ok("data age", f"{words}; the limit is {max_data_age_s * 1e3:g} ms.")
    else:
        yield note(
            "data age",
            f"{words}, beyond limits.max_data_age_ms = {max_data_age_s * 1e3:g}, so "
            "pulses will be held or refused; shorten the amplifier's blocks.",
        )
    yield ok(
        "blocks",
        f"{timing.block_samples} samples come together, every "
        f"{timing.arrival_interval_s * 1e3:.1f} ms; the rate is "
        f"{timing.effective_hz:.2f} Hz.",
    )
    if timing.n_gaps:
        yield note(
            "gaps",
            f"Samples were missing at {timing.n_gaps} places in "
            f"{timing.n_samples} samples; check the amplifier's link.",
        )


def examine_output(config: Config) -> Finding:
    """Return whether the output opens and closes."""
    with tempfile.TemporaryDirectory(prefix="phasegate-doctor-") as folder:
        try:
            log = Path(folder) / "device.jsonl"
            with opened_output(config.output, log, limits=config.limits) as (output, _):
                where = f"{output.name} at {output.port}"
                if output.simulated:
                    where += ", simulated,"
        except PhasegateError as error:
            return fault_of("output", error)
    return ok("output", f"The {where} opened and closed.")


def examine_stimulator(config: Config) -> Finding:
    """Return what the stimulator says of itself; it is disarmed, and set to nothing."""
    section = config.stimulator
    if section is None or section.driver_name == "ttl":
        return note(
            "stimulator",
            "Nothing can be asked of it: a person sets, arms and watches it.",
        )
    with tempfile.TemporaryDirectory(prefix="phasegate-doctor-") as folder:
        try:
            with kept_stimulator(
                section,
                log=Path(folder) / "stimulator.jsonl",
                edges=None,
                wiring=Wiring(),
                ask_person=lambda _question: False,
            ) as kept:
                status = kept.status
        except PhasegateError as error:
            return fault_of("stimulator", error)
    where = f"{where_it_is(kept)}{', simulated,' if section.simulated else ''}"
    if status is None or status.error is not None:
        why = "says nothing" if status is None else f"says: {status.error}"
        return note("stimulator", f"The {where} {why}; see to it before a session.")
    words = f"The {where} is disarmed at {status.intensity_pct_mso:g} %"
    if status.temperature_c is not None:
        words += f", its coil at {status.temperature_c:.0f} °C"
    return ok("stimulator", f"{words}.")


def _listen(found: FoundStream) -> StreamTiming:
    inlet = LslInlet(found)
    inlet.open()
    try:
        return measure_stream(inlet, _LISTEN_S)
    finally:
        inlet.close()


def _stream_words(found: FoundStream) -> str:
    stream = found.description
    return (
        f"{stream.name}: {stream.n_channels} channels at {stream.sfreq_hz:g} Hz, "
        f"{stream.channel_format}, on {stream.hostname}; channels "
        f"{', '.join(stream.labels)}."
    )
