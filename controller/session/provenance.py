"""What the session ran on: versions, machine, privileges and seeds."""

import importlib.metadata
import os
import platform
from collections.abc import Mapping
from pathlib import Path

from controller.session.code_version import code_version
from controller.session.jsonable import JsonValue, jsonable

DEPENDENCIES = (
    "numpy",
    "scipy",
    "numba",
    "llvmlite",
    "pylsl",
    "pyserial",
    "pydantic",
    "mne",
    "matplotlib",
)


def provenance(
    *, privileges: Mapping[str, object], seeds: Mapping[str, int]
) -> dict[str, JsonValue]:
    """Return everything beside the configuration that a session depends on.

    Parameters
    ----------
    privileges : mapping
        What the operating system granted the loop, and what it did not.
    seeds : mapping of str to int
        Of every random generator.
    """
    return {
        "phasegate": _version("phasegate"),
        "code": jsonable(code_version()),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in DEPENDENCIES},
        "system": platform.system(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "cpu": _cpu(Path("/proc/cpuinfo")),
        "n_cpu": os.cpu_count(),
        "privileges": jsonable(dict(privileges)),
        "seeds": jsonable(dict(seeds)),
    }


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu(listing: Path) -> str:
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
