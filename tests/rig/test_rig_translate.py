import dataclasses
import math

import pytest
from bad_days import config_of
from hypothesis import given
from hypothesis import strategies as st

from controller.core.records import AmplitudeGate
from controller.errors import ConfigError
from controller.estimators.base import Brief
from controller.rig.programs.translate import (
    artifact_rules,
    horizon_s,
    lock_s,
    rules_of,
)
from controller.sources.timing import StreamTiming


def timing(*, arrival_s: float = 0.001, age_s: float = 0.004) -> StreamTiming:
    return StreamTiming(
        n_samples=2500,
        nominal_hz=1000.0,
        effective_hz=1000.0,
        interval_jitter_s=0.0,
        n_gaps=0,
        block_samples=1,
        arrival_interval_s=arrival_s,
        data_age_p50_s=age_s,
        data_age_p95_s=age_s,
        data_age_p99_s=age_s,
        data_age_max_s=age_s,
    )


def test_lock_follows_the_arrivals() -> None:
    assert lock_s(config_of(), timing(arrival_s=0.001)) == pytest.approx(0.0035)
    assert lock_s(config_of(), timing(arrival_s=0.020)) == pytest.approx(0.032)


def test_lock_can_be_given() -> None:
    config = config_of(timing={"lock_ms": 7})
    assert lock_s(config, timing(arrival_s=0.020)) == 0.007


def test_horizon_is_age_and_half_the_way_to_the_deadline_and_latency() -> None:
    config = config_of(
        output={"kind": "simulated-serial-byte", "latency_ms": 6},
    )
    found = horizon_s(config, timing(arrival_s=0.002, age_s=0.010))
    # Lock 5 ms, on average half an arrival nearer, then 6 ms to the edge.
    assert found == pytest.approx(0.010 + (0.005 - 0.001) + 0.006)


def test_short_lock_shortens_the_horizon_to_no_less_than_the_age() -> None:
    config = config_of(timing={"lock_ms": 1})
    assert horizon_s(config, timing(arrival_s=0.020, age_s=0.004)) == 0.004


@given(
    arrival_s=st.floats(1e-4, 0.2),
    age_s=st.floats(0.0, 0.2),
    latency_ms=st.floats(0.0, 50.0),
)
def test_horizon_always_reaches_past_now(
    arrival_s: float, age_s: float, latency_ms: float
) -> None:
    output = {"kind": "simulated-serial-byte", "latency_ms": latency_ms}
    horizon = horizon_s(
        config_of(output=output), timing(arrival_s=arrival_s, age_s=age_s)
    )
    assert horizon >= age_s + latency_ms / 1e3
    assert math.isfinite(horizon)


@pytest.mark.parametrize("field", ["arrival_interval_s", "data_age_p50_s"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_timing_that_is_no_number_reaches_no_design(field: str, value: float) -> None:
    broken = dataclasses.replace(timing(), **{field: value})
    horizon = horizon_s(config_of(), broken)
    with pytest.raises(ConfigError, match="horizon"):
        Brief(
            sfreq_hz=1000.0, frequency_hz=10.0, band_hz=(8.0, 12.0), horizon_s=horizon
        )


def test_rules_in_seconds_and_microvolts() -> None:
    config = config_of(
        source={"kind": "synthetic", "rail_uv": 187_500},
        gate={"amplitude": "percentile", "percentile": 70, "window_s": 30},
        artifact={
            "amplitude_uv": 90,
            "gradient_uv_per_ms": 20,
            "flat_s": 0.3,
            "hold_s": 0.7,
        },
        timing={"refractory_s": 0.2, "lock_ms": 4},
        output={"kind": "simulated-serial-byte", "latency_ms": 2},
    )
    rules = rules_of(config, timing())
    assert rules.amplitude_gate is AmplitudeGate.PERCENTILE
    assert rules.quantile == pytest.approx(0.7)
    assert rules.window_s == 30.0
    assert rules.artifact_amplitude_uv == 90.0
    assert rules.artifact_gradient_uv_per_s == 20e3
    assert rules.artifact_flat_s == 0.3
    assert rules.artifact_hold_s == 0.7
    assert rules.rail_uv == 187_500.0
    assert rules.refractory_s == 0.2
    assert rules.output_latency_s == 0.002
    assert rules.lock_s == 0.004


def test_artifact_rules_of_the_rest_are_those_of_the_loop() -> None:
    config = config_of(
        artifact={
            "amplitude_uv": 900,
            "gradient_uv_per_ms": 5,
            "flat_s": 1,
            "hold_s": 2,
        }
    )
    resting, closed = artifact_rules(config), rules_of(config, timing())
    for field in dataclasses.fields(resting):
        if field.name.startswith(("artifact", "rail")):
            assert getattr(resting, field.name) == getattr(closed, field.name)
    assert resting.artifact_amplitude_uv == 900.0


@pytest.mark.parametrize(
    ("gate", "kind", "threshold_uv"),
    [
        ({"amplitude": "open"}, AmplitudeGate.OPEN, 0.0),
        ({"amplitude": "absolute", "threshold_uv": 4}, AmplitudeGate.ABSOLUTE, 4.0),
        ({"amplitude": "percentile"}, AmplitudeGate.PERCENTILE, 0.0),
    ],
)
def test_gates(
    gate: dict[str, object], kind: AmplitudeGate, threshold_uv: float
) -> None:
    rules = rules_of(config_of(gate=gate), timing())
    assert rules.amplitude_gate is kind
    assert rules.threshold_uv == threshold_uv


def test_unknown_rail_is_never_reached() -> None:
    assert rules_of(config_of(), timing()).rail_uv == math.inf
