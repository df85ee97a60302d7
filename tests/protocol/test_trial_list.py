import math
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.protocol.canonical import protocol_hash
from controller.protocol.randomise import imbalance
from controller.protocol.trial_list import session_seed, trial_list

GOLDEN_HASH = "ebd779403d7fb199ed59280cc4401c030d8a5d64040d1559fd611147638ae365"
GOLDEN_ORDER = ["peak", "trough", "peak", "trough", "peak", "trough", "peak", "trough"]


def test_same_seed_same_list_and_another_seed_another(small) -> None:
    protocol = small()
    assert trial_list(protocol, 5) == trial_list(protocol, 5)
    assert trial_list(protocol, 5) != trial_list(protocol, 6)
    assert trial_list(protocol) == trial_list(protocol, protocol.randomisation.seed)


def test_the_list_is_named_by_hash_and_seed_alone(small) -> None:
    """Golden: a change here would draw other trials for studies under way."""
    protocol = small()
    assert protocol_hash(protocol) == GOLDEN_HASH
    assert [trial.condition for trial in trial_list(protocol)[:8]] == GOLDEN_ORDER


def test_comments_and_spelling_do_not_change_the_hash(small, small_text) -> None:
    respelt = small(("iti_s = 3.0", "# a comment\niti_s = 3"), ('"1"', "'1'"))
    assert protocol_hash(respelt) == protocol_hash(small())
    assert protocol_hash(small(("iti_s = 3.0", "iti_s = 3.1"))) != protocol_hash(
        small()
    )


@settings(max_examples=20)
@given(seed=st.integers(0, 10**9), weight=st.integers(1, 4))
def test_targets_are_balanced_at_every_cut(seed, weight) -> None:
    from controller.protocol.protocol_file import parse_protocol
    from tests.protocol.conftest import SMALL, changed

    text = changed(
        SMALL,
        ("phase_deg = 0 }", f"phase_deg = [0, 90] }}\nweight = {weight}"),
    )
    protocol = parse_protocol(text, where="here")
    cells = [
        (trial.condition, trial.target_phase_rad)
        for trial in trial_list(protocol, seed)
    ]
    known = [("peak", 0.0), ("peak", math.pi / 2), ("trough", math.pi)]
    places = [known.index(cell) for cell in cells]
    assert imbalance(places, [weight, weight, 1]) <= 1.0


def test_shadows_are_shared_out_over_conditions(small) -> None:
    protocol = small(("[dose]", "[shadow]\nshare = 0.25\n[dose]"))
    shadows = Counter(t.condition for t in trial_list(protocol) if t.shadow)
    assert shadows == {"peak": 5, "trough": 5}


def test_controls_have_no_shadows(small) -> None:
    protocol = small(
        ("[dose]", "[shadow]\nshare = 0.5\n[dose]"),
        ('{ kind = "phase", phase_deg = 180 }', '{ kind = "control" }'),
    )
    assert {t.condition for t in trial_list(protocol) if t.shadow} == {"peak"}


def test_random_phases_are_drawn_beforehand(small) -> None:
    protocol = small(
        ('{ kind = "phase", phase_deg = 180 }', '{ kind = "random-phase" }')
    )
    random = [
        t.target_phase_rad for t in trial_list(protocol) if t.condition == "trough"
    ]
    assert len(set(random)) == 20
    assert None not in random


def test_a_stage_that_lasts_has_trials_enough(small) -> None:
    protocol = small(("n_trials = 40", "duration_s = 60"))
    assert len(trial_list(protocol)) == 21


def test_every_participant_and_session_has_a_seed_of_its_own() -> None:
    seeds = {session_seed(1, p, s) for p in ("P1", "P2") for s in (1, 2, 3)}
    assert len(seeds) == 6
    assert session_seed(1, "P1", 1) == session_seed(1, "P1", 1)
