import numpy as np
import pytest

from controller.config import Montage
from controller.errors import ChannelError, ConfigError
from controller.sources.montage import mixing_matrix, used_channels

LABELS = ("Fz", "C3", "Cz", "C4", "Pz", "O1", "Oz", "O2")


def test_weights_by_label_with_units_folded_in(described) -> None:
    description = described(("O1", "Cz", "O2"), scale_uv=(1e3, 1.0, 1e6))
    matrix = mixing_matrix(Montage(weights={"O2": 0.5, "O1": 0.25}), description)
    assert matrix.tolist() == [[250.0, 0.0, 0.5e6]]
    assert used_channels(matrix).tolist() == [0, 2]


def test_hjorth_is_centre_minus_mean_of_neighbours(described) -> None:
    montage = Montage(hjorth="Cz", neighbours=("C3", "C4", "Fz", "Pz"))
    matrix = mixing_matrix(montage, described(LABELS))
    assert matrix.tolist() == [[-0.25, -0.25, 1.0, -0.25, -0.25, 0.0, 0.0, 0.0]]


def test_average_over_all_eeg_channels(described) -> None:
    description = described(
        ("O1", "O2", "Cz", "ECG"), types=("EEG", "EEG", "EEG", "ECG")
    )
    montage = Montage(weights={"O1": 1.0}, reference="average")
    matrix = mixing_matrix(montage, description)
    np.testing.assert_allclose(matrix, [[2 / 3, -1 / 3, -1 / 3, 0.0]])


def test_average_over_named_channels_in_their_own_units(described) -> None:
    description = described(LABELS, scale_uv=(1.0,) * 7 + (1e3,))
    montage = Montage(
        weights={"O1": 0.5, "O2": 0.5},
        reference="average",
        average_over=("O1", "O2", "Fz", "Cz"),
    )
    matrix = mixing_matrix(montage, description)
    assert used_channels(matrix).tolist() == [0, 2, 5, 7]
    np.testing.assert_allclose(matrix[0, [0, 2, 5, 7]], [-0.25, -0.25, 0.25, 250.0])


def test_average_leaves_a_balanced_montage_alone(described) -> None:
    montage = Montage(hjorth="Oz", neighbours=("O1", "O2", "Pz"), reference="average")
    matrix = mixing_matrix(montage, described(LABELS))
    assert used_channels(matrix).tolist() == [4, 5, 6, 7]


def test_constant_over_all_channels_vanishes_in_an_average(described) -> None:
    montage = Montage(weights={"O1": 0.7, "Cz": 0.2}, reference="average")
    assert abs(mixing_matrix(montage, described(LABELS)).sum()) < 1e-12


@pytest.mark.parametrize(
    ("label", "hint"), [("o1", "did you mean O1"), ("01", "O1"), ("Pzz", "Pz")]
)
def test_missing_label_gets_the_nearest_and_the_list(described, label, hint) -> None:
    with pytest.raises(ChannelError) as caught:
        mixing_matrix(Montage(weights={label: 1.0}), described(LABELS))
    message = str(caught.value)
    assert repr(label) in message
    assert hint in message
    assert ", ".join(LABELS) in message
    assert "montage.weights" in message


@pytest.mark.parametrize(
    ("montage", "where"),
    [
        (Montage(hjorth="X", neighbours=("C3", "C4")), "montage.hjorth"),
        (Montage(hjorth="Cz", neighbours=("C3", "X")), "montage.neighbours"),
        (
            Montage(weights={"Cz": 1}, reference="average", average_over=("Cz", "X")),
            "montage.average_over",
        ),
    ],
)
def test_message_names_the_key(described, montage: Montage, where: str) -> None:
    with pytest.raises(ChannelError, match=where):
        mixing_matrix(montage, described(LABELS))


@pytest.mark.parametrize(
    "montage",
    [
        Montage(hjorth="Cz", neighbours=("C3", "C3")),
        Montage(hjorth="Cz", neighbours=("C3", "Cz")),
        Montage(weights={"Cz": 1}, reference="average", average_over=("Cz", "Cz")),
    ],
)
def test_label_named_twice_is_refused(described, montage: Montage) -> None:
    with pytest.raises(ConfigError, match="named twice"):
        mixing_matrix(montage, described(LABELS))


def test_average_of_one_channel_is_refused(described) -> None:
    montage = Montage(weights={"Cz": 1}, reference="average", average_over=("Cz",))
    with pytest.raises(ConfigError, match="at least two"):
        mixing_matrix(montage, described(LABELS))


def test_weights_that_cancel_are_refused(described) -> None:
    montage = Montage(weights={"C3": 0.5, "C4": 0.5}, reference="average")
    with pytest.raises(ConfigError, match="cancel"):
        mixing_matrix(montage, described(("C3", "C4")))


def test_channel_that_is_no_voltage_is_refused(described) -> None:
    description = described(
        ("O1", "GSR"), types=("EEG", "MISC"), scale_uv=(1.0, float("nan"))
    )
    with pytest.raises(ChannelError, match=r"GSR .* no voltage"):
        mixing_matrix(Montage(weights={"GSR": 1.0}), description)
    matrix = mixing_matrix(Montage(weights={"O1": 1.0}), description)
    assert matrix.tolist() == [[1.0, 0.0]]
