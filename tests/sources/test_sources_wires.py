"""The simulated participant's ends of virtual lines, in virtual time."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from controller.config_source import FileSource, LslSource, SyntheticSource
from controller.errors import ConfigError
from controller.sources.process import ParticipantWires, start_source
from controller.sources.synthetic.responses import Responses
from controller.sources.synthetic.signal import SyntheticParticipant
from controller.sources.synthetic.wires import LiveWires
from drivers.sim.ttl import TtlChange, TtlOutput

CONFIG = SyntheticSource(kind="synthetic", emg_channel="EMG", trigger_channel="TRIG")
T_START = 1000.0
EMG, TRIG = 8, 9


class Scene:
    """A wired participant, of whom samples are pushed when the test says so."""

    def __init__(self, folder: Path) -> None:
        person = SyntheticParticipant(CONFIG)
        block = person.read(1000)
        self.plain = block.samples.copy()
        self.samples = block.samples
        self.responses = Responses(CONFIG)
        self.responses.remember(0, block.truth)
        self.wires = LiveWires(
            self.responses,
            CONFIG.sfreq_hz,
            trigger_in=folder / "trigger",
            pulse_in=folder / "pulse",
        )
        self.trigger = TtlOutput(folder / "trigger")
        self.pulse = TtlOutput(folder / "pulse")
        self._n = 0

    def push(self, n: int) -> np.ndarray:
        """Push the next samples; return what was added to them."""
        rows = slice(self._n, self._n + n)
        for index in range(rows.start, rows.stop):
            self.wires.amend(self.samples, index, index / CONFIG.sfreq_hz)
        self._n = rows.stop
        return self.samples[rows] - self.plain[rows]

    def close(self) -> None:
        for end in (self.wires, self.trigger, self.pulse):
            end.close()


@pytest.fixture
def scene(tmp_path) -> Iterator[Scene]:
    with contextlib.closing(Scene(tmp_path)) as made:
        yield made


def test_trigger_alone_shows_its_code_and_nothing_else(scene) -> None:
    scene.wires.begin(T_START)
    assert not scene.push(100).any()
    scene.trigger.send(TtlChange(t=T_START + 0.1002, code=5))
    scene.trigger.send(TtlChange(t=T_START + 0.1042, code=0))
    change = scene.push(200)
    assert np.flatnonzero(change[:, TRIG]).tolist() == [1, 2, 3, 4]
    assert np.all(change[1:5, TRIG] == 5)
    assert not change[:, :TRIG].any()
    assert scene.responses.idle


def test_pulse_shows_at_its_instant_and_is_no_code(scene) -> None:
    scene.wires.begin(T_START)
    scene.push(100)
    scene.pulse.pulse(T_START + 0.15, intensity=70.0)
    change = scene.push(300)
    assert not change[:50].any()
    assert np.all(np.abs(change[50, :TRIG]) > 0)
    assert not change[:, TRIG].any()
    (evoked,) = scene.responses.evoked
    assert evoked.at_s == pytest.approx(0.15)
    assert evoked.intensity_pct_mso == 70.0
    shape = change[50 + 23 : 50 + 34, EMG]
    assert np.ptp(shape) == pytest.approx(evoked.mep_uv, rel=0.2)


def test_edge_on_the_pulse_line_without_an_intensity_is_no_pulse(scene) -> None:
    scene.wires.begin(T_START)
    scene.pulse.pulse(T_START)
    assert not scene.push(100).any()
    assert scene.responses.evoked == []


def test_what_came_before_the_first_sample_is_forgotten(scene) -> None:
    scene.trigger.send(TtlChange(t=T_START + 0.01, code=5))
    scene.pulse.pulse(T_START + 0.01, intensity=70.0)
    scene.wires.begin(T_START)
    assert not scene.push(100).any()


def test_change_that_is_late_counts_from_the_next_sample(scene) -> None:
    scene.wires.begin(T_START)
    scene.push(100)
    scene.trigger.send(TtlChange(t=T_START + 0.0985, code=5))
    assert scene.push(10)[:, TRIG].tolist() == [5.0] * 10


@pytest.mark.parametrize("at_s", [-0.001, 1.5, 1e9])
def test_change_of_another_time_is_counted_as_strange(at_s: float, scene) -> None:
    scene.wires.begin(T_START)
    scene.trigger.send(TtlChange(t=T_START + at_s, code=5))
    scene.pulse.pulse(T_START + at_s, intensity=70.0)
    assert not scene.push(400).any()
    assert scene.wires.n_strange == 2


def test_line_in_the_place_of_a_file_is_refused(tmp_path) -> None:
    (tmp_path / "taken").write_text("precious")
    with pytest.raises(ConfigError, match="taken"):
        LiveWires(
            Responses(CONFIG),
            1000.0,
            trigger_in=tmp_path / "fine",
            pulse_in=tmp_path / "taken",
        )
    assert not (tmp_path / "fine").exists()
    assert (tmp_path / "taken").read_text() == "precious"


def test_no_lines_no_sockets(tmp_path) -> None:
    responses = Responses(CONFIG)
    wires = LiveWires(responses, 1000.0, trigger_in=None, pulse_in=None)
    wires.begin(T_START)
    samples = np.zeros((1, 10), np.float32)
    wires.amend(samples, 0, 0.0)
    assert not samples.any()
    wires.close()


def test_options_name_the_lines_that_there_are() -> None:
    assert ParticipantWires().options == ()
    wires = ParticipantWires(trigger_in=Path("a"), pulse_in=Path("b"))
    assert wires.options == ("--trigger-in", "a", "--pulse-in", "b")
    assert ParticipantWires(pulse_in=Path("b")).options == ("--pulse-in", "b")


@pytest.mark.parametrize(
    "source",
    [
        LslSource(kind="lsl", name="amplifier"),
        FileSource(kind="file", path=Path("rest.edf")),
    ],
)
def test_only_a_simulated_participant_can_be_wired(source) -> None:
    with pytest.raises(ConfigError, match=source.kind):
        start_source(source, ParticipantWires(pulse_in=Path("b")))
