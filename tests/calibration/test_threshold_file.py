"""A hunt's file says what was found, and nothing is read that was not."""

import datetime as dt
import json
import math

import pytest

from controller.calibration.threshold_file import (
    read_threshold,
    threshold_path,
    told_of_muscle,
    write_threshold,
)
from controller.errors import ConfigError, FileError
from controller.protocol.motor_response import Response, ResponseRules
from controller.protocol.muscle_hunt import MuscleHunt, hunt_down
from controller.protocol.threshold import HuntRules

NOON = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)


def hunted(true_pct=52.0, highest_pct=80.0):
    def stimulate(pct):
        return Response(mep_uv=200.0 if pct >= true_pct else 10.0, before_uv=8.0)

    hunt = MuscleHunt.begun(HuntRules(highest_pct=highest_pct), ResponseRules())
    tense = Response(mep_uv=math.nan, before_uv=90.0, why_not="tense")
    return hunt_down(hunt.with_response(45.0, tense), stimulate)


def written(root, created=NOON, participant="P07", **hunt):
    path = threshold_path(root, participant, created)
    write_threshold(path, told_of_muscle(hunted(**hunt), participant, channel="FDI"))
    return path


def test_what_is_written_is_read(tmp_path):
    path = written(tmp_path)
    told = json.loads(path.read_text())
    assert told["n_pulses"] == len(told["pulses"]) == len(told["answers"]) + 1
    assert told["pulses"][0]["why_not"] == "tense"
    assert told["response"]["rail_uv"] is None
    assert told["channel"] == "FDI"
    known = read_threshold(path, "P07")
    assert known.rmt_pct_mso == told["rmt_pct_mso"] == pytest.approx(52.0, abs=2.0)
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_gives_the_newest_that_was_found(tmp_path):
    written(tmp_path, NOON)
    newest = written(tmp_path, NOON + dt.timedelta(days=1), true_pct=60.0)
    written(tmp_path, NOON + dt.timedelta(days=2), true_pct=90.0)
    (tmp_path / "P07" / "v0001-2026-05-04T12-00").mkdir()
    assert read_threshold(tmp_path, "P07").path == newest


def test_where_there_is_none_it_says_so(tmp_path):
    above = written(tmp_path, true_pct=90.0)
    with pytest.raises(FileError, match="ended without a threshold"):
        read_threshold(above)
    for participant in ("P07", "P08"):
        with pytest.raises(FileError, match=f"no motor threshold of {participant}"):
            read_threshold(tmp_path, participant)
    with pytest.raises(FileError, match="--participant"):
        read_threshold(tmp_path)
    with pytest.raises(ConfigError):
        read_threshold(tmp_path, "../P07")


def test_somebody_else_s_threshold_is_refused(tmp_path):
    with pytest.raises(FileError, match="of P07, not of P08"):
        read_threshold(written(tmp_path), "P08")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"verdict": "found", "rmt_pct_mso": "50"}',
        '{"verdict": "found", "rmt_pct_mso": NaN}',
        '{"verdict": "found", "rmt_pct_mso": 500}',
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(FileError, match=r"x\.json"):
        read_threshold(path)
