import io

import pylsl
import pytest
from rich.console import Console

from controller.cli import stream_list
from controller.cli.stream_list import ListedStream, listed_streams, print_streams
from controller.sources.network import configure_lsl

EEG = ListedStream(
    name="amplifier",
    type="EEG",
    source_id="sn-1",
    host="lab",
    sfreq_hz=1000.0,
    channel_format="float32",
    n_channels=2,
    labels=("O1", "O2"),
    problem=None,
)
MARKERS = ListedStream(
    name="markers",
    type="Markers",
    source_id="",
    host="lab",
    sfreq_hz=0.0,
    channel_format="string",
    n_channels=1,
    labels=None,
    problem="Stream 'markers' sends string samples.",
)


@pytest.fixture
def visible(monkeypatch) -> list[ListedStream]:
    streams: list[ListedStream] = []
    monkeypatch.setattr(
        stream_list, "listed_streams", lambda wait_s, *, with_labels: streams
    )
    return streams


def test_no_stream_says_what_to_do(invoke, visible) -> None:
    result = invoke("streams")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "No LSL stream is visible. Start the amplifier's program" in result.stderr


def test_streams_as_json(invoke, visible, read_json) -> None:
    visible += [EEG, MARKERS]
    told = read_json(invoke("streams", "--json"))
    assert [each["name"] for each in told["streams"]] == ["amplifier", "markers"]
    assert told["streams"][0]["labels"] == ["O1", "O2"]
    assert told["streams"][1]["problem"].startswith("Stream 'markers'")


def test_no_stream_as_json_is_an_empty_list(invoke, visible, read_json) -> None:
    assert read_json(invoke("streams", "--json")) == {"streams": []}


def test_table_shows_marks_labels_and_problems() -> None:
    console = Console(file=io.StringIO(), width=100)
    print_streams([EEG, MARKERS], console)
    text = console.file.getvalue()
    for words in (
        "sn-1",
        "1000 Hz",
        "irregular",
        "float32",
        "amplifier channels: O1, O2",
        "no: Stream 'markers' sends string samples.",
    ):
        assert words in text


@pytest.fixture
def outlet() -> pylsl.StreamOutlet:
    configure_lsl(local_only=True)
    info = pylsl.StreamInfo("cli test", "EEG", 2, 250.0, "float32", "cli-test-1")
    channels = info.desc().append_child("channels")
    for label in ("O1", "O2"):
        channel = channels.append_child("channel")
        channel.append_child_value("label", label)
        channel.append_child_value("unit", "microvolts")
        channel.append_child_value("type", "EEG")
    return pylsl.StreamOutlet(info)


@pytest.mark.lsl
@pytest.mark.slow
def test_a_stream_of_this_machine_is_listed(outlet: pylsl.StreamOutlet) -> None:
    found = [s for s in listed_streams(1.0, with_labels=True) if s.name == "cli test"]
    (stream,) = found
    assert stream.labels == ("O1", "O2")
    assert (stream.sfreq_hz, stream.channel_format) == (250.0, "float32")
    assert stream.problem is None
