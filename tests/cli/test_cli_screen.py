import io
import math

import pytest
from rich.console import Console

from controller.cli.phrases import clock, most_frequent, phase_place
from controller.cli.screen import amplitude_words, one_line, phase_words, screen
from controller.rig.console.status import Status

NAN = float("nan")


def running(**changes) -> Status:
    status = Status(
        stage="closed loop",
        elapsed_s=23.4,
        duration_s=60.0,
        fired=14,
        refused={"TOO_LATE": 2, "DATA_TOO_OLD": 1},
        held={
            "INTERVAL": 120,
            "AMPLITUDE": 92,
            "TOO_LATE": 4,
            "BUSY": 2,
            "ARTIFACT": 1,
        },
        data_age_s=0.0021,
        phase_rad=math.radians(123.0),
        amplitude_uv=5.3,
        threshold_uv=4.1,
        n_samples=53_400,
        n_bytes=4_200_000,
    )
    for name, value in changes.items():
        setattr(status, name, value)
    return status


def drawn(status: Status | None, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(screen(status, "Designing the estimator", width=width))
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_screen_shows_what_an_operator_needs(width: int) -> None:
    text = drawn(running(), width)
    for words in (
        "closed loop",
        "0:23 of 1:00, 0:37 left",
        "14 fired, 3 refused",
        "2: the trigger would have left later than the lateness limit",
        "120 x the inter-trial interval had not passed",
        " 92 x the rhythm was weaker than the amplitude gate",
        "+123 deg, falling",
        "5.3 uV; gate at 4.1 uV is open",
        "2.1 ms",
        "4.2 MB",
        "Ctrl-C disarms",
    ):
        assert words in " ".join(text.split()) or words in text
    assert "artifact" not in text, "only the four most frequent reasons"
    assert all(len(line.rstrip()) <= width for line in text.splitlines())


@pytest.mark.parametrize(
    ("lag_s", "n_lost", "words"),
    [
        (0.25, 0, ""),
        (0.26, 0, "the recorder is 0.3 s behind"),
        (0.1, 3, "3 events lost"),
        (NAN, 0, "the recorder is nan s behind"),
    ],
)
def test_a_recorder_that_lags_or_loses_is_shown(lag_s, n_lost, words) -> None:
    status = running(lag_s=lag_s, n_lost_events=n_lost)
    for text in (" ".join(drawn(status).split()), one_line(status)):
        assert words in text
        assert ("behind" in text) is ("behind" in words)
        assert ("lost" in text) is ("lost" in words)


def test_screen_keeps_quiet_about_pulses_before_there_is_an_estimator() -> None:
    rest = running(stage="rest", fired=0, refused={}, held={}, amplitude_uv=0.0)
    text = drawn(rest)
    assert "pulses" not in text
    assert "phase" not in text
    assert "data age" in text


def test_screen_without_planned_end_has_no_bar() -> None:
    text = drawn(running(duration_s=None, elapsed_s=3725.0))
    assert "1:02:05, until it ends or Ctrl-C" in text
    assert "━" not in text


def test_screen_between_stages_names_the_work() -> None:
    assert "Designing the estimator ..." in drawn(None)


def test_unknown_figures_are_words_not_nan() -> None:
    blank = running(
        data_age_s=NAN, phase_rad=NAN, amplitude_uv=NAN, threshold_uv=NAN, fired=1
    )
    assert "nan" not in drawn(blank).lower()
    assert "nan" not in one_line(blank).lower()


@pytest.mark.parametrize(
    ("amplitude_uv", "threshold_uv", "words"),
    [
        (5.0, 4.0, "5.0 uV; gate at 4.0 uV is open"),
        (4.0, 4.0, "4.0 uV; gate at 4.0 uV is open"),
        (3.0, 4.0, "3.0 uV; gate at 4.0 uV is closed"),
        (3.0, 0.0, "3.0 uV; no gate"),
        (3.0, NAN, "3.0 uV; the gate waits until it has seen enough"),
        (NAN, 4.0, "no estimate at the moment"),
    ],
)
def test_amplitude_is_told_beside_the_gate(amplitude_uv, threshold_uv, words) -> None:
    status = running(amplitude_uv=amplitude_uv, threshold_uv=threshold_uv)
    assert amplitude_words(status) == words


@pytest.mark.parametrize(
    ("degrees", "place"),
    [
        (0, "peak"),
        (44, "peak"),
        (-44, "peak"),
        (90, "falling"),
        (180, "trough"),
        (-180, "trough"),
        (-90, "rising"),
        (-46, "rising"),
    ],
)
def test_phase_is_told_as_a_place_in_the_cycle(degrees: int, place: str) -> None:
    assert phase_place(degrees) == place
    assert phase_words(running(phase_rad=math.radians(degrees))).endswith(place)


def test_one_line_tells_the_same() -> None:
    assert one_line(running()) == (
        "closed loop 0:23 of 1:00, 0:37 left; 14 fired, 3 refused; held most often: "
        "the inter-trial interval had not passed (120); data age 2.1 ms; 4.2 MB written"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (59.99, "0:59"), (60, "1:00"), (3600, "1:00:00")],
)
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_most_frequent_orders_equal_counts_by_name() -> None:
    assert most_frequent({"b": 1, "a": 1, "c": 5}, 2) == [("c", 5), ("a", 1)]
