import json

import pytest
from click.testing import CliRunner

from controller.cli.main import cli
from controller.errors import FileError
from controller.session.recording.append_file import AppendFile
from controller.session.recording.xdf import XdfWriter

TORN = b"\x04\xff\xff\xff\x00\x03\x00half"


@pytest.fixture
def torn(tmp_path):
    path = tmp_path / "torn.xdf"
    XdfWriter(AppendFile(path)).close()
    with path.open("ab") as file:
        file.write(TORN)
    return path


def recover(path, *options):
    return CliRunner().invoke(cli, ["recover", str(path), *options])


def test_torn_file_is_cut_and_then_whole(torn):
    first, second = recover(torn), recover(torn)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert f"{len(TORN)} torn bytes were cut off and kept as *.torn" in first.stderr
    assert "is whole; nothing was changed" in second.stderr


def test_json_says_what_was_done(torn):
    done = json.loads(recover(torn, "--json").stdout)
    assert done["path"] == str(torn)
    assert done["n_cut_bytes"] == len(TORN)
    assert done["was_finished"] is False


def test_what_is_no_session_is_a_sentence(tmp_path):
    result = recover(tmp_path)
    assert result.exit_code == FileError.exit_code
    assert "neither a session folder nor an XDF file" in result.stderr
    assert "Traceback" not in result.output
