import dataclasses

import numpy as np
import pytest

from controller.core.records import Kernel
from controller.estimators.base import Brief, Design
from controller.estimators.cfir import ComplexFir
from controller.estimators.conformance import check_designer, simulated_rest
from controller.estimators.echt import EndpointCorrectedHilbert
from controller.estimators.iir import CausalQuadrature
from controller.estimators.registry import list_designers
from controller.estimators.wiener import PersonalWiener

BRIEF = Brief(sfreq_hz=250.0, frequency_hz=10.0, band_hz=(8.0, 12.0), horizon_s=0.01)


# Each of these takes seconds to design, at five rates and twice.
SLOW = ("blend", "ridge", "wcfir", "wiener-residual", "kalman")

OURS = [
    pytest.param(designer, id=name, marks=pytest.mark.slow if name in SLOW else ())
    for name, designer in sorted(list_designers([]).designers.items())
]


@pytest.mark.parametrize("designer", OURS)
def test_our_designers_conform_at_every_rate(designer):
    assert check_designer(designer) == ()


@pytest.mark.parametrize("designer", OURS)
def test_our_designers_conform_for_theta(designer):
    found = check_designer(
        designer,
        frequency_hz=5.6,
        half_width_hz=1.5,
        horizon_s=0.004,
        rates_hz=(250.0, 1000.0),
    )
    assert found == ()


def spoilt(change, base=CausalQuadrature):
    """Return a designer whose every design goes through `change`."""

    class Spoilt(base):
        def design(self, brief, rest=None):
            return change(super().design(brief, rest))

    return Spoilt()


def with_system(design, **changes):
    return dataclasses.replace(
        design, state_space=dataclasses.replace(design.state_space, **changes)
    )


BREAKS = {
    "trough for peak": (
        lambda d: with_system(d, readout=-d.state_space.readout),
        "phase is off by",
    ),
    "sine for cosine": (
        lambda d: with_system(d, readout=1j * d.state_space.readout),
        "phase is off by",
    ),
    "runs backwards": (
        lambda d: with_system(d, readout=d.state_space.readout.conj()),
        "phase is off by|comes out as",
    ),
    "volts": (
        lambda d: with_system(d, readout=1e-6 * d.state_space.readout),
        "microvolts",
    ),
    "too short a warm-up": (
        lambda d: dataclasses.replace(d, warm_up_s=0.1 * d.warm_up_s),
        "state a longer one",
    ),
    "no warm-up": (lambda d: dataclasses.replace(d, warm_up_s=0.0), "warm-up is 0"),
    "NaN warm-up": (
        lambda d: dataclasses.replace(d, warm_up_s=np.nan),
        "warm-up is nan",
    ),
    "passes an offset": (
        lambda d: with_system(d, feedthrough=np.array([0.01 + 0j])),
        "gain at 0 Hz",
    ),
    "unstable": (
        lambda d: with_system(d, transition=1.1 * d.state_space.transition),
        "unstable",
    ),
    "NaN": (
        lambda d: with_system(d, readout=np.nan * d.state_space.readout),
        "NaN",
    ),
    "wrong shape": (
        lambda d: with_system(d, drive=d.state_space.drive[:, 0]),
        "do not fit",
    ),
    "no arrays": (
        lambda d: dataclasses.replace(d, state_space=None),
        "brings no arrays",
    ),
    "wrong kernel": (
        lambda d: dataclasses.replace(d, kernel=Kernel.FIR),
        "does not have the shape",
    ),
    "another brief": (
        lambda d: dataclasses.replace(
            d, brief=dataclasses.replace(d.brief, horizon_s=0.5)
        ),
        "another brief",
    ),
}


@pytest.mark.parametrize("fault", BREAKS)
def test_a_broken_promise_is_named(fault):
    change, sentence = BREAKS[fault]
    found = check_designer(spoilt(change), rates_hz=(250.0,))
    assert len(found) >= 1
    assert any(_matches(sentence, one) for one in found), found
    assert all(one.startswith("At 250 Hz") for one in found)


def _matches(alternatives, text):
    return any(part in text for part in alternatives.split("|"))


def test_nan_in_fir_weights_is_named():
    designer = spoilt(
        lambda d: dataclasses.replace(d, fir=np.nan * d.fir), EndpointCorrectedHilbert
    )
    (found,) = check_designer(designer, rates_hz=(250.0,))
    assert "NaN" in found


def test_weights_that_depend_on_the_unit_of_the_rest_are_named():
    class Absolute(PersonalWiener):
        def design(self, brief, rest):
            design = super().design(brief, rest)
            return dataclasses.replace(design, fir=design.fir * (1 + 1e-9 * rest.std()))

    (found,) = check_designer(Absolute(), rates_hz=(250.0,))
    assert "1000 times as large" in found


class EightOthers(CausalQuadrature):
    """Average nine rows, each as strong as the simulated rhythm makes it."""

    reads_others = True

    def design(self, brief, rest=None):
        n_virtual = 1 if rest is None else rest.shape[0]
        alone = ComplexFir().design(brief).fir
        return Design(
            name=self.name,
            brief=brief,
            kernel=Kernel.FIR,
            fir=np.repeat(alone / n_virtual, n_virtual, axis=0),
            warm_up_s=alone.shape[1] / brief.sfreq_hz,
        )


class PersonalOthers(EightOthers):
    needs_rest = True


def test_a_designer_of_several_rows_conforms():
    assert check_designer(PersonalOthers(), rates_hz=(128.0, 250.0)) == ()


def test_a_designer_that_finds_nothing_in_the_others_conforms():
    assert check_designer(EightOthers(), rates_hz=(250.0,)) == ()


def test_a_designer_that_ignores_how_many_rows_there_are_is_named():
    class Two(PersonalOthers):
        def design(self, brief, rest):
            return super().design(brief, rest[: min(2, len(rest))])

    (found,) = check_designer(Two(), rates_hz=(250.0,))
    assert found.startswith("At 250 Hz with 9 channels")
    assert "(9, n_taps)" in found


def test_an_offset_in_any_row_is_named():
    class Leaky(PersonalOthers):
        def design(self, brief, rest=None):
            design = super().design(brief, rest)
            fir = design.fir.copy()
            fir[-1] += 1e-6
            return dataclasses.replace(design, fir=fir)

    found = check_designer(Leaky(), rates_hz=(250.0,))
    assert len(found) == 2
    assert all("gain at 0 Hz" in one for one in found)


def test_no_kernel_is_named():
    found = check_designer(
        spoilt(lambda d: dataclasses.replace(d, kernel=Kernel.NONE)), rates_hz=(250.0,)
    )
    assert found == ("At 250 Hz the design names no kernel.",)


def test_local_without_parts_is_named():
    found = check_designer(
        spoilt(lambda d: dataclasses.replace(d, kernel=Kernel.LOCAL)), rates_hz=(250.0,)
    )
    assert "names local parts but brings none" in found[0]


def test_simulated_rest_is_the_same_recording_at_every_rate():
    slow = simulated_rest(BRIEF)[0]
    fast = simulated_rest(dataclasses.replace(BRIEF, sfreq_hz=1000.0))[0]
    both = [np.fft.rfft(rest)[:2000] / rest.size for rest in (slow, fast)]
    assert both[0] == pytest.approx(both[1], abs=1e-9)
    assert 1.0 < slow.std() < 100.0
