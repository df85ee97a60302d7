"""A simulated device in a process of its own, for as long as a `with` block lasts."""

import select
import shutil
import subprocess
import sys
import tempfile
import time
import weakref
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from drivers.base import DriverError
from drivers.sim.arrival_log import Arrival, read_arrivals

_START_TIMEOUT_S: Final = 15.0
_STOP_TIMEOUT_S: Final = 3.0
_LOOK_AGAIN_S: Final = 0.005


class TwinError(DriverError):
    """A simulated device that did not start, or did not do what was waited for."""


class TwinProcess:
    """Starts `python -m drivers.sim NAME OPTIONS`, and ends it.

    Parameters
    ----------
    name : str
        Name of the device, as `python -m drivers.sim --help` lists it.
    *options : str
        Its options.
    log : Path, optional
        Where the device records what arrives; a file that goes with this object if
        None.
    """

    def __init__(self, name: str, *options: str, log: Path | None = None) -> None:
        self.name = name
        self._options = options
        self._port: str | None = None
        self._process: subprocess.Popen[bytes] | None = None
        if log is None:
            folder = Path(tempfile.mkdtemp(prefix="phasegate-twin-"))
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            log = folder / "arrivals.jsonl"
        self.log = log

    def __enter__(self) -> Self:
        """Start the device."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the device."""
        self.stop()

    @property
    def port(self) -> str:
        """Name of the port to open.

        Raises
        ------
        TwinError
            If the device was not started.
        """
        if self._port is None:
            raise TwinError(
                f"The simulated device {self.name} is not running; start it first."
            )
        return self._port

    @property
    def pid(self) -> int:
        """Process id of the device.

        Raises
        ------
        TwinError
            If the device was not started.
        """
        if self._process is None:
            raise TwinError(
                f"The simulated device {self.name} is not running; start it first."
            )
        return self._process.pid

    def start(self, timeout_s: float = _START_TIMEOUT_S) -> None:
        """Start the device and wait until its port is there.

        Raises
        ------
        TwinError
            If the device ends at once, or has no port within `timeout_s`.
        """
        if self._process is not None:
            raise TwinError(
                f"The simulated device {self.name} is running already; stop it first."
            )
        command = [sys.executable, "-P", "-m", "drivers.sim", self.name]
        command += ["--log", str(self.log), *self._options]
        with tempfile.TemporaryFile() as complaints:
            # A session of its own: Ctrl-C is for the controller, which still has to
            # lower the line of this device.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
                start_new_session=True,
            )
            try:
                line = self._first_line(time.monotonic() + timeout_s)
            except BaseException:
                self.stop()
                raise
            if line.startswith("PORT ") and line.endswith("\n"):
                self._port = line.removeprefix("PORT ").strip()
                return
            self.stop()
            raise TwinError(
                f"The simulated device {self.name} did not start: "
                f"{_last_line(complaints) or f'no port within {timeout_s:g} s.'}"
            )

    def stop(self, timeout_s: float = _STOP_TIMEOUT_S) -> int | None:
        """End the device and return its exit code, None if it never ran.

        It is asked to end, so that it records its last bytes; if it has not ended
        after `timeout_s`, it is killed.
        """
        process, self._process = self._process, None
        self._port = None
        if process is None:
            return None
        process.terminate()
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        return process.returncode

    def arrivals(self) -> list[Arrival]:
        """Return what has arrived so far; also after the end of the device.

        Raises
        ------
        ArrivalLogError
            If the log cannot be read.
        """
        return read_arrivals(self.log) if self.log.exists() else []

    def wait_for_arrivals(self, count: int, timeout_s: float = 5.0) -> list[Arrival]:
        """Return the arrivals, once there are at least `count`.

        Raises
        ------
        TwinError
            If there are fewer after `timeout_s`.
        """
        t_end = time.monotonic() + timeout_s
        while len(arrived := self.arrivals()) < count:
            if not time.monotonic() < t_end:
                raise TwinError(
                    f"Only {len(arrived)} of {count} changes reached the simulated "
                    f"device {self.name} within {timeout_s:g} s; see {self.log}."
                )
            time.sleep(_LOOK_AGAIN_S)
        return arrived

    def _first_line(self, t_end: float) -> str:
        if self._process is None or self._process.stdout is None:
            return ""
        stdout = self._process.stdout
        remaining = t_end - time.monotonic()
        # The line is one short write, so it is readable as a whole or not at all.
        ready, _, _ = select.select([stdout], [], [], max(0.0, remaining))
        return stdout.readline().decode() if ready else ""


def _last_line(complaints: IO[bytes]) -> str:
    complaints.seek(0)
    lines = complaints.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
