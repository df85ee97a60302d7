"""The figures of the streaming benchmark, from stamps that are known."""

import numpy as np
import pytest

pytest.importorskip("mne")

from bench.replay_stream import row, table


def test_exact_stamps_have_no_spread_and_delays_are_milliseconds() -> None:
    stamps = 100.0 + np.arange(1000) / 250.0
    found = row("ours", stamps, stamps + 0.0005)
    assert found["stamp_step_sd_ms"] == pytest.approx(0.0, abs=1e-9)
    assert found["stamp_step_max_ms"] == pytest.approx(4.0)
    assert found["receive_after_stamp_ms"]["p50"] == pytest.approx(0.5)
    assert table([found]).splitlines()[-1].startswith("| ours |")


def test_nothing_received_is_no_figure() -> None:
    with pytest.raises(ValueError, match=r"zero-size|no values"):
        row("ours", np.empty(0), np.empty(0))
