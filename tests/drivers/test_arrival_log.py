"""The log of arrivals: what was appended is read back, and damage is noticed."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.sim.arrival_log import Arrival, ArrivalLog, ArrivalLogError, read_arrivals

arrivals = st.lists(
    st.builds(
        Arrival,
        t_observed=st.floats(allow_nan=False, allow_infinity=False),
        code=st.integers(0, 255),
        merged=st.integers(0, 256),
    )
)


@given(arrivals)
def test_what_was_appended_is_read_back_exactly(tmp_path_factory, written):
    path = tmp_path_factory.mktemp("log") / "arrivals.jsonl"
    log = ArrivalLog(path)
    log.append(written)
    log.close()
    assert read_arrivals(path) == written


def test_log_has_one_line_of_json_for_each_arrival(tmp_path):
    log = ArrivalLog(tmp_path / "log")
    log.append([Arrival(t_observed=1.5, code=2, merged=1)])
    assert (tmp_path / "log").read_text() == (
        '{"t_observed": 1.5, "code": 2, "merged": 1}\n'
    )
    log.close()


def test_log_goes_on_after_what_is_there(tmp_path):
    for code in (1, 2):
        log = ArrivalLog(tmp_path / "log")
        log.append([Arrival(t_observed=0.0, code=code, merged=1)])
        log.close()
    assert [one.code for one in read_arrivals(tmp_path / "log")] == [1, 2]


def test_unfinished_last_line_is_left_out(tmp_path):
    path = tmp_path / "log"
    path.write_text('{"t_observed": 1.0, "code": 2, "merged": 1}\n{"t_obs')
    assert len(read_arrivals(path)) == 1


@pytest.mark.parametrize("line", ["nonsense", "[]", "{}", '{"t_observed": null}'])
def test_damaged_line_is_named(tmp_path, line):
    path = tmp_path / "log"
    path.write_text(f'{{"t_observed": 1.0, "code": 2, "merged": 1}}\n{line}\n')
    with pytest.raises(ArrivalLogError, match="Line 2"):
        read_arrivals(path)


def test_log_that_cannot_be_opened_or_read_is_one_sentence(tmp_path):
    with pytest.raises(ArrivalLogError, match="cannot be opened"):
        ArrivalLog(tmp_path / "no folder" / "log")
    with pytest.raises(ArrivalLogError, match="cannot be read"):
        read_arrivals(tmp_path)


def test_full_disk_is_one_sentence():
    log = ArrivalLog(Path("/dev/full"))
    with pytest.raises(ArrivalLogError, match="cannot be written"):
        log.append([Arrival(t_observed=1.0, code=2, merged=1)])
    log.close()
