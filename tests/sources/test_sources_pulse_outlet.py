"""Edges as LSL markers: their text, and their way over the network."""

import json
import uuid

import numpy as np
import pylsl
import pytest

from controller.core.records import EDGE
from controller.errors import StreamLost
from controller.safety.interlock import Refusal
from controller.sources import pulse_outlet
from controller.sources.pulse_outlet import NAME, PulseOutlet, edge_marker


def edges_of(*rows):
    edges = np.zeros(len(rows), EDGE)
    for edge, row in zip(edges, rows, strict=True):
        for field, value in row.items():
            edge[field] = value
    return edges


FIRED = {
    "decision": 7,
    "trial": 3,
    "rises": 1,
    "t_due": 10.0,
    "t_fired": 10.0001,
    "t_after": 10.0002,
}
REFUSED = {**FIRED, "decision": 8, "refusal": int(Refusal.TOO_LATE)}
FAILED = {**FIRED, "decision": 9, "system_error": 5}


def test_marker_holds_the_instants_around_the_edge():
    (edge,) = edges_of(FIRED)
    assert json.loads(edge_marker(edge)) == {
        "decision": 7,
        "trial": 3,
        "edge": 0,
        "rises": True,
        "t_due": 10.0,
        "t_before": 10.0001,
        "t_after": 10.0002,
        "refusal": None,
        "system_error": None,
    }


def test_marker_says_why_the_line_did_not_move():
    refused, failed = map(json.loads, map(edge_marker, edges_of(REFUSED, FAILED)))
    assert (refused["refusal"], refused["system_error"]) == ("TOO_LATE", None)
    assert (failed["refusal"], failed["system_error"]) == (None, 5)


def test_outlet_that_cannot_be_made_is_one_sentence(monkeypatch):
    def fail(_stream):
        raise RuntimeError("could not create stream outlet")

    monkeypatch.setattr(pylsl, "StreamOutlet", fail)
    with pytest.raises(StreamLost, match="phasegate-pulses cannot be made"):
        PulseOutlet("session")


def test_closed_outlet_publishes_nothing(monkeypatch):
    monkeypatch.setattr(pylsl, "StreamOutlet", lambda _stream: None)
    outlet = PulseOutlet("session")
    outlet.close()
    outlet.publish(edges_of(FIRED))


@pytest.mark.lsl
def test_markers_arrive_in_order_with_the_stamp_of_their_edge():
    session = uuid.uuid4().hex
    outlet = PulseOutlet(session)
    try:
        found = pylsl.resolve_bypred(
            f"name='{NAME}' and contains(source_id, '{session}')", 1, 10.0
        )
        assert found[0].type() == "Markers"
        inlet = pylsl.StreamInlet(found[0])
        inlet.open_stream(10.0)
        outlet.publish(edges_of(FIRED, REFUSED))
        received = [inlet.pull_sample(10.0) for _ in range(2)]
        inlet.close_stream()
    finally:
        outlet.close()
    assert [json.loads(text)["decision"] for (text,), _ in received] == [7, 8]
    assert {stamp for _, stamp in received} == {10.0001}
    assert pulse_outlet.NAME == "phasegate-pulses"
