"""The firmware's logic, compiled for this machine and called through ctypes."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import drivers

SOURCE = Path(drivers.__file__).parent / "firmware/phasegate_trigger"
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Werror", "-pedantic")
# Undefined behaviour ends the process, without a library that would have to be loaded.
CHECKS = ("-fsanitize=undefined", "-fsanitize-undefined-trap-on-error")
FLAGS = ("-std=c99", "-O1", "-shared", "-fPIC", *WARNINGS, *CHECKS)


def build(folder: Path) -> ctypes.CDLL:
    """Compile with all warnings; undefined behaviour ends the process."""
    library = folder / "phasegate_trigger.so"
    source = SOURCE / "phasegate_trigger.c"
    subprocess.run([COMPILER, *FLAGS, str(source), "-o", str(library)], check=True)
    loaded = ctypes.CDLL(str(library))
    state, u8, u16, u64 = (
        ctypes.c_char_p,
        ctypes.c_uint8,
        ctypes.c_uint16,
        ctypes.c_uint64,
    )
    loaded.pg_init.argtypes = [state, u64]
    loaded.pg_receive.argtypes = [state, u8, u64]
    loaded.pg_tick.argtypes = [state, u64]
    loaded.pg_input.argtypes = [state, u8, u8, u64]
    loaded.pg_lines.argtypes = [state]
    loaded.pg_lines.restype = u8
    loaded.pg_take.argtypes = [state, ctypes.c_char_p, u16]
    loaded.pg_take.restype = u16
    loaded.pg_state_size.restype = u16
    return loaded


class CompiledFirmware:
    """The C logic with the face of `drivers.sim.trigger_firmware.TriggerFirmware`."""

    def __init__(self, library: ctypes.CDLL, now: int) -> None:
        self._library = library
        # Guard bytes on both sides: a write beyond the state would change them.
        self._size = library.pg_state_size()
        self._state = ctypes.create_string_buffer(b"\xa5" * (self._size + 32))
        library.pg_init(self._at(), now)

    def _at(self) -> ctypes.c_char_p:
        address = ctypes.addressof(self._state) + 16
        return ctypes.cast(address, ctypes.c_char_p)

    def is_whole(self) -> bool:
        raw = self._state.raw
        return raw[:16] == b"\xa5" * 16 == raw[16 + self._size : 32 + self._size]

    @property
    def lines(self) -> int:
        return self._library.pg_lines(self._at())

    def receive(self, byte: int, now: int) -> None:
        self._library.pg_receive(self._at(), byte, now)

    def tick(self, now: int) -> None:
        self._library.pg_tick(self._at(), now)

    def note_input(self, line: int, level: int, now: int) -> None:
        self._library.pg_input(self._at(), line, level, now)

    def take(self, room: int = 256) -> bytes:
        out = ctypes.create_string_buffer(room)
        n_bytes = self._library.pg_take(self._at(), out, room)
        return out.raw[:n_bytes]
