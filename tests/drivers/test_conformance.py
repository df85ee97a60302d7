"""The conformance test must notice each broken promise."""

import dataclasses
import math
import os
from typing import ClassVar

import pytest

from drivers.base import (
    Capabilities,
    DriverSettingError,
    PortLost,
    TriggerEdges,
    WireAction,
)
from drivers.conformance import ConformanceError, check_trigger_output

CAPABILITIES = Capabilities(
    codes=range(1, 5),
    ends_by_itself=False,
    min_pulse_s=0.0,
    min_gap_s=0.0,
    typical_latency_s=0.0,
    source="made up",
)


class GoodOutput:
    """An output that writes to the null device, and remembers the state of its line."""

    simulated = True

    def __init__(self):
        self.name = "good"
        self.port = os.devnull
        self.capabilities = CAPABILITIES
        self.descriptor = -1
        self.low = False

    def open(self):
        self.descriptor = os.open(os.devnull, os.O_WRONLY | os.O_NONBLOCK)
        self.low = True

    def close(self):
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.low = True
        self.descriptor = -1

    def edges(self, code):
        if self.descriptor < 0 or code not in self.capabilities.codes:
            raise DriverSettingError("Not open, or no such code.")
        rise = WireAction(
            kind="write", descriptor=self.descriptor, payload=bytes([code])
        )
        return TriggerEdges(rise=rise, fall=dataclasses.replace(rise, payload=b"\0"))

    def check(self):
        if self.descriptor < 0:
            raise PortLost("Not open.")

    # As a probe of itself.
    def perform(self, action):
        self.low = action.payload == b"\0"

    def is_low(self):
        return self.low


def run(output):
    try:
        check_trigger_output(lambda: output, output)
    finally:
        GoodOutput.close(output)


def test_good_output_passes_with_and_without_a_probe():
    run(GoodOutput())
    check_trigger_output(GoodOutput)


def test_output_that_ends_pulses_by_itself_passes():
    class Ending(GoodOutput):
        def edges(self, code):
            return dataclasses.replace(super().edges(code), fall=None)

    output = Ending()
    output.capabilities = dataclasses.replace(CAPABILITIES, ends_by_itself=True)
    run(output)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("codes", range(256)),
        ("codes", range(1, 1)),
        ("codes", range(1, 9, 2)),
        ("min_pulse_s", -1.0),
        ("min_gap_s", math.nan),
        ("typical_latency_s", math.inf),
        ("source", ""),
    ],
)
def test_impossible_capabilities_are_noticed(field, value):
    output = GoodOutput()
    output.capabilities = dataclasses.replace(CAPABILITIES, **{field: value})
    with pytest.raises(ConformanceError, match=field):
        run(output)


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("port", None), ("simulated", 1), ("capabilities", {})],
)
def test_bad_descriptions_are_noticed(field, value):
    output = GoodOutput()
    setattr(output, field, value)
    with pytest.raises(ConformanceError, match=field):
        run(output)


class EdgesWhileClosed(GoodOutput):
    def edges(self, code):
        opened = self.descriptor
        self.descriptor = max(0, opened)
        try:
            return super().edges(code)
        finally:
            self.descriptor = opened


class CheckWhileClosed(GoodOutput):
    def check(self):
        """Say that all is well."""


class AnyCode(GoodOutput):
    def edges(self, code):
        return super().edges(1)


class NoFall(GoodOutput):
    def edges(self, code):
        return dataclasses.replace(super().edges(code), fall=None)


class Altered(GoodOutput):
    change: ClassVar[dict[str, object]]

    def edges(self, code):
        edges = super().edges(code)
        return dataclasses.replace(
            edges, rise=dataclasses.replace(edges.rise, **self.change)
        )


class EmptyPayload(Altered):
    change: ClassVar = {"payload": b""}


class IoctlWithoutRequest(Altered):
    change: ClassVar = {"kind": "ioctl"}


class ClosedDescriptor(Altered):
    change: ClassVar = {"descriptor": 10**6}


class Blocking(GoodOutput):
    def open(self):
        super().open()
        os.set_blocking(self.descriptor, True)


class HighAfterOpen(GoodOutput):
    def open(self):
        super().open()
        self.low = False


class HighAfterClose(GoodOutput):
    def close(self):
        was_low = self.low
        super().close()
        self.low = was_low


class NeverRises(GoodOutput):
    def perform(self, action):
        """Leave the line alone."""


class NeverFalls(GoodOutput):
    def perform(self, action):
        self.low = False


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (EdgesWhileClosed, r"edges\(\) before open"),
        (CheckWhileClosed, r"check\(\) before open"),
        (AnyCode, r"edges\(0\)"),
        (NoFall, "fall must be None"),
        (EmptyPayload, "payload"),
        (IoctlWithoutRequest, "request"),
        (ClosedDescriptor, "is not open"),
        (Blocking, "must not block"),
        (HighAfterOpen, r"at rest after open"),
        (HighAfterClose, r"at rest after close"),
        (NeverRises, "up after a rise"),
        (NeverFalls, "at rest after a fall"),
    ],
)
def test_each_broken_promise_is_noticed(kind, words):
    with pytest.raises(ConformanceError, match=words):
        run(kind())


def test_second_close_that_raises_is_noticed():
    class Touchy(GoodOutput):
        def close(self):
            os.close(self.descriptor)
            self.descriptor, self.low = -1, True

    with pytest.raises(OSError, match="Bad file"):
        run(Touchy())
