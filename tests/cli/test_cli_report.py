import json

import pytest
from made_session import Recipe, make_session


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_session(
        tmp_path_factory.mktemp("sessions"), Recipe(duration_s=20.0, n_pulses=12)
    )


def test_page_is_written_elsewhere_and_the_session_left_alone(
    invoke, made, tmp_path
) -> None:
    before = {path.name: path.read_bytes() for path in made.folder.iterdir()}
    result = invoke("report", made.folder, "--out", tmp_path / "pages")
    assert result.exit_code == 0, result.stderr
    page = tmp_path / "pages" / f"{made.folder.name}.html"
    assert "For research use only" in page.read_text(encoding="utf-8")
    assert str(page) in result.stdout
    assert {path.name: path.read_bytes() for path in made.folder.iterdir()} == before


def test_json_has_the_figures_and_nothing_else(invoke, made, tmp_path) -> None:
    result = invoke("report", made.folder, "--out", tmp_path, "--json")
    (told,) = json.loads(result.stdout)["sessions"]
    (cell,) = told["landings"]
    error = made.summary["phase_error_deg"]
    assert (cell["aimed_at"], cell["believed"]) == ("the peak (0°)", "whole")
    assert cell["whole"]["n"] == error["n"]
    assert cell["whole"]["mean_deg"] == pytest.approx(error["mean"], abs=0.01)
    assert cell["whole"]["sd_deg"] == pytest.approx(error["sd"], abs=0.01)
    assert told["criteria"] == {"outcome": None, "each": []}
    assert told["blind"] is False


def test_a_folder_that_is_no_session_is_one_sentence(invoke, tmp_path) -> None:
    result = invoke("report", tmp_path, "--out", tmp_path / "pages")
    assert result.exit_code == 17
    assert "is not a session folder" in result.stderr


def test_a_place_that_cannot_be_is_one_sentence(invoke, made, tmp_path) -> None:
    (tmp_path / "pages").write_text("in the way")
    result = invoke("report", made.folder, "--out", tmp_path / "pages" / "here")
    assert result.exit_code == 13
    assert "choose another one with --out" in result.stderr


def test_group_is_one_page_more(invoke, made, tmp_path) -> None:
    result = invoke("report", made.folder, made.folder, "--group", "--out", tmp_path)
    assert result.exit_code == 0, result.stderr
    html = (tmp_path / "group.html").read_text(encoding="utf-8")
    assert "2 sessions of participant P01" in html
    assert "Three sessions or more are needed" in html
    assert "group.html" in result.stdout
    told = json.loads(
        invoke("report", made.folder, "--group", "--json", "--out", tmp_path).stdout
    )
    assert told["group"]["order"] == [made.folder.name]
    assert told["group"]["drifts"] == []
