"""A profile on its way from calibration to disk and into a session."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
from bad_days import Operator
from rests import (
    CHANNELS,
    calibrated,
    calibration_config,
    changed,
    recording_of,
    stream_of,
)

from controller.calibration.fit import ProfileMismatch
from controller.calibration.profile import Profile
from controller.calibration.profile_file import copy_profile
from controller.config import Montage
from controller.errors import ConfigError, FileError, RecordingError
from controller.estimators.registry import find_designer
from controller.rig.calibrate.design import calibrate, check_rest
from controller.rig.calibrate.profile import (
    check_writable,
    find_profile,
    fitting,
    fitting_config,
    keep,
    participants_in,
    rest_of_profile,
    with_profile,
)
from controller.rig.calibrate.promise import promise_of_profile
from controller.rig.calibrate.spatial import check_montage
from controller.rig.run import run_session


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("profiles")
    keep(calibrated(), stream_of(), where)
    return where


@pytest.fixture
def profile(root: Path) -> Profile:
    return find_profile(root, "P07")


def session_design(profile: Profile, horizon_s: float):
    config = with_profile(calibration_config(), profile)
    return calibrate(
        config,
        find_designer(config.estimator.kind),
        rest_of_profile(profile, stream_of()),
        sfreq_hz=profile.sfreq_hz,
        horizon_s=horizon_s,
        profile=profile,
    )


def test_rest_comes_back_bit_by_bit(profile: Profile) -> None:
    rest = rest_of_profile(profile, stream_of())
    np.testing.assert_array_equal(rest.uv, calibrated().rest.uv)
    np.testing.assert_array_equal(rest.mixing, calibrated().rest.mixing)


def test_session_has_the_design_of_its_rest_and_horizon(profile: Profile) -> None:
    made = calibrated()
    found = session_design(profile, made.result.horizon_s).design
    designer = find_designer(calibration_config().estimator.kind)
    again = designer.design(found.brief, made.rest.uv)
    assert found.brief.frequency_hz == made.result.rhythm.frequency_hz
    assert found.brief.band_hz == made.result.rhythm.band_hz
    for name in ("transition", "drive", "readout", "feedthrough"):
        if again.state_space is not None and designer.needs_rest:
            np.testing.assert_array_equal(
                getattr(found.state_space, name), getattr(again.state_space, name)
            )
    if again.fir is not None:
        np.testing.assert_array_equal(found.fir, again.fir)


def test_another_horizon_is_designed_anew(profile: Profile) -> None:
    near, far = (session_design(profile, s).design for s in (0.005, 0.025))
    assert far.brief.horizon_s == 0.025
    different = [
        not np.array_equal(a, b)
        for a, b in ((near.fir, far.fir),)
        if a is not None and b is not None
    ]
    if near.state_space is not None and far.state_space is not None:
        a, b = near.state_space.readout, far.state_space.readout
        different.append(not np.array_equal(a, b))
    assert any(different)


def test_channels_may_come_in_another_order(profile: Profile) -> None:
    backwards = stream_of(labels=tuple(reversed(CHANNELS)))
    mixing = rest_of_profile(profile, backwards).mixing
    expected = calibrated().rest.mixing[:, ::-1]
    np.testing.assert_array_equal(mixing, expected)


def test_promise_is_that_of_the_own_gate(profile: Profile) -> None:
    found = session_design(profile, 0.01)
    assert found.promise is not None
    assert found.expected_sd_deg == pytest.approx(
        np.degrees(calibrated().result.level.circ_sd_rad)
    )
    assert found.promise.per_minute == profile.level.triggers_per_minute
    assert found.sentence().startswith("profile v0001 of P07: Rhythm at")


def test_promise_between_two_gates_lies_between(profile: Profile) -> None:
    gate = calibration_config().gate.model_copy(update={"percentile": 85.0})
    found = promise_of_profile(profile, gate)
    assert found is not None
    assert found.per_minute is not None
    by_percentile = {level.percentile: level for level in profile.levels}
    rates = [by_percentile[p].triggers_per_minute for p in (90.0, 80.0)]
    assert rates[0] < found.per_minute < rates[1]


def test_nothing_is_promised_beyond_the_tightest_gate(profile: Profile) -> None:
    gate = calibration_config().gate.model_copy(update={"percentile": 95.0})
    assert promise_of_profile(profile, gate) is None


def test_absolute_gate_is_promised_by_its_threshold(profile: Profile) -> None:
    level = profile.levels[2]
    gate = calibration_config().gate.model_copy(
        update={"amplitude": "absolute", "threshold_uv": level.threshold_uv}
    )
    found = promise_of_profile(profile, gate)
    assert found is not None
    assert found.per_minute == pytest.approx(level.triggers_per_minute)


@pytest.mark.parametrize(
    ("section", "keys", "said"),
    [
        ("run", {"participant": "P08"}, "cannot be used for P08"),
        ("run", {"participant": "unnamed"}, "pass --participant P07"),
        ("rhythm", {"band": "theta"}, "made for the band 'alpha'"),
        ("rhythm", {"frequency_hz": 11.0}, "but rhythm.frequency_hz is 11;"),
        ("estimator", {"kind": "echt"}, "made for the estimator 'wiener'"),
        ("montage", {"weights": None, "ssd": "Oz"}, "asks for montage.ssd = 'Oz'"),
    ],
)
def test_profile_of_something_else_is_refused(profile, section, keys, said) -> None:
    config = calibration_config()
    if section == "estimator":
        keys = keys | {"kind": "echt" if profile.estimator != "echt" else "iir"}
        said = f"made for the estimator {profile.estimator!r}"
    with pytest.raises(ProfileMismatch, match=said):
        fitting_config(profile, changed(config, section, **keys))


def test_own_frequency_may_be_repeated(profile: Profile) -> None:
    config = calibration_config()
    fitting_config(
        profile, changed(config, "rhythm", frequency_hz=profile.frequency_hz)
    )


def test_profile_at_another_rate_is_refused(profile: Profile) -> None:
    with pytest.raises(ProfileMismatch, match="made at 250 Hz, but the stream runs at"):
        fitting(profile, calibration_config(), stream_of(500.0))


@pytest.mark.parametrize(
    "montage",
    [
        {"weights": {"O1": 1.0}},
        {"hjorth": "C3"},
        {"weights": {"O1": 0.5, "O2": 0.5}, "reference": "average"},
    ],
)
def test_profile_of_another_montage_is_refused(profile, montage) -> None:
    config = calibration_config().model_copy(
        update={"montage": Montage.model_validate(montage)}
    )
    with pytest.raises(ProfileMismatch, match="was made with the montage"):
        fitting(profile, config, stream_of())


def test_missing_channel_is_refused(profile: Profile) -> None:
    config = changed(calibration_config(), "montage", weights={"Oz": 1.0})
    stream = stream_of(labels=("Oz", "Pz"))
    with pytest.raises(ProfileMismatch, match="which the stream does not have"):
        fitting(profile, config, stream)


def test_ssd_needs_its_profile() -> None:
    config = changed(calibration_config(), "montage", weights=None, ssd="Oz")
    check_rest(config)
    with pytest.raises(ConfigError, match="run `phasegate calibrate` first"):
        check_montage(config)


def test_ssd_profile_fits_its_own_anchor_only(tmp_path: Path) -> None:
    keep(calibrated(), stream_of(), tmp_path, ssd_anchor="Oz")
    found = find_profile(tmp_path, "P07")
    ssd = changed(calibration_config(), "montage", weights=None, ssd="Oz")
    fitting_config(found, ssd)
    with pytest.raises(ProfileMismatch, match=r"made with a montage at Oz, but"):
        fitting_config(found, changed(ssd, "montage", ssd="Cz"))


def test_nobodys_profile_is_used_with_a_warning(tmp_path: Path) -> None:
    made = calibrated()
    nobody = dataclasses.replace(
        made, result=dataclasses.replace(made.result, participant="unnamed")
    )
    keep(nobody, stream_of(), tmp_path)
    config = changed(calibration_config(), "run", participant="unnamed")
    (warning,) = fitting(find_profile(tmp_path, "unnamed"), config, stream_of())
    assert "make sure that it is this person's" in warning


def test_profile_is_found_by_any_of_its_folders(root: Path) -> None:
    version = participants_in(root)["P07"][-1]
    for where in (root, root / "P07", version, version / "profile.toml"):
        assert find_profile(where, "P07").name == "profile v0001 of P07"


def test_missing_profile_is_told(root: Path, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="There is no profile"):
        find_profile(tmp_path / "nothing", "P07")
    with pytest.raises(FileError, match="holds no profile of P08"):
        find_profile(root, "P08")
    with pytest.raises(FileError, match=r"holds the profiles of P07; name one with"):
        find_profile(root, "unnamed")


def test_changed_arrays_are_refused(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "P07", tmp_path / "P07")
    (version,) = (tmp_path / "P07").iterdir()
    content = bytearray((version / "arrays.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (version / "arrays.npz").write_bytes(bytes(content))
    with pytest.raises(FileError, match="its hash differs"):
        find_profile(tmp_path, "P07")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("O1 = 0.5", "O1 = 0.9", "does not go with its arrays"),
        ("snr_db", "snr_dp", "unknown key"),
        ("format = 1", "format = 2", "of format 2"),
    ],
)
def test_changed_form_is_refused(root, tmp_path, old, new, said) -> None:
    shutil.copytree(root / "P07", tmp_path / "P07")
    (version,) = (tmp_path / "P07").iterdir()
    text = (version / "profile.toml").read_text(encoding="utf-8")
    assert old in text
    (version / "profile.toml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises((FileError, ConfigError), match=said):
        find_profile(tmp_path, "P07")


def test_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="choose another folder with --profiles"):
        check_writable(tmp_path / "file" / "profiles")
    check_writable(tmp_path / "new" / "profiles")


def test_unrelated_folders_are_nobodys(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "p")
    (tmp_path / "p" / "not a name").mkdir()
    (tmp_path / "p" / "P09").mkdir()
    assert list(participants_in(tmp_path / "p")) == ["P07"]


def test_recording_keeps_its_latency() -> None:
    recording = recording_of(np.zeros((500, len(CHANNELS))))
    assert recording.timing.data_age_p50_s == pytest.approx(0.010, abs=1e-6)


def never(*_: object) -> None:
    pytest.fail("began although the profile does not fit")


@pytest.mark.parametrize("why", ["ssd without a profile", "another participant"])
def test_run_refuses_before_a_stream_or_folder_is_opened(
    profile, tmp_path, why
) -> None:
    config = calibration_config()
    given = None
    if why == "ssd without a profile":
        config = changed(config, "montage", weights=None, ssd="Oz")
    else:
        given = profile
        config = changed(config, "run", participant="P08")
    with pytest.raises(ConfigError):
        run_session(
            config,
            "",
            out=tmp_path,
            listener=Operator(),
            confirm_arming=never,
            profile=given,
            begin_source=never,
            open_output=never,
        )
    assert list(tmp_path.iterdir()) == []


def test_a_copy_of_the_profile_in_a_session_is_the_profile(
    profile: Profile, tmp_path: Path
) -> None:
    copy_profile(profile, tmp_path / "profile")
    again = find_profile(tmp_path / "profile", "P07")
    assert (again.name, again.version) == (profile.name, profile.version)
    for name, array in profile.arrays.items():
        np.testing.assert_array_equal(again.arrays[name], array)
    with pytest.raises(RecordingError, match="cannot be written"):
        copy_profile(profile, tmp_path / "profile")
