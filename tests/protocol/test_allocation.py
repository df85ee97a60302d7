import json
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.errors import ConfigError, SealError
from controller.protocol.allocation import (
    Allocation,
    draw_allocation,
    require_commitment,
    unsealed,
)
from controller.protocol.arms import protocol_of_arm, trials_of_arm
from controller.protocol.protocol_file import load_protocol, parse_protocol
from controller.protocol.review import broken_rules
from controller.protocol.trial_list import trial_list
from tests.protocol.conftest import READY, SMALL, changed

ALPHA = load_protocol(READY / "rtms-10hz-alpha.toml")


def blinded(text: str):
    return parse_protocol(changed(SMALL, ("[dose]", text + "\n[dose]")), where="here")


BY_INTENSITY = blinded(
    '[blinding]\narms = ["active", "sham"]\nsham = "sham"\n'
    'sham_by = "intensity"\nsham_intensity = { pct_rmt = 30 }'
)
BY_COIL = blinded(
    '[blinding]\narms = ["active", "sham"]\nsham = "sham"\n'
    'sham_by = "coil-code"\ncoil_codes = ["red", "blue"]'
)


@given(n=st.integers(1, 200), nonce=st.binary(min_size=32, max_size=32))
def test_arms_are_balanced_wherever_recruiting_stops(n, nonce) -> None:
    allocation = draw_allocation(ALPHA, n, nonce)
    assert len(set(allocation.codes)) == n
    counts: Counter[str] = Counter()
    for _, arm in allocation.arms:
        counts[arm] += 1
        assert abs(counts["synchronised"] - counts["unsynchronised"]) <= 3


def test_the_end_of_a_block_cannot_be_foretold() -> None:
    """After the first four of an even number, both arms still come."""
    fifth = set()
    for i in range(40):
        arms = [arm for _, arm in draw_allocation(ALPHA, 6, bytes([i]) * 32).arms]
        if arms[:4].count("synchronised") == 2:
            fifth.add(arms[4])
    assert len(fifth) == 2


@given(n=st.integers(1, 30), nonce=st.binary(min_size=32, max_size=40))
def test_what_is_sealed_comes_back(n, nonce) -> None:
    allocation = draw_allocation(BY_COIL, n, nonce)
    assert unsealed(allocation.sealed(), where="x") == allocation


def test_the_sealed_file_shows_no_arm() -> None:
    content = draw_allocation(ALPHA, 40, b"n" * 32).sealed().decode()
    for word in ("synchronised", "P001", "arms"):
        assert word not in content


def test_the_public_page_tells_codes_and_nothing_of_arms() -> None:
    public = json.dumps(draw_allocation(ALPHA, 4, b"n" * 32).public())
    assert "P004" in public
    assert "synchronised" not in public


def test_another_nonce_is_another_commitment() -> None:
    first = draw_allocation(ALPHA, 4, b"n" * 32)
    assert first.commitment != draw_allocation(ALPHA, 4, b"m" * 32).commitment
    require_commitment(first, first.commitment.upper() + "\n", where="x")


@given(data=st.data())
def test_a_changed_file_is_refused(data) -> None:
    allocation = draw_allocation(BY_COIL, 8, b"n" * 32)
    page = json.loads(allocation.sealed())
    sealed = page["sealed"]
    at = data.draw(st.integers(0, len(sealed) - 5))
    other = "A" if sealed[at] != "A" else "B"
    page["sealed"] = sealed[:at] + other + sealed[at + 1 :]
    with pytest.raises(SealError):
        unsealed(json.dumps(page).encode(), where="x")


