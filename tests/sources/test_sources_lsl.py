import threading

import pytest

from controller.config import LslSource
from controller.errors import (
    ChannelError,
    StreamAmbiguous,
    StreamFormatError,
    StreamLost,
    StreamNotFound,
)
from controller.sources.lsl import LslInlet, _quoted, find_stream
from controller.sources.timing import measure_stream

pytestmark = pytest.mark.lsl


def wanted(**marks: object) -> LslSource:
    return LslSource.model_validate({"kind": "lsl", "resolve_timeout_s": 5.0, **marks})


def test_description_is_read(announce) -> None:
    source_id = announce(
        labels=("Fz", "Cz", "TRIG"),
        units=("uV", "millivolts", None),
        types=("EEG", "eeg", "Markers"),
        rate_hz=500.0,
        channel_format="double64",
    ).source_id
    found = find_stream(wanted(source_id=source_id)).description
    assert found.labels == ("Fz", "Cz", "TRIG")
    assert found.channel_types == ("EEG", "EEG", "MARKERS")
    assert found.scale_uv[:2].tolist() == [1.0, 1000.0]
    assert found.scale_uv[2] != found.scale_uv[2]
    assert (found.sfreq_hz, found.channel_format) == (500.0, "double64")
    assert (found.name, found.type, found.source_id) == ("amplifier", "EEG", source_id)


def test_all_marks_must_match(announce) -> None:
    first = announce(name="left", source_id=None)
    announce(name="right")
    found = find_stream(wanted(name="left", type="EEG", source_id=first.source_id))
    assert found.description.source_id == first.source_id
    with pytest.raises(StreamNotFound):
        find_stream(
            wanted(name="right", source_id=first.source_id, resolve_timeout_s=0.2)
        )


@pytest.mark.parametrize("name", ["Bob's amp", 'a "b"', 'it\'s "both"', "µ-amp ' or '"])
def test_quotes_in_marks_are_taken_literally(announce, name: str) -> None:
    source_id = announce(name=name).source_id
    found = find_stream(wanted(name=name)).description
    assert found.source_id == source_id


def test_quoted_without_apostrophe_is_plain() -> None:
    assert _quoted("x y") == "'x y'"


def test_absent_stream_lists_the_visible_ones(announce) -> None:
    source_id = announce(name="the other one").source_id
    with pytest.raises(StreamNotFound) as caught:
        find_stream(wanted(name="nobody", resolve_timeout_s=0.2))
    message = str(caught.value)
    assert "name 'nobody'" in message
    assert "'the other one'" in message
    assert source_id in message


def test_two_matches_name_the_mark_that_tells_them_apart(announce) -> None:
    ids = {announce(name="twins").source_id for _ in range(2)}
    with pytest.raises(StreamAmbiguous) as caught:
        find_stream(wanted(name="twins"))
    message = str(caught.value)
    assert all(source_id in message for source_id in ids)
    assert "add source_id to [source]" in message


def test_two_matches_that_nothing_tells_apart(announce) -> None:
    for _ in range(2):
        announce(name="clones", source_id="same-serial")
    with pytest.raises(StreamAmbiguous, match="differ in no mark"):
        find_stream(wanted(name="clones"))


@pytest.mark.parametrize(
    "channel_format", ["string", "int8", "int16", "int32", "int64"]
)
def test_samples_that_are_no_floats_are_refused(announce, channel_format: str) -> None:
    source_id = announce(channel_format=channel_format).source_id
    with pytest.raises(StreamFormatError, match=f"sends {channel_format} samples"):
        find_stream(wanted(source_id=source_id))


@pytest.mark.parametrize("rate_hz", [0.0, 99.9, 20_000.1])
def test_rates_out_of_range_are_refused(announce, rate_hz: float) -> None:
    source_id = announce(rate_hz=rate_hz).source_id
    with pytest.raises(StreamFormatError, match=r"rate|runs at"):
        find_stream(wanted(source_id=source_id))


@pytest.mark.parametrize("rate_hz", [100.0, 20_000.0])
def test_rates_at_the_ends_are_accepted(announce, rate_hz: float) -> None:
    source_id = announce(rate_hz=rate_hz).source_id
    assert find_stream(wanted(source_id=source_id)).description.sfreq_hz == rate_hz


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        ({"labels": ("O1", "O1")}, "the label O1 to more than one"),
        ({"labels": ("O1", None)}, "no label to channel 2 of 2"),
        ({"described": 0}, "no label to channel 1, 2 of 2"),
        ({"described": 1}, "has 2 channels but describes 1"),
        ({"units": ("uV", None)}, "unit of channel O2 .* is not told"),
        ({"units": ("uV", "furlongs")}, "is 'furlongs'"),
        ({"units": ("uV", "MV")}, "is 'MV'"),
    ],
)
def test_labels_and_units_are_checked(announce, stream: dict, message: str) -> None:
    source_id = announce(**stream).source_id
    with pytest.raises(ChannelError, match=message):
        find_stream(wanted(source_id=source_id))


def test_inlet_needs_to_be_open(announce) -> None:
    inlet = LslInlet(find_stream(wanted(source_id=announce().source_id)))
    with pytest.raises(StreamLost, match="is not open"):
        _ = inlet.handle


def test_own_machine_needs_no_clock_correction(announce) -> None:
    inlet = LslInlet(find_stream(wanted(source_id=announce().source_id)))
    inlet.open()
    assert inlet.clock_offset_s() == 0.0
    assert inlet.handle != 0
    inlet.close()
    inlet.close()


def test_silent_stream_is_lost_within_seconds(announce) -> None:
    inlet = LslInlet(find_stream(wanted(source_id=announce().source_id)))
    inlet.open()
    with pytest.raises(StreamLost, match="sends no samples"):
        measure_stream(inlet, 1.0)
    inlet.close()


def test_stream_that_ends_while_it_is_measured_is_lost(announce) -> None:
    stream = announce()
    inlet = LslInlet(find_stream(wanted(source_id=stream.source_id)))
    inlet.open()
    ending = threading.Timer(0.1, lambda: stream.__dict__.update(outlet=None))
    ending.start()
    with pytest.raises(StreamLost, match="ended while"):
        measure_stream(inlet, 5.0)
    ending.join()
    inlet.close()
