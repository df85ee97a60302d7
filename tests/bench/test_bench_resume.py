"""The benchmark that kills and resumes: a sound protocol, and strict figures."""

from bench.resume import protocol_text, rows_of
from controller.config import load_config
from controller.protocol.protocol_file import parse_protocol
from controller.rig.study.prepared import Study, require_runnable
from tests.rig.test_virtual_study import RIG

BOOKS = {
    "kills": 2,
    "parts": 3,
    "seen": 9,
    "logged": 9,
    "booked": 9,
    "given_twice": [],
    "missing": [],
}


def test_its_protocol_breaks_no_rule() -> None:
    text = protocol_text(8)
    study = Study.of(parse_protocol(text, where="bench"), text, seed=1)
    require_runnable(study, load_config(RIG))


def test_books_that_agree_hold() -> None:
    # Each of two kills may have met a pulse on its way, which then counts.
    for booked in (9, 10, 11):
        assert all(row.holds for row in rows_of(BOOKS | {"booked": booked}))


def test_a_pulse_that_is_lost_or_counted_twice_does_not() -> None:
    for wrong in (
        {"logged": 8},
        {"booked": 8},
        {"booked": 12},
        {"given_twice": [4]},
        {"missing": [7]},
    ):
        assert sum(not row.holds for row in rows_of(BOOKS | wrong)) == 1
