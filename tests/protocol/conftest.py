from collections.abc import Callable
from pathlib import Path

import pytest

from controller.protocol.form import Protocol
from controller.protocol.protocol_file import parse_protocol

READY = Path(__file__).parents[2] / "configs" / "protocols"

SMALL = """
title = "Small"
version = "1"
modality = "tms"
[intensity]
pct_rmt = 110
[intervals]
iti_s = 3.0
[dose]
min_interval_s = 2.0
max_pulses_per_session = 1000
max_pulses_per_day = 1000
max_pulses_total = 1000
[[conditions]]
name = "peak"
when = { kind = "phase", phase_deg = 0 }
[[conditions]]
name = "trough"
when = { kind = "phase", phase_deg = 180 }
[[stages]]
kind = "run"
name = "pulses"
n_trials = 40
"""


def changed(text: str, *swaps: tuple[str, str]) -> str:
    for old, new in swaps:
        assert text.count(old) >= 1, f"{old!r} is not in the text"
        text = text.replace(old, new, 1)
    return text


@pytest.fixture
def small() -> Callable[..., Protocol]:
    """Return the small protocol with some of its text changed."""

    def build(*swaps: tuple[str, str]) -> Protocol:
        return parse_protocol(changed(SMALL, *swaps), where="small.toml")

    return build


@pytest.fixture
def small_text() -> str:
    return SMALL
