import concurrent.futures
import dataclasses
import datetime as dt
import math
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from controller.calibration.profile_file import (
    latest_profile,
    load_profile,
    profile_folders,
    samples_sha256,
    save_profile,
)
from controller.errors import ConfigError, FileError, RecordingError


def same(a, b):
    """Return whether two profiles say the same, but for version and arrays."""
    for field in dataclasses.fields(a):
        if field.name in ("version", "arrays", "created", "levels", "bias_rad"):
            continue
        if getattr(a, field.name) != getattr(b, field.name):
            return False
    return len(a.levels) == len(b.levels) and all(
        dataclasses.astuple(x) == pytest.approx(dataclasses.astuple(y))
        for x, y in zip(a.levels, b.levels, strict=True)
    )


def test_a_profile_comes_back_as_it_was(make_profile, tmp_path):
    settings_kept = {"ar_order": 30, "mix": True, "w": (0.5, 1.5), "kind": "burg"}
    given_profile = make_profile(settings=settings_kept)
    folder = save_profile(given_profile, tmp_path)
    assert folder == tmp_path / "P01" / "v0001-2026-11-22T10-03"
    assert sorted(path.name for path in folder.iterdir()) == [
        "arrays.npz",
        "profile.toml",
    ]
    read = load_profile(folder)
    assert same(read, given_profile)
    assert read.version == 1
    assert read.created == dt.datetime(2026, 11, 22, 10, 3, 20, tzinfo=dt.UTC)
    assert read.bias_rad == pytest.approx(given_profile.bias_rad)
    assert read.estimator_settings == settings_kept
    assert same(load_profile(folder / "profile.toml"), read)
    assert read.arrays.keys() == given_profile.arrays.keys()
    for name, array in given_profile.arrays.items():
        assert np.array_equal(
            read.arrays[name], array, equal_nan=array.dtype.kind == "f"
        )
        assert read.arrays[name].dtype == array.dtype


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    array=arrays_of.arrays(
        st.sampled_from([np.float64, np.complex128, np.int64, np.float32]),
        arrays_of.array_shapes(max_dims=3, max_side=4),
    ),
    source=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    weight=st.floats(allow_nan=False, allow_infinity=False).filter(bool),
)
def test_any_arrays_names_and_weights_come_back(
    make_profile, tmp_path, array, source, weight
):
    profile = dataclasses.replace(
        make_profile(arrays={"fir": array}),
        source_name=source,
        montage={source or "x": weight},
    )
    read = load_profile(save_profile(profile, tmp_path))
    assert read.source_name == source
    assert read.montage == profile.montage
    assert read.arrays["fir"].tobytes() == array.tobytes()
    assert read.arrays["fir"].shape == array.shape


def test_an_endless_spread_comes_back(make_profile, tmp_path):
    levels = make_profile().levels
    scattered = dataclasses.replace(levels[0], circ_sd_rad=math.inf)
    profile = make_profile(levels=(scattered, *levels[1:]))
    read = load_profile(save_profile(profile, tmp_path))
    assert read.levels[0].circ_sd_rad == math.inf


def test_versions_count_up_and_nothing_is_written_over(make_profile, tmp_path):
    first = save_profile(make_profile(), tmp_path)
    kept = {path.name: path.read_bytes() for path in first.iterdir()}
    # The same minute, an earlier one, and another participant.
    second = save_profile(make_profile(), tmp_path)
    earlier = dt.datetime(2025, 1, 2, 3, 4, tzinfo=dt.UTC)
    third = save_profile(make_profile(created=earlier), tmp_path)
    other = save_profile(make_profile(participant="P02"), tmp_path)
    assert [path.name for path in (second, third, other)] == [
        "v0002-2026-11-22T10-03",
        "v0003-2025-01-02T03-04",
        "v0001-2026-11-22T10-03",
    ]
    assert {path.name: path.read_bytes() for path in first.iterdir()} == kept
    assert profile_folders(tmp_path, "P01") == [first, second, third]
    assert latest_profile(tmp_path, "P01") == third
    assert load_profile(third).version == 3


def test_a_deleted_version_in_the_middle_is_not_used_again(make_profile, tmp_path):
    folders = [save_profile(make_profile(), tmp_path) for _ in range(3)]
    for path in folders[1].iterdir():
        path.unlink()
    folders[1].rmdir()
    assert save_profile(make_profile(), tmp_path).name.startswith("v0004-")


def test_versions_sort_by_number_beyond_four_digits(make_profile, tmp_path):
    for number in (9999, 10000):
        (tmp_path / "P01" / f"v{number}-2026-11-22T10-03").mkdir(parents=True)
    assert latest_profile(tmp_path, "P01").name.startswith("v10000-")
    assert save_profile(make_profile(), tmp_path).name.startswith("v10001-")


def test_a_saved_profile_is_not_saved_again(make_profile, tmp_path):
    read = load_profile(save_profile(make_profile(), tmp_path))
    with pytest.raises(ConfigError, match="profile v0001 of P01 is saved already"):
        save_profile(read, tmp_path)


def test_local_time_becomes_utc(make_profile, tmp_path):
    zone = dt.timezone(dt.timedelta(hours=5, minutes=30))
    created = dt.datetime(2026, 3, 1, 2, 15, tzinfo=zone)
    folder = save_profile(make_profile(created=created), tmp_path)
    assert folder.name == "v0001-2026-02-28T20-45"
    assert load_profile(folder).created == created


