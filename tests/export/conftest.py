"""Sessions to export, shared or made to order."""

import dataclasses

import numpy as np
import pytest
from made_session import Recipe, make_session

from controller.export.opened import open_session


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """One session that tests only read."""
    return make_session(tmp_path_factory.mktemp("sessions"), Recipe(duration_s=30.0))


@pytest.fixture(scope="session")
def gappy(tmp_path_factory):
    """One that lost a quarter of a second at 12 s."""
    recipe = Recipe(duration_s=30.0, gap_at_s=12.0, seed=8)
    return make_session(tmp_path_factory.mktemp("gappy"), recipe)


@pytest.fixture(scope="session")
def opened(made):
    return open_session(made.folder)


@pytest.fixture
def make(tmp_path):
    def make_one(**changed):
        return make_session(tmp_path, Recipe(**{"duration_s": 10.0, **changed}))

    return make_one


@pytest.fixture
def with_raw(opened):
    """Return the session with other samples."""

    def change(edit):
        raw = np.array(opened.session.raw)
        edit(raw)
        return dataclasses.replace(opened.session, raw=raw)

    return change
