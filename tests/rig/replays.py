"""Sessions on a virtual clock, and what may happen in them, for tests of replays."""

from pathlib import Path

import numpy as np

from bench.session_maker import Received, make_session
from controller.config import parse_config
from controller.safety.interlock import Permit

REST_S, LOOP_S, SFREQ_HZ = 16.0, 12.0, 1000
LOOP_AT = round((2.5 + REST_S) * SFREQ_HZ)


def text_of(estimator: str = "iir", gate: str = "") -> str:
    demo = Path("configs/demo.toml").read_text(encoding="utf-8")
    return (
        demo.replace('kind = "blend"', f'kind = "{estimator}"')
        .replace("percentile = 60", f"percentile = 30\n{gate}")
        .replace("rest_s = 30", f"rest_s = {REST_S:g}")
        .replace("duration_s = 60", f"duration_s = {LOOP_S:g}")
    )


def made(root: Path, text: str | None = None, **options) -> Path:
    text = text or text_of()
    return make_session(parse_config(text, where="test"), text, root, **options)


def gaps(told: Received) -> None:
    """Samples are lost in the rest and in the loop."""
    for at in (4000, LOOP_AT + 3000):
        told.t_sample[at:] += 0.3
        told.t_arrival[at:] += 0.3


def stalls(told: Received) -> None:
    """The stream stands still, and comes all at once; wake-ups are late."""
    for at in range(LOOP_AT + 500, len(told.raw), 1700):
        told.t_arrival[at : at + 60] = told.t_arrival[at + 60]
    told.late_s = np.array([0.0, 0.0002, 0.0015])


def markers(told: Received) -> None:
    """A gate opens and closes, and the supervisor is late for a while."""
    at = np.arange(LOOP_AT, len(told.raw))
    told.permits[at[(at // 700) % 2 == 0]] &= ~int(Permit.ARMED)
    told.permits[LOOP_AT + 6000 : LOOP_AT + 7000] &= ~int(Permit.SUPERVISED)


def artifacts(told: Received) -> None:
    """The participant blinks, and a channel touches its rail."""
    for at in (3000, LOOP_AT + 2000, LOOP_AT + 7000):
        told.raw[at : at + 40] += 900.0


def call_fails(told: Received) -> None:
    """The wire breaks in the third pulse."""
    told.fail_call = 4
