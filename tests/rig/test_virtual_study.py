"""Every ready protocol from its first stage to its last, in virtual time."""

import itertools
from pathlib import Path

import pytest

from controller.config import load_config
from controller.errors import ConfigError
from controller.protocol.dose import planned_dose
from controller.protocol.protocol_file import load_protocol, parse_protocol
from controller.protocol.randomise import imbalance
from controller.protocol.trial_events import Done, Fired, GivenUp, Paused, read_events
from controller.protocol.trial_list import cells_of
from controller.rig.replay.report import replay_folder
from controller.rig.study.prepared import Study, require_runnable
from controller.rig.study.virtual_study import run_study_virtually
from controller.session.books.trial_file import TRIALS
from drivers.sim.byte_box import BoxBehaviour, ByteBox

CONFIGS = Path(__file__).parents[2] / "configs"
RIG = CONFIGS / "mu-protocols-simulated.toml"
READY = sorted(path.stem for path in (CONFIGS / "protocols").glob("*.toml"))


def study_of(text_or_path, *, seed=1, arm=None, **swaps):
    if isinstance(text_or_path, Path):
        protocol = load_protocol(text_or_path)
        text = text_or_path.read_text()
    else:
        protocol, text = parse_protocol(text_or_path, where="x"), text_or_path
    if protocol.blinding is not None and arm is None:
        arm = protocol.blinding.arms[0]
    return Study.of(protocol, text, seed=seed, arm=arm, rmt_pct_mso=50.0, **swaps)


def run(study, root, config=None, **options):
    config = config or load_config(RIG)
    return run_study_virtually(config, RIG.read_text(), study, out=root, **options)


def events_of(result):
    events, n_torn = read_events((result.folder / TRIALS).read_bytes(), where="log")
    assert n_torn == 0
    return events


def pulses_at_the_box(result):
    """Return how many codes the simulated trigger box showed."""
    box = ByteBox(BoxBehaviour())
    shown = [
        arrival
        for t, _, code in result.calls.tolist()
        for arrival in box.take(bytes([int(code)]), t)
    ]
    return sum(arrival.code > 0 for arrival in shown)


@pytest.mark.parametrize("name", READY)
def test_a_ready_protocol_is_given_as_it_is_written(name, tmp_path):
    study = study_of(CONFIGS / "protocols" / f"{name}.toml")
    result = run(study, tmp_path)
    states = result.progress.states
    assert {state.outcome for state in states} <= {"given", "as-if"}
    assert result.progress.next_stage is None
    # Counts per condition, and the dose: in the plan, the log, the book and the device.
    planned = planned_dose(study.protocol, study.trials)
    for each in planned.conditions:
        of_it = [s for s in states if s.trial.condition == each.condition.name]
        assert len(of_it) == each.n_trials
        assert sum(state.n_pulses for state in of_it) == each.n_pulses
    assert result.progress.n_pulses == planned.per_session
    assert result.dose.pulses == pulses_at_the_box(result) == planned.per_session
    require_balance(study, events_of(result))


def require_balance(study, events):
    """Wherever the session had been cut short, its conditions were balanced."""
    done = [event.trial for event in events if isinstance(event, Done)]
    for place, stage in study.protocol.stimulating_stages():
        cells = cells_of(study.protocol, stage)
        numbers = [n for n in done if study.trials[n].stage == place]
        drawn = [study.trials[n] for n in numbers]
        places = [
            next(
                index
                for index, cell in enumerate(cells)
                if cell.condition.name == trial.condition
                and cell.target_rad in (None, trial.target_phase_rad)
            )
            for trial in drawn
        ]
        weights = [cell.condition.weight for cell in cells]
        assert imbalance(places, weights) <= 1.0


