"""Programs that nobody here wrote read a session and its exports back."""

import dataclasses
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from controller.export.bids import BidsExport
from controller.export.opened import OpenedSession

VALIDATOR = "bids-validator@1.15.0"
SCHEMA_VALIDATOR = "bids-validator-deno"
_INSTALL_S = 900.0
_VALIDATE_S = 300.0


class ReaderDisagrees(Exception):
    """Another program does not read what was recorded."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one reader said.

    Parameters
    ----------
    reader : str
        Name and version.
    subject : str
        What it read.
    passed : bool
    said : str
        One sentence.
    """

    reader: str
    subject: str
    passed: bool
    said: str


def verdict(reader: str, subject: str, read: Callable[[], str]) -> Verdict:
    """Let one program read, and keep what it says; a failure of any kind is a no."""
    try:
        said, passed = read(), True
    except Exception as error:  # noqa: BLE001 - their errors are what is asked for
        said, passed = f"{type(error).__name__}: {error}", False
    return Verdict(reader=reader, subject=subject, passed=passed, said=said)


def read_by_pyxdf(opened: OpenedSession) -> str:
    """Read `eeg.xdf`, and compare every sample and stamp of the EEG."""
    import pyxdf

    session = opened.session
    path = session.path / "eeg.xdf"
    streams, _ = pyxdf.load_xdf(
        path, synchronize_clocks=False, dejitter_timestamps=False
    )
    by_name = {stream["info"]["name"][0]: stream for stream in streams}
    eeg = by_name["EEG"]
    _same("samples", eeg["time_series"], session.raw)
    _same("stamps", eeg["time_stamps"], session.samples["t_sample"])
    return f"{len(streams)} streams, {len(session.raw)} samples and stamps the same"


def read_by_mne(opened: OpenedSession, export: BidsExport) -> str:
    """Read the exported recording with `mne.io`, and compare every sample."""
    import mne

    wanted = opened.raw()
    raw = mne.io.read_raw(export.recording, preload=True, verbose="ERROR")
    _same("channel names", raw.ch_names, wanted.ch_names)
    _same("rate", raw.info["sfreq"], wanted.info["sfreq"])
    volts = wanted.get_data()
    found = raw.get_data()
    is_edf = export.recording.suffix == ".edf"
    # EDF holds whole seconds.
    n_padded = -volts.shape[1] % round(raw.info["sfreq"]) if is_edf else 0
    if found.shape != (len(volts), volts.shape[1] + n_padded):
        raise ReaderDisagrees(f"shape {found.shape} instead of {volts.shape}")
    off = np.abs(found[:, : volts.shape[1]] - volts).max()
    # 16 bits over the range of a channel, or one rounding of a float.
    spread, largest = np.ptp(volts, axis=1).max(), np.abs(volts).max()
    allowed = spread / 2**16 if is_edf else largest * np.finfo(np.float32).eps
    if not off <= allowed:
        raise ReaderDisagrees(f"samples are off by up to {off * 1e6:.3g} uV")
    return f"{volts.shape[1]} samples, off by at most {off * 1e6:.1e} uV"


def read_by_mne_bids(opened: OpenedSession, export: BidsExport, root: Path) -> str:
    """Read the recording with its events as mne-bids does, and let it report."""
    import mne_bids

    paths = mne_bids.find_matching_paths(
        root, suffixes="eeg", extensions=export.recording.suffix, check=True
    )
    (path,) = [p for p in paths if p.fpath.name == export.recording.name]
    raw = mne_bids.read_raw_bids(path, verbose="ERROR")
    n_found = sum(kind == "pulse" for kind in raw.annotations.description)
    if n_found != export.n_pulses:
        raise ReaderDisagrees(f"{n_found} pulses instead of {export.n_pulses}")
    told = [
        extra["trigger_time_s"]
        for kind, extra in zip(
            raw.annotations.description, raw.annotations.extras, strict=True
        )
        if kind == "pulse"
    ]
    table = opened.table("pulses")
    sent = [
        at
        for status, at in zip(table["status"], table["trigger_time_s"], strict=True)
        if status == "fired"
    ]
    _same("exact trigger times", [float(at) for at in told], sent)
    mne_bids.make_report(root, verbose="ERROR")
    return f"{n_found} pulses with exact trigger times, and its report on the data set"


