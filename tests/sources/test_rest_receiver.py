"""A stretch of a live stream, over LSL on this machine."""

import threading
import time
from typing import Self

import numpy as np
import pytest

from controller.config import LslSource
from controller.errors import StreamLost
from controller.sources import rest_receiver
from controller.sources.lsl import LslInlet, find_stream
from controller.sources.rest_receiver import receive

pytestmark = pytest.mark.lsl

RATE_HZ = 250.0


class Streaming:
    """Pushes numbered samples from a thread until told to stop."""

    def __init__(self, announced, *, most: int = 10**6) -> None:
        self._outlet = announced.outlet
        self._most = most
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._push, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5.0)

    def _push(self) -> None:
        for n in range(self._most):
            if self._stop.wait(1.0 / RATE_HZ):
                return
            self._outlet.push_sample([float(n), -float(n)])


@pytest.fixture
def opened(announce):
    announced = announce(rate_hz=RATE_HZ)
    wanted = LslSource(kind="lsl", source_id=announced.source_id, resolve_timeout_s=5.0)
    inlet = LslInlet(find_stream(wanted))
    inlet.open()
    yield announced, inlet
    inlet.close()


def test_samples_come_in_order_and_with_their_arrivals(opened) -> None:
    announced, inlet = opened
    told: list[float] = []
    with Streaming(announced):
        got = receive(inlet, 0.5, lambda done: told.append(done) or True)
    numbers = got.raw[:, 0]
    assert len(numbers) > 20
    np.testing.assert_array_equal(np.diff(numbers), 1.0)
    np.testing.assert_array_equal(got.raw[:, 1], -numbers)
    assert np.all(np.diff(got.t_sample) > 0.0)
    assert np.all(got.t_arrival - got.t_sample > -0.005)
    assert np.all(got.t_arrival - got.t_sample < 0.5)
    assert told == sorted(told)
    assert len(told) >= 3


def test_progress_may_end_it(opened) -> None:
    announced, inlet = opened
    began = time.monotonic()
    with Streaming(announced):
        receive(inlet, 60.0, lambda done: done < 0.2)
    assert time.monotonic() - began < 10.0


def test_silence_is_a_lost_stream(opened, monkeypatch) -> None:
    monkeypatch.setattr(rest_receiver, "_SILENCE_S", 0.3)
    announced, inlet = opened
    with (
        Streaming(announced, most=25),
        pytest.raises(StreamLost, match="is connected but sends no samples"),
    ):
        receive(inlet, 60.0, lambda _: True)
