import sys

import pytest

from bench.kill.run import Victim, run_kills
from bench.recorder import Load, measure
from controller.session.folder import SessionFolder

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="needs the address table"),
]


def test_whoever_is_killed_nothing_is_lost(tmp_path):
    pytest.importorskip("pyxdf")
    kills = run_kills(len(Victim), tmp_path, duration_s=8.0, speed=8.0, seed=3)
    assert {kill.victim for kill in kills} == {victim.value for victim in Victim}
    for kill in kills:
        assert kill.problems == ()
        assert kill.n_read == kill.n_written >= kill.n_acknowledged


def test_recorder_loses_nothing_at_the_rate_that_is_promised(tmp_path):
    load = Load(sfreq_hz=5000.0, n_channels=128, duration_s=1.0)
    found = measure(load, SessionFolder.create(tmp_path))
    assert found["written"] == 5000
    assert (found["lost"], found["wrong"]) == (0, 0)
    assert found["finished"]
