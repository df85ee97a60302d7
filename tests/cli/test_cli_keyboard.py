"""Lines that are typed or piped while a protocol runs."""

import os
import time

from controller.cli.keyboard import Keyboard
from controller.rig.study.stage_waits import Signals


def test_lines_become_commands_and_enter_says_go() -> None:
    reader, writer = os.pipe()
    signals = Signals()
    with os.fdopen(reader) as lines, os.fdopen(writer, "w") as typed:
        keyboard = Keyboard(lines)
        keyboard.listen(signals)
        typed.write("\npause coil moved\n")
        typed.flush()
        t_end = time.monotonic() + 10.0
        commands: list[str] = []
        while not (commands and signals.has_go) and time.monotonic() < t_end:
            commands += signals.take_commands()
            time.sleep(0.01)
        keyboard.stop()
        keyboard.stop()
    assert commands == ["pause coil moved"]
    assert signals.has_go
