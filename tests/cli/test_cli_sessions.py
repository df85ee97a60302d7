from pathlib import Path

import pytest

from controller.cli.shipped import shipped_config
from controller.config import FileSource, SyntheticSource
from controller.config_output import SimulatedOutput
from controller.errors import ChannelError, NotArmed, StreamLost

REAL = shipped_config("alpha-peak-serial.toml")


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "rest.edf"
    path.write_bytes(b"not read here")
    return path


def test_demo_is_all_simulated_and_says_so(invoke, session) -> None:
    result = invoke("demo")
    assert result.exit_code == 0
    assert "Everything in this demonstration is simulated" in result.stderr
    assert isinstance(session.config.source, SyntheticSource)
    assert isinstance(session.config.output, SimulatedOutput)
    assert (session.config.run.rest_s, session.config.run.duration_s) == (30, 60)
    assert session.config.source.sfreq_hz == 1000
    assert len(session.config.source.channels) == 8
    assert session.out == Path("sessions")


def test_demo_takes_times_and_folder(invoke, session, tmp_path: Path) -> None:
    invoke("demo", "--rest", "15", "--duration", "4", "--out", tmp_path)
    assert (session.config.run.rest_s, session.config.run.duration_s) == (15, 4)
    assert session.out == tmp_path


def test_summary_is_told_in_words(invoke) -> None:
    out = invoke("demo").stdout
    for words in (
        "26 fired of 28 planned",
        "2 x the trigger would have left later than the lateness limit",
        "400 x the inter-trial interval had not passed",
        "circular SD 18.2 deg, 96% within 45 deg (n = 25)",
        "p50 0.02 us, p99 0.05 us",
        "p50 82 us, p99 153 us",
        "92000 received, none lost",
        "folder       /sessions/one\n",
        "report       /sessions/one/report.html\n",
    ):
        assert words in out


def test_json_is_the_summary_and_nothing_else(invoke, session, read_json) -> None:
    result = invoke("demo", "--json")
    assert read_json(result) == session.summary
    assert read_json(result)["folder"] == "/sessions/one"


def test_summary_of_a_session_without_a_pulse(invoke, session, make_summary) -> None:
    nothing = {"n": 0, "p50": None, "p99": None, "p999": None, "max": None}
    session.summary = make_summary(
        duration_s=None,
        rhythm={"band": "alpha"},
        pulses={"planned": 0, "fired": 0, "refused": {}},
        decisions={"count": 0, "held": {}},
        phase_error_deg={"n": 0, "mean": None, "sd": None, "within_45": None},
        latency_us=dict.fromkeys(
            ("sample_to_decision", "deadline_error", "fire_to_arrival"), nothing
        ),
        samples={"received": 100, "lost": 7, "gaps": 2},
    )
    out = invoke("demo").stdout
    assert "alpha, not calibrated" in out
    assert "not measured" in out
    assert "100 received, 7 lost in 2 gaps" in out
    assert "None" not in out


def test_a_session_ended_by_a_fault_shows_summary_sentence_and_code(
    invoke, session, make_summary
) -> None:
    session.error = StreamLost("The stream has ended; restart it.")
    session.summary = make_summary(exit={"code": 8, "reason": str(session.error)})
    result = invoke("demo")
    assert result.exit_code == 8
    assert "26 fired of 28 planned" in result.stdout
    assert "phasegate: The stream has ended; restart it.\n" in result.stderr


def test_an_interrupted_session_exits_with_130(invoke, session, make_summary) -> None:
    session.summary = make_summary(
        exit={"code": 130, "reason": "interrupted by the operator"}
    )
    result = invoke("demo")
    assert result.exit_code == 130
    assert "the records are complete" in result.stderr


def test_run_passes_the_file_on_as_it_stands(invoke, session) -> None:
    path = shipped_config("theta-frontal.toml")
    assert invoke("run", path).exit_code == 0
    assert session.text == path.read_text()
    assert session.config.rhythm.band == "theta"


