import subprocess
import sys
from pathlib import Path

import pytest

from controller.sources.network import LslNetwork, configure_lsl, user_configuration

RESOLVE = """
import sys, pylsl
from controller.sources.network import configure_lsl
assert configure_lsl().value == "default"
found = pylsl.resolve_byprop("source_id", sys.argv[1], 1, 5.0)
print(len(found))
"""


def test_first_call_decides() -> None:
    assert configure_lsl(local_only=False) is LslNetwork.LOCAL


def test_named_configuration_of_the_user_wins() -> None:
    assert user_configuration({"LSLAPICFG": "/lab/lsl.cfg"}) == Path("/lab/lsl.cfg")


@pytest.mark.parametrize("place", ["here", "home"])
def test_configuration_file_of_the_user_is_found(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    (tmp_path / "home" / "lsl_api").mkdir(parents=True)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert user_configuration({}) is None or Path("/etc/lsl_api").exists()
    folder = tmp_path / ("here" if place == "here" else "home/lsl_api")
    (folder / "lsl_api.cfg").write_text("")
    found = user_configuration({})
    assert found is not None
    assert found.resolve() == (folder / "lsl_api.cfg").resolve()


@pytest.mark.lsl
@pytest.mark.slow
def test_default_process_finds_local_outlet_without_a_word(announce) -> None:
    source_id = announce().source_id
    done = subprocess.run(
        [sys.executable, "-P", "-c", RESOLVE, source_id],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "1"
    assert done.stderr == ""
