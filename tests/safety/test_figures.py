"""The figures of the safety code, written down once more: a slip of one is noticed."""

import math

import pytest

from controller.safety import arming, device, dose, interlock
from controller.safety.ceilings import (
    CEILINGS,
    DOSE_CEILINGS,
    STIMULATOR_CEILINGS,
    TRAIN_CEILINGS,
    Modality,
    ceilings_of,
)

EVERYBODY = {
    "min_interval_s": (0.1, 3600.0),
    "max_pulses": (1, 3000),
    "max_per_minute": (1, 1800),
    "max_lateness_s": (1e-6, 0.005),
    "max_data_age_s": (1e-4, 0.2),
    "max_gap_s": (0.0, 5.0),
    "max_silence_s": (0.05, 5.0),
    "max_artifact_s": (0.1, 60.0),
    "max_armed_s": (1.0, 14_400.0),
}
TABLES = [
    (CEILINGS, EVERYBODY),
    (
        ceilings_of(Modality.TMS),
        EVERYBODY | {"min_interval_s": (1.0, 3600.0), "max_per_minute": (1, 900)},
    ),
    *((ceilings_of(m), EVERYBODY) for m in Modality if m is not Modality.TMS),
    (
        TRAIN_CEILINGS,
        {
            "max_pulses": (2, 1800),
            "max_train_s": (0.0, 60.0),
            "min_pulse_interval_s": (0.001, 60.0),
            "min_inter_train_s": (2.0, 3600.0),
        },
    ),
    (
        STIMULATOR_CEILINGS,
        {
            "max_intensity_pct_mso": (0.0, 110.0),
            "max_intensity_step_pct": (0.0, 110.0),
            "max_coil_c": (10.0, 43.0),
            "max_status_age_s": (0.05, 5.0),
        },
    ),
    (
        DOSE_CEILINGS,
        {
            "max_pulses_per_day": (0, 18_000),
            "max_pulses_total": (0, 90_000),
            "max_trains_per_session": (0, 1800),
            "max_trains_per_day": (0, 18_000),
            "max_trains_total": (0, 90_000),
            "max_full_pulses_per_day": (0.0, 18_000.0),
        },
    ),
]


@pytest.mark.parametrize(("table", "figures"), TABLES)
def test_every_absolute_range_is_what_it_is(table, figures):
    assert {k: (c.lowest, c.highest) for k, c in table.items()} == figures


def test_constants():
    assert interlock.RATE_WINDOW_S == 60.0
    assert interlock.STAMP_AHEAD_S == 0.005
    assert arming.CONFIRM_WITHIN_S == 30.0
    assert device.INTENSITY_TOLERANCE_PCT_MSO == 0.5
    assert dose.FULL_OUTPUT_PCT_MSO == 100.0
    assert math.isfinite(interlock.RATE_WINDOW_S)


def test_numbers_that_stand_in_records_of_sessions_do_not_change():
    assert [int(p) for p in interlock.Permit] == [1, 2, 4, 8, 16, 32]
    assert int(interlock.Permit.NONE) == 0
    names = [p.name for p in interlock.Permit]
    assert names == [
        "ARMED",
        "SUPERVISED",
        "RECORDING",
        "MARKER",
        "CONSOLE",
        "DEVICE",
    ]
    assert int(interlock.Permit.ALL) == 1 + 2 + 4 + 16 + 32
    assert int(interlock.TIMED) == 1 + 16 + 32
    assert [r.name for r in interlock.Refusal] == [
        "NONE",
        "FAULTED",
        "NOT_ARMED",
        "NOT_SUPERVISED",
        "NOT_RECORDING",
        "INTERVAL_TOO_SHORT",
        "BUDGET_SPENT",
        "DATA_TOO_OLD",
        "TOO_LATE",
        "OUTPUT_FAILED",
        "DOUBTFUL",
        "GATE_CLOSED",
        "CONSOLE_SILENT",
        "DEVICE_NOT_READY",
        "RATE_TOO_HIGH",
        "TRAIN_INTERVAL_TOO_SHORT",
        "TRAIN_TOO_LONG",
        "TRAIN_TOO_SOON",
        "TRAIN_BROKEN",
    ]
    assert [int(r) for r in interlock.Refusal] == list(range(19))
    assert [int(s) for s in interlock.State] == [0, 1, 2]
    assert [int(r) for r in device.DeviceRefusal] == list(range(10))
