import dataclasses
import math

import pytest
from study import limits_of

from controller.errors import ConfigError
from controller.safety.ceilings import (
    CEILINGS,
    DOSE_CEILINGS,
    STIMULATOR_CEILINGS,
    TRAIN_CEILINGS,
    Modality,
    ceilings_of,
)
from controller.safety.limits import LIMITS, Limits, TrainLimits

FIELDS = list(CEILINGS)
TRAIN = {
    "max_pulses": 10,
    "max_train_s": 2.0,
    "min_pulse_interval_s": 0.02,
    "min_inter_train_s": 5.0,
}


def test_every_limit_has_a_ceiling_and_its_source():
    fields = [field.name for field in dataclasses.fields(Limits)]
    assert fields == ["modality", *CEILINGS, "train"]
    assert list(LIMITS.names[: len(CEILINGS)]) == FIELDS
    tables = (CEILINGS, TRAIN_CEILINGS, STIMULATOR_CEILINGS, DOSE_CEILINGS)
    for ceiling in (ceiling for table in tables for ceiling in table.values()):
        assert 0.0 <= ceiling.lowest < ceiling.highest < math.inf
        assert len(ceiling.source) > 20


@pytest.mark.parametrize("name", ["modality", *FIELDS])
def test_no_limit_has_a_default(name):
    given = dataclasses.asdict(limits_of())
    del given[name]
    with pytest.raises(TypeError, match=name):
        Limits(**given)


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, -1.0])
def test_what_is_no_amount_is_refused_by_name(name, bad):
    with pytest.raises(ConfigError, match=rf"limits\.{name} is"):
        limits_of(**{name: bad})


@pytest.mark.parametrize("name", FIELDS)
def test_ceilings_themselves_are_allowed_and_beyond_is_not(name):
    ceiling = CEILINGS[name]
    for allowed in (ceiling.lowest, ceiling.highest):
        assert getattr(limits_of(**{name: allowed}), name) == allowed
    beyond = (
        math.nextafter(ceiling.lowest, -math.inf),
        math.nextafter(ceiling.highest, math.inf),
    )
    for refused in beyond:
        with pytest.raises(ConfigError, match=rf"limits\.{name}.*must be from"):
            limits_of(**{name: refused})


@pytest.mark.parametrize("name", ["max_pulses", "max_per_minute"])
def test_half_a_pulse_is_refused_not_rounded(name):
    with pytest.raises(ConfigError, match=rf"limits\.{name} is 10\.5.*whole"):
        limits_of(**{name: 10.5})


@pytest.mark.parametrize("modality", list(Modality))
def test_a_modality_only_ever_narrows_the_ranges(modality):
    own = ceilings_of(modality)
    assert list(own) == FIELDS
    for name, ceiling in own.items():
        assert ceiling.lowest >= CEILINGS[name].lowest
        assert ceiling.highest <= CEILINGS[name].highest


def test_single_pulses_of_tms_come_at_one_hertz_at_most():
    assert limits_of(modality=Modality.TMS, min_interval_s=1.0, max_per_minute=900)
    with pytest.raises(ConfigError, match=r"limits\.min_interval_s is 0\.9.*Rossi"):
        limits_of(modality=Modality.TMS, min_interval_s=0.9, max_per_minute=900)
    with pytest.raises(ConfigError, match=r"limits\.max_per_minute is 901.*Huang"):
        limits_of(modality=Modality.TMS, min_interval_s=1.0, max_per_minute=901)


def test_an_unknown_modality_is_refused():
    with pytest.raises(ValueError, match="levitation"):
        limits_of(modality="levitation")


@pytest.mark.parametrize("name", list(TRAIN))
def test_trains_have_ranges_of_their_own_and_no_defaults(name):
    ceiling = TRAIN_CEILINGS[name]
    for allowed in (ceiling.lowest, ceiling.highest):
        assert getattr(TrainLimits(**{**TRAIN, name: allowed}), name) == allowed
    for refused in (
        math.nextafter(ceiling.lowest, -math.inf),
        math.nextafter(ceiling.highest, math.inf),
        math.nan,
        math.inf,
    ):
        with pytest.raises(ConfigError, match=rf"limits\.train\.{name} is"):
            TrainLimits(**{**TRAIN, name: refused})
    rest = {key: value for key, value in TRAIN.items() if key != name}
    with pytest.raises(TypeError, match=name):
        TrainLimits(**rest)


def test_half_a_pulse_in_a_train_is_refused():
    with pytest.raises(ConfigError, match=r"limits\.train\.max_pulses is 2\.5.*whole"):
        TrainLimits(**{**TRAIN, "max_pulses": 2.5})


def test_a_record_without_trains_forbids_them():
    record = limits_of().to_record()[0]
    assert (record.train_pulses, record.train_s) == (1, 0.0)
    assert (record.train_interval_s, record.inter_train_s) == (math.inf, 0.0)


def test_a_record_carries_the_rules_of_trains():
    record = limits_of(train=TrainLimits(**TRAIN)).to_record()[0]
    assert (record.train_pulses, record.train_s) == (10, 2.0)
    assert (record.train_interval_s, record.inter_train_s) == (0.02, 5.0)


def test_limits_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        limits_of().min_interval_s = 0.0


def test_record_carries_every_field():
    limits = limits_of(min_interval_s=0.7, max_pulses=42, max_gap_s=0.3)
    record = limits.to_record()[0]
    for name in FIELDS:
        assert record[name] == getattr(limits, name)
