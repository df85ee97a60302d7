import json
from pathlib import Path

import pytest

from controller.cli.shipped import shipped_config

READY = sorted(shipped_config("protocols/starter.toml").parent.glob("*.toml"))
MU = shipped_config("protocols/mu-single-pulse.toml")


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_every_ready_protocol_passes(invoke, path: Path) -> None:
    result = invoke("check", path)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.endswith(f"{path} breaks no rule.\n")


def test_check_tells_table_time_line_and_dose(invoke) -> None:
    words = " ".join(invoke("check", MU).stdout.split())
    for part in (
        "Mu phase, single pulse: peak, trough, random",
        "Zrenner et al. 2018",
        "first-half run 150 trials operator",
        "random random phase single 110 % RMT 100 20 80",
        "pulses a session 240 300",
        "break: until the operator goes on",
        "A session takes about",
    ):
        assert part in words


def test_every_kind_of_pattern_and_condition_has_words() -> None:
    from controller.cli.protocol_words import intensity_words, pattern_words, when_words
    from controller.protocol.condition_forms import Condition, Intensity
    from controller.protocol.pattern_forms import (
        Burst,
        Custom,
        IntermittentThetaBurst,
        Train,
    )
    from controller.protocol.pattern_forms import Sequence as PulseSequence

    assert pattern_words(Burst(kind="burst", n_pulses=3, interval_ms=20)) == (
        "burst of 3, 20 ms"
    )
    assert pattern_words(PulseSequence(kind="sequence", intervals_ms=(20, 30))) == (
        "sequence of 3"
    )
    assert pattern_words(Train(kind="train", frequency_hz=10, n_pulses=20)) == (
        "train of 20 at 10 Hz"
    )
    assert pattern_words(Custom(kind="custom", offsets_ms=(0, 5))) == (
        "2 pulses as listed"
    )
    assert pattern_words(IntermittentThetaBurst(kind="itbs", lock="each")) == (
        "10 bursts of 3 at 50 Hz, 5 a second, every burst locked"
    )
    assert intensity_words(None) == "as set"
    assert intensity_words(Intensity(pct_mso=60, first_pct_mso=40)) == (
        "40, then 60 % MSO"
    )
    for when, words in (
        ({"kind": "control"}, "no pulse"),
        ({"kind": "yoked", "session": "one"}, "as in one"),
        (
            {"kind": "power", "level": "low", "percentile": 25, "phase_deg": 90},
            "power below percentile 25, 90°",
        ),
    ):
        assert when_words(Condition(name="x", when=when)) == words


def test_check_json_has_dose_beside_limits(invoke, read_json) -> None:
    told = read_json(invoke("check", MU, "--json"))
    assert told["valid"] is True
    assert len(told["hash"]) == 64
    assert told["dose"]["pulses a day"] == {"planned": 240, "allowed": 300}
    assert [stage["kind"] for stage in told["stages"]] == [
        "calibration",
        "run",
        "break",
        "run",
    ]


def test_check_names_every_broken_rule(invoke, tmp_path: Path, read_json) -> None:
    path = tmp_path / "wrong.toml"
    text = MU.read_text().replace("max_pulses_total = 300", "max_pulses_total = 10")
    path.write_text(text.replace("iti_s = 3.0", "iti_s = 2.0"))
    result = invoke("check", path)
    assert result.exit_code == 3
    assert "- dose.max_pulses_total is 10" in result.stderr
    assert "less than dose.min_interval_s" in result.stderr
    told = read_json(invoke("check", path, "--json"))
    assert told["exit"]["code"] == 3
    assert "dose.max_pulses_total is 10" in told["exit"]["reason"]


def test_check_with_a_configuration_and_a_device(invoke) -> None:
    config = shipped_config("mu-c3.toml")
    fits = invoke(
        *("check", config, "--protocol", MU),
        *("--device", "magstim-rapid", "--rmt", "50"),
    )
    assert fits.exit_code == 0, fits.stderr
    weak = invoke("check", config, "--protocol", MU, "--rmt", "95")
    assert weak.exit_code == 3
    assert "more than it has" in weak.stderr
    odd = invoke("check", MU, "--device", "magstim-9")
    assert odd.exit_code == 3
    assert "known are" in odd.stderr


def test_a_calibration_s_rate_stretches_the_session(invoke, monkeypatch) -> None:
    from types import SimpleNamespace

    import controller.rig.calibrate.profile

    level = SimpleNamespace(triggers_per_minute=6.0)
    monkeypatch.setattr(
        controller.rig.calibrate.profile,
        "find_profile",
        lambda where, participant: SimpleNamespace(level=level),
    )
    stdout = invoke("check", MU, "--profile", "profiles").stdout
    assert "at the 6.0 triggers a minute that the calibration expects" in stdout
    # 300 trials, 10 s each, and two minutes of rest; the first of a stage is not.
    assert "A session takes about 52:00" in stdout


