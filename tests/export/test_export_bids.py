import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from controller.errors import ConfigError, RecordingError
from controller.export.bids import BidsWish, export_bids
from controller.export.entities import Wanted
from controller.export.hed import HED_VERSION, TAGS
from controller.export.opened import open_session
from controller.export.stimulation import read_stimulation

mne = pytest.importorskip("mne")
mne_bids = pytest.importorskip("mne_bids")

STIMULATION = """\
nibs_type = "TMS"
description = "Single pulses over left M1."
stimulus_shape = "Biphasic"
stimulus_intensity = 54.0
intensity_units = "% Maximum Stimulator Output"
intensity_reference = "rMT"
intensity_reference_value = 49.0
intensity_scaling = 1.1
current_direction = "cl-co"

[stimulator]
id = "tms1"
manufacturer = "Maker"

[element]
id = "coil1"
model = "figure of eight"

[coordinate_system]
name = "MNI152"

[[position]]
id = "hotspot"
x_mm = -37.0
y_mm = -21.0
z_mm = 58.0
"""


def rows_of(path):
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def page_of(path):
    return json.loads(path.read_text(encoding="utf-8"))


def beside(export, suffix, modality="eeg"):
    folder = export.recording.parents[1] / modality
    return folder / f"{export.stem}_{suffix}"


def wish(root, **changed):
    return BidsWish(root=root, **changed)


@pytest.fixture(scope="module", params=["BrainVision", "EDF"])
def exported(request, made, tmp_path_factory):
    root = tmp_path_factory.mktemp("bids")
    told = root.parent / f"{request.param}.toml"
    told.write_text(STIMULATION, encoding="utf-8")
    return export_bids(
        made.folder,
        wish(
            root / "study",
            kind=request.param,
            stimulation=read_stimulation(told),
            line_hz=50.0,
            reference="FCz",
            authors=("A. Body",),
        ),
    )


@pytest.fixture(scope="module")
def root(exported):
    return exported.recording.parents[3]


def test_mne_reads_the_recording_back_to_the_sample(exported, opened):
    raw = mne.io.read_raw(exported.recording, preload=True, verbose="ERROR")
    wanted = opened.raw()
    assert raw.ch_names == wanted.ch_names
    assert raw.info["sfreq"] == wanted.info["sfreq"]
    # 16 bits of EDF over the range of a channel; BrainVision holds floats.
    if exported.recording.suffix == ".edf":
        within = np.ptp(wanted.get_data(), axis=1).max() / 2**16 + 1e-12
    else:
        within = 1e-12
    assert raw.get_data().shape == wanted.get_data().shape
    np.testing.assert_allclose(raw.get_data(), wanted.get_data(), rtol=0, atol=within)


def test_mne_bids_reads_the_data_set_and_its_events(exported, root, opened):
    entities = mne_bids.get_entities_from_fname(exported.recording)
    path = mne_bids.BIDSPath(
        root=root,
        datatype="eeg",
        suffix="eeg",
        extension=exported.recording.suffix,
        **{k: v for k, v in entities.items() if v is not None and k != "suffix"},
    )
    raw = mne_bids.read_raw_bids(path, verbose="ERROR")
    kinds = [str(kind) for kind in raw.annotations.description]
    fired = sum(status == "fired" for status in opened.table("pulses")["status"])
    assert kinds.count("pulse") == exported.n_pulses == fired
    assert raw.info["line_freq"] == 50.0


def test_onsets_are_samples_and_the_exact_instant_stands_beside(exported, opened):
    rows = rows_of(beside(exported, "events.tsv"))
    pulses = [row for row in rows if row["trial_type"] in ("pulse", "trigger_refused")]
    table = opened.table("pulses")
    assert [float(row["trigger_time_s"]) for row in pulses] == table["trigger_time_s"]
    for row in rows:
        assert float(row["onset"]) == int(row["sample"]) / 1000.0
        assert abs(float(row["trigger_time_s"]) - float(row["onset"])) <= 0.0005


def test_every_column_of_every_table_is_explained(exported, root):
    for table in root.glob("sub-*/ses-*/*/*.tsv"):
        sidecar = table.with_suffix(".json")
        if sidecar.is_file() and not table.name.endswith("electrodes.tsv"):
            columns = set(rows_of(table)[0]) - {"onset", "duration", "sample", "HED"}
            assert columns <= set(page_of(sidecar)), table.name


