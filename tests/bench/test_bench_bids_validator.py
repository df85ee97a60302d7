"""The independent readers are asked for real, all but npm's, which is installed."""

import dataclasses
import json
import subprocess

import numpy as np
import pytest

from bench import bids_validator
from bench.export_readers import (
    ReaderDisagrees,
    installed_npm_validator,
    read_by_mne,
    read_by_pyxdf,
    told_by_validator,
    verdict,
)
from controller.export.opened import open_session

for package in ("mne", "mne_bids", "pybv", "edfio", "pyxdf", "bids_validator"):
    pytest.importorskip(package)


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    return bids_validator.made_session(tmp_path_factory.mktemp("sessions"))


def test_every_reader_agrees(session, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _name: None)
    said = bids_validator.verdicts(session, tmp_path / "study", None)
    assert [one.reader.split()[0] for one in said] == [
        "pyxdf",
        "mne",
        "mne-bids",
        "mne",
        "mne-bids",
        "bids-validator",
    ]
    assert [one.said for one in said if not one.passed] == []


def test_a_sample_that_differs_is_found(session, tmp_path):
    opened = open_session(session)
    raw = np.array(opened.session.raw)
    raw[100, 0] += 1.0
    other = dataclasses.replace(
        opened, session=dataclasses.replace(opened.session, raw=raw)
    )
    export, _ = bids_validator.export_both(session, tmp_path / "study")
    with pytest.raises(ReaderDisagrees, match="samples"):
        read_by_pyxdf(other)
    with pytest.raises(ReaderDisagrees, match="off by up to"):
        read_by_mne(other, export)


def page(errors=(), warnings=(), n_files=3):
    return {
        "issues": {
            "errors": [{"key": key, "reason": "because"} for key in errors],
            "warnings": [{"key": key} for key in warnings],
        },
        "summary": {"totalFiles": n_files},
    }


def test_warnings_of_the_validator_are_told_and_errors_are_a_no():
    assert "NO_AUTHORS" in told_by_validator(page(warnings=["NO_AUTHORS"]))
    for bad in (page(errors=["NOT_BIDS"]), page(n_files=0)):
        with pytest.raises(ReaderDisagrees):
            told_by_validator(bad)


def test_a_validator_that_cannot_be_installed_is_a_no(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(
        subprocess,
        "run",
        lambda command, **_: subprocess.CompletedProcess(command, 1, "", "no network"),
    )
    one = verdict("npm", "x", lambda: str(installed_npm_validator(tmp_path)))
    assert not one.passed
    assert "no network" in one.said
    monkeypatch.setattr("shutil.which", lambda _name: None)
    assert (
        "Node.js"
        in verdict("npm", "x", lambda: str(installed_npm_validator(tmp_path))).said
    )


def test_the_command_writes_json_and_fails_with_a_reader(
    session, tmp_path, monkeypatch
):
    from click.testing import CliRunner

    out = tmp_path / "verdicts.json"
    bad = bids_validator.Verdict(reader="r", subject="s", passed=False, said="no")
    good = dataclasses.replace(bad, passed=True)
    for said, code in (([good], 0), ([good, bad], 1)):
        monkeypatch.setattr(bids_validator, "verdicts", lambda *_, s=said: s)
        arguments = [str(session), "--no-npm", "--json", str(out)]
        result = CliRunner().invoke(bids_validator.main, arguments)
        assert result.exit_code == code
        verdicts = json.loads(out.read_text(encoding="utf-8"))["verdicts"]
        assert [one["passed"] for one in verdicts] == [one.passed for one in said]
