"""Calls that a pseudo-terminal does not know, answered by a preloaded library.

`LD_PRELOAD=$(python -m drivers.sim.port_calls) PROGRAM` lets a program set RTS and DTR
on the port of any twin, and drive the twins `serial-line` and `parallel` as the real
devices. The library is compiled at the first use, for this machine.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from drivers.base import DriverError

SOURCE: Final = Path(__file__).with_name("port_calls.c")
_FLAGS: Final = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-shared", "-fPIC")
_COMPILE_TIMEOUT_S: Final = 60.0


class PortCallsError(DriverError):
    """The library cannot be made here."""


def library(folder: Path | None = None) -> Path:
    """Return the compiled library, and compile it if this source was not yet.

    Parameters
    ----------
    folder : Path or None
        Where it is kept; the user's cache if None.

    Raises
    ------
    PortCallsError
        Without a C compiler, or if the folder cannot be written.
    """
    source = SOURCE.read_bytes()
    name = f"port_calls-{hashlib.sha256(source).hexdigest()[:16]}.so"
    if folder is None:
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(cache) / "phasegate"
    made = folder / name
    if not made.exists():
        _compile(made)
    return made


def environment(folder: Path | None = None) -> dict[str, str]:
    """Return what to add to the environment of a program that shall have the calls.

    Raises
    ------
    PortCallsError
    """
    others = os.environ.get("LD_PRELOAD", "")
    path = str(library(folder))
    return {"LD_PRELOAD": f"{path}:{others}" if others else path}


def _compile(made: Path) -> None:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise PortCallsError(
            "Control lines cannot be simulated without a C compiler; install gcc."
        )
    try:
        made.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=made.parent) as folder:
            fresh = Path(folder) / made.name
            command = [compiler, *_FLAGS, str(SOURCE), "-o", str(fresh), "-ldl"]
            subprocess.run(
                [*command, "-lpthread"],
                check=True,
                capture_output=True,
                text=True,
                timeout=_COMPILE_TIMEOUT_S,
            )
            fresh.replace(made)
    except subprocess.SubprocessError as error:
        complaint = str(getattr(error, "stderr", "") or error).strip()
        last = complaint.splitlines()[-1]
        raise PortCallsError(
            f"{SOURCE.name} does not compile here ({last}); control lines can be "
            "simulated on Linux only."
        ) from error
    except OSError as error:
        raise PortCallsError(
            f"The library cannot be kept in {made.parent} ({error.strerror}); set "
            "XDG_CACHE_HOME to a folder that you may write to."
        ) from error
