"""The numbers by which a MagPro calls its models, modes, waveforms and pages."""

import enum


class Model(enum.IntEnum):
    """Models, in the upper bits of the flags."""

    R30 = 0
    X100 = 1
    R30_OPTION = 2
    X100_OPTION = 3
    R30_OPTION_MONO = 4
    MST = 5


class Mode(enum.IntEnum):
    """Modes of pulses."""

    STANDARD = 0
    POWER = 1
    TWIN = 2
    DUAL = 3


class Wave(enum.IntEnum):
    """Waveforms."""

    MONOPHASIC = 0
    BIPHASIC = 1
    HALF_SINE = 2
    BIPHASIC_BURST = 3


class Page(enum.IntEnum):
    """Pages of the display."""

    MAIN = 1
    TIMING = 2
    TRIGGER = 3
    CONFIG = 4
    DOWNLOAD = 5
    PROTOCOL = 7
    MEP = 8
    SERVICE = 13
    TREATMENT = 15
    TREATMENT_SELECT = 16
    SERVICE_2 = 17
    CALCULATOR = 19


class TimingControl(enum.IntEnum):
    """What starts the pulses on the timing page."""

    SEQUENCE = 0
    EXTERNAL_TRIGGER = 1
    EXTERNAL_START = 2
    EXTERNAL_CONTINUE = 3
