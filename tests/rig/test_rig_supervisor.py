import signal
import threading
from collections.abc import Callable, Iterator

import pytest
from stand_ins import Bench

from controller.core.reasons import Fault, HoldReason, Outcome
from controller.engine.clock import host_clock
from controller.errors import (
    EngineFault,
    OutputLost,
    PhasegateError,
    RecordingError,
)
from controller.rig.interrupt import Interrupt
from controller.safety.interlock import Permit, Refusal
from controller.sources.markers import GateNews
from drivers.base import PortLost


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr("controller.rig.supervisor._LOOK_EVERY_S", 0.0)
    monkeypatch.setattr("controller.rig.supervisor._CHECK_OUTPUT_EVERY_S", 0.0)
    yield Bench()
    names = {thread.name for thread in threading.enumerate()}
    assert "phasegate-looker" not in names


def assert_every_row_seen(bench: Bench) -> None:
    assert bench.seen == list(range(int(bench.telemetry.heads[0])))


def assert_nothing_freed(bench: Bench) -> None:
    """That is for the recorder alone."""
    assert not bench.telemetry.tails.any()


def test_stage_ends_as_planned_with_every_row_seen(bench: Bench) -> None:
    end = bench.run()
    assert (end.fault, end.interrupted) == (Fault.STOPPED, False)
    assert not bench.loop.running
    assert_every_row_seen(bench)
    assert_nothing_freed(bench)
    assert bench.recorder.events == ["stage"]
    assert bench.words.supervisor_beat > 0.0


def test_stage_ends_when_its_time_is_up(bench: Bench) -> None:
    end = bench.run(duration_s=0.0, done=lambda: False)
    assert end.fault is Fault.STOPPED
    assert_every_row_seen(bench)


def test_fault_of_the_loop_ends_the_stage_with_every_row_seen(
    bench: Bench,
) -> None:
    def fail() -> None:
        bench.loop.fault = Fault.GAP_TOO_LONG

    bench.watcher.at[3] = fail
    end = bench.run(at_end=lambda: pytest.fail("planned on a fault"))
    assert end.fault is Fault.GAP_TOO_LONG
    assert bench.loop.permits_at_stop is None
    assert_every_row_seen(bench)


def test_wish_to_end_disarms_before_the_loop_stops(bench: Bench) -> None:
    bench.watcher.at[2] = lambda: signal.raise_signal(signal.SIGINT)
    with bench.interrupt.listening():
        end = bench.run(at_end=lambda: pytest.fail("planned after the wish"))
    assert end.interrupted
    assert bench.loop.permits_at_stop == Permit.ALL & ~Permit.ARMED
    assert_every_row_seen(bench)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_taken_within_and_given_back(number: signal.Signals) -> None:
    interrupt = Interrupt()
    before = signal.getsignal(number)
    with interrupt.listening():
        assert not interrupt.wished()
        signal.raise_signal(number)
        assert interrupt.wished()
        interrupt.wait(60.0)
    assert signal.getsignal(number) is before


def test_lost_output_stops_the_loop(
    bench: Bench,
) -> None:
    def pull_out() -> None:
        bench.output.lost = True

    bench.watcher.at[3] = pull_out
    with pytest.raises(OutputLost, match=r"^The port was lost\.$"):
        bench.run()
    assert bench.loop.permits_at_stop == Permit.NONE
    assert not bench.loop.running
    assert_every_row_seen(bench)


def test_lost_output_is_told_also_where_the_disk_is_full(bench: Bench) -> None:
    def pull_out() -> None:
        bench.output.lost = True
        bench.recorder.fail_from = bench.recorder.n_checks + 2

    bench.watcher.at[3] = pull_out
    with pytest.raises(OutputLost):
        bench.run()
    assert not bench.loop.running


def test_trouble_of_the_recorder_takes_every_permit_and_stops_the_loop(
    bench: Bench,
) -> None:
    bench.recorder.fail_from = 4
    with pytest.raises(RecordingError, match="disk is full"):
        bench.run()
    assert bench.loop.permits_at_stop == Permit.NONE
    assert not bench.loop.running
    assert_every_row_seen(bench)


def test_looks_go_on_during_long_work(bench: Bench) -> None:
    looked_on = threading.Event()

    def work() -> None:
        n_looks = bench.watcher.n_looks
        # The looks go on while this is written: one of the coming ones meets it.
        for later in range(3, 1000):
            bench.watcher.at[n_looks + later] = looked_on.set
        assert looked_on.wait(10.0)

    end = bench.run(at_end=work)
    assert end.fault is Fault.STOPPED
    assert_every_row_seen(bench)


def test_trouble_during_long_work_ends_the_stage(bench: Bench) -> None:
    seen = threading.Event()

    def check() -> None:
        seen.set()
        raise PortLost("The port was lost.")

    def work() -> None:
        bench.output.check = check  # type: ignore[method-assign]
        assert seen.wait(10.0)

    with pytest.raises(OutputLost):
        bench.run(at_end=work)
    assert bench.loop.permits_at_stop == Permit.NONE
    assert_every_row_seen(bench)


def test_trouble_of_the_work_itself_ends_the_stage(bench: Bench) -> None:
    def work() -> None:
        raise PhasegateError("No rhythm.")

    with pytest.raises(PhasegateError, match="No rhythm"):
        bench.run(at_end=work)
    assert not bench.loop.running
    assert_every_row_seen(bench)


