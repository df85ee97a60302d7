from pathlib import Path

import numpy as np
import pytest

from controller.errors import FileError
from controller.kernels.jit import new_records
from controller.safety.interlock import Refusal
from controller.session.books.yoked import yoked_times_s
from controller.session.pulses import PULSE, rewrite_pulses


def write(folder: Path, trials, t_fired, refusals) -> None:
    pulses = new_records(PULSE, len(trials))
    pulses["trial"], pulses["t_fired"], pulses["refusal"] = trials, t_fired, refusals
    rewrite_pulses(folder / "pulses.tsv", pulses)


def test_times_count_from_the_first_trial_that_was_given(tmp_path: Path) -> None:
    # Trial 1 has two bursts, and its first try was too late.
    write(
        tmp_path,
        trials=[0, 1, 1, 1, 2],
        t_fired=[100.0, np.nan, 104.5, 104.7, 109.25],
        refusals=[0, Refusal.TOO_LATE, 0, 0, 0],
    )
    assert yoked_times_s(tmp_path) == (0.0, 4.5, 9.25)


def test_a_session_without_pulses_cannot_lead(tmp_path: Path) -> None:
    write(tmp_path, trials=[0], t_fired=[np.nan], refusals=[Refusal.TOO_LATE])
    with pytest.raises(FileError, match="fired nothing"):
        yoked_times_s(tmp_path)
    with pytest.raises(FileError, match="cannot be read"):
        yoked_times_s(tmp_path / "none")
