"""`phasegate calibrate` and `phasegate profiles` at the terminal."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from controller.cli import calibration
from controller.cli.settings import as_toml
from controller.sources.description import StreamDescription

SFREQ_HZ = 250.0
CHANNELS = ("Pz", "O1", "Oz", "O2")


@pytest.fixture(scope="module")
def config_path(tmp_path_factory) -> Path:
    import tomllib

    from controller.cli.shipped import shipped_config

    text = shipped_config("alpha-occipital.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    tables["source"] |= {"sfreq_hz": SFREQ_HZ, "channels": list(CHANNELS)}
    path = tmp_path_factory.mktemp("config") / "mine.toml"
    path.write_text(as_toml(tables), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def rest():
    """Return a function that stands in for a live stream."""
    from controller.config import SyntheticSource
    from controller.rig.calibrate.rest_recording import RestRecording
    from controller.sources.synthetic.signal import SyntheticParticipant
    from controller.sources.timing import judge_timing

    source = SyntheticSource(
        kind="synthetic",
        sfreq_hz=SFREQ_HZ,
        channels=CHANNELS,
        alpha_uv=15.0,
        blinks_per_minute=0,
    )
    raw = SyntheticParticipant(source).read(round(120 * SFREQ_HZ)).samples

    def rest_of_stream(_config, seconds, progress):
        assert progress(0.0)
        n_samples = round(seconds * SFREQ_HZ)
        t_sample = 1.0 + np.arange(n_samples) / SFREQ_HZ
        stream = StreamDescription(
            name="simulated",
            type="EEG",
            source_id="",
            hostname="",
            sfreq_hz=SFREQ_HZ,
            channel_format="float32",
            labels=CHANNELS,
            channel_types=("EEG",) * 4,
            units=("microvolts",) * 4,
            scale_uv=np.ones(4),
        )
        return RestRecording(
            name="simulated",
            stream=stream,
            t_sample=t_sample,
            raw=np.ascontiguousarray(raw[:n_samples], np.float32),
            timing=judge_timing(t_sample, t_sample + 0.01, SFREQ_HZ),
        )

    return rest_of_stream


@pytest.fixture
def calibrate(invoke, config_path, rest, monkeypatch, tmp_path):
    monkeypatch.setattr("controller.rig.calibrate.rest_recording.rest_of_stream", rest)

    def run(*options, participant="P07"):
        where = ("--profiles", tmp_path / "profiles")
        who = () if participant is None else ("--participant", participant)
        return invoke("calibrate", config_path, *where, *who, *options)

    return run


def test_result_goes_to_stdout_and_progress_to_stderr(calibrate, tmp_path) -> None:
    result = calibrate("--rest", 60)
    assert result.exit_code == 0, result.stderr
    assert "Rest: 60 s, relaxed and still ..." in result.stderr
    assert "Rehearsing the loop ..." in result.stderr
    assert "Expect " in result.stdout
    assert "* above 50 %" in result.stdout
    (folder,) = (tmp_path / "profiles" / "P07").iterdir()
    assert f"Profile: {folder}\n" in result.stdout
    assert (folder / "calibration.html").is_file()
    assert "--participant P07" in result.stdout.splitlines()[-1]


def test_json_is_all_of_stdout(calibrate, read_json) -> None:
    first = read_json(calibrate("--rest", 40, "--json"))
    assert first["participant"] == "P07"
    assert first["levels"][first["recommended"]]["percentile"] == 50.0
    assert (first["before"], first["comparison"]) == (None, None)
    second = read_json(calibrate("--rest", 60, "--json"))
    assert second["before"] == Path(first["profile"]).name
    assert second["comparison"]["sentence"]


def test_second_calibration_is_set_beside_the_first(calibrate) -> None:
    calibrate("--rest", 40)
    assert "Beside v0001-" in calibrate("--rest", 60).stdout


def test_nobody_is_told_to_have_a_name(calibrate) -> None:
    result = calibrate("--rest", 40, participant=None)
    assert result.exit_code == 0
    assert "the participant has no name" in result.stderr


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--rest", 20), 3, "needs at least 30 s of clean rest, not 20"),
        (("--file", "no.edf"), 17, "no.edf"),
        (("--session", "no-session"), 17, "no-session"),
        (("--file", "a.edf", "--session", "b"), 2, "not both"),
        (("--session", "b", "--rest", 40), 2, "--rest goes with a stream or --file"),
    ],
)
def test_wish_that_cannot_be_met_is_a_sentence(calibrate, options, code, said) -> None:
    result = calibrate(*options)
    assert result.exit_code == code
    assert said in " ".join(result.stderr.split())


def test_participant_must_name_a_folder(calibrate) -> None:
    result = calibrate("--rest", 40, participant="P 07")
    assert result.exit_code == 3
    assert "is called 'P 07'" in result.stderr


def test_folder_that_cannot_be_written_is_told_before_the_rest(
    calibrate, tmp_path
) -> None:
    (tmp_path / "file").write_text("")
    result = calibrate("--rest", 40, "--profiles", tmp_path / "file" / "profiles")
    assert result.exit_code == 13
    assert "Rest:" not in result.stderr
    assert "choose another folder with --profiles" in result.stderr


def test_interrupted_calibration_leaves_no_profile(
    calibrate, monkeypatch, tmp_path
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(
        "controller.rig.calibrate.rest_recording.rest_of_stream", interrupted
    )
    result = calibrate("--rest", 40)
    assert result.exit_code == 130
    assert "Interrupted; no profile was written." in result.stderr
    assert list((tmp_path / "profiles").iterdir()) == []


def test_check_takes_a_profile(calibrate, invoke, config_path, tmp_path) -> None:
    calibrate("--rest", 40)
    root = tmp_path / "profiles"
    good = invoke(
        "check", config_path, "--profile", root, "--participant", "P07", "--json"
    )
    assert good.exit_code == 0, good.stderr
    assert "as given" in json.loads(good.stdout)["plan"]["rhythm"]
    bad = invoke("check", config_path, "--profile", root, "--participant", "P08")
    assert bad.exit_code == 17
    assert "holds no profile of P08" in bad.stderr


def test_ssd_is_refused_without_a_profile(invoke, config_path, tmp_path) -> None:
    text = config_path.read_text(encoding="utf-8")
    start = text.index("[montage]")
    stop = text.index("[estimator]")
    path = tmp_path / "ssd.toml"
    path.write_text(text[:start] + '[montage]\nssd = "Oz"\n\n' + text[stop:])
    result = invoke("check", path)
    assert result.exit_code == 3
    assert "run `phasegate calibrate` first" in " ".join(result.stderr.split())


def test_profiles_are_listed_and_compared(calibrate, invoke, tmp_path) -> None:
    calibrate("--rest", 40)
    calibrate("--rest", 60)
    root = tmp_path / "profiles"
    out = invoke("profiles", root, "P07").stdout
    assert "P07 v1" in out
    assert "P07 v2" in out
    assert "individual frequency" in out
    found = json.loads(invoke("profiles", root, "--json").stdout)
    assert [row["version"] for row in found["participants"]["P07"]] == [1, 2]
    assert found["comparison"]["rows"]
    chosen = invoke("profiles", root, "P07", "--compare", 2, 1, "--json")
    assert json.loads(chosen.stdout)["comparison"] != found["comparison"]


def test_everybody_is_listed_without_a_comparison(calibrate, invoke, tmp_path) -> None:
    calibrate("--rest", 40)
    calibrate("--rest", 40, participant="P08")
    root = tmp_path / "profiles"
    out = invoke("profiles", root).stdout
    assert "P07 v1" in out
    assert "P08 v1" in out
    assert "before" not in out
    result = invoke("profiles", root, "--compare", 1, 2)
    assert result.exit_code == 2
    assert "--compare needs a PARTICIPANT" in result.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("P09",), "holds no profile of P09"),
        (("P07", "--compare", 1, 3), "P07 has no version 3; choose from 1"),
    ],
)
def test_missing_profiles_are_told(calibrate, invoke, tmp_path, options, said) -> None:
    calibrate("--rest", 40)
    result = invoke("profiles", tmp_path / "profiles", *options)
    assert result.exit_code == 17
    assert said in result.stderr
    shutil.rmtree(tmp_path / "profiles")
    result = invoke("profiles", tmp_path / "profiles")
    assert result.exit_code == 17
    assert "holds no profile" in result.stderr


def test_two_minutes_are_usual() -> None:
    assert calibration.LIVE_REST_S == 120.0
