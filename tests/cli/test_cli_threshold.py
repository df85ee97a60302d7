import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from controller.cli.main import cli
from controller.cli.shipped import shipped_config

TRUE_PCT = 52.0


def run(*arguments: str, answers: str):
    return CliRunner().invoke(cli, ["threshold", *arguments], input=answers)


def answers_of_a_sharp_muscle() -> str:
    """Return the answers of a muscle with a sharp threshold."""
    from controller.protocol.threshold import Hunt, HuntRules

    hunt, told = Hunt(rules=HuntRules(highest_pct=80)), ""
    while (pct := hunt.next_pct_mso()) is not None:
        hunt = hunt.with_answer(pct, responded=pct >= TRUE_PCT)
        told += "y\n" if pct >= TRUE_PCT else "n\n"
    return told


def test_yes_and_no_lead_to_the_threshold(tmp_path: Path) -> None:
    out = tmp_path / "p07.json"
    result = run(
        *("--highest", "80", "--out", str(out)), answers=answers_of_a_sharp_muscle()
    )
    assert result.exit_code == 0, result.stderr
    found = float(re.search(r"threshold (\d+\.\d)", result.stdout)[1])
    assert found == pytest.approx(TRUE_PCT, abs=2.0)
    told = json.loads(out.read_text())
    assert told["verdict"] == "found"
    assert told["n_pulses"] == len(told["answers"])
    assert list(tmp_path.iterdir()) == [out]


def test_json_carries_nothing_else() -> None:
    result = run("--highest", "80", "--json", answers=answers_of_a_sharp_muscle())
    assert json.loads(result.stdout)["rmt_pct_mso"] == pytest.approx(TRUE_PCT, abs=2.0)


def test_an_answer_can_be_turned_round(tmp_path: Path) -> None:
    out = tmp_path / "x.json"
    result = run("--highest", "80", "--out", str(out), answers="b\ny\nb\nq\n")
    assert result.exit_code == 130
    assert "There is no answer yet." in result.stderr
    assert [a["responded"] for a in json.loads(out.read_text())["answers"]] == [False]


def test_no_threshold_is_an_error_of_its_own() -> None:
    result = run("--highest", "50", answers="n\n" * 40)
    assert result.exit_code == 22
    assert "above the highest intensity allowed" in result.stderr


def test_a_result_is_never_written_over(tmp_path: Path) -> None:
    out = tmp_path / "x.json"
    out.write_text("precious")
    result = run("--highest", "50", "--out", str(out), answers="n\n")
    assert result.exit_code == 17
    assert out.read_text() == "precious"


def test_the_highest_intensity_has_no_default() -> None:
    assert run(answers="").exit_code == 2


def test_the_end_of_the_input_ends_the_hunt() -> None:
    assert run("--highest", "50", answers="y\n").exit_code == 130


def by_threshold(tmp_path: Path, **run: str) -> Path:
    """Write a configuration with an intensity in percent of the threshold."""
    text = shipped_config("mu-magstim-simulated.toml").read_text()
    text = re.sub(r"intensity_pct_mso = 45 .*", "intensity_pct_rmt = 110", text)
    for key, value in run.items():
        text = text.replace("[run]", f'[run]\n{key} = "{value}"')
    path = tmp_path / "rig.toml"
    path.write_text(text)
    return path


def check(*arguments: object):
    return CliRunner().invoke(cli, ["check", *map(str, arguments)])


def threshold_file(tmp_path: Path, participant: str = "P07") -> Path:
    out = tmp_path / f"{participant}.json"
    run(
        *("--highest", "80", "--participant", participant, "--out", str(out)),
        answers=answers_of_a_sharp_muscle(),
    )
    return out


def test_the_threshold_sets_a_stimulator_in_percent_of_it(tmp_path: Path) -> None:
    config, known = by_threshold(tmp_path), threshold_file(tmp_path)
    assert "or pass --rmt" in check(config).stderr
    assert check(config).exit_code == 3
    told = check(config, "--rmt", "40")
    assert told.exit_code == 0
    assert "44 %" in told.stdout
    pct_mso = int(1.1 * json.loads(known.read_text())["rmt_pct_mso"])
    assert f"{pct_mso} %" in check(config, "--rmt", known).stdout


def test_another_participant_s_threshold_is_refused(tmp_path: Path) -> None:
    known = threshold_file(tmp_path)
    assert (
        check(by_threshold(tmp_path, participant="P07"), "--rmt", known).exit_code == 0
    )
    other = check(by_threshold(tmp_path, participant="P08"), "--rmt", known)
    assert other.exit_code == 17
    assert "of P07, not of P08" in other.stderr
    named = check(by_threshold(tmp_path), "--rmt", known, "--participant", "P08")
    assert named.exit_code == 17


def test_a_threshold_that_nothing_needs_is_refused() -> None:
    told = check(shipped_config("mu-c3.toml"), "--rmt", "40")
    assert told.exit_code == 3
    assert "stimulator.intensity_pct_rmt" in told.stderr


def live(tmp_path: Path, *arguments: object, config: str = "mu-magstim-simulated.toml"):
    paths = ("--profiles", tmp_path / "profiles", "--sessions", tmp_path / "sessions")
    told = ["threshold", shipped_config(config), *paths, *arguments]
    return CliRunner().invoke(cli, [str(each) for each in told])


@pytest.mark.parametrize(
    ("arguments", "config", "words"),
    [
        ((), "mu-c3.toml", "has no [stimulator]"),
        (("--highest", "70"), "mu-magstim-simulated.toml", "max_intensity_pct_mso"),
        (("--window", "20", "21"), "mu-magstim-simulated.toml", "window"),
        (("--interval", "6", "4"), "mu-magstim-simulated.toml", "interval"),
        (("--interval", "1", "2"), "mu-magstim-simulated.toml", "min_interval_s"),
    ],
)
def test_a_live_hunt_that_cannot_be_is_refused_before_anything_opens(
    tmp_path: Path, arguments: tuple[object, ...], config: str, words: str
) -> None:
    result = live(tmp_path, *arguments, config=config)
    assert result.exit_code == 3
    assert words in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_result_is_not_written_over_by_a_live_hunt_either(tmp_path: Path) -> None:
    out = tmp_path / "x.json"
    out.write_text("precious")
    assert live(tmp_path, "--out", out).exit_code == 17
    assert out.read_text() == "precious"
