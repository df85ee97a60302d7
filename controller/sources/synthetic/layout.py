"""Which channels a simulated participant's amplifier has, and in which order."""

from controller.config_source import SyntheticSource

TRIGGER_TYPE = "TRIG"
MUSCLE_TYPE = "EMG"


def channel_labels(config: SyntheticSource) -> tuple[str, ...]:
    """Return the labels: EEG, then the muscle, then the trigger input."""
    return (*config.channels, *(label for label, _ in _further(config)))


def channel_types(config: SyntheticSource) -> tuple[str, ...]:
    """Return the type of each channel, in capitals."""
    eeg = ("EEG",) * len(config.channels)
    return (*eeg, *(kind for _, kind in _further(config)))


def channel_units(config: SyntheticSource) -> tuple[str, ...]:
    """Return the unit of each channel, as an LSL stream tells it."""
    return tuple(
        "none" if kind == TRIGGER_TYPE else "microvolts"
        for kind in channel_types(config)
    )


def muscle_column(config: SyntheticSource) -> int | None:
    """Return where the muscle's channel is, None without one."""
    return None if config.emg_channel is None else len(config.channels)


def trigger_column(config: SyntheticSource) -> int | None:
    """Return where the trigger input's channel is, None without one."""
    if config.trigger_channel is None:
        return None
    return len(config.channels) + (config.emg_channel is not None)


def _further(config: SyntheticSource) -> list[tuple[str, str]]:
    further = [
        (config.emg_channel, MUSCLE_TYPE),
        (config.trigger_channel, TRIGGER_TYPE),
    ]
    return [(label, kind) for label, kind in further if label is not None]