def test_status_counts_by_reason(bench: Bench) -> None:
    rings = bench.telemetry

    def write_rows() -> None:
        decisions, edges = rings.decisions, rings.edges
        decisions["outcome"][:3] = (Outcome.HELD, Outcome.REFUSED, Outcome.PLANNED)
        decisions["holds"][0] = int(HoldReason.ARTIFACT | HoldReason.INTERVAL)
        decisions["refusal"][1] = Refusal.BUDGET_SPENT
        edges["rises"][:3] = (1, 0, 1)
        edges["refusal"][:3] = (Refusal.NONE, Refusal.NONE, Refusal.TOO_LATE)
        rings.heads[1:] = 3

    bench.watcher.at[2] = write_rows
    bench.run()
    status = bench.supervisor.status
    assert status.fired == 1
    assert status.held == {"ARTIFACT": 1, "INTERVAL": 1}
    assert status.refused == {"BUDGET_SPENT": 1, "TOO_LATE": 1}
    assert status.n_samples == len(bench.seen)
    assert (status.n_bytes, status.lag_s, status.n_lost_events) == (99, 0.25, 3)
    assert bench.output.n_checks == bench.watcher.n_looks


def test_a_wish_acts_at_once_on_what_asked_for_it() -> None:
    interrupt = Interrupt()
    acted: list[bool] = []
    interrupt.at_once(lambda: acted.append(interrupt.wished()))
    with interrupt.listening():
        signal.raise_signal(signal.SIGINT)
        assert acted == [True]


@pytest.mark.parametrize("name", ["SIGHUP", "SIGQUIT", "SIGTSTP"])
def test_keys_that_would_freeze_or_kill_the_process_end_the_session(name: str) -> None:
    interrupt = Interrupt()
    with interrupt.listening():
        signal.raise_signal(getattr(signal, name))
    assert interrupt.wished()


def test_a_loop_that_hangs_is_noticed_and_loses_its_permits(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.rig.supervisor._LOOP_SILENCE_S", -1.0)
    bench.words.permit(Permit.ALL)
    with pytest.raises(EngineFault, match=r"hung for .* switch the stimulator off"):
        bench.run()
    assert bench.words.permits == Permit.NONE


def test_a_supervisor_that_stood_still_while_armed_ends_the_session(
    bench: Bench,
) -> None:
    bench.words.permit(Permit.ALL)
    bench.watcher.at[3] = lambda: bench.words.beat(bench.words.supervisor_beat - 2.5)
    with pytest.raises(EngineFault, match=r"stood still for 2\.5 s"):
        bench.run()
    assert bench.words.permits == Permit.NONE


class Markers:
    """A marker gate that is as told."""

    def __init__(self) -> None:
        self.is_open = True

    def look(self, t_now: float) -> GateNews:
        return GateNews(is_open=self.is_open)


def test_gate_that_closed_between_two_stages_is_closed_before_the_loop_runs(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    markers = Markers()
    monkeypatch.setattr(bench.supervisor, "_markers", markers)
    bench.run()
    assert bench.words.permits & Permit.MARKER
    markers.is_open = False
    seen: list[Permit] = []
    monkeypatch.setattr(
        bench.loop, "start", lambda stretch: seen.append(bench.words.permits)
    )
    bench.run()
    assert not seen[0] & Permit.MARKER


def test_an_arming_that_runs_out_ends_the_stage(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[str] = []
    monkeypatch.setattr(bench.watcher, "note", notes.append)
    bench.words.vouch_until(Permit.ARMED, host_clock() - 1e-3)
    end = bench.run(done=lambda: False)
    assert (end.fault, end.interrupted) == (Fault.STOPPED, False)
    assert not bench.words.permits & Permit.ARMED
    assert [note for note in notes if "arming has expired" in note] == notes
    assert bench.recorder.events == ["stage", "arming expired"]


def test_every_edge_is_published_once(bench: Bench) -> None:
    def write_edges() -> None:
        telemetry = bench.telemetry
        for _ in range(2):
            place = int(telemetry.heads[2])
            telemetry.edges[place]["decision"] = place
            telemetry.heads[2] += 1

    bench.watcher.at = {2: write_edges, 3: write_edges}
    bench.run()
    assert bench.outlet.n_published > 3
    assert bench.outlet.decisions == [0, 1, 2, 3]


def write_pulse(bench: Bench) -> None:
    bench.telemetry.edges[int(bench.telemetry.heads[2])]["rises"] = 1
    bench.telemetry.heads[2] += 1


def n_edges(bench: Bench) -> int:
    return sum(map(len, bench.supervisor.edges))


@pytest.mark.parametrize("ended_by", ["plan", "fault"])
def test_a_pulse_counts_also_where_the_very_last_look_meets_trouble(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, ended_by: str
) -> None:
    def leave(where: Callable[[], Fault | None]) -> Callable[[], Fault | None]:
        def with_a_pulse() -> Fault | None:
            write_pulse(bench)
            bench.recorder.fail_from = 0
            return where()

        return with_a_pulse

    if ended_by == "plan":
        monkeypatch.setattr(bench.loop, "stop", leave(bench.loop.stop))
    else:
        bench.loop.fault = Fault.GAP_TOO_LONG
        monkeypatch.setattr(bench.loop, "finished", leave(bench.loop.finished))
    with pytest.raises(RecordingError):
        bench.run(done=lambda: bench.watcher.n_looks >= 1)
    assert n_edges(bench) == 1
    assert bench.supervisor.knows_every_edge
    assert bench.words.permits == Permit.NONE


def test_where_a_loop_hangs_nobody_claims_to_know_every_edge(bench: Bench) -> None:
    bench.loop.hangs = True
    with pytest.raises(EngineFault, match="no answer"):
        bench.run()
    assert not bench.supervisor.knows_every_edge
    assert bench.words.permits == Permit.NONE
