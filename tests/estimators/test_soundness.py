"""Designs whose arrays do not fit are refused before compiled code reads them."""

import dataclasses
import math

import numpy as np
import pytest
from scenario import SFREQ_HZ, both_design, brief_of, fir_design, iir_design, program_of

from controller.core.records import Kernel, LocalMethod, TrackerKind
from controller.errors import ConfigError
from controller.estimators.base import Decimation, StateSpace, Tracker
from controller.estimators.offline import run_design
from controller.estimators.registry import list_designers
from controller.estimators.soundness import require_sound

BRIEF = brief_of()
BOTH = both_design(BRIEF)
FIR = fir_design(BRIEF)
IIR = iir_design(BRIEF)
PART = BOTH.local[0]
TRACKER = Tracker(
    kind=TrackerKind.PLL, settings=(1e-3, 10.0, 8.0, 12.0, 0.004, 0.01, 0.001)
)


def with_part(**changes):
    return dataclasses.replace(BOTH, local=(dataclasses.replace(PART, **changes),))


def with_system(**changes):
    system = dataclasses.replace(IIR.state_space, **changes)
    return dataclasses.replace(IIR, state_space=system)


def with_tracker(*, kind=TrackerKind.PLL, **at):
    values = list(TRACKER.settings)
    for place, value in at.items():
        values[int(place[1:])] = value
    return dataclasses.replace(IIR, tracker=Tracker(kind=kind, settings=tuple(values)))


def filtered(**changes):
    fitting = {
        "method": LocalMethod.FILTERED_FORECAST,
        "taps": np.ones(5),
        "period": 10.0,
        "n_data": 10,
        "n_ahead": 5,
        "row": np.zeros(15, complex),
    }
    return with_part(**(fitting | changes))


@pytest.mark.parametrize(
    "design",
    [
        BOTH,
        FIR,
        IIR,
        dataclasses.replace(IIR, tracker=TRACKER),
        filtered(),
        with_part(n_fit=np.int64(60)),
    ],
)
def test_what_fits_is_taken(design):
    require_sound(design, SFREQ_HZ)


BAD = {
    "other rate": dataclasses.replace(FIR, brief=brief_of(sfreq_hz=500.0)),
    "no kernel": dataclasses.replace(FIR, kernel=Kernel.NONE, fir=None),
    "bit without array": dataclasses.replace(FIR, kernel=Kernel.FIR | Kernel.LOCAL),
    "array without bit": dataclasses.replace(BOTH, kernel=Kernel.FIR),
    "filter of one axis": dataclasses.replace(FIR, fir=FIR.fir[0]),
    "filter without taps": dataclasses.replace(FIR, fir=np.zeros((1, 0), complex)),
    "warm-up short of the filter": dataclasses.replace(FIR, warm_up_s=0.255),
    "warm-up not a number": dataclasses.replace(IIR, warm_up_s=math.nan),
    "negative warm-up": dataclasses.replace(IIR, warm_up_s=-1.0),
    "endless warm-up": dataclasses.replace(IIR, warm_up_s=math.inf),
    "short drive": with_system(drive=IIR.state_space.drive[:-1]),
    "short readout": with_system(readout=IIR.state_space.readout[:-1]),
    "short feedthrough": with_system(feedthrough=np.zeros(0, complex)),
    "transition not square": with_system(transition=IIR.state_space.transition[:-1]),
    "complex transition": with_system(transition=IIR.state_space.transition + 0j),
    "transition not finite": with_system(
        transition=np.full_like(IIR.state_space.transition, math.nan)
    ),
    "recursion that grows": with_system(
        transition=np.eye(len(IIR.state_space.drive)) * 1.001
    ),
    "recursion that keeps": with_system(transition=np.eye(len(IIR.state_space.drive))),
    "tracker without recursion": dataclasses.replace(FIR, tracker=TRACKER),
    "tracker of no kind": with_tracker(kind=TrackerKind.NONE),
    "short tracker": dataclasses.replace(
        IIR, tracker=dataclasses.replace(TRACKER, settings=TRACKER.settings[:-1])
    ),
    "tracker not finite": with_tracker(_5=math.nan),
    "tracker at another rate": with_tracker(_0=2e-3),
    "tracker below zero": with_tracker(_2=0.0),
    "no decimation": dataclasses.replace(BOTH, decimation=None),
    "decimation by 0": dataclasses.replace(
        BOTH, decimation=Decimation(factor=0, taps=np.ones(1))
    ),
    "decimation by a half": dataclasses.replace(
        BOTH, decimation=Decimation(factor=1.5, taps=np.ones(1))
    ),
    "decimation without taps": dataclasses.replace(
        BOTH, decimation=Decimation(factor=10, taps=np.zeros(0))
    ),
    "row too short": with_part(row=PART.row[:-1]),
    "row not finite": with_part(row=PART.row * math.nan),
    "more data than there is at least": with_part(n_data=70, row=np.zeros(90, complex)),
    "data before the window": with_part(n_least=50),
    "less fitted than least": with_part(n_least=61),
    "order beyond the window": with_part(order=60),
    "no order": with_part(order=0),
    "broken length": with_part(n_fit=60.0),
    "negative forecast": with_part(n_ahead=-1, row=PART.row[:59]),
    "no stride": with_part(stride=0),
    "broken stride": with_part(stride=0.5),
    "weight not finite": with_part(weight=math.nan),
    "no method": with_part(method=7),
    "backcast of part of the window": with_part(
        n_back=3, n_data=50, row=np.zeros(73, complex)
    ),
    "even band-pass": filtered(taps=np.ones(4)),
    "no band-pass": filtered(taps=np.zeros(0)),
    "band-pass not finite": filtered(taps=np.array([1.0, math.inf, 1.0])),
    "band-pass beyond the window": filtered(taps=np.ones(121)),
    "all trimmed": filtered(n_trim=30),
    "no period": filtered(period=0.0),
    "period not a number": filtered(period=math.nan),
    "period of nothing": filtered(period=0.4),
    "turned on for long": filtered(stride=6),
}


@pytest.mark.parametrize("design", BAD.values(), ids=BAD.keys())
def test_what_does_not_fit_is_refused_with_a_sentence(design):
    with pytest.raises(ConfigError, match=r"^The design of the estimator \w+ cannot"):
        program_of(design)


def test_offline_runs_are_refused_likewise():
    with pytest.raises(ConfigError, match="cannot run: a local part's row"):
        run_design(with_part(row=PART.row[:-1]), np.zeros((1, 2000)))


def test_every_estimator_is_sound(rhythm_in_noise):
    sfreq_hz = 250.0
    rest_uv = rhythm_in_noise(sfreq_hz, 10.0, 60.0)[0][np.newaxis]
    brief = brief_of(sfreq_hz=sfreq_hz)
    for designer in list_designers(()).designers.values():
        require_sound(designer.design(brief, rest_uv), sfreq_hz)


def test_channels_of_every_part_count():
    two = np.vstack([FIR.fir, FIR.fir])
    design = dataclasses.replace(
        FIR,
        fir=two,
        kernel=Kernel.FIR | Kernel.STATE_SPACE,
        state_space=StateSpace(
            transition=np.array([[0.5]]),
            drive=np.array([[1.0, -1.0, 0.0]]),
            readout=np.zeros(1, complex),
            feedthrough=np.zeros(3, complex),
        ),
    )
    assert design.n_virtual == 3
    with pytest.raises(ConfigError, match="reads 3 virtual channels"):
        program_of(design, n_channels=2, mixing=np.eye(2))
