"""Which decisions were shadows: decided and recorded as if, never fired."""

from typing import Any

import numpy as np

from controller.core.reasons import Outcome


def shadows(decisions: Any) -> Any:
    """Return the decisions that were shadows of a pulse at a phase.

    Parameters
    ----------
    decisions : array of DECISION

    Returns
    -------
    array of DECISION
        Their `t_due` is when the edge would have been at the device. What was recorded
        as if without waiting for a phase, a control for example, is not among them.
    """
    as_if = decisions["outcome"] == int(Outcome.AS_IF)
    return decisions[as_if & np.isfinite(decisions["target_phase_rad"])]