def test_run_refuses_a_real_output_without_anybody_to_arm_it(invoke, session) -> None:
    result = invoke("run", REAL)
    assert result.exit_code == NotArmed.exit_code
    assert "pass --arm" in result.stderr
    assert session.config is None, "nothing was started"


def test_run_simulated_needs_no_arming(invoke) -> None:
    assert invoke("run", shipped_config("demo.toml")).exit_code == 0


@pytest.mark.parametrize(
    ("answer", "armed"),
    [
        ("arm\n", True),
        (" arm \n", True),
        ("ARM\n", False),
        ("yes\n", False),
        ("\n", False),
        ("", False),
        (None, False),
    ],
)
def test_run_arms_by_the_word_only(invoke, session, answer, armed) -> None:
    session.needs_arming = True
    result = invoke("run", REAL, terminal=True, answer=answer)
    assert session.armed is armed
    assert "serial byte trigger at /dev/ttyUSB0 is real" in result.stderr
    assert "Keep the stimulator disabled" in result.stderr


def test_run_armed_by_option_asks_nobody(invoke, session) -> None:
    session.needs_arming = True
    result = invoke("run", REAL, "--arm", answer="no\n")
    assert session.armed is True
    assert "Armed by option" in result.stderr


def test_run_names_a_file_that_is_not_there(invoke, tmp_path: Path) -> None:
    result = invoke("run", tmp_path / "none.toml")
    assert result.exit_code == 3
    assert "There is no configuration file" in result.stderr


def test_replay_puts_the_recording_and_the_options_in(
    invoke, session, recording: Path
) -> None:
    result = invoke(
        *("replay", recording, "--channels", "O1, Oz,O2", "--band", "theta"),
        *("--target", "trough", "--speed", "2", "--rest", "25"),
    )
    assert result.exit_code == 0
    config = session.config
    assert isinstance(config.source, FileSource)
    assert config.source.path == recording
    assert config.source.speed == 2
    assert config.montage.weights == pytest.approx(
        dict.fromkeys(["O1", "Oz", "O2"], 1 / 3)
    )
    assert config.rhythm.band == "theta"
    assert config.target.phase_deg == 180
    assert config.run.rest_s == 25
    assert isinstance(config.output, SimulatedOutput)
    assert str(recording) in session.text


@pytest.mark.parametrize(
    ("options", "channels"),
    [([], ["O1", "O2"]), (["--band", "theta"], ["Fz"])],
)
def test_replay_defaults_by_band(
    invoke, session, recording: Path, options, channels
) -> None:
    invoke("replay", recording, *options)
    assert list(session.config.montage.weights) == channels
    assert session.config.target.phase_deg == 0


@pytest.mark.parametrize(
    ("word", "degrees"),
    [
        ("peak", 0),
        ("falling", 90),
        ("Trough", 180),
        ("rising", -90),
        ("-45", -45),
        ("360", 360),
    ],
)
def test_replay_takes_a_phase_as_word_or_number(
    invoke, session, recording: Path, word: str, degrees: float
) -> None:
    invoke("replay", recording, "--target", word)
    assert session.config.target.phase_deg == degrees


def test_replay_with_a_config_keeps_its_settings_but_not_its_output(
    invoke, session, recording: Path
) -> None:
    assert invoke("replay", recording, "--config", REAL).exit_code == 0
    assert session.config.montage.hjorth == "C3"
    assert session.config.timing.iti_s == 2.5
    assert isinstance(session.config.output, SimulatedOutput)


def test_replay_says_how_to_choose_channels(invoke, session, recording: Path) -> None:
    session.raises = ChannelError("montage.weights: the stream has no channel 'O1'.")
    result = invoke("replay", recording)
    assert result.exit_code == ChannelError.exit_code
    assert result.stderr.endswith("'O1'. Choose with --channels.\n")


def test_replay_names_a_recording_that_is_not_there(invoke, session) -> None:
    result = invoke("replay", "nowhere.edf")
    assert result.exit_code == 17
    assert session.config is None
