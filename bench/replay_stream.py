"""How punctual a recording is streamed, by our player and through mne-realtime.

`python -m bench.replay_stream` streams a made recording in each way, each from its own
process, and receives it in this one with pylsl. The samples of the first seconds, while
programs still start, do not count.
"""

import json
import tempfile
import uuid
from pathlib import Path
from typing import Any

import click
import mne
import numpy as np
import pylsl

from bench.outcome import conditions_now
from bench.percentiles import Percentiles, summarise
from controller.config_source import FileSource, LslSource
from controller.kernels.jit import Float64Array
from controller.sources.lsl import find_stream
from controller.sources.network import configure_lsl
from controller.sources.process import RECORDING_MODULE, SourceProcess

_MODULES = {
    "phasegate": RECORDING_MODULE,
    "mne-realtime": "controller.sources.mne_realtime_player",
}
_SETTLE_S = 2.0
_N_CHANNELS = 8


def write_recording(path: Path, sfreq_hz: float, seconds: float) -> None:
    """Write noise of so many seconds as FIF."""
    n = round(seconds * sfreq_hz)
    volts = np.random.default_rng(1).normal(0.0, 1e-5, (_N_CHANNELS, n))
    info = mne.create_info([f"E{k}" for k in range(_N_CHANNELS)], sfreq_hz, "eeg")
    mne.io.RawArray(volts, info, verbose="ERROR").save(path, verbose="ERROR")


def received(module: str, path: Path, n: int) -> tuple[Float64Array, Float64Array]:
    """Stream the recording; return stamps and arrivals of `n` samples, settled."""
    source_id = f"bench-{uuid.uuid4().hex}"
    config = FileSource.model_validate({"kind": "file", "path": path})
    with SourceProcess(
        module, config.model_dump_json(), source_id, wait=False
    ) as process:
        wanted = LslSource.model_validate({"kind": "lsl", "source_id": source_id})
        found = find_stream(wanted)
        inlet = pylsl.StreamInlet(found.stream, recover=False)
        stamps, arrivals = np.empty(n), np.empty(n)
        t_settled = pylsl.local_clock() + _SETTLE_S
        k = 0
        while k < n and process.running():
            _, stamp = inlet.pull_sample(2.0)
            if stamp is None:
                break
            arrivals[k] = pylsl.local_clock()
            stamps[k] = stamp
            k += arrivals[k] >= t_settled
        inlet.close_stream()
    return stamps[:k], arrivals[:k]


def row(name: str, stamps: Float64Array, arrivals: Float64Array) -> dict[str, Any]:
    """Return the figures of one way, in milliseconds."""
    steps_ms = 1e3 * np.diff(stamps)
    delays: Percentiles = summarise(1e3 * (arrivals - stamps))
    return {
        "name": name,
        "stamp_step_sd_ms": float(np.std(steps_ms)),
        "stamp_step_max_ms": float(np.max(steps_ms)),
        "receive_after_stamp_ms": delays.as_dict(),
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a table in Markdown."""
    lines = [
        "| player | sd of steps (ms) | largest | received after p50 | p99 | max | n |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for each in rows:
        delay = each["receive_after_stamp_ms"]
        lines.append(
            f"| {each['name']} | {each['stamp_step_sd_ms']:.3g} "
            f"| {each['stamp_step_max_ms']:.3g} | {delay['p50']:.3g} "
            f"| {delay['p99']:.3g} | {delay['max']:.3g} | {delay['n']} |"
        )
    return "\n".join(lines)


@click.command()
@click.option("--rate", "sfreq_hz", default=250, show_default=True, help="Hz.")
@click.option("--seconds", default=20.0, show_default=True, help="Of each way.")
@click.option("--json", "json_path", type=click.Path(dir_okay=False, path_type=Path))
def main(*, sfreq_hz: int, seconds: float, json_path: Path | None) -> None:
    """Stream a recording in each way and print how punctual it was.

    \b
    Example:
      python -m bench.replay_stream --rate 1000 --json replay.json
    """  # noqa: D301 - \b keeps the lines apart
    configure_lsl(local_only=True)
    rows = []
    with tempfile.TemporaryDirectory(prefix="phasegate-bench-") as folder:
        path = Path(folder) / "noise_raw.fif"
        write_recording(path, sfreq_hz, seconds + _SETTLE_S + 5.0)
        for name, module in _MODULES.items():
            click.echo(f"Streaming through {name} for {seconds:g} s ...", err=True)
            rows.append(row(name, *received(module, path, round(seconds * sfreq_hz))))
    click.echo(table(rows))
    if json_path is not None:
        found = {"sfreq_hz": sfreq_hz, "conditions": conditions_now(), "rows": rows}
        json_path.write_text(json.dumps(found, indent=1, default=str))


if __name__ == "__main__":
    main()
