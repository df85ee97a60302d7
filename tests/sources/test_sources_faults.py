import numpy as np
import pytest

from controller.config import SyntheticSource
from controller.errors import ChannelError, ConfigError
from controller.sources.pacing import TimedRows, on_schedule
from controller.sources.synthetic.__main__ import parse_settings, participant_rows
from controller.sources.synthetic.faults import RAIL_UV, Faults, with_faults
from controller.sources.synthetic.responses import Responses
from controller.sources.synthetic.signal import SyntheticParticipant

RATE_HZ = 100.0


def clean(first: int = 0, n: int = 300) -> TimedRows:
    samples = 1.0 + np.arange(2 * n, dtype=np.float32).reshape(n, 2)
    return on_schedule(samples, first, RATE_HZ)


def faulty(faults: Faults, rows: TimedRows | None = None) -> TimedRows:
    return with_faults(rows or clean(), faults, interval_s=1 / RATE_HZ)


def test_no_fault_changes_nothing() -> None:
    rows, result = clean(), faulty(Faults())
    assert np.array_equal(result.samples, rows.samples)
    assert np.array_equal(result.stamp_s, rows.stamp_s)
    assert np.array_equal(result.due_s, rows.due_s)


def test_gap_removes_samples_and_no_stamp_moves() -> None:
    result = faulty(Faults(gap_at_s=1.0, gap_s=0.5))
    assert len(result.samples) == 250
    assert result.stamp_s[99:101].tolist() == pytest.approx([0.99, 1.5])
    assert result.samples[100, 0] == clean().samples[150, 0]


@pytest.mark.parametrize(
    ("fault", "value"),
    [("nan_at_s", np.nan), ("flat_at_s", 0.0), ("saturate_at_s", RAIL_UV)],
)
def test_values_on_one_channel(fault: str, value: float) -> None:
    original = clean()
    result = faulty(Faults(channel=1, lasting_s=0.25, **{fault: 2.0}), original)
    np.testing.assert_array_equal(result.samples[200:225, 1], value)
    assert np.array_equal(result.samples[:, 0], original.samples[:, 0])
    assert result.samples[225, 1] == original.samples[225, 1]
    assert original.samples[200, 1] == 402.0


def test_values_on_all_channels() -> None:
    assert np.all(np.isnan(faulty(Faults(nan_at_s=0.0)).samples[:100]))


def test_clock_jumps_backward_once_and_stays() -> None:
    stamps = faulty(Faults(backward_at_s=1.0)).stamp_s
    steps = np.diff(stamps)
    assert np.flatnonzero(steps <= 0).tolist() == [99]
    assert stamps[-1] == pytest.approx(2.89)


def test_one_stamp_is_repeated() -> None:
    stamps = faulty(Faults(repeat_at_s=1.0)).stamp_s
    assert np.flatnonzero(np.abs(np.diff(stamps)) < 1e-12).tolist() == [99]


def test_freeze_holds_all_that_follows() -> None:
    due_s = faulty(Faults(freeze_at_s=1.0)).due_s
    assert np.all(np.isfinite(due_s[:100]))
    assert np.all(np.isinf(due_s[100:]))


def test_faults_do_not_depend_on_the_split() -> None:
    faults = Faults(
        gap_at_s=0.9, gap_s=0.4, backward_at_s=2.0, repeat_at_s=1.5, nan_at_s=2.2
    )
    samples = clean().samples
    whole = faulty(faults)
    parts = [
        faulty(faults, on_schedule(samples[n : n + 50], n, RATE_HZ))
        for n in range(0, 300, 50)
    ]
    np.testing.assert_array_equal(
        np.concatenate([part.samples for part in parts]), whole.samples
    )
    np.testing.assert_array_equal(
        np.concatenate([part.stamp_s for part in parts]), whole.stamp_s
    )


def test_duration_is_kept_to_the_sample() -> None:
    config = SyntheticSource(kind="synthetic", sfreq_hz=250.0)
    person, responses = SyntheticParticipant(config), Responses(config)
    rows = list(participant_rows(person, config, Faults(), 2.5, responses))
    assert sum(len(part.samples) for part in rows) == 625
    assert rows[-1].stamp_s[-1] == 624 / 250.0


def test_doubled_channel_is_refused() -> None:
    with pytest.raises(ChannelError, match="Cz twice"):
        parse_settings('{"kind": "synthetic", "channels": ["Cz", "Fz", "Cz"]}')


def test_settings_that_are_none_are_refused() -> None:
    with pytest.raises(ConfigError, match="--config"):
        parse_settings('{"kind": "synthetic", "sfreq": 1}')


def test_late_samples_keep_their_stamps() -> None:
    rows = faulty(Faults(late_at_s=1.0, late_s=0.3))
    delay_s = rows.due_s - rows.stamp_s
    late = rows.stamp_s >= 1.0
    assert np.allclose(delay_s[late], 0.3)
    assert np.allclose(delay_s[~late], 0.0)
    assert late.any()
    assert not late.all()
