"""A device that was armed is vouched for while its word is good, and no longer."""

from types import SimpleNamespace

import pytest
from bad_days import assert_one_sentence
from kept_stand_in import RULES, KeptStandIn, Ward, ward

from controller.engine.control import ControlWords
from controller.errors import StimulatorFault
from controller.rig.attendance import Attendance
from controller.rig.stimulator.stimulators import OpenedStimulator
from drivers.base import PortLost
from drivers.stimulator import PulseReport, StimulatorSilent


@pytest.fixture
def armed() -> Ward:
    w = ward()
    w.setting.set_up()
    w.attendant.arm()
    return w


def test_nothing_is_vouched_for_before_it_is_armed() -> None:
    w = ward()
    w.setting.set_up()
    w.attendant.look(w.kept.t)
    assert w.vouched == []
    assert w.kept.n_beats == 1


def test_vouched_until_the_last_word_is_too_old(armed: Ward) -> None:
    armed.attendant.look(armed.kept.t)
    assert armed.vouched == [armed.kept.t + RULES.max_status_age_s]


def test_device_that_charges_is_not_vouched_for_and_is_no_fault(armed: Ward) -> None:
    armed.kept.fields["ready"] = False
    armed.kept.charges_s = 1e9
    armed.attendant.look(armed.kept.t)
    assert armed.vouched == [None]
    armed.kept.charges_s = 0.0
    armed.attendant.look(armed.kept.t)
    assert armed.vouched[-1] == armed.kept.t + RULES.max_status_age_s
    assert "disarm" not in armed.kept.orders


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"armed": False}, "is not armed"),
        ({"coil_connected": False}, "no coil"),
        ({"temperature_c": 40.5}, "hotter"),
        ({"temperature_c": float("nan")}, "hotter"),
        ({"intensity_pct_mso": 51.0}, "another intensity"),
        ({"error": "it smells"}, "reports an error (it smells)"),
    ],
)
def test_device_that_is_not_fit_any_more_is_disarmed_at_once(
    armed: Ward, fields: dict[str, object], why: str
) -> None:
    armed.kept.fields |= fields
    with pytest.raises(StimulatorFault) as caught:
        armed.attendant.look(armed.kept.t)
    assert_one_sentence(str(caught.value), "coil at /dev/ttyS9", why)
    assert armed.kept.orders[-1] == "disarm"
    assert armed.vouched[-1] is None


@pytest.mark.parametrize("age_s", [RULES.max_status_age_s + 1e-6, -1e-6, float("nan")])
def test_word_that_is_old_or_from_the_future_ends_the_session(
    armed: Ward, age_s: float
) -> None:
    armed.kept.silent_since = armed.kept.t - age_s
    with pytest.raises(StimulatorFault, match="has not told its state"):
        armed.attendant.look(armed.kept.t)
    assert armed.kept.orders[-1] == "disarm"


@pytest.mark.parametrize("error", [PortLost, StimulatorSilent])
def test_lost_device_ends_the_session_with_its_own_sentence(
    armed: Ward, error: type[Exception]
) -> None:
    armed.kept.failure = error("The cable is off; plug it in.")  # type: ignore[assignment]
    with pytest.raises(StimulatorFault, match="The cable is off"):
        armed.attendant.look(armed.kept.t)
    # It was tried, whether or not it can be reached.
    assert armed.kept.orders[-1] == "disarm"
    assert armed.vouched[-1] is None


def test_device_that_cannot_be_armed_is_disarmed_again() -> None:
    w = ward()
    w.setting.set_up()
    w.kept.fields["temperature_c"] = 41.0
    with pytest.raises(StimulatorFault):
        w.attendant.arm()
    assert w.kept.orders[-1] == "disarm"
    assert not [e for e in w.events if e["event"] == "stimulator armed"]


def test_end_disarms_and_says_so(armed: Ward) -> None:
    armed.attendant.end()
    assert armed.kept.orders[-1] == "disarm"
    assert armed.vouched[-1] is None
    assert armed.events[-1]["event"] == "stimulator disarmed"