SHORT = """
title = "Short"
version = "1"
modality = "tms"
[intensity]
pct_rmt = 110
[intervals]
iti_s = 3.0
[attempts]
timeout_s = 4.0
then = "repeat"
max_repeats = 2
[dose]
min_interval_s = 2.0
max_pulses_per_session = 1000
max_pulses_per_day = 1000
max_pulses_total = 1000
[[conditions]]
name = "peak"
when = { kind = "phase", phase_deg = 0 }
[[conditions]]
name = "clock"
when = { kind = "open-loop" }
[[stages]]
kind = "rest"
name = "rest"
duration_s = 30
[[stages]]
kind = "run"
name = "pulses"
n_trials = 6
markers = { start = "begin", end = "over", trial = "pulse" }
"""


def test_the_same_seed_gives_the_same_session(tmp_path):
    study = study_of(SHORT)
    first, second = (run(study, tmp_path / each) for each in "ab")
    assert [e.model_dump() for e in events_of(first)] == [
        e.model_dump() for e in events_of(second)
    ]
    assert first.calls.tobytes() == second.calls.tobytes()
    assert first.markers[0] == "begin"
    assert first.markers[-1] == "over"
    assert len(first.markers) == 8
    named = {f"pulse {condition}" for condition in ("peak", "clock")}
    assert set(first.markers[1:-1]) == named


def test_a_trial_that_cannot_be_given_is_repeated_and_then_left_out(tmp_path):
    config = load_config(RIG)
    # Nothing is ever that strong.
    gate = config.gate.model_copy(update={"amplitude": "absolute", "threshold_uv": 1e3})
    result = run(study_of(SHORT), tmp_path, config.model_copy(update={"gate": gate}))
    by_condition = {
        name: [s for s in result.progress.states if s.trial.condition == name]
        for name in ("peak", "clock")
    }
    assert {state.outcome for state in by_condition["clock"]} == {"given"}
    assert {state.outcome for state in by_condition["peak"]} == {"skipped"}
    assert {state.n_repeats for state in by_condition["peak"]} == {2}
    given_up = [event for event in events_of(result) if isinstance(event, GivenUp)]
    fates = [event.then for event in given_up]
    assert (fates.count("repeat"), fates.count("skip")) == (6, 3)
    assert {event.because for event in given_up} == {"timeout"}


def test_a_trial_that_cannot_be_given_may_stop_everything(tmp_path):
    config = load_config(RIG)
    gate = config.gate.model_copy(update={"amplitude": "absolute", "threshold_uv": 1e3})
    text = SHORT.replace('"repeat"', '"pause"').replace("max_repeats = 2", "")
    # Nobody is there: the pause is ended at once, and the trial tried anew.
    with pytest.raises(ConfigError, match="was not over"):
        run(
            study_of(text),
            tmp_path,
            config.model_copy(update={"gate": gate}),
            longest_s=90.0,
        )
    (folder,) = tmp_path.iterdir()
    events, _ = read_events((folder / TRIALS).read_bytes(), where="log")
    assert any(isinstance(event, GivenUp) and event.then == "pause" for event in events)
    assert not any(isinstance(event, Paused) for event in events)


def test_every_pulse_is_under_one_key(tmp_path):
    events = events_of(run(study_of(SHORT), tmp_path))
    keys = [event.key for event in events if isinstance(event, Fired)]
    assert len(keys) == len(set(keys)) == 6
    instants = [e.t for e in events if isinstance(e, Fired)]
    assert all(b - a >= 3.0 - 1e-6 for a, b in itertools.pairwise(instants))


def test_a_session_of_a_protocol_replays_bit_for_bit(tmp_path):
    result = run(study_of(SHORT), tmp_path)
    report = replay_folder(result.folder)
    assert report.identical
    assert report.edges.identical


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (("iti_s = 3.0", "iti_s = 1.2"), "limits.min_interval_s"),
        (('"tms"', '"electrical"'), "limits.modality"),
        (("n_trials = 6", "n_trials = 1001"), "max_pulses_per_session"),
        (('kind = "open-loop"', 'kind = "control"'), None),
    ],
)
def test_what_breaks_a_rule_is_refused_before_anything_begins(change, field):
    study, config = study_of(SHORT.replace(*change)), load_config(RIG)
    if field is None:
        require_runnable(study, config)
        return
    with pytest.raises(ConfigError, match=field):
        require_runnable(study, config)
