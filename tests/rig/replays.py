"""Sessions on a virtual clock, for tests of replays."""

from pathlib import Path

from bench.session_maker import make_session
from controller.config import parse_config

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