def test_end_does_not_claim_to_have_disarmed_what_it_cannot_reach() -> None:
    w = ward(KeptStandIn(arms_remotely=False, reads_back=False))
    w.attendant.end()
    assert w.events[-1]["event"] == "stimulator left to a person"


@pytest.mark.parametrize(
    ("by_hand", "simulated", "n_notes"),
    [(True, False, 1), (True, True, 0), (False, False, 0)],
)
def test_a_person_is_told_to_disarm_what_only_a_person_can(
    by_hand: bool, simulated: bool, n_notes: int
) -> None:
    w = ward(KeptStandIn(arms_remotely=not by_hand))
    w.kept.simulated = simulated
    notes: list[str] = []
    attendance = Attendance(
        SimpleNamespace(),  # type: ignore[arg-type]
        OpenedStimulator(kept=w.kept, setting=w.setting, rules=RULES),
        words=ControlWords(),
        record=lambda *_, **__: None,
        note=notes.append,
        console=None,
        beats=None,
        stop=lambda: None,
    )
    attendance.end()
    assert (
        notes
        == ["Disarm the coil at /dev/ttyS9 by hand now: it stays armed."][:n_notes]
    )


def test_end_that_is_not_confirmed_tells_a_person_to_switch_it_off(armed: Ward) -> None:
    armed.kept.failure = StimulatorSilent("It does not answer.")
    with pytest.raises(StimulatorFault) as caught:
        armed.attendant.end()
    assert_one_sentence(str(caught.value), "(It does not answer); switch it off now")


def test_what_changes_is_recorded_once_and_pulses_each(armed: Ward) -> None:
    armed.events.clear()
    for temperature_c in (25.0, 25.9, 26.2, 26.2):
        armed.kept.fields["temperature_c"] = temperature_c
        armed.attendant.look(armed.kept.t)
    seen = [e["temperature_c"] for e in armed.events if e["event"] == "stimulator"]
    assert seen == [25.0, 26.2]
    armed.kept.reports = [PulseReport(t_read=3.0, realised=61.0, unit="A/us")] * 2
    armed.kept.notes = ["The controller said nothing for 5 s."]
    armed.attendant.look(armed.kept.t)
    kinds = [e["event"] for e in armed.events[2:]]
    assert kinds == ["stimulator pulse", "stimulator pulse", "stimulator note"]
    assert armed.attendant.n_confirmed == 2


def changed(w: Ward, pct_mso: float, looks: int = 100) -> bool:
    """Ask for an intensity until the device has it; return whether it came."""
    for _ in range(looks):
        if w.attendant.strength_is(pct_mso):
            return True
        w.kept.sleep(0.05)
        w.attendant.look(w.kept.t)
    return False


def test_another_intensity_is_confirmed_before_anybody_vouches(armed: Ward) -> None:
    armed.attendant.look(armed.kept.t)
    armed.kept.obeys = False
    assert not changed(armed, 55.0)
    assert armed.vouched[-1] is None
    armed.kept.fields["intensity_pct_mso"] = 55.0
    assert changed(armed, 55.0)
    armed.attendant.look(armed.kept.t)
    assert armed.vouched[-1] is not None
    assert armed.setting.commanded_pct_mso == 55.0


def test_a_rise_goes_by_the_steps_that_the_study_allows(armed: Ward) -> None:
    assert changed(armed, 10.0)
    armed.kept.orders.clear()
    assert changed(armed, 60.0)
    assert armed.kept.orders == ["set 30", "set 50", "set 60"]


def test_an_intensity_above_the_limit_ends_the_session_disarmed(armed: Ward) -> None:
    with pytest.raises(StimulatorFault, match="was not set to 61 %"):
        armed.attendant.strength_is(61.0)
    assert armed.kept.orders[-1] == "disarm"


def test_a_device_that_never_takes_its_intensity_is_disarmed(armed: Ward) -> None:
    armed.kept.obeys = False
    with pytest.raises(StimulatorFault, match="another intensity"):
        changed(armed, 55.0, looks=1000)
    assert armed.kept.orders[-1] == "disarm"
