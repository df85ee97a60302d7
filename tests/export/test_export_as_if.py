"""Shadows and controls of a protocol in the tables that leave the house."""

import numpy as np

from controller.core.reasons import Outcome
from controller.core.records import DECISION
from controller.export.trials import STATUSES, _status
from controller.kernels.jit import new_records
from controller.session.pulses import pulse_of


def test_what_was_recorded_as_if_is_not_told_as_refused() -> None:
    decisions = new_records(DECISION, 2)
    decisions.outcome = [Outcome.AS_IF, Outcome.HELD]
    pulses = np.array([pulse_of(row, None) for row in decisions])
    assert _status(decisions, pulses) == ["as-if", "held"]
    assert "as-if" in STATUSES
