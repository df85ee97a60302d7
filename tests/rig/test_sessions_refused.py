"""Sessions that cannot begin: one sentence, and no folder is left behind."""

import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pylsl
import pytest
from bad_days import Operator, assert_one_sentence, config_text

from controller.config import parse_config
from controller.errors import (
    ChannelError,
    ConfigError,
    OutputBusy,
    OutputNotFound,
    PhasegateError,
    RecordingError,
    StreamAmbiguous,
    StreamFormatError,
    StreamNotFound,
)
from controller.rig.run import run_session
from controller.session.folder import SessionFolder
from drivers.sim.process import TwinProcess

pytestmark = [pytest.mark.lsl, pytest.mark.slow]

Announce = Callable[..., str]


@pytest.fixture
def announce() -> Iterator[Announce]:
    """Return a function that puts up a stream without samples, and names its source."""
    standing: list[pylsl.StreamOutlet] = []

    def build(
        *labels: str,
        name: str = "amplifier",
        rate_hz: float = 500.0,
        sample_format: str = "float32",
    ) -> str:
        source_id = f"refused-{uuid.uuid4().hex}"
        info = pylsl.StreamInfo(
            name, "EEG", len(labels), rate_hz, sample_format, source_id
        )
        channels = info.desc().append_child("channels")
        for label in labels:
            channel = channels.append_child("channel")
            channel.append_child_value("label", label)
            channel.append_child_value("unit", "microvolts")
            channel.append_child_value("type", "EEG")
        standing.append(pylsl.StreamOutlet(info))
        return source_id

    yield build
    standing.clear()


def refused(out: Path, **tables: dict[str, object]) -> PhasegateError:
    """Run a session that must not begin; return why not."""
    text = config_text(**tables)
    operator = Operator()
    with pytest.raises(PhasegateError) as caught:
        run_session(
            parse_config(text, where="refused.toml"),
            text,
            out=out,
            listener=operator,
            confirm_arming=lambda _: pytest.fail("asked to arm"),
        )
    assert operator.status.n_samples == 0
    assert not out.exists() or list(out.iterdir()) == []
    return caught.value


def lsl(source_id: str, **keys: object) -> dict[str, object]:
    return {"kind": "lsl", "source_id": source_id, "resolve_timeout_s": 1.0} | keys


def test_no_stream(tmp_path: Path) -> None:
    error = refused(tmp_path, source=lsl("nobody-has-this-id"))
    assert type(error) is StreamNotFound
    assert_one_sentence(
        str(error), "No stream with source_id 'nobody-has-this-id'", "within 1 s", "; "
    )


def test_two_streams_with_the_mark(tmp_path: Path, announce: Announce) -> None:
    name = f"twins-{uuid.uuid4().hex}"
    first, second = announce("O1", "O2", name=name), announce("O1", "O2", name=name)
    source = {"kind": "lsl", "name": name, "resolve_timeout_s": 2.0}
    error = refused(tmp_path, source=source)
    assert type(error) is StreamAmbiguous
    assert_one_sentence(str(error), first, second, "add source_id to [source]")


def test_label_that_the_stream_does_not_have(
    tmp_path: Path, announce: Announce
) -> None:
    source = lsl(announce("EEG O1", "Oz", "O2"))
    error = refused(tmp_path, source=source)
    assert type(error) is ChannelError
    assert "montage.weights: the stream has no channel 'O1'" in str(error)
    assert "It has EEG O1, Oz, O2." in str(error)


def test_label_that_the_stream_has_twice(tmp_path: Path, announce: Announce) -> None:
    error = refused(tmp_path, source=lsl(announce("O1", "O2", "O1")))
    assert type(error) is ChannelError
    assert_one_sentence(str(error), "O1")


@pytest.mark.parametrize("sample_format", ["string", "int16"])
def test_samples_that_are_no_floats(
    tmp_path: Path, announce: Announce, sample_format: str
) -> None:
    error = refused(
        tmp_path, source=lsl(announce("O1", "O2", sample_format=sample_format))
    )
    assert type(error) is StreamFormatError
    assert_one_sentence(str(error), sample_format)


def test_stream_without_a_rate(tmp_path: Path, announce: Announce) -> None:
    error = refused(tmp_path, source=lsl(announce("O1", "O2", rate_hz=0.0)))
    assert type(error) is StreamFormatError
    assert_one_sentence(str(error), "rate")


def test_missing_port(tmp_path: Path, announce: Announce) -> None:
    error = refused(
        tmp_path,
        source=lsl(announce("O1", "O2")),
        output={"kind": "serial-byte", "port": "/dev/no-such-port"},
    )
    assert type(error) is OutputNotFound
    assert_one_sentence(str(error), "no serial port /dev/no-such-port", "plug")


def test_busy_port(tmp_path: Path, announce: Announce) -> None:
    hold = (
        "import sys; from drivers.serial_port import open_serial; "
        "port = open_serial(sys.argv[1], 115200); print('held', flush=True); "
        "sys.stdin.read()"
    )
    with TwinProcess("serial-byte") as twin:
        command = [sys.executable, "-P", "-c", hold, twin.port]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            error = refused(
                tmp_path,
                source=lsl(announce("O1", "O2")),
                output={"kind": "serial-byte", "port": twin.port},
            )
        assert twin.arrivals() == []
        assert type(error) is OutputBusy
        assert_one_sentence(str(error), f"Another program holds {twin.port}", "close")


def test_pseudo_terminal_has_no_control_lines(
    tmp_path: Path, announce: Announce
) -> None:
    with TwinProcess("serial-byte") as twin:
        error = refused(
            tmp_path,
            source=lsl(announce("O1", "O2")),
            output={"kind": "serial-line", "port": twin.port},
        )
    assert type(error) is ConfigError
    assert_one_sentence(str(error), "has no RTS line", "serial-byte")


def test_folder_that_cannot_be_made(tmp_path: Path, announce: Announce) -> None:
    out = tmp_path / "file"
    out.write_text("not a folder")
    with pytest.raises(RecordingError, match="No session folder can be made in"):
        SessionFolder.create(out)
    text = config_text(source=lsl(announce("O1", "O2")))
    with pytest.raises(RecordingError, match=r"; choose another place with --out\.$"):
        run_session(
            parse_config(text, where="refused.toml"),
            text,
            out=out,
            listener=Operator(),
            confirm_arming=lambda _: False,
        )
    assert out.read_text() == "not a folder"


def test_missing_rest_is_told_before_anything_is_looked_for(tmp_path: Path) -> None:
    error = refused(
        tmp_path, source=lsl("nobody-has-this-id"), estimator={"kind": "wiener"}
    )
    assert type(error) is ConfigError
    assert_one_sentence(str(error), "designed from rest, but run.rest_s is 0")
