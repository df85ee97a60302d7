"""Which decisions were shadows: decided and recorded as if, never fired."""

from typing import Any

import numpy as np

from controller.core.reasons import Outcome

# Sessions of cores that know no shadows have none.
_AS_IF = Outcome.__members__.get("AS_IF")


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
    if _AS_IF is None:
        return decisions[:0]
    as_if = decisions["outcome"] == int(_AS_IF)
    return decisions[as_if & np.isfinite(decisions["target_phase_rad"])]