def names_by_pypi_validator(root: Path) -> str:
    """Ask the validator of PyPI whether every file has a name that BIDS knows."""
    from bids_validator import BIDSValidator

    validator = BIDSValidator()
    names = [
        f"/{path.relative_to(root).as_posix()}"
        for path in sorted(root.rglob("*"))
        if path.is_file() and "nibs" not in path.parts and path.name[0] != "."
    ]
    unknown = [name for name in names if not validator.is_bids(name)]
    if unknown:
        raise ReaderDisagrees(f"{unknown[0]} is no name of BIDS")
    return f"{len(names)} names; nibs/, a draft, is not asked for"


def installed_npm_validator(folder: Path) -> Path:
    """Return npm's BIDS validator, installed into a folder if it is not there.

    Raises
    ------
    ReaderDisagrees
        If npm is not there or cannot install it.
    """
    program = folder / "node_modules" / ".bin" / "bids-validator"
    if program.exists():
        return program
    npm = shutil.which("npm")
    if npm is None:
        raise ReaderDisagrees("npm is not installed; install Node.js")
    folder.mkdir(parents=True, exist_ok=True)
    quiet = ["--no-audit", "--no-fund", "--omit=dev"]
    done = subprocess.run(
        [npm, "install", "--prefix", str(folder), *quiet, VALIDATOR],
        capture_output=True,
        text=True,
        timeout=_INSTALL_S,
        check=False,
    )
    if done.returncode != 0 or not program.exists():
        raise ReaderDisagrees(f"npm cannot install {VALIDATOR}: {done.stderr[-300:]}")
    return program


def checked_by_npm_validator(program: Path, root: Path) -> str:
    """Let the BIDS validator judge the data set; warnings are told, errors are a no."""
    done = subprocess.run(
        [str(program), str(root), "--json"],
        capture_output=True,
        text=True,
        timeout=_VALIDATE_S,
        check=False,
    )
    return told_by_validator(json.loads(done.stdout))


def told_by_validator(page: dict[str, Any]) -> str:
    """Return what the validator's JSON says, in one sentence.

    Raises
    ------
    ReaderDisagrees
        If it has errors, or did not look at any file.
    """
    errors = [
        f"{issue['key']}: {issue['reason']}" for issue in page["issues"]["errors"]
    ]
    if errors:
        raise ReaderDisagrees("; ".join(errors))
    n_files = page["summary"]["totalFiles"]
    if not n_files:
        raise ReaderDisagrees("it looked at no file")
    warnings = sorted({issue["key"] for issue in page["issues"]["warnings"]})
    return f"{n_files} files, no error, warnings: {', '.join(warnings) or 'none'}"


def checked_by_schema_validator(program: str, root: Path) -> str:
    """Let the validator that follows the schema of BIDS judge; it is newer."""
    done = subprocess.run(
        [program, str(root), "--json"],
        capture_output=True,
        text=True,
        timeout=_VALIDATE_S,
        check=False,
    )
    page = json.loads(done.stdout)
    issues = page["issues"]["issues"]
    errors = [
        f"{issue['code']} in {issue.get('location')}"
        for issue in issues
        if issue["severity"] == "error"
    ]
    return told_by_validator(
        {
            "issues": {
                "errors": [{"key": "schema", "reason": reason} for reason in errors],
                "warnings": [{"key": issue["code"]} for issue in issues],
            },
            "summary": page["summary"],
        }
    )


def _same(what: str, found: Any, wanted: Any) -> None:
    if not np.array_equal(np.asarray(found), np.asarray(wanted)):
        raise ReaderDisagrees(f"{what} are not those recorded")
