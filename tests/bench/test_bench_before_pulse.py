import json

import pytest
from click.testing import CliRunner

from bench.before_pulse import main


def test_one_participant_is_held_against_the_truth() -> None:
    result = CliRunner().invoke(main, ["--participants", "1", "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    (row,) = told["rows"]
    off = row["before_sd_deg"] - row["true_sd_deg"]
    assert told["before_sd_off_deg"] == pytest.approx(off, abs=0.01)
    assert abs(off) < abs(row["whole_sd_deg"] - row["true_sd_deg"])
