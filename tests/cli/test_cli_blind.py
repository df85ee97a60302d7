import json
from pathlib import Path

import pytest

from controller.cli.shipped import shipped_config

STUDY = shipped_config("protocols/rtms-10hz-alpha.toml")
BY = ("--by", "Dr Who", "--why", "side effect", "--yes")


@pytest.fixture
def seal(invoke, tmp_path: Path) -> Path:
    path = tmp_path / "study.sealed"
    result = invoke("blind", "seal", STUDY, "--participants", "12", "--out", path)
    assert result.exit_code == 0, result.stderr
    assert "P001 to P012" in result.stdout
    return path


def test_operators_see_codes_only(invoke, seal: Path) -> None:
    stdout = invoke("blind", "codes", seal).stdout
    assert stdout.split() == [f"P{n:03d}" for n in range(1, 13)]


def test_verify_proves_the_commitment_and_lists_who_looked(
    invoke, seal: Path, read_json
) -> None:
    published = json.loads((seal.parent / "study.sealed.commitment.json").read_text())
    proof = ("blind", "verify", seal, "--commitment", published["commitment"])
    assert "Nobody has opened it" in invoke(*proof).stdout
    opened = read_json(invoke("blind", "open", seal, "--code", "P007", *BY, "--json"))
    assert set(opened["arms"]) == {"P007"}
    told = read_json(invoke(*proof, "--json"))
    assert [look["what"] for look in told["openings"]] == ["P007"]
    assert "Dr Who opened P007: side effect" in invoke(*proof).stdout
    wrong = invoke("blind", "verify", seal, "--commitment", "0" * 64)
    assert wrong.exit_code == 23
    assert "Do not use it" in wrong.stderr


def test_open_tells_every_arm(invoke, seal: Path, read_json) -> None:
    told = read_json(invoke("blind", "open", seal, *BY, "--json"))
    assert set(told["arms"].values()) == {"synchronised", "unsynchronised"}


def test_open_asks_once_more(invoke, seal: Path) -> None:
    result = invoke("blind", "open", seal, *BY[:-1])
    assert result.exit_code == 130
    assert "logged for good" in result.stderr
    assert "Nobody has opened it" in invoke("blind", "verify", seal).stdout


def test_coils_that_are_shared_need_no_label(invoke, seal: Path) -> None:
    assert "share one coil" in invoke("blind", "coils", seal, *BY).stdout


def test_coils_are_labelled_by_somebody_who_is_logged(invoke, tmp_path: Path) -> None:
    protocol = tmp_path / "coils.toml"
    protocol.write_text(
        STUDY.read_text().replace(
            'sham_by = "random-phase"',
            'sham_by = "coil-code"\ncoil_codes = ["A", "B"]',
        )
    )
    path = tmp_path / "x.sealed"
    invoke("blind", "seal", protocol, "--participants", "4", "--out", path)
    words = invoke("blind", "coils", path, *BY).stdout.split()
    assert sorted(words) == ["A", "B", "synchronised", "unsynchronised"]
    assert "opened coils" in invoke("blind", "verify", path).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["seal", STUDY],
        ["open", "x", "--by", "me"],
        ["coils", "x", "--code", "P001", *BY],
        ["peek", "x"],
    ],
)
def test_wrong_usage(invoke, arguments) -> None:
    assert invoke("blind", *arguments).exit_code == 2
