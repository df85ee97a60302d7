from pathlib import Path

import click
import pytest

from controller import errors
from controller.errors import PhasegateError, StreamNotFound

KINDS = sorted(PhasegateError.__subclasses__(), key=lambda kind: kind.exit_code)


@pytest.mark.parametrize("kind", KINDS)
def test_each_error_is_a_sentence_and_its_own_exit_code(invoke, session, kind) -> None:
    session.raises = kind("Something is wrong here; do that.")
    result = invoke("demo")
    assert result.exit_code == kind.exit_code
    assert "phasegate: Something is wrong here; do that.\n" in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_exit_codes_differ() -> None:
    codes = [kind.exit_code for kind in KINDS] + [0, 1, 2, 70, errors.EXIT_INTERRUPTED]
    assert len(set(codes)) == len(codes)


def test_an_error_before_the_session_is_json_too(invoke, session, read_json) -> None:
    session.raises = StreamNotFound("No stream; start one.")
    result = invoke("demo", "--json")
    assert result.exit_code == 4
    assert read_json(result) == {
        "folder": None,
        "exit": {"code": 4, "reason": "No stream; start one."},
    }


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), click.Abort()])
def test_ctrl_c_before_the_session_exits_with_130(invoke, session, raised) -> None:
    session.raises = raised
    result = invoke("demo")
    assert result.exit_code == 130
    assert "Interrupted." in result.stderr


def test_a_defect_says_so_and_keeps_its_traceback(
    invoke, session, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    session.raises = ZeroDivisionError("division by zero")
    result = invoke("demo")
    assert result.exit_code == 70
    assert "This is a defect of phasegate" in result.stderr
    assert "Traceback" not in result.stderr
    (written,) = tmp_path.glob("phasegate-defect-*.txt")
    assert str(written) in result.stderr
    assert "ZeroDivisionError: division by zero" in written.read_text()
    assert "Traceback" in written.read_text()
