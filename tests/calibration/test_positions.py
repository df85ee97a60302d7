import math

import pytest

from controller.calibration.positions import POSITIONS, neighbours_of, position_of
from controller.errors import ConfigError

TEN_TWENTY = (
    *("Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "T3", "C3", "Cz", "C4", "T4"),
    *("T5", "P3", "Pz", "P4", "T6", "O1", "O2"),
)


@pytest.mark.parametrize(
    ("label", "place"),
    [
        ("Cz", (0.0, 0.0)),
        ("Fz", (0.0, 0.4)),
        ("Oz", (0.0, -0.8)),
        ("T7", (-0.8, 0.0)),
        ("T10", (1.0, 0.0)),
        ("C4", (0.4, 0.0)),
        ("Nz", (0.0, 1.0)),
        ("Fp2", (0.8 * math.sin(math.pi / 10), 0.8 * math.cos(math.pi / 10))),
    ],
)
def test_places_of_the_ten_ten_system(label, place):
    assert position_of(label) == pytest.approx(place, abs=1e-9)


@pytest.mark.parametrize(
    ("old", "new"), [("T3", "T7"), ("T4", "T8"), ("T5", "P7"), ("T6", "P8")]
)
def test_old_names_are_the_same_places(old, new):
    assert position_of(old) == position_of(new) is not None


@pytest.mark.parametrize("label", ["fpz", "FPZ", "Fpz", " Fpz "])
def test_capitals_do_not_matter(label):
    assert position_of(label) == (0.0, 0.8)


@pytest.mark.parametrize("label", ["", "EOG", "A1", "X3", "F", "Fz-Cz"])
def test_what_is_no_scalp_electrode_has_no_place(label):
    assert position_of(label) is None


def test_the_table_is_symmetric_and_its_places_differ():
    assert len(POSITIONS) >= 75
    assert len(set(POSITIONS.values())) == len(POSITIONS)
    for label, (x, y) in POSITIONS.items():
        assert math.hypot(x, y) <= 1.0 + 1e-6
        if label.endswith("z"):
            assert x == 0.0
        else:
            digits = label.lstrip("FpACTPOI")
            other = label.removesuffix(digits) + str(
                int(digits) + (1 if int(digits) % 2 else -1)
            )
            assert POSITIONS[other] == (-x, y)
            assert (x < 0) == (int(digits) % 2 == 1), label


@pytest.mark.parametrize(
    ("centre", "around"),
    [
        ("C3", {"F3", "P3", "T3", "Cz"}),
        ("Cz", {"Fz", "Pz", "C3", "C4"}),
        ("Fz", {"Fp1", "Fp2", "F3", "F4", "Cz"}),  # two are equally near in front
        ("O1", {"O2", "P3", "T5"}),
    ],
)
def test_neighbours_in_the_ten_twenty_system(centre, around):
    assert set(neighbours_of(centre, TEN_TWENTY)) == around


def test_neighbours_in_a_dense_cap_are_the_next_ones():
    assert set(neighbours_of("C3", tuple(POSITIONS))) == {"FC3", "CP3", "C1", "C5"}


def test_far_electrodes_are_no_neighbours():
    labels = ("Oz", "O1", "O2", "Fpz")
    assert set(neighbours_of("Oz", labels)) == {"O1", "O2"}


def test_too_few_neighbours_are_refused():
    with pytest.raises(ConfigError, match=r"C3 has 1 neighbours among .* at least 2"):
        neighbours_of("C3", ("C3", "Cz", "EOG"))
    with pytest.raises(ConfigError, match="Where 'EOG' sits is not known"):
        neighbours_of("EOG", TEN_TWENTY)
