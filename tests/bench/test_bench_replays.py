"""The figures of replays come from replays, and a difference is not hidden."""

import dataclasses
import json

import pytest

from bench import fingerprint, virtual_session
from bench.budgets import read_budgets
from controller.session.folder import DECISIONS


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("sessions")
    designer = virtual_session._Recursive()
    return virtual_session.session_of(designer, root, minutes=0.2)


def test_every_row_has_a_budget(folder):
    reports = [virtual_session.replay_folder(folder)]
    rows = [
        row
        for name in ("recursive", "fir512")
        for row in virtual_session.rows_of(name, reports, 1.0)
    ]
    applied = read_budgets().applied(virtual_session.SUITE, rows)
    assert all(row.value > 1.0 for row in applied)
    assert "64 channels at 1 kHz" in applied[0].detail


def test_a_replay_that_differs_gives_no_figure(folder):
    report = virtual_session.replay_folder(folder)
    other = dataclasses.replace(
        report.decisions, first_difference=fingerprint_difference()
    )
    with pytest.raises(RuntimeError, match="differs"):
        virtual_session.rows_of(
            "recursive", [dataclasses.replace(report, decisions=other)], 1.0
        )


def fingerprint_difference():
    from controller.rig.replay.verdict import Difference

    return Difference(row=1, field="t_due", recorded=1.0, replayed=2.0)


def test_the_filter_of_the_figures_has_512_taps(tmp_path):
    from controller.rig.replay.entered import read_loop_input

    made = virtual_session.session_of(virtual_session._Fir512(), tmp_path, minutes=0.2)
    loop = read_loop_input(made).loop
    assert loop.fir_re.shape == (1, 512)
    assert loop.settings.update_samples == 1
    assert len(loop.scale) == 64


def test_replays_have_the_recorded_fingerprint_on_loaded_cores_too(folder):
    found = fingerprint.fingerprints(folder, n_replays=1)
    assert found.different == 0
    assert set(found.quiet) == set(found.loaded) == {found.recorded}
    assert len(found.quiet) == len(found.loaded) == 1
    told = fingerprint.as_dict([found])
    assert told["identical"] is True
    assert told["sessions"][0]["decisions"] > 20


def test_a_changed_log_has_another_fingerprint(folder):
    path = folder / DECISIONS
    kept = path.read_text()
    lines = kept.splitlines()
    at = next(i for i, line in enumerate(lines) if '"kind":"decision"' in line)
    entry = json.loads(lines[at])
    entry["amplitude_uv"] += 1e-12
    lines[at] = json.dumps(entry)
    path.write_text("\n".join(lines) + "\n")
    try:
        _, recorded, replayed = fingerprint.hashed(folder)
    finally:
        path.write_text(kept)
    assert recorded != replayed
