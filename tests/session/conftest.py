import datetime as dt

import pytest

from controller.session.folder import SessionFolder


@pytest.fixture
def folder(tmp_path):
    folder = SessionFolder.create(
        tmp_path,
        title="Alpha: peak!",
        participant="P 01",
        started=dt.datetime(2031, 5, 6, 7, 8, 9, tzinfo=dt.UTC),
    )
    folder.write_config("title = 'x'\n")
    return folder
