"""What is wrong with a rest recording, in sentences."""

import numpy as np

from controller.calibration.spatial_filter import SpatialFilter
from controller.calibration.usable_rest import UsableRest
from controller.errors import SignalFault
from controller.estimators.rhythm import MINIMUM_SNR_DB, Rhythm
from controller.rig.calibrate.clean_rest import gaps
from controller.rig.calibrate.rest_recording import RestRecording

LEAST_REST_S = 30.0
"""Clean rest that a calibration needs: parts to design from and one to test on."""


def require_whole(recording: RestRecording, usable: UsableRest) -> None:
    """Refuse a rest that gaps have cut into pieces.

    Raises
    ------
    SignalFault
    """
    n_gaps = len(gaps(recording))
    if n_gaps == 0 or usable.used_s >= LEAST_REST_S or usable.lost_s:
        return
    raise SignalFault(
        f"{recording.name} lost samples {n_gaps} times during the rest, which leaves "
        f"{usable.used_s:.1f} s in stretches long enough, but calibration needs "
        f"{LEAST_REST_S:g} s; mend the connection (a cable instead of Wi-Fi) and "
        "record again."
    )


def warnings(
    recording: RestRecording, rhythm: Rhythm, spatial: SpatialFilter
) -> tuple[str, ...]:
    """Return what a person should read beside the result."""
    return (*_weakness(rhythm), *_gap_warning(recording), *_polarity(spatial))


def _gap_warning(recording: RestRecording) -> tuple[str, ...]:
    n_gaps = len(gaps(recording))
    if n_gaps == 0:
        return ()
    times = "once" if n_gaps == 1 else f"{n_gaps} times"
    return (f"{recording.name} lost samples {times} during the rest.",)


def _weakness(rhythm: Rhythm) -> tuple[str, ...]:
    if rhythm.snr_db >= MINIMUM_SNR_DB:
        return ()
    sentence = (
        f"At {rhythm.frequency_hz:.2f} Hz, the frequency that was given, the rest "
        f"stands only {rhythm.snr_db:.1f} dB over the background."
    )
    return (sentence,)


def _polarity(spatial: SpatialFilter) -> tuple[str, ...]:
    strongest = int(np.argmax(np.abs(spatial.weights)))
    if spatial.pattern is None or spatial.weights[strongest] < 0.0:
        return ()
    if spatial.pattern[strongest] >= 0.0:
        return ()
    label = spatial.labels[strongest]
    sentence = (
        f"The rhythm that this filter reads is upside down at {label}: a peak of the "
        "virtual channel is a trough there; check the montage before choosing a target "
        "phase."
    )
    return (sentence,)
