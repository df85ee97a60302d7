"""The dose book: checked, kept through crashes, and never counted twice."""

import datetime as dt
import json
from pathlib import Path

import portalocker
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.errors import DoseExceeded, FileError, RecordingError
from controller.safety.ceilings import Modality
from controller.safety.dose import NO_DOSE, Dose, DoseLimits
from controller.session.books.dose_book import DAY, DoseBook, book_path, books_folder

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
LIMITS = DoseLimits(
    max_pulses_per_day=100,
    max_pulses_total=150,
    max_trains_per_session=2,
    max_trains_per_day=3,
    max_trains_total=4,
    max_full_pulses_per_day=60.0,
)


def pulses(n: int) -> Dose:
    return Dose(pulses=n)


@pytest.fixture
def book(tmp_path: Path) -> DoseBook:
    return DoseBook(tmp_path / "books" / "P07.jsonl")


def reserve(
    book: DoseBook,
    session: str = "a",
    n: int = 10,
    t: dt.datetime = NOON,
    modality: Modality = Modality.TMS,
    limits: DoseLimits | None = LIMITS,
) -> None:
    book.reserve(session, modality=modality, planned=pulses(n), limits=limits, t_now=t)


def test_a_book_that_another_program_holds_is_a_sentence(
    book: DoseBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve(book)
    before = book.path.read_bytes()
    monkeypatch.setattr("controller.session.books.dose_book.LOCK_WITHIN_S", 0.05)
    with portalocker.Lock(book.path, mode="r+b"):
        with pytest.raises(RecordingError, match=r"held by another program"):
            reserve(book, "b")
        with pytest.raises(RecordingError, match=r"held by another program"):
            book.settle("a", pulses(1), NOON)
    assert book.path.read_bytes() == before
    book.settle("a", pulses(1), NOON)


def test_a_book_that_cannot_be_opened_is_a_sentence(book: DoseBook) -> None:
    book.path.mkdir(parents=True)
    with pytest.raises(RecordingError, match="cannot be opened for writing"):
        reserve(book)


def test_a_book_that_is_not_there_is_empty(book: DoseBook) -> None:
    assert book.sessions() == ()
    assert book.given(Modality.TMS, NOON) == (NO_DOSE, NO_DOSE)


def test_a_session_counts_with_its_plan_until_it_is_counted(book: DoseBook) -> None:
    reserve(book, n=40)
    (booked,) = book.sessions()
    assert (booked.session, booked.is_counted) == ("a", False)
    assert book.given(Modality.TMS, NOON)[0].pulses == 40
    book.settle("a", pulses(7), NOON + dt.timedelta(minutes=20))
    (booked,) = book.sessions()
    assert booked.is_counted
    assert (booked.t_begin, booked.t_end) == (NOON, NOON + dt.timedelta(minutes=20))
    assert book.given(Modality.TMS, NOON)[1] == pulses(7)


def test_modalities_are_added_up_apart(book: DoseBook) -> None:
    reserve(book, "a", 40)
    reserve(book, "b", 90, modality=Modality.SENSORY)
    assert book.given(Modality.TMS, NOON)[0].pulses == 40
    assert book.given(Modality.SENSORY, NOON)[1].pulses == 90


def test_a_plan_that_passes_a_limit_is_refused_and_not_entered(book: DoseBook) -> None:
    reserve(book, "a", 60)
    before = book.path.read_bytes()
    with pytest.raises(DoseExceeded, match=r"101 pulses within 24 hours.*_day = 100"):
        reserve(book, "b", 41)
    assert book.path.read_bytes() == before
    reserve(book, "b", 40)


def test_a_day_is_any_24_hours_and_ever_is_ever(book: DoseBook) -> None:
    reserve(book, "a", 90)
    book.settle("a", pulses(90), NOON)
    with pytest.raises(DoseExceeded, match="within 24 hours"):
        reserve(book, "b", 20, NOON + DAY)
    reserve(book, "b", 20, NOON + DAY + dt.timedelta(seconds=1))
    book.settle("b", pulses(20), NOON + DAY + dt.timedelta(seconds=2))
    with pytest.raises(DoseExceeded, match=r"160 pulses in all.*_total = 150"):
        reserve(book, "c", 50, NOON + 10 * DAY)


def test_an_uncounted_session_is_of_every_day(book: DoseBook) -> None:
    reserve(book, "a", 60)
    with pytest.raises(DoseExceeded):
        reserve(book, "b", 50, NOON + 30 * DAY)


def test_a_session_from_the_future_counts_for_today(book: DoseBook) -> None:
    reserve(book, "a", 60, NOON + 5 * DAY)
    book.settle("a", pulses(60), NOON + 5 * DAY)
    with pytest.raises(DoseExceeded):
        reserve(book, "b", 50, NOON)


def test_no_pulse_counts_twice(book: DoseBook) -> None:
    reserve(book)
    with pytest.raises(DoseExceeded, match="already"):
        reserve(book)
    book.settle("a", pulses(3), NOON)
    with pytest.raises(FileError, match="has counted the session a"):
        book.settle("a", pulses(3), NOON)
    with pytest.raises(FileError, match="has no session z"):
        book.settle("z", pulses(3), NOON)
    assert book.given(Modality.TMS, NOON)[1] == pulses(3)


def test_a_torn_last_record_was_never_entered(book: DoseBook) -> None:
    reserve(book, "a", 10)
    whole = book.path.read_bytes()
    book.settle("a", pulses(1), NOON)
    settled = book.path.read_bytes()
    for cut in range(len(whole), len(settled)):
        book.path.write_bytes(settled[:cut])
        assert book.given(Modality.TMS, NOON)[1].pulses == 10
    book.settle("a", pulses(2), NOON)
    assert book.given(Modality.TMS, NOON)[1].pulses == 2
    assert len(book.path.read_text().splitlines()) == 2


@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_changed_bit_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    book = DoseBook(tmp_path_factory.mktemp("books") / "P07.jsonl")
    reserve(book, "a", 10)
    book.settle("a", pulses(4), NOON)
    reserve(book, "b", 20)
    content = bytearray(book.path.read_bytes())
    # The end of the last line is what a crash may tear.
    place %= len(content) - 1
    content[place] ^= 1 << bit
    book.path.write_bytes(bytes(content))
    with pytest.raises(FileError, match=r"damaged in line \d"):
        book.sessions()
    with pytest.raises(FileError, match="damaged"):
        reserve(book, "c")


def test_a_record_taken_out_is_noticed(book: DoseBook) -> None:
    for name in "abc":
        reserve(book, name)
    lines = book.path.read_bytes().splitlines(keepends=True)
    book.path.write_bytes(lines[0] + lines[2])
    with pytest.raises(FileError, match="damaged in line 2"):
        book.sessions()


def test_a_record_of_an_unknown_kind_is_damage(book: DoseBook) -> None:
    reserve(book)
    content = json.loads(book.path.read_text())
    content["kind"] = "counted"
    book.path.write_text(json.dumps(content) + "\n")
    with pytest.raises(FileError, match="damaged in line 1"):
        book.sessions()


def test_a_book_that_cannot_be_read_is_no_empty_book(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        DoseBook(tmp_path).sessions()


@pytest.mark.parametrize("name", ["P07", "../P07", "a/b", "Mäx", "..", "a b"])
def test_every_participant_has_a_file_of_its_own(tmp_path: Path, name: str) -> None:
    path = book_path(tmp_path, name)
    assert path.parent == tmp_path
    assert path != book_path(tmp_path, name + "x")


def test_books_lie_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PHASEGATE_DOSE_BOOKS", str(tmp_path))
    assert books_folder() == tmp_path
    monkeypatch.delenv("PHASEGATE_DOSE_BOOKS")
    assert books_folder().name == "dose"
