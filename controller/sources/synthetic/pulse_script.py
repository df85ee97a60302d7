"""Triggers and pulses that happen at known instants, whatever anybody does.

A script has one JSON object per line: `t`, seconds from the first sample; `code`, what
the trigger input shows, 1 if absent; `intensity_pct_mso`, of the pulse that goes with
it, absent for a trigger that made none.
"""

from pathlib import Path
from typing import Annotated, Final

import pydantic
from pydantic import Field

from controller.config_fields import Code, NotNegative, Section
from controller.errors import FileError
from controller.sources.synthetic.responses import Responses

_WIDTH_S: Final = 5e-3


class ScriptedPulse(Section):
    """A trigger, and the pulse that it makes, if any.

    Parameters
    ----------
    t : float
        When, seconds from the first sample.
    code : int
    intensity_pct_mso : float or None
        None for a trigger that makes no pulse.
    width_s : float
        How long the trigger input shows the code.
    """

    t: NotNegative
    code: Code = 1
    intensity_pct_mso: Annotated[float, Field(strict=True, ge=0, le=100)] | None = None
    width_s: NotNegative = _WIDTH_S

    def play(self, responses: Responses) -> None:
        """Tell it to those who respond."""
        responses.code(self.t, self.code)
        responses.code(self.t + self.width_s, 0)
        if self.intensity_pct_mso is not None:
            responses.pulse(self.t, self.intensity_pct_mso)


def read_pulse_script(path: Path) -> list[ScriptedPulse]:
    """Return what a script says.

    Raises
    ------
    FileError
        It cannot be read, or a line is not a pulse.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"The pulse script {path} cannot be read: {error}.") from error
    pulses = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            pulses.append(ScriptedPulse.model_validate_json(line))
        except pydantic.ValidationError as error:
            mistake = error.errors()[0]
            where = ".".join(str(part) for part in mistake["loc"]) or "the line"
            raise FileError(
                f"Line {number} of the pulse script {path} is no pulse: {where}: "
                f'{mistake["msg"]}; write {{"t": 1.5, "intensity_pct_mso": 60}}.'
            ) from error
    return pulses
