"""The firmware's logic, compiled once for all tests."""

import pytest
from firmware_build import COMPILER, build


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    if COMPILER is None:
        pytest.skip("there is no C compiler on this machine")
    return build(tmp_path_factory.mktemp("firmware"))
