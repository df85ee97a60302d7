"""A hundred triggers into the amplifier: how late they are, and four lights.

They are fired by the very loop that fires in a session, in a session of its own whose
gates are open. The stimulator is no part of it.
"""

import datetime as dt
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from controller.cli.checkup.finding import Finding, fault, fault_of, note, ok
from controller.cli.settings import as_toml
from controller.config import Config, config_text, parse_config, toml_tables
from controller.errors import PhasegateError
from controller.rig.console.status import Status
from controller.rig.outputs.latency_file import save_latency
from controller.rig.outputs.loopback import Loopback, loopback_of, trigger_channel
from controller.rig.run import Finished, run_session
from controller.session.load import Session, load_session

_ITI_S: Final = 0.3
_SPARE_S: Final = 30.0
_PARTICIPANT: Final = "loopback"
_BAND_HZ: Final = 10.0
# Beyond any amplifier: nobody need wear the cap.
_NO_ARTIFACT: Final = 1e12
_ENOUGH_VALID: Final = 0.9


class Quiet:
    """A listener that shows nothing."""

    def note(self, sentence: str) -> None:
        """Pass over it."""

    def update(self, status: Status) -> None:
        """Pass over it."""


def loopback_tables(tables: dict[str, Any], n_pulses: int) -> dict[str, Any]:
    """Return the configuration of a loopback on the equipment of another.

    Parameters
    ----------
    tables : dict
        Of the configuration whose source and output are used.
    n_pulses : int
    """
    output = {k: v for k, v in tables["output"].items() if k != "latency_ms"}
    duration_s = n_pulses * _ITI_S * 2.0 + _SPARE_S
    return {
        "title": "loopback",
        "source": tables["source"],
        "rhythm": {"band": "alpha", "frequency_hz": _BAND_HZ},
        "montage": tables["montage"],
        "estimator": {"kind": "iir"},
        "target": {"phase_deg": 0},
        "gate": {"amplitude": "open"},
        "artifact": {
            "amplitude_uv": _NO_ARTIFACT,
            "gradient_uv_per_ms": _NO_ARTIFACT,
            "flat_s": _NO_ARTIFACT,
        },
        "timing": {"iti_s": _ITI_S},
        "output": output,
        "limits": {
            "modality": "marker",
            "min_interval_s": 0.25,
            "max_pulses": n_pulses,
            "max_per_minute": 240,
            "max_lateness_ms": 2.0,
            "max_data_age_ms": 200,
            "max_gap_s": 1.0,
            "max_silence_s": 1.0,
            "max_artifact_s": 10.0,
            "max_armed_s": 600 + duration_s,
            "dose": {
                "max_pulses_per_day": 18_000,
                "max_pulses_total": 90_000,
                "max_trains_per_session": 0,
                "max_trains_per_day": 0,
                "max_trains_total": 0,
                "max_full_pulses_per_day": 18_000,
            },
        },
        "run": {"participant": _PARTICIPANT, "rest_s": 0, "duration_s": duration_s},
    }


def examine_loopback(
    config_path: Path,
    *,
    n_pulses: int,
    channel: str | None,
    confirm: Callable[[str], bool],
) -> Iterator[Finding]:
    """Fire, look, keep the latency beside the configuration, and yield findings.

    Parameters
    ----------
    config_path : Path
    n_pulses : int
    channel : str or None
        The one that shows trigger codes, where it cannot be told.
    confirm : callable
        Asked before a real output fires.
    """
    try:
        tables = toml_tables(config_text(config_path), str(config_path))
        text = as_toml(loopback_tables(tables, n_pulses))
        config = parse_config(text, where="the loopback's own configuration")
        with tempfile.TemporaryDirectory(prefix="phasegate-loopback-") as folder:
            finished = _run(config, text, Path(folder), confirm)
            session = load_session(finished.folder)
        yield from lights(session, n_pulses)
        if finished.error is not None:
            yield fault_of("loopback", finished.error)
            return
        kinds = [one.kind for one in session.stream.channels]
        label = trigger_channel(session.stream.labels, kinds, channel)
        loopback = loopback_of(session, label)
        path = save_latency(config_path, tables, loopback, dt.datetime.now(dt.UTC))
    except PhasegateError as error:
        yield fault_of("loopback", error)
        return
    yield ok("loopback", f"{loopback_words(loopback)} Kept in {path}.")


def lights(session: Session, n_pulses: int) -> Iterator[Finding]:
    """Yield what a loopback's session says of EEG, estimator and trigger line."""
    n = len(session.samples)
    yield (
        ok("EEG arriving", f"{n} samples came.")
        if n
        else fault("EEG arriving", "No sample came.")
    )
    estimated = session.samples[session.samples["amplitude_uv"] != 0.0]
    valid = float(np.isfinite(estimated["phase_rad"]).mean()) if len(estimated) else 0.0
    words = f"{valid:.0%} of the samples in the loop had a phase."
    if valid >= _ENOUGH_VALID:
        yield ok("estimator valid", words)
    else:
        yield note("estimator valid", f"{words} Look at the stream's stamps and gaps.")
    refusals = session.pulses["refusal"]
    sent = int((refusals == 0).sum())
    words = f"{sent} of {n_pulses} triggers were taken by the port."
    if sent == n_pulses:
        yield ok("trigger line answered", words)
    else:
        yield note("trigger line answered", f"{words} The rest was refused or not due.")


def loopback_words(loopback: Loopback) -> str:
    """Return what was measured, in a sentence."""
    at = {
        "p5": loopback.p5_s,
        "p50": loopback.p50_s,
        "p95": loopback.p95_s,
        "max": loopback.max_s,
    }
    figures = ", ".join(f"{name} {value * 1e3:.2f}" for name, value in at.items())
    return (
        f"From the call to channel {loopback.channel}: {figures} ms "
        f"({loopback.n_seen} of {loopback.n_sent} triggers seen, one sample is "
        f"{loopback.resolution_s * 1e3:g} ms)."
    )


def _run(
    config: Config, text: str, folder: Path, confirm: Callable[[str], bool]
) -> Finished:
    return run_session(
        config, text, out=folder, listener=Quiet(), confirm_arming=confirm
    )
