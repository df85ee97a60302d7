"""Sessions for the report, shared or made to order."""

import pytest
from made_session import Recipe, make_session


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The default session, shared by tests that only read it."""
    return make_session(tmp_path_factory.mktemp("sessions"), Recipe())


@pytest.fixture
def make(tmp_path):
    def make_one(**changed):
        return make_session(tmp_path, Recipe(**changed))

    return make_one
