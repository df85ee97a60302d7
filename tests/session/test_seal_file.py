import dataclasses
from pathlib import Path

import pytest

from controller.errors import SealError
from controller.protocol.allocation import draw_allocation
from controller.protocol.protocol_file import load_protocol
from controller.session.books.seal_file import (
    EVERYTHING,
    Opening,
    is_open,
    log_path,
    open_seal,
    openings,
    read_seal,
    write_seal,
)

READY = Path(__file__).parents[2] / "configs" / "protocols"
ALLOCATION = draw_allocation(
    load_protocol(READY / "rtms-10hz-alpha.toml"), 6, b"n" * 32
)
LOOK = Opening(
    who="A", why="side effect", when="2026-03-02T08:00:00+01:00", what="P003"
)


@pytest.fixture
def seal(tmp_path: Path) -> Path:
    path = tmp_path / "study.sealed"
    write_seal(path, ALLOCATION)
    return path


def test_a_seal_is_written_once(seal: Path) -> None:
    assert read_seal(seal) == ALLOCATION
    with pytest.raises(SealError, match="sealed once"):
        write_seal(seal, ALLOCATION)


def test_a_seal_that_was_opened_is_not_written_over(seal: Path) -> None:
    open_seal(seal, LOOK)
    seal.unlink()
    with pytest.raises(SealError, match="sealed once"):
        write_seal(seal, ALLOCATION)


def test_every_look_is_logged_before_anything_is_shown(seal: Path) -> None:
    assert not is_open(seal, "P003")
    assert open_seal(seal, LOOK).arm_of("P003") == ALLOCATION.arm_of("P003")
    assert openings(seal, ALLOCATION) == (LOOK,)
    assert is_open(seal, "P003")
    assert not is_open(seal, "P004")
    open_seal(seal, dataclasses.replace(LOOK, what=EVERYTHING))
    assert is_open(seal, "P004")
    assert is_open(seal)


def test_nothing_is_opened_where_nothing_can_be_logged(seal: Path) -> None:
    log_path(seal).mkdir()
    with pytest.raises(SealError):
        open_seal(seal, LOOK)


def test_an_unknown_code_leaves_no_entry(seal: Path) -> None:
    with pytest.raises(SealError, match="no code 'P9'"):
        open_seal(seal, dataclasses.replace(LOOK, what="P9"))
    assert openings(seal, ALLOCATION) == ()


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: [lines[0].replace(b"side effect", b"no effect"), *lines[1:]],
        lambda lines: [lines[0], lines[2]],
        lambda lines: lines[1:],
        lambda lines: [*lines[:2], b"{}"],
        lambda lines: [*lines[:2], lines[2][:20]],
    ],
    ids=["changed", "middle gone", "first gone", "nonsense", "torn"],
)
def test_a_log_that_was_changed_is_told_but_hinders_no_emergency(seal, damage) -> None:
    for code in ("P001", "P002", "P003"):
        open_seal(seal, dataclasses.replace(LOOK, what=code))
    lines = log_path(seal).read_bytes().splitlines()
    log_path(seal).write_bytes(b"\n".join(damage(lines)))
    with pytest.raises(SealError, match="was changed at line"):
        openings(seal, ALLOCATION)
    assert open_seal(seal, LOOK).arm_of("P003")
    assert b"side effect" in log_path(seal).read_bytes().splitlines()[-1]


def test_a_missing_seal_is_told(tmp_path: Path) -> None:
    with pytest.raises(SealError, match="cannot be read"):
        read_seal(tmp_path / "none")
    with pytest.raises(SealError, match="cannot be written"):
        write_seal(tmp_path / "no" / "x", ALLOCATION)