def test_check_draws_a_picture(invoke, tmp_path: Path) -> None:
    path = tmp_path / "line.svg"
    assert invoke("check", MU, "--picture", path).exit_code == 0
    assert "<svg" in path.read_text()
    wrong = invoke("check", MU, "--picture", tmp_path / "line.txt")
    assert wrong.exit_code == 17
    assert ".svg" in wrong.stderr


def test_check_looks_at_the_session_that_a_condition_follows(
    invoke, tmp_path: Path
) -> None:
    path = tmp_path / "yoked.toml"
    path.write_text(
        shipped_config("protocols/power-gated.toml")
        .read_text()
        .replace('{ kind = "open-loop" }', '{ kind = "yoked", session = "one" }')
        .replace("n_trials = 240", 'n_trials = 9\nconditions = ["strong", "weak"]')
        + '[[stages]]\nkind = "run"\nname = "follow"\nn_trials = 3\n'
        'conditions = ["clock"]\n'
    )
    gone = invoke("check", path)
    assert gone.exit_code == 3
    assert "conditions 3.when.session" in gone.stderr
    from controller.kernels.jit import new_records
    from controller.session.pulses import PULSE, rewrite_pulses

    pulses = new_records(PULSE, 3)
    pulses["trial"], pulses["t_fired"] = [0, 1, 2], [1.0, 5.0, 9.0]
    (tmp_path / "one").mkdir()
    rewrite_pulses(tmp_path / "one" / "pulses.tsv", pulses)
    assert invoke("check", path).exit_code == 0
    rewrite_pulses(tmp_path / "one" / "pulses.tsv", pulses[:2])
    assert (
        "has 2 trials, fewer than the stage follow, 3" in invoke("check", path).stderr
    )


def test_check_asks_the_dose_book_whether_the_next_session_may_begin(
    invoke, tmp_path: Path, monkeypatch
) -> None:
    import datetime as dt

    from controller.protocol.protocol_file import load_protocol
    from controller.safety.ceilings import Modality
    from controller.safety.dose import Dose
    from controller.session.books.dose_book import DoseBook, book_path
    from controller.session.books.visits import book_name

    monkeypatch.setenv("PHASEGATE_DOSE_BOOKS", str(tmp_path))
    ask = ("check", MU, "--participant", "P07")
    assert "P07's next session may begin now." in invoke(*ask).stdout
    book, t_now = DoseBook(book_path(tmp_path, "P07")), dt.datetime.now(dt.UTC)
    for name, protocol in (
        ("one", "another study"),
        ("two", book_name(load_protocol(MU))),
    ):
        book.reserve(
            name,
            modality=Modality.TMS,
            planned=Dose(pulses=100),
            limits=None,
            t_now=t_now - dt.timedelta(days=2),
            protocol=protocol,
        )
        refused = invoke(*ask)
        assert (refused.exit_code == 26) is (name == "two"), refused.stderr
    assert "phasegate dose PARTICIPANT --count two" in refused.stderr
    book.settle("two", Dose(), t_now)
    assert invoke(*ask).exit_code == 0


def test_check_prints_the_schema(invoke) -> None:
    schema = json.loads(invoke("check", "--schema").stdout)
    assert schema["title"] == "phasegate protocol"
    assert "stages" in schema["properties"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["check"],
        ["check", MU, "--protocol", MU],
        ["check", shipped_config("mu-c3.toml"), "--device", "magpro"],
        ["check", MU, "--rmt", "nan"],
        ["check", MU, "--rmt", "101"],
    ],
)
def test_options_that_do_not_go_together(invoke, arguments) -> None:
    assert invoke(*arguments).exit_code == 2


def test_new_writes_a_protocol_that_checks_clean(invoke, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    assert invoke("new", "protocol", path).exit_code == 0
    assert invoke("check", path).exit_code == 0
    again = invoke("new", "protocol", path)
    assert again.exit_code == 3
    assert "exists already" in again.stderr


def test_new_begins_with_a_ready_protocol(invoke, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    assert invoke("new", "protocol", path, "--like", "ctbs").exit_code == 0
    assert path.read_text() == shipped_config("protocols/ctbs.toml").read_text()
    unknown = invoke("new", "protocol", tmp_path / "x.toml", "--like", "cbts")
    assert unknown.exit_code == 3
    assert "there are accelerated-theta-burst" in unknown.stderr
    nowhere = invoke("new", "protocol", tmp_path / "no" / "x.toml")
    assert nowhere.exit_code == 3