def test_events_point_to_attempts_and_attempts_to_devices(exported):
    attempts = rows_of(beside(exported, "nibs.tsv", "nibs"))
    about = page_of(beside(exported, "nibs.json", "nibs"))
    ids = [row["nibs_event_id"] for row in attempts]
    assert len(set(ids)) == len(ids) > 0
    events = rows_of(beside(exported, "events.tsv"))
    assert [row["nibs_event_id"] for row in events if row["decision"] != "n/a"] == ids
    assert {row["stimulator_id"] for row in attempts} == {
        device["StimulatorID"] for device in about["StimulatorSet"]
    }
    assert {row["nibs_element_id"] for row in attempts} == {
        element["ElementID"] for element in about["ElementSet"]
    }
    positions = rows_of(beside(exported, "markers.tsv", "nibs"))
    assert {r["nibs_position_id"] for r in events if r["decision"] != "n/a"} == {
        row["nibs_position_id"] for row in positions
    }
    assert about["stimulus_intensity"]["Units"] == "% Maximum Stimulator Output"
    assert about["IntensitySet"] == [
        {
            "IntensityID": "rMT",
            "Value": 49.0,
            "Units": "% Maximum Stimulator Output",
        }
    ]
    assert about["ElementSet"][0]["ElementType"] == "coil"
    fired = [row for row in attempts if row["status"] == "fired"]
    counted = [int(row["stimulus_count"]) for row in fired]
    assert counted == list(range(1, len(fired) + 1))
    validated = {(row["status"], row["stimulus_validation"]) for row in attempts}
    assert validated == {("fired", "observed"), ("refused", "n/a")}
    system = f"{exported.stem.rpartition('_')[0]}_coordsystem.json"
    assert beside(exported, "nibs.tsv", "nibs").with_name(system).is_file()


def test_the_closed_loop_block_says_why_and_when(exported):
    block = page_of(beside(exported, "nibs.json", "nibs"))["ClosedLoop"]
    assert block["BandHz"] == pytest.approx([8.2, 12.2])
    assert block["SpatialFilter"] == {"O1": 0.5, "O2": 0.5}
    assert block["AmplitudeGate"] == {"amplitude": "percentile", "percentile": 60}
    assert block["Estimator"] == "wiener"
    fields = rows_of(beside(exported, "nibs.tsv", "nibs"))[0]
    assert {
        "target_phase_deg",
        "predicted_phase_deg",
        "phase_offline_deg",
        "band_low_hz",
        "band_high_hz",
        "amplitude_uv",
        "t_decision",
        "t_trigger_sent",
        "t_pulse_observed",
        "latency_ms",
        "status",
        "reason",
    } <= set(fields)


def test_every_no_is_in_the_decisions(exported, opened):
    rows = rows_of(beside(exported, "decisions.tsv", "nibs"))
    assert len(rows) == exported.n_decisions == len(opened.session.decisions)
    assert all(row["reason"] != "n/a" for row in rows if row["status"] == "held")


def test_a_person_is_named_the_mains_and_the_reference(exported, root):
    sidecar = page_of(beside(exported, "eeg.json"))
    assert sidecar["PowerLineFrequency"] == 50.0
    assert sidecar["EEGReference"] == "FCz"
    assert sidecar["RecordingType"] == "continuous"
    assert page_of(root / "dataset_description.json")["Authors"] == ["A. Body"]


def test_a_gap_is_an_event_and_the_recording_is_discontinuous(gappy, tmp_path):
    export = export_bids(gappy.folder, wish(tmp_path))
    gaps = [
        row
        for row in rows_of(beside(export, "events.tsv"))
        if row["trial_type"] == "BAD_gap"
    ]
    assert [(float(r["onset"]), float(r["duration"])) for r in gaps] == [
        pytest.approx((12.0, 0.25), abs=1e-9)
    ]
    assert page_of(beside(export, "eeg.json"))["RecordingType"] == "discontinuous"


def test_what_edf_adds_behind_the_recording_is_marked(make, tmp_path):
    made = make(duration_s=10.4)
    export = export_bids(made.folder, wish(tmp_path, kind="EDF"))
    last = rows_of(beside(export, "events.tsv"))[-1]
    assert last["trial_type"] == "BAD_ACQ_SKIP"
    assert (float(last["onset"]), float(last["duration"])) == pytest.approx((10.4, 0.6))
    raw = mne.io.read_raw(export.recording, verbose="ERROR")
    assert raw.n_times == 11_000


def test_tags_of_every_kind_of_event_are_valid_hed():
    pytest.importorskip("hed")
    from hed import HedString, load_schema_version
    from hed.validator import HedValidator

    try:
        schema = load_schema_version(HED_VERSION)
    except Exception as error:  # noqa: BLE001 - whatever hedtools makes of no network
        pytest.skip(f"the schema {HED_VERSION} is not there: {error}")
    for kind, tags in TAGS.items():
        issues = HedValidator(schema).validate(HedString(tags, schema), False)
        assert issues == [], kind


def test_exporting_again_changes_nothing(make, tmp_path):
    made = make()
    first = export_bids(made.folder, wish(tmp_path / "study"))
    again = export_bids(made.folder, wish(tmp_path / "study"))
    assert first.placed.written > 0
    assert (again.placed.written, again.placed.removed) == (0, 0)
    assert again.placed.unchanged == first.placed.written