def test_swapped_arms_are_refused_even_where_sealed_anew() -> None:
    allocation = draw_allocation(ALPHA, 4, b"n" * 32)
    codes, arms = zip(*allocation.arms, strict=True)
    forged = Allocation(
        protocol_hash=allocation.protocol_hash,
        title=allocation.title,
        arms=tuple(zip(codes, reversed(arms), strict=True)),
        coils=(),
        nonce=allocation.nonce,
    )
    again = unsealed(forged.sealed(), where="x")
    with pytest.raises(SealError, match="not the allocation that was committed to"):
        require_commitment(again, allocation.commitment, where="x")


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"format": "x-1"}', b"[]"])
def test_what_is_no_seal_is_told(content) -> None:
    with pytest.raises(SealError):
        unsealed(content, where="x")


def test_an_open_protocol_cannot_be_sealed(small) -> None:
    with pytest.raises(ConfigError, match="nothing to seal"):
        draw_allocation(small(), 4, b"n" * 32)


@pytest.mark.parametrize("n", [0, 10_000])
def test_numbers_without_sense_are_refused(n) -> None:
    with pytest.raises(ConfigError, match="--participants"):
        draw_allocation(ALPHA, n, b"n" * 32)


def test_a_short_nonce_is_a_defect() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        draw_allocation(ALPHA, 4, b"short")


def test_codes_lead_to_arms_and_coils() -> None:
    allocation = draw_allocation(BY_COIL, 6, b"n" * 32)
    for code, arm in allocation.arms:
        assert allocation.arm_of(code) == arm
        assert allocation.coil_of(code) == dict(allocation.coils)[arm]
    assert {coil for _, coil in allocation.coils} == {"red", "blue"}
    with pytest.raises(SealError, match="it has P001 to P006"):
        allocation.arm_of("P7")
    assert draw_allocation(ALPHA, 2, b"n" * 32).coil_of("P001") is None


def test_coils_are_drawn() -> None:
    labels = {
        draw_allocation(BY_COIL, 2, bytes([i]) * 32).coils[0][1] for i in range(20)
    }
    assert labels == {"red", "blue"}


def test_an_allocation_fits_its_protocol(small) -> None:
    allocation = draw_allocation(ALPHA, 4, b"n" * 32)
    allocation.fits(ALPHA)
    for other in (BY_COIL, small()):
        with pytest.raises(SealError, match="other arms"):
            allocation.fits(other)


def test_a_sham_by_random_phase_keeps_all_but_the_phase() -> None:
    trials = trial_list(ALPHA, 4)
    assert trials_of_arm(ALPHA, trials, "synchronised", 4) == trials
    sham = trials_of_arm(ALPHA, trials, "unsynchronised", 4)
    for real, other in zip(trials, sham, strict=True):
        assert (real.condition, real.iti_s, real.shadow) == (
            other.condition,
            other.iti_s,
            other.shadow,
        )
    sectors = {int((t.target_phase_rad / math.tau + 0.5) * 8) % 8 for t in sham}
    assert len(sectors) == 8


def test_a_sham_by_intensity_changes_nothing_else() -> None:
    sham = protocol_of_arm(BY_INTENSITY, "sham")
    assert {sham.intensity_of(c).pct_rmt for c in sham.conditions} == {30}
    active = protocol_of_arm(BY_INTENSITY, "active")
    assert {active.intensity_of(c).pct_rmt for c in active.conditions} == {110}
    trials = trial_list(BY_INTENSITY, 1)
    assert trials_of_arm(BY_INTENSITY, trials, "sham", 1) == trials


def test_a_sham_stronger_than_the_machine_is_refused() -> None:
    wrong = blinded(
        '[blinding]\narms = ["active", "sham"]\nsham = "sham"\n'
        'sham_by = "intensity"\nsham_intensity = { pct_rmt = 190 }'
    )
    assert broken_rules(wrong, rmt_pct_mso=50) == []
    assert "190" in " ".join(broken_rules(wrong, rmt_pct_mso=60))


def test_no_arm_but_those_of_the_protocol(small) -> None:
    for protocol in (small(), BY_COIL):
        with pytest.raises(SealError, match="no arm 'placebo'"):
            protocol_of_arm(protocol, "placebo")
        with pytest.raises(SealError, match="no arm 'placebo'"):
            trials_of_arm(protocol, (), "placebo", 1)
