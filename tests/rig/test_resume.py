"""A session that ended early: its books are mended, each pulse once."""

from pathlib import Path

import numpy as np
import pytest

from controller.config import load_config
from controller.errors import ConfigError, FileError
from controller.protocol.core_rows import Wiring, rows_of
from controller.protocol.row_news import plans_of
from controller.protocol.trial_events import Started
from controller.rig.study.prepared import StudyPart
from controller.rig.study.resume import resume
from controller.rig.study.virtual_study import run_study_virtually
from controller.session.books.study_file import (
    Begun,
    add_part,
    recorded_pulses,
    write_begun,
    write_rows,
)
from controller.session.books.trial_file import TRIALS, TrialFile
from controller.session.folder import SessionFolder
from controller.session.manifest import write_manifest
from tests.rig.test_virtual_study import RIG, SHORT, study_of

LONG = SHORT.replace("n_trials = 6", "n_trials = 60")


@pytest.fixture
def ended_early(tmp_path) -> Path:
    """A session whose log lacks its last pulses, as if it had been killed."""
    study = study_of(LONG)
    with pytest.raises(ConfigError, match="was not over"):
        run_study_virtually(
            load_config(RIG), RIG.read_text(), study, out=tmp_path, longest_s=30.0
        )
    (folder,) = tmp_path.iterdir()
    part = StudyPart(study=study, trials=study.trials)
    rows = part.rows(pulse_s=0.001, falls=True, rhythm_hz=11.0)
    write_begun(folder, Begun(seed=1, participant="", rmt_pct_mso=50.0), LONG)
    add_part(folder, folder)
    write_rows(folder, 1, plans_of(rows))
    write_manifest(SessionFolder(folder))
    log = folder / TRIALS
    lines = log.read_bytes().splitlines(keepends=True)
    fired = [n for n, line in enumerate(lines) if b'"fired"' in line]
    log.write_bytes(b"".join(lines[: fired[-3]]) + b'{"seq": 99, "t"')
    return folder


def test_what_the_log_lacks_is_in_the_records_and_counts_once(ended_early) -> None:
    pulses = recorded_pulses(ended_early)
    resumed = resume(ended_early)
    assert resumed.n_pulses == sum(fired.n_pulses for fired in pulses) > 5
    assert resumed.n_left == 60 - len({fired.trial for fired in pulses})
    again = resume(ended_early)
    assert (again.n_pulses, again.n_left) == (resumed.n_pulses, resumed.n_left)


def test_a_trial_that_was_given_is_not_offered_again(ended_early) -> None:
    resumed = resume(ended_early)
    progress = resumed.study.new_progress()
    TrialFile(ended_early / TRIALS, progress).close()
    left = resumed.study.left(progress)
    given = {fired.trial for fired in recorded_pulses(ended_early)}
    assert given.isdisjoint({trial.number for trial in left})


def test_a_folder_that_is_none_is_refused(tmp_path) -> None:
    with pytest.raises(FileError, match=r"study\.json"):
        resume(tmp_path)


def test_the_log_of_another_seed_is_refused(ended_early) -> None:
    other = study_of(LONG, seed=2).new_progress()
    with pytest.raises(FileError, match="another seed"):
        TrialFile(ended_early / TRIALS, other)


def test_a_part_that_was_offered_nothing_gave_nothing(tmp_path) -> None:
    assert recorded_pulses(tmp_path) == []


def test_rows_of_what_is_left_keep_their_trials() -> None:
    study = study_of(LONG)
    wiring = Wiring(pulse_s=0.001, falls=True, device_pairs=False, rhythm_hz=10.0)
    rows = rows_of(study.given_as, study.trials[40:], wiring)
    assert [row.trial for row in rows.rows] == list(range(40, 60))
    assert np.all(rows.trial_records().iti_s >= 3.0 - 1e-9)


def test_a_log_begins_with_who_took_it_up(tmp_path) -> None:
    study = study_of(SHORT)
    file = TrialFile(tmp_path / TRIALS, study.new_progress())
    named = file.progress.protocol_hash
    file.add(Started, 1.0, protocol_hash=named, seed=1, n_trials=6)
    file.close()
    progress = study.new_progress()
    TrialFile(tmp_path / TRIALS, progress).close()
    assert progress.n_starts == 1
