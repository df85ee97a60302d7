import io

import click
import pytest
from rich.console import Console

from controller.cli.display import LiveDisplay, PlainDisplay, open_display
from controller.rig.console.status import Status


def lines_of(display: PlainDisplay, capsys, seconds: list[float], stage: str) -> int:
    for elapsed_s in seconds:
        display.update(Status(stage=stage, elapsed_s=elapsed_s, duration_s=60.0))
    return len(capsys.readouterr().err.splitlines())


def test_plain_display_prints_at_a_stage_and_every_ten_seconds(capsys) -> None:
    display = PlainDisplay()
    twenty_a_second = [step / 20 for step in range(20 * 25)]
    assert lines_of(display, capsys, twenty_a_second, "rest") == 3
    assert lines_of(display, capsys, [0.0, 0.05], "closed loop") == 1


def test_plain_display_outlives_its_reader(monkeypatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(click, "echo", gone)
    PlainDisplay().note("Nobody reads this.")


def test_display_is_plain_where_there_is_no_terminal(capsys) -> None:
    with open_display(Console(file=io.StringIO(), force_terminal=False)) as display:
        display.note("Looking for the stream ...")
    assert capsys.readouterr().err == "Looking for the stream ...\n"


@pytest.fixture
def terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=80, height=24)


def test_live_display_keeps_notes_and_copies_the_status(terminal: Console) -> None:
    status = Status(stage="rest", held={"INTERVAL": 1})
    with LiveDisplay(terminal) as display:
        display.note("Rhythm at 10.2 Hz.")
        display.update(status)
        shown = display._shown
        status.held["AMPLITUDE"] = 1
    assert "Rhythm at 10.2 Hz." in terminal.file.getvalue()
    assert shown is not None
    assert shown.held == {"INTERVAL": 1}


def test_live_display_shows_work_until_the_next_stage(terminal: Console) -> None:
    with LiveDisplay(terminal) as display:
        display.update(Status(stage="rest"))
        display.note("Scoring the session ...")
        assert display._shown is None
        assert display._activity == "Scoring the session"


def test_live_display_leaves_the_terminal_to_a_question(terminal: Console) -> None:
    with LiveDisplay(terminal) as display:
        with display.paused():
            assert not display._live.is_started
        assert display._live.is_started
    assert not display._live.is_started
