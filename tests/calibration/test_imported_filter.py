import json

import numpy as np
import pytest

from controller.calibration.imported_filter import ica_filter, imported_filter
from controller.errors import ChannelError, ConfigError, FileError

LABELS = ("C3", "Cz", "O1", "O2")


@pytest.mark.parametrize(
    "text",
    [
        "label,weight\nO1,0.5\nO2, -0.25\n",
        "O1,0.5\nO2,-0.25\n\n",
        "\ufeffO1,0.5\nO2,-0.25",
    ],
)
def test_csv(tmp_path, text):
    path = tmp_path / "filter.csv"
    path.write_text(text, encoding="utf-8")
    made = imported_filter(path, LABELS)
    assert made.kind == "imported"
    assert made.montage == {"O1": 0.5, "O2": -0.25}


def test_json(tmp_path):
    path = tmp_path / "filter.json"
    path.write_text(json.dumps({"O1": 1, "C3": -0.5}))
    assert imported_filter(path, LABELS).montage == {"C3": -0.5, "O1": 1.0}


@pytest.mark.parametrize(
    ("name", "text", "error", "words"),
    [
        ("f.csv", "O1;0.5\n", FileError, "a row of 1 cells"),
        ("f.csv", "", FileError, "holds no weights"),
        ("f.csv", "O1,half\n", ConfigError, "'half', but must be a number"),
        ("f.csv", "O1,nan\n", ConfigError, "must be finite"),
        ("f.csv", "O1,1\nO1,2\n", ConfigError, "names O1 more than once"),
        ("f.csv", "Fz,1\n", ChannelError, "'Fz'"),
        ("f.json", "[1, 2]", FileError, "holds no weights"),
        ("f.json", "{}", FileError, "holds no weights"),
        ("f.json", "{", FileError, "cannot be read as JSON"),
        ("f.json", '{"O1": true}', ConfigError, "True, but must be a number"),
        ("f.json", '{"O1": {"a": 1}}', ConfigError, "must be a number"),
        ("f.json", '{"O1": 1, "O1": 2}', ConfigError, "names O1 more than once"),
        ("f.json", '{"O1": 1e999}', ConfigError, "must be finite"),
        ("f.txt", "O1,1", FileError, r"must end in \.csv, \.json or \.fif"),
    ],
)
def test_refusals(tmp_path, name, text, error, words):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(error, match=words):
        imported_filter(path, LABELS)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileError, match="There is no spatial filter"):
        imported_filter(tmp_path / "none.csv", LABELS)


def test_only_an_ica_has_components(tmp_path):
    path = tmp_path / "filter.csv"
    path.write_text("O1,1\n")
    with pytest.raises(ConfigError, match="there is no component 2"):
        imported_filter(path, LABELS, component=2)


@pytest.fixture(scope="module")
def fitted():
    """Fit an ICA on three known sources."""
    mne = pytest.importorskip("mne")
    rng = np.random.default_rng(3)
    sources = rng.laplace(size=(3, 5000)) * np.array([[9.0], [5.0], [3.0]])
    mixing = np.array(
        [[1.0, 0.2, 0.1], [0.1, 0.9, 0.3], [0.0, 0.2, 1.0], [0.3, 0.1, 0.8]]
    )
    samples = mixing @ sources
    info = mne.create_info(["C3", "EEG Cz", "O1", "O2."], 250.0, "eeg")
    raw = mne.io.RawArray(samples * 1e-6, info, verbose="error")
    ica = mne.preprocessing.ICA(3, method="infomax", random_state=1)
    ica.fit(raw, verbose="error")
    return ica, samples, sources


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_ica_of_mne_gives_its_sources(fitted, tmp_path):
    ica, samples, sources = fitted
    path = tmp_path / "subject-ica.fif"
    ica.save(path, verbose="error")
    best = []
    for component in range(3):
        made = imported_filter(path, LABELS, component=component)
        out = made.apply(samples)
        matches = [abs(np.corrcoef(out, source)[0, 1]) for source in sources]
        best.append(int(np.argmax(matches)))
        assert max(matches) > 0.97
        assert np.max(made.pattern) == pytest.approx(1.0)
        # In microvolts of the strongest channel.
        assert made.weights @ made.pattern == pytest.approx(1.0, rel=1e-6)
    assert sorted(best) == [0, 1, 2]


def test_an_ica_needs_its_channels_and_its_components(fitted):
    ica, _, _ = fitted
    with pytest.raises(ChannelError, match="The ICA needs channel 'O2'"):
        ica_filter(ica, LABELS[:3], component=0)
    with pytest.raises(ConfigError, match="components 0 to 2"):
        ica_filter(ica, LABELS, component=3)


def test_a_fif_file_without_ica_is_refused(tmp_path):
    pytest.importorskip("mne")
    path = tmp_path / "broken-ica.fif"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(FileError, match="no ICA that MNE can read"):
        imported_filter(path, LABELS)
