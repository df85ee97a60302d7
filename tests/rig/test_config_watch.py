"""A configuration file that changes while its session runs."""

import pytest

from controller.errors import ConfigChanged
from controller.rig.config_watch import ConfigFile, ConfigWatch


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text("title = 'as it was'\n", encoding="utf-8")
    return path


@pytest.fixture
def watch(path):
    return ConfigWatch(ConfigFile(path=path, text=path.read_text(encoding="utf-8")))


def test_a_file_that_stays_is_no_trouble(path, watch):
    path.write_text("title = 'as it was'\n", encoding="utf-8")
    for t in range(10):
        watch.look(float(t))


def test_a_change_ends_the_session(path, watch):
    watch.look(1.0)
    path.write_text("title = 'as it  was'\n", encoding="utf-8")
    # Not at every look: the file may be on a slow disk.
    watch.look(1.2)
    with pytest.raises(ConfigChanged, match="was changed while the session ran") as one:
        watch.look(1.25)
    assert str(path) in str(one.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["gone", "no text"])
def test_a_file_that_cannot_be_read_ends_the_session(path, watch, content):
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigChanged, match="cannot be read any more"):
        watch.look(0.0)
    watch.stand_down()