def test_changed_arrays_are_refused(make_profile, tmp_path):
    folder = save_profile(make_profile(), tmp_path)
    path = folder / "arrays.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(FileError, match="not the file that this profile was saved"):
        load_profile(folder)
    path.unlink()
    with pytest.raises(FileError, match="There is no profile's arrays"):
        load_profile(folder)


def test_arrays_of_another_version_are_refused(make_profile, tmp_path):
    first = save_profile(make_profile(), tmp_path)
    second = save_profile(make_profile(arrays={"fir": np.zeros(3)}), tmp_path)
    (first / "arrays.npz").write_bytes((second / "arrays.npz").read_bytes())
    with pytest.raises(FileError, match="hash differs"):
        load_profile(first)


@pytest.mark.parametrize(
    ("pattern", "by", "words"),
    [
        ("format = 1", "format = 2", "format 2, but this version reads format 1"),
        ("format = 1\n", "", "format None"),
        ("format = 1", "format = true", "format True"),
        ("used_s = 110.0", "used_s = nan", "rest.used_s"),
        ("used_s = 110.0", "used = 110.0", "unknown key rest.used"),
        ("snr_db = .*", 'snr_db = "high"', "rhythm.snr_db must be a number"),
        ("recommended = 1", "recommended = 3", "recommends gate level 3 of 3"),
        ("within_45 = 0.93", "within_45 = 93.0", "within_45"),
        ('file = "arrays.npz"', 'file = "../x.npz"', "must be 'arrays.npz'"),
        ('sha256 = ".*"', 'sha256 = "12"', "sha256"),
        ("created = .*", "created = 2026-11-22T10:03:20", "created"),
        ('participant = "P01"', 'participant = "../P01"', "letters, digits"),
        (r"\[rest\]", "[rest", "is not valid TOML"),
    ],
)
def test_a_mistake_in_the_file_is_named(make_profile, tmp_path, pattern, by, words):
    folder = save_profile(make_profile(), tmp_path)
    path = folder / "profile.toml"
    text, n = re.subn(pattern, by, path.read_text())
    assert n >= 1
    path.write_text(text)
    with pytest.raises(ConfigError, match=words):
        load_profile(folder)


def test_nothing_there_is_said(tmp_path):
    with pytest.raises(FileError, match="There is no profile "):
        load_profile(tmp_path)
    with pytest.raises(FileError, match="no profile of P01; run `phasegate calibrate`"):
        latest_profile(tmp_path, "P01")
    with pytest.raises(ConfigError, match="letters, digits"):
        latest_profile(tmp_path, "../P01")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "Jürgen", "-x", "a b", "x" * 65]
)
def test_participants_that_cannot_name_a_folder_are_refused(make_profile, name):
    with pytest.raises(ConfigError, match="use up to 64 letters"):
        make_profile(participant=name)


def test_objects_and_odd_names_are_no_arrays(make_profile, tmp_path):
    for arrays in ({"fir": np.array([object()])}, {"../fir": np.zeros(2)}):
        with pytest.raises(ConfigError, match="cannot keep the array"):
            save_profile(make_profile(arrays=arrays), tmp_path)
    assert profile_folders(tmp_path, "P01") == []
    with pytest.raises(ConfigError, match="keeps its own array spectrum_hz"):
        make_profile(arrays={"spectrum_hz": np.zeros(2)})


def test_numbers_that_no_file_holds_are_refused(make_profile, tmp_path):
    profile = dataclasses.replace(make_profile(), snr_db=math.nan)
    with pytest.raises(ConfigError, match="cannot be written: nan is no finite"):
        save_profile(profile, tmp_path)
    negative = dataclasses.replace(make_profile(), rest_used_s=-1.0)
    with pytest.raises(ConfigError, match=r"rest\.used_s"):
        save_profile(negative, tmp_path)
    assert list((tmp_path / "P01").iterdir()) == []


def test_a_failed_write_leaves_nothing_behind(make_profile, tmp_path, monkeypatch):
    save_profile(make_profile(), tmp_path)

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RecordingError, match="the disk is full"):
        save_profile(make_profile(), tmp_path)
    monkeypatch.undo()
    assert [path.name[:5] for path in (tmp_path / "P01").iterdir()] == ["v0001"]
    assert save_profile(make_profile(), tmp_path).name.startswith("v0002")


def test_a_place_that_is_a_file_is_refused(make_profile, tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(RecordingError, match="cannot be written to"):
        save_profile(make_profile(), tmp_path / "taken")


def test_what_is_not_finished_is_no_version(tmp_path):
    (tmp_path / "P01" / ".unfinished-abc").mkdir(parents=True)
    (tmp_path / "P01" / "notes").mkdir()
    assert profile_folders(tmp_path, "P01") == []


def test_two_at_once_get_two_versions(make_profile, tmp_path):
    # The lock belongs to an open folder, so threads exclude each other as processes do.
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        made = [pool.submit(save_profile, make_profile(), tmp_path) for _ in range(6)]
        numbers = {int(each.result(timeout=60).name[1:5]) for each in made}
    assert numbers == {1, 2, 3, 4, 5, 6}


def test_the_hash_of_samples_tells_shape_type_and_value():
    samples = np.arange(6.0).reshape(2, 3)
    digest = samples_sha256(samples)
    assert samples_sha256(np.asfortranarray(samples)) == digest
    for other in (samples.T, samples.astype(np.float32), samples + 1e-12, samples[:1]):
        assert samples_sha256(other) != digest
