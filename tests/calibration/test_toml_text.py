import datetime as dt
import math
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.calibration.toml_text import to_toml

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = st.one_of(
    WORDS,
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.datetimes(timezones=st.just(dt.UTC), min_value=dt.datetime(1000, 1, 1)),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(WORDS, VALUES, max_size=5))
def test_everything_reads_back_as_it_was(table):
    read = tomllib.loads(to_toml(table))
    assert read == table
    assert repr(read) == repr(table) or set(read) == set(table)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_keep_every_digit_and_stay_floats(value):
    read = tomllib.loads(to_toml({"x": value}))["x"]
    assert isinstance(read, float)
    assert read.hex() == value.hex()


def test_a_table_reads_like_one_that_a_person_wrote():
    table = {
        "name": 'a "b"',
        "levels": [{"n": 1, "below": {"x": 2.0}}, {"n": 2}],
        "montage": {"weights": {"O1": 0.5, "F p": 1.0}},
        "empty": {},
        "band_hz": [8.0, 12.0],
    }
    assert to_toml(table) == (
        'name = "a \\"b\\""\n'
        "band_hz = [8.0, 12.0]\n\n"
        "[[levels]]\nn = 1\n\n[levels.below]\nx = 2.0\n\n[[levels]]\nn = 2\n\n"
        '[montage]\n\n[montage.weights]\nO1 = 0.5\n"F p" = 1.0\n\n[empty]\n'
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused(value):
    with pytest.raises(ValueError, match="no finite number"):
        to_toml({"a": {"b": [value]}})


def test_what_has_no_form_is_refused():
    with pytest.raises(TypeError, match="NoneType"):
        to_toml({"a": None})
    with pytest.raises(ValueError, match="time zone"):
        to_toml({"a": dt.datetime(2026, 1, 1)})
    with pytest.raises(ValueError, match="Unicode"):
        to_toml({"a": "\ud800"})
