import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.errors import FileError
from controller.session.fingerprint import BLOCK_BYTES, fingerprint, first_difference

CONTENT = np.random.default_rng(5).integers(0, 256, 150_000, np.uint8).tobytes()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("files") / "a.bin"


@pytest.fixture(scope="module")
def kept(file):
    file.write_bytes(CONTENT)
    return fingerprint(file)


def changed(file, kept, content):
    file.write_bytes(content)
    return first_difference(file, kept)


def test_a_file_that_is_what_it_was(file, kept):
    assert changed(file, kept, CONTENT) is None
    assert kept.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert (kept.n_bytes, len(kept.blocks)) == (150_000, 3)


@given(
    at=st.one_of(
        st.integers(0, 149_999),
        st.sampled_from([0, BLOCK_BYTES - 1, BLOCK_BYTES, 149_999]),
    ),
    change=st.integers(1, 255),
)
def test_one_byte_is_named_with_what_it_was(file, kept, at, change):
    content = bytearray(CONTENT)
    was, content[at] = content[at], content[at] ^ change
    found = changed(file, kept, bytes(content))
    assert (found.first, found.last) == (at, at)
    assert found.words == f"it was {was:#04x} and is {was ^ change:#04x}"


@given(
    places=st.lists(st.integers(0, 149_999), min_size=2, max_size=5, unique=True),
    change=st.integers(1, 255),
)
def test_the_first_of_several_lies_where_it_is_said_to(file, kept, places, change):
    content = bytearray(CONTENT)
    for at in places:
        content[at] ^= change
    found = changed(file, kept, bytes(content))
    assert found.first <= min(places) <= found.last
    assert found.last - found.first < BLOCK_BYTES


@pytest.mark.parametrize("n", [0, 1, BLOCK_BYTES, BLOCK_BYTES + 1, 149_999])
def test_a_file_that_ends_early(file, kept, n):
    found = changed(file, kept, CONTENT[:n])
    assert (found.first, found.last) == (n, n)
    assert found.words == f"the file ends, {150_000 - n} bytes are missing"


@pytest.mark.parametrize("n", [1, BLOCK_BYTES, 3 * BLOCK_BYTES])
def test_a_file_that_grew(file, kept, n):
    found = changed(file, kept, CONTENT + bytes(n))
    assert (found.first, found.last) == (150_000, 150_000)
    assert found.words == f"{n} bytes were added"


def test_a_change_before_bytes_that_were_added_comes_first(file, kept):
    found = changed(file, kept, b"?" + CONTENT[1:-1] + b"??")
    assert (found.first, found.last) == (0, 0)
    content = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]) + b"more"
    assert changed(file, kept, content).first == 149_999


@pytest.mark.parametrize("n", [0, BLOCK_BYTES, 2 * BLOCK_BYTES])
def test_lengths_at_the_edges_of_blocks(tmp_path, n):
    path = tmp_path / "b"
    path.write_bytes(CONTENT[:n])
    kept = fingerprint(path)
    assert first_difference(path, kept) is None
    path.write_bytes(CONTENT[: n + 1])
    assert first_difference(path, kept).first == n


def test_a_file_that_is_gone_is_a_sentence(tmp_path):
    with pytest.raises(FileError, match="cannot be read"):
        fingerprint(tmp_path / "none")
