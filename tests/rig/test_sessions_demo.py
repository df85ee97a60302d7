"""The demonstration, shortened: the loop really closes on the phase."""

from pathlib import Path

import numpy as np
import pytest

from controller.core.reasons import HoldReason
from controller.kernels.circular import resultant_length
from controller.rig import stages
from controller.session.summary import phase_errors_rad

pytestmark = [pytest.mark.lsl, pytest.mark.slow]

CONFIG = Path(__file__).parents[2] / "configs" / "demo.toml"


def test_demonstration_fires_at_the_peak(run_day):
    text = CONFIG.read_text(encoding="utf-8")
    for key, seconds in (("rest_s", 15), ("duration_s", 20)):
        before = next(line for line in text.splitlines() if line.startswith(key))
        text = text.replace(before, f"{key} = {seconds}")
    day = run_day(text, settle_s=stages.SETTLE_S)
    assert day.finished.error is None
    assert day.finished.exit_code == 0
    day.assert_complete()
    day.assert_every_trigger_arrived()
    day.assert_line_low()
    assert len(day.t_fired) >= 5
    assert np.all(np.diff(day.t_fired) >= 1.0)
    errors_rad = phase_errors_rad(day.session.pulses)
    assert len(errors_rad) >= 5
    assert resultant_length(errors_rad) > 0.8
    assert day.summary["samples"]["gaps"] == day.summary["samples"]["lost"] == 0
    # The rest has filled the running threshold, so the gate is open from the start.
    assert HoldReason.WARMING_UP.name not in day.summary["decisions"]["held"]
    assert "Rhythm at 10." in " ".join(day.operator.notes)
