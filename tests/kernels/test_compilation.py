import numba
import numpy as np
import pytest
from numba import types

from controller.kernels import jit
from controller.kernels.atomics import bits_to_float, load_acquire, store_release


@numba.njit(types.int64(types.int64, types.int64))
def _exchange(address, value):
    before = load_acquire(address)
    store_release(address, value)
    return before


@numba.njit(types.float64(types.int64))
def _as_float(word):
    return bits_to_float(word)


def test_words_are_read_and_written_where_they_stand():
    words = np.arange(5, dtype=np.int64)
    assert _exchange(words.ctypes.data + 16, -7) == 2
    assert words.tolist() == [0, 1, -7, 3, 4]


@pytest.mark.parametrize("value", [0.0, -1.5, 1e-308, np.inf, -np.inf, np.nan])
def test_bits_come_back_as_the_same_number(value):
    word = int(np.float64(value).view(np.int64))
    assert np.float64(_as_float(word)).tobytes() == np.float64(value).tobytes()


def test_a_changed_source_gets_a_cache_of_its_own(tmp_path, monkeypatch):
    for name in ("kernels", "core", "safety", "engine"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "stage.py").write_text("a = 1\n")
    monkeypatch.setattr(jit, "__file__", str(tmp_path / "kernels" / "jit.py"))
    before = jit.cache_directory()
    assert jit.cache_directory() == before
    (tmp_path / "core" / "stage.py").write_text("a = 2\n")
    assert jit.cache_directory() != before


def test_the_cache_goes_where_numba_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert jit.cache_directory().parent == tmp_path
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    assert "phasegate" in str(jit.cache_directory())


def test_new_records_are_zero_and_have_attributes():
    records = jit.new_records(np.dtype([("t_due", "f8"), ("trial", "i8")]), 3)
    assert records.t_due.tolist() == [0.0, 0.0, 0.0]
    records.trial[1] = 4
    assert records[1].trial == 4
