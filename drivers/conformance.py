"""A test that any trigger output, ours or a plug-in's, can run on itself."""

import math
import os
from collections.abc import Callable
from typing import Protocol, cast

from drivers.base import (
    CalledOutput,
    Capabilities,
    DriverSettingError,
    PortLost,
    TriggerCall,
    TriggerEdges,
    TriggerOutput,
    WireAction,
)


class LineProbe(Protocol):
    """Moves and watches the trigger line of an output under test.

    Nothing that a trigger could hurt may be connected to the output.
    """

    def perform(self, action: WireAction) -> None:
        """Do what the controller's loop does with an action."""
        ...

    def is_low(self) -> bool:
        """Return whether all trigger lines are at rest."""
        ...


class ConformanceError(AssertionError):
    """A promise of `drivers.base.TriggerOutput` that the output under test breaks."""


def check_trigger_output(
    make: Callable[[], TriggerOutput], probe: LineProbe | None = None
) -> None:
    """Check that what `make` returns keeps the promises of a trigger output.

    Parameters
    ----------
    make : callable
        Returns a new output, not open; it is called once.
    probe : LineProbe, optional
        Moves and watches the line. Without one no trigger is made, and it is not
        checked that the line rests after opening and closing.

    Raises
    ------
    ConformanceError
        At the first promise that is broken.
    DriverError
        If the port does not open.
    """
    output = make()
    _check_description(output)
    _check_closed(output, "before open()")
    output.open()
    try:
        _check_open(output, probe)
    finally:
        output.close()
    _check_rest(probe, "after close(), called with the line up")
    output.close()
    _check_closed(output, "after close()")
    output.open()
    output.close()
    _check_rest(probe, "after a second open() and close()")


def _promise(kept: bool, sentence: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not kept:
        raise ConformanceError(sentence)


def _check_description(output: TriggerOutput) -> None:
    for name in ("name", "port"):
        value = getattr(output, name, None)
        _promise(isinstance(value, str) and bool(value), f"{name} must be a name.")
    _promise(
        isinstance(getattr(output, "simulated", None), bool),
        "simulated must be True or False.",
    )
    capabilities = getattr(output, "capabilities", None)
    if not isinstance(capabilities, Capabilities):
        raise ConformanceError("capabilities must be a drivers.base.Capabilities.")
    _check_capabilities(capabilities)


def _check_capabilities(capabilities: Capabilities) -> None:
    codes = capabilities.codes
    _promise(len(codes) > 0 and codes.step == 1, "codes must be a range of step 1.")
    _promise(0 not in codes, "codes must leave out 0, which is the line at rest.")
    for name in ("min_pulse_s", "min_gap_s", "typical_latency_s"):
        value = getattr(capabilities, name)
        _promise(math.isfinite(value) and value >= 0, f"{name} must be 0 or more.")
    _promise(bool(capabilities.source), "source must say where the figures come from.")
    _promise(
        isinstance(capabilities.loop_fires, bool), "loop_fires must be True or False."
    )


def _check_closed(output: TriggerOutput, when: str) -> None:
    try:
        output.edges(output.capabilities.codes.start)
    except DriverSettingError:
        pass
    else:
        raise ConformanceError(f"edges() {when} must raise DriverSettingError.")
    if not output.capabilities.loop_fires:
        _check_refuses_to_fire(output, output.capabilities.codes.start, when)
    try:
        output.check()
    except PortLost:
        return
    raise ConformanceError(f"check() {when} must raise PortLost.")


def _check_open(output: TriggerOutput, probe: LineProbe | None) -> None:
    _check_rest(probe, "after open()")
    output.check()
    codes = output.capabilities.codes
    if not output.capabilities.loop_fires:
        _check_called(output, probe)
        return
    for code in (codes.start - 1, codes.stop):
        try:
            output.edges(code)
        except DriverSettingError:
            continue
        raise ConformanceError(f"edges({code}) must raise DriverSettingError.")
    for code in {codes.start, codes.stop - 1}:
        _check_edges(output, output.edges(code))
    if probe is not None:
        _check_pulse(output, probe)


def _check_called(output: TriggerOutput, probe: LineProbe | None) -> None:
    codes = output.capabilities.codes
    for code in (codes.start - 1, codes.stop):
        _check_refuses_to_fire(output, code, f"with the code {code}")
    try:
        output.edges(codes.start)
    except DriverSettingError:
        pass
    else:
        raise ConformanceError(
            "edges() must raise DriverSettingError where the loop cannot fire."
        )
    if probe is None:
        return
    called = _as_called(output)
    for _ in range(2):
        _check_call(called.lower(), "lower")
        _check_rest(probe, "after lower()")
        _check_call(called.fire(codes.start), "fire")
        if not output.capabilities.ends_by_itself:
            _promise(not probe.is_low(), "the line must be up after fire().")


def _check_refuses_to_fire(output: TriggerOutput, code: int, when: str) -> None:
    try:
        _as_called(output).fire(code)
    except DriverSettingError:
        return
    raise ConformanceError(f"fire() {when} must raise DriverSettingError.")


def _as_called(output: TriggerOutput) -> CalledOutput:
    for name in ("fire", "lower"):
        _promise(
            callable(getattr(output, name, None)),
            f"{name}() must be there where the loop cannot fire.",
        )
    return cast(CalledOutput, output)


def _check_call(call: TriggerCall, name: str) -> None:
    _promise(
        isinstance(call, TriggerCall) and call.t_before <= call.t_after,
        f"{name}() must return a TriggerCall with its instants in order.",
    )


def _check_edges(output: TriggerOutput, edges: TriggerEdges) -> None:
    ends_by_itself = output.capabilities.ends_by_itself
    _promise(
        (edges.fall is None) == ends_by_itself,
        "fall must be None if, and only if, the device ends a trigger by itself.",
    )
    for action in (edges.rise, edges.fall):
        if action is not None:
            _check_action(action)


def _check_action(action: WireAction) -> None:
    try:
        blocking = os.get_blocking(action.descriptor)
    except OSError as error:
        raise ConformanceError(
            f"descriptor {action.descriptor} is not open ({error.strerror})."
        ) from error
    _promise(not blocking, "the descriptor must not block, or it could stall the loop.")
    _promise(bool(action.payload), "the payload of an action must not be empty.")
    _promise(
        (action.kind == "ioctl") == (action.request != 0),
        "request must be given for ioctl, and be 0 for write.",
    )


def _check_pulse(output: TriggerOutput, probe: LineProbe) -> None:
    edges = output.edges(output.capabilities.codes.start)
    probe.perform(edges.rise)
    if edges.fall is not None:
        _promise(not probe.is_low(), "the line must be up after a rise.")
        probe.perform(edges.fall)
        _check_rest(probe, "after a fall")
        probe.perform(edges.rise)
        _promise(not probe.is_low(), "the line must be up after a second rise.")


def _check_rest(probe: LineProbe | None, when: str) -> None:
    if probe is not None:
        _promise(probe.is_low(), f"the line must be at rest {when}.")
