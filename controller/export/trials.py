"""One row for every decision of a session: what was aimed at, and what became of it."""

from typing import Any

import numpy as np

from controller.core.reasons import HOLD_SENTENCES, HoldReason, Outcome
from controller.export.columns import Cell, Column, Table, numbers
from controller.export.grid import SampleGrid
from controller.kernels.jit import Float64Array
from controller.report.achieved import (
    Design,
    achieved_phase,
    edge_instants,
    virtual_channel,
)
from controller.safety.interlock import REFUSAL_SENTENCES, Refusal
from controller.session.load import Session
from controller.session.pulses import PULSE, refusal_name, refusal_sentence

STATUSES = {
    "fired": "the trigger left",
    "uncertain": "the trigger output failed in the call: nobody knows whether it left",
    "refused": "a pulse was planned and the interlock refused it",
    "held": "the target phase came, and a gate was closed",
    "as-if": "a shadow or a control: recorded as if, and never fired",
}
HOST = "seconds on the host's LSL clock"


def trial_table(session: Session, grid: SampleGrid) -> Table:
    """Return every decision, in the order in which they were made.

    Parameters
    ----------
    session : Session
    grid : SampleGrid
        Of the same session; it tells the time in the file.
    """
    decisions = session.decisions
    pulses = _pulses_beside(session)
    band = session.design.get("band_hz", (np.nan, np.nan))
    latency_s = float(session.design.get("output_latency_s", np.nan))
    instants = _instants(decisions, pulses, latency_s)
    n = len(decisions)
    status = _status(decisions, pulses)
    sent, seen = pulses["t_fired"], pulses["t_observed"]
    return Table(
        columns=(
            Column(
                name="decision",
                description="Number of the decision, as in decisions.jsonl.",
                cells=_whole(decisions["decision"]),
            ),
            Column(
                name="trial",
                description="Number of the trial, from 0; n/a where none was due.",
                cells=_whole(decisions["trial"], least=0),
            ),
            Column(
                name="condition",
                description="Number of the trial's experimental condition.",
                cells=_whole(decisions["condition"], least=0),
            ),
            Column(
                name="status",
                description="What became of the decision.",
                cells=status,
                levels=STATUSES,
            ),
            Column(
                name="reason",
                description="Why no trigger left; several reasons are joined by |.",
                cells=_reasons(decisions, pulses),
                levels=_reason_levels(),
            ),
            Column(
                name="trigger_time_s",
                description="When the edge was at the device, or would have been, "
                "after the first sample of the recording, not rounded to a sample; "
                "as the device observed it, else as sent plus the output's latency.",
                cells=numbers(grid.seconds(instants)),
                units="s",
            ),
            Column(
                name="target_phase_deg",
                description="Phase at which the pulse should land; 0 is the positive "
                "peak.",
                cells=numbers(np.degrees(decisions["target_phase_rad"])),
                units="deg",
            ),
            Column(
                name="predicted_phase_deg",
                description="Phase that the loop predicted when it decided, for the "
                "newest sample plus the horizon.",
                cells=numbers(np.degrees(decisions["phase_rad"])),
                units="deg",
            ),
            Column(
                name="phase_offline_deg",
                description="Phase at trigger_time_s by the offline truth: a "
                "zero-phase band-pass over the whole recording. It can be blurred by "
                "the pulse's own artifact.",
                cells=numbers(np.degrees(_offline_phase(session, instants, pulses))),
                units="deg",
            ),
            Column(
                name="band_low_hz",
                description="Lower edge of the band that the phase was taken from.",
                cells=numbers([float(band[0])] * n),
                units="Hz",
            ),
            Column(
                name="band_high_hz",
                description="Upper edge of the band that the phase was taken from.",
                cells=numbers([float(band[1])] * n),
                units="Hz",
            ),
            Column(
                name="amplitude_uv",
                description="Amplitude of the rhythm when it was decided.",
                cells=numbers(decisions["amplitude_uv"]),
                units="uV",
            ),
            Column(
                name="threshold_uv",
                description="What the amplitude gate asked for at that moment.",
                cells=numbers(decisions["threshold_uv"]),
                units="uV",
            ),
            Column(
                name="expected_sd_deg",
                description="How far off the predicted phase was expected to be.",
                cells=numbers(np.degrees(decisions["sd_rad"])),
                units="deg",
            ),
            Column(
                name="t_sample",
                description=f"Stamp of the newest sample decided on, {HOST}.",
                cells=numbers(decisions["t_sample"]),
                units="s",
            ),
            Column(
                name="t_decision",
                description=f"When it was decided, {HOST}.",
                cells=numbers(decisions["t_decided"]),
                units="s",
            ),
            Column(
                name="t_due",
                description=f"When the edge was due at the device, {HOST}.",
                cells=numbers(decisions["t_due"]),
                units="s",
            ),
            Column(
                name="t_trigger_sent",
                description=f"Just before the call that sent the trigger, {HOST}.",
                cells=numbers(sent),
                units="s",
            ),
            Column(
                name="t_pulse_observed",
                description=f"When the device saw it, by its own record, {HOST}.",
                cells=numbers(seen),
                units="s",
            ),
            Column(
                name="latency_ms",
                description="From the trigger's call to the device's record of it.",
                cells=numbers(1e3 * (seen - sent)),
                units="ms",
            ),
            Column(
                name="lateness_ms",
                description="From the planned call to the call.",
                cells=numbers(1e3 * (sent - pulses["t_write"])),
                units="ms",
            ),
        )
    )


