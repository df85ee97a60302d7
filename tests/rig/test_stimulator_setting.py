"""Intensity in allowed steps, read back; armed and charged, or a sentence."""

import dataclasses

import pytest
from bad_days import assert_one_sentence
from kept_stand_in import RULES, KeptStandIn, ward

from controller.errors import StimulatorFault
from controller.rig.stimulator.setting import ARM_WITHIN_S, READY_WITHIN_S
from drivers.base import PortLost
from drivers.stimulator import StimulatorRefused


def rules(**changes):
    return dataclasses.replace(RULES, **changes)


def test_intensity_rises_in_steps_and_falls_at_once() -> None:
    w = ward(wanted=60.0, rules=rules(max_intensity_step_pct=13.5))
    w.setting.set_up()
    # A device takes whole percents.
    assert w.kept.orders == ["set 43", "set 56", "set 60"]
    assert w.setting.commanded_pct_mso == 60.0
    w = ward(wanted=5.0)
    w.setting.set_up()
    assert w.kept.orders == ["set 5"]


@pytest.mark.parametrize(
    ("wanted", "changes", "why"),
    [
        (61.0, {"max_intensity_step_pct": 100.0}, "intensity is not within"),
        (31.0, {"max_intensity_step_pct": 0.5}, "would rise by more"),
        (float("nan"), {}, "intensity is not within"),
    ],
)
def test_intensity_that_the_study_does_not_allow(wanted, changes, why) -> None:
    w = ward(wanted=wanted, rules=rules(**changes))
    with pytest.raises(StimulatorFault, match=why):
        w.setting.set_up()
    assert w.kept.orders == []


def test_device_that_reads_back_another_intensity() -> None:
    w = ward()
    w.kept.obeys = False
    with pytest.raises(StimulatorFault) as caught:
        w.setting.set_up()
    assert_one_sentence(str(caught.value), "reads back 30 % instead of 50 %")


def test_arming_waits_for_the_charge() -> None:
    w = ward()
    w.setting.set_up()
    t = w.kept.t
    w.setting.arm()
    assert w.kept.charges_s <= w.kept.t - t < w.kept.charges_s + 0.1


def test_device_that_needs_a_moment_is_asked_again() -> None:
    w = ward()
    w.kept.refusals = ["It is not settled yet; wait 0.3 s."] * 2
    w.setting.set_up()
    w.setting.arm()
    assert w.kept.orders.count("arm") == 3


def test_refusal_that_stays_is_told_in_the_devices_words() -> None:
    w = ward()
    w.kept.refusals = ["It rests; wait 99.0 s."] * 1000
    w.setting.set_up()
    t = w.kept.t
    with pytest.raises(StimulatorRefused, match=r"wait 99\.0 s"):
        w.setting.arm()
    assert w.kept.t - t <= ARM_WITHIN_S + 1.0


def test_no_of_a_person_is_final() -> None:
    w = ward(KeptStandIn(arms_remotely=False))
    w.kept.refusals = ["It was not confirmed."] * 2
    w.setting.set_up()
    with pytest.raises(StimulatorRefused):
        w.setting.arm()
    assert w.kept.orders.count("arm") == 1


def test_device_that_only_its_unit_arms_is_raised_once_it_is_armed() -> None:
    w = ward(KeptStandIn(arms_remotely=False))
    w.setting.set_up()
    assert w.kept.orders == ["set 20"]
    assert w.kept.fields["intensity_pct_mso"] == 0.0
    w.setting.arm()
    assert w.kept.orders == ["set 20", "arm", "set 40", "set 50"]
    assert w.setting.commanded_pct_mso == 50.0


def test_device_that_says_nothing_is_set_once() -> None:
    w = ward(KeptStandIn(arms_remotely=False, reads_back=False))
    w.setting.set_up()
    w.setting.arm()
    assert w.kept.orders == ["set 50", "arm"]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"temperature_c": 40.1}, "hotter than limits.stimulator allows (40.1 °C)"),
        ({"temperature_c": float("nan")}, "hotter than"),
        ({"coil_connected": False}, "no coil"),
        ({"error": "it smells"}, "(it smells)"),
    ],
)
def test_device_that_is_not_fit_is_told_with_its_reason(fields, why) -> None:
    w = ward()
    w.setting.set_up()
    w.kept.fields |= fields
    t = w.kept.t
    with pytest.raises(StimulatorFault) as caught:
        w.setting.arm()
    assert why in str(caught.value)
    assert w.kept.t - t <= READY_WITHIN_S + 1.0


def test_uncharged_device_is_not_ready() -> None:
    w = ward()
    w.kept.charges_s = 1e9
    w.setting.set_up()
    with pytest.raises(StimulatorFault, match="not ready to fire"):
        w.setting.arm()


def test_silent_device_is_not_armed() -> None:
    w = ward()
    w.setting.set_up()
    w.kept.silent_since = w.kept.t
    with pytest.raises(StimulatorFault, match="has not told its state"):
        w.setting.arm()


def test_lost_keeper_is_told_at_once() -> None:
    w = ward()
    w.kept.failure = PortLost("The keeper has ended; switch it off.")
    with pytest.raises(PortLost):
        w.setting.set_up()
