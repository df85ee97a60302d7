import dataclasses
import math

import pytest
from scenario import limits_of

from controller.errors import ConfigError
from controller.safety.limits import CEILINGS, LIMITS, Limits

FIELDS = [field.name for field in dataclasses.fields(Limits)]


def test_every_limit_has_a_ceiling_and_its_source():
    assert list(CEILINGS) == FIELDS == list(LIMITS.names)
    for ceiling in CEILINGS.values():
        assert 0.0 <= ceiling.lowest < ceiling.highest < math.inf
        assert len(ceiling.source) > 20


@pytest.mark.parametrize("name", FIELDS)
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


def test_half_a_pulse_is_refused_not_rounded():
    with pytest.raises(ConfigError, match=r"max_pulses is 10\.5.*whole"):
        limits_of(max_pulses=10.5)


def test_limits_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        limits_of().min_interval_s = 0.0


def test_record_carries_every_field():
    limits = limits_of(min_interval_s=0.7, max_pulses=42, max_gap_s=0.3)
    record = limits.to_record()[0]
    for name in FIELDS:
        assert record[name] == getattr(limits, name)