def test_another_recording_under_the_same_labels_is_refused(make, tmp_path):
    study = tmp_path / "study"
    export = export_bids(make().folder, wish(study))
    before = export.recording.read_bytes()
    other = make(seed=77).folder
    target = other.with_name(other.name.removesuffix("-2"))
    shutil.rmtree(target)
    other.rename(target)
    with pytest.raises(RecordingError, match="--overwrite"):
        export_bids(target, wish(study))
    assert export.recording.read_bytes() == before
    replaced = export_bids(target, wish(study, overwrite=True))
    assert replaced.placed.written > 0
    rows = rows_of(study / "participants.tsv")
    assert [row["participant_id"] for row in rows] == ["sub-P01"]


def test_a_data_set_keeps_what_its_people_wrote(make, tmp_path):
    study = tmp_path / "study"
    export_bids(make().folder, wish(study))
    (study / "README").write_text("Ours.\n", encoding="utf-8")
    (study / ".bidsignore").write_text("extra/\n", encoding="utf-8")
    (study / "participants.tsv").write_text(
        "participant_id\tage\nsub-P01\t31\n", encoding="utf-8"
    )
    export_bids(make(seed=3).folder, wish(study, wanted=Wanted(subject="P02")))
    assert (study / "README").read_text(encoding="utf-8") == "Ours.\n"
    ignored = (study / ".bidsignore").read_text(encoding="utf-8").splitlines()
    assert ignored[0] == "extra/"
    assert "**/nibs" in ignored
    rows = rows_of(study / "participants.tsv")
    assert rows == [
        {"participant_id": "sub-P01", "age": "31"},
        {"participant_id": "sub-P02", "age": "n/a"},
    ]


@pytest.mark.parametrize(
    "wanted",
    [Wanted(subject="P_1"), Wanted(task=""), Wanted(session="a b"), Wanted(run=0)],
    ids=["subject", "task", "session", "run"],
)
def test_labels_that_bids_does_not_allow_are_refused(made, tmp_path, wanted):
    with pytest.raises(ConfigError):
        export_bids(made.folder, wish(tmp_path, wanted=wanted))
    assert list(tmp_path.iterdir()) == []


def test_a_stimulator_of_the_session_needs_no_file(make, tmp_path):
    folder = make().folder
    config = folder / "config.toml"
    section = '[stimulator]\nkind = "simulated-magstim-200"\nintensity_pct_mso = 45\n'
    config.write_text(config.read_text(encoding="utf-8") + section, encoding="utf-8")
    export = export_bids(folder, wish(tmp_path / "study"))
    row = rows_of(beside(export, "nibs.tsv", "nibs"))[0]
    assert (row["nibs_type"], row["stimulus_intensity"]) == ("TMS", "45")
    about = page_of(beside(export, "nibs.json", "nibs"))
    assert about["stimulus_intensity"]["Units"] == "% Maximum Stimulator Output"
    (device,) = about["StimulatorSet"]
    assert (device["Manufacturer"], device["Description"]) == ("Magstim", "simulated")


def test_the_manuals_stimulation_file_is_accepted(tmp_path):
    manual = Path(__file__).parents[2] / "docs" / "export.md"
    (toml,) = re.findall(
        r"```toml\n(.*?)```", manual.read_text(encoding="utf-8"), re.DOTALL
    )
    path = tmp_path / "stimulation.toml"
    path.write_text(toml, encoding="utf-8")
    assert read_stimulation(path).position[0].id == "hotspot"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("TMS", "magic"), "nibs_type"),
        (('intensity_units = "% Maximum Stimulator Output"\n', ""), "intensity_units"),
        (('[coordinate_system]\nname = "MNI152"\n', ""), "coordinate_system"),
        (("x_mm = -37.0", "x_mm = nan"), "x_mm"),
        (('"cl-co"', '"PA"'), "current_direction"),
        (('"rMT"', '"absolute"'), "intensity_reference_value"),
        (("[stimulator]", "[stimulator"), "TOML"),
        (('model = "', 'modell = "'), "modell"),
    ],
    ids=["type", "units", "system", "nan", "direction", "anchor", "toml", "unknown"],
)
def test_a_mistake_in_the_stimulation_file_is_named(tmp_path, change, words):
    path = tmp_path / "stimulation.toml"
    path.write_text(STIMULATION.replace(*change), encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(words)):
        read_stimulation(path)


def test_a_session_of_nobody_needs_a_subject(make, tmp_path):
    folder = make().folder
    summary = page_of(folder / "summary.json")
    summary["participant"] = "unnamed"
    (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    with pytest.raises(ConfigError, match="--subject"):
        export_bids(folder, wish(tmp_path / "study"))
    export = export_bids(folder, wish(tmp_path / "study", wanted=Wanted(subject="X1")))
    assert export.stem.startswith("sub-X1_")


def test_a_session_killed_early_is_exported_too(make, tmp_path):
    folder = make().folder
    for name in ("summary.json", "provenance.json", "design.npz", "report.html"):
        (folder / name).unlink(missing_ok=True)
    opened = open_session(folder)
    assert set(opened.table("pulses")["phase_offline_deg"]) == {None}
    export = export_bids(folder, wish(tmp_path / "s", wanted=Wanted(subject="X1")))
    assert export.n_decisions == len(opened.session.decisions)