def _pulses_beside(session: Session) -> Any:
    """Return an array of PULSE, one row per decision; NaN where none was planned."""
    beside = np.zeros(len(session.decisions), PULSE)
    for name in PULSE.names or ():
        beside[name] = np.nan if PULSE[name].kind == "f" else 0
    row_of = {int(d): row for row, d in enumerate(session.decisions["decision"])}
    for pulse in session.pulses:
        row = row_of.get(int(pulse["decision"]))
        if row is not None:
            beside[row] = pulse
    return beside


def _instants(decisions: Any, pulses: Any, latency_s: float) -> Float64Array:
    """Return when each edge was at the device, else when it was due there."""
    at_device = edge_instants(pulses, latency_s)
    return np.asarray(np.where(np.isfinite(at_device), at_device, decisions["t_due"]))


def _offline_phase(
    session: Session, instants: Float64Array, pulses: Any
) -> Float64Array:
    if not {"mixing", "band_hz", "output_latency_s"} <= session.design.keys():
        return np.full(len(instants), np.nan)
    design = Design.of(session.design)
    virtual = virtual_channel(
        np.asarray(session.samples["t_sample"]),
        session.raw,
        session.stream.sfreq_hz,
        design.weights,
    )
    phase = achieved_phase(virtual, design.band_hz, instants)
    scored = pulses["achieved_phase_rad"]
    return np.asarray(np.where(np.isfinite(scored), scored, phase))


def _status(decisions: Any, pulses: Any) -> list[Cell]:
    status: list[Cell] = []
    for decision, pulse in zip(decisions, pulses, strict=True):
        if decision["outcome"] == Outcome.HELD:
            status.append("held")
        elif decision["outcome"] == Outcome.AS_IF:
            status.append("as-if")
        elif np.isfinite(pulse["t_fired"]):
            status.append("fired")
        elif pulse["refusal"] == Refusal.OUTPUT_FAILED:
            status.append("uncertain")
        else:
            status.append("refused")
    return status


def _reasons(decisions: Any, pulses: Any) -> list[Cell]:
    reasons: list[Cell] = []
    for decision, pulse in zip(decisions, pulses, strict=True):
        holds = HoldReason(int(decision["holds"]))
        if decision["outcome"] == Outcome.HELD:
            words = [str(reason.name) for reason in HoldReason if reason & holds]
        else:
            name = refusal_name(int(pulse["refusal"]))
            words = [] if name == "NONE" else [name]
        reasons.append("|".join(words) or None)
    return reasons


def _reason_levels() -> dict[str, str]:
    levels = {str(reason.name): text for reason, text in HOLD_SENTENCES.items()}
    for reason, text in REFUSAL_SENTENCES.items():
        # Two lists of reasons share a word: the status tells which is meant.
        held = levels.get(reason.name)
        levels[reason.name] = f"held: {held}; refused: {text}" if held else text
    return levels | {"NEVER_DUE": refusal_sentence("NEVER_DUE")}


def _whole(values: Any, least: int | None = None) -> list[Cell]:
    return [int(value) if least is None or value >= least else None for value in values]
