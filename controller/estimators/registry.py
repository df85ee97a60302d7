"""Find estimator designers by name: those that come along, and plug-ins."""

import dataclasses
import difflib
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points

from controller.errors import ConfigError
from controller.estimators.base import Designer
from controller.estimators.blend import Blend
from controller.estimators.cfir import ComplexFir, WeightedComplexFir
from controller.estimators.echt import (
    CalibratedEndpointHilbert,
    EndpointCorrectedHilbert,
    LongEndpointCorrectedHilbert,
)
from controller.estimators.etp import EducatedTemporalPrediction
from controller.estimators.iir import CausalQuadrature
from controller.estimators.kalman import KalmanOscillator, KalmanOscillators
from controller.estimators.oscillators import (
    NonResonantOscillator,
    ResonantOscillator,
)
from controller.estimators.peap import LongPeap, Peap
from controller.estimators.phastimate import Phastimate, TunedPhastimate
from controller.estimators.residual import WienerResidual
from controller.estimators.ridge import PersonalRidge
from controller.estimators.trackers import PhaseLockedLoop, ZeroCrossing
from controller.estimators.wiener import (
    AutoregressiveWiener,
    GenericWiener,
    PersonalWiener,
)

GROUP = "phasegate.estimators"
"""Entry-point group of the plug-ins."""

_BUILT_IN: dict[str, type[Designer]] = {
    "blend": Blend,
    "cfir": ComplexFir,
    "echt": EndpointCorrectedHilbert,
    "echt-1s": LongEndpointCorrectedHilbert,
    "echt-calibrated": CalibratedEndpointHilbert,
    "etp": EducatedTemporalPrediction,
    "iir": CausalQuadrature,
    "kalman": KalmanOscillators,
    "kalman1": KalmanOscillator,
    "non-resonant": NonResonantOscillator,
    "peap": Peap,
    "peap-4s": LongPeap,
    "phastimate": Phastimate,
    "phastimate-tuned": TunedPhastimate,
    "pll": PhaseLockedLoop,
    "resonant": ResonantOscillator,
    "ridge": PersonalRidge,
    "wcfir": WeightedComplexFir,
    "wiener": PersonalWiener,
    "wiener-ar": AutoregressiveWiener,
    "wiener-generic": GenericWiener,
    "wiener-residual": WienerResidual,
    "zero-crossing": ZeroCrossing,
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All designers that can be used, and why others cannot.

    Parameters
    ----------
    designers : dict of str to Designer
    problems : tuple of str
        One sentence for each plug-in that was left out.
    """

    designers: dict[str, Designer]
    problems: tuple[str, ...]


def find_designer(name: str, plug_ins: Iterable[EntryPoint] | None = None) -> Designer:
    """Return the designer of that name; only its own plug-in, if any, is loaded.

    Parameters
    ----------
    name : str
    plug_ins : iterable of EntryPoint, optional
        Those of the installed distributions, if None.

    Raises
    ------
    ConfigError
        If there is none, with the nearest name, or if its plug-in is broken.
    """
    if name in _BUILT_IN:
        return _BUILT_IN[name]()
    found = _foreign(plug_ins)
    for plug_in in found:
        if plug_in.name == name:
            loaded = _load(plug_in)
            if isinstance(loaded, str):
                raise ConfigError(loaded)
            return loaded
    names = sorted({*_BUILT_IN, *(plug_in.name for plug_in in found)})
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"choose of {', '.join(names)}."
    raise ConfigError(f"There is no estimator {name!r}; {hint}")


def list_designers(plug_ins: Iterable[EntryPoint] | None = None) -> Catalogue:
    """Return every designer; a broken plug-in is reported, not raised.

    Parameters
    ----------
    plug_ins : iterable of EntryPoint, optional
        Those of the installed distributions, if None.
    """
    designers = {name: make() for name, make in _BUILT_IN.items()}
    problems = []
    for plug_in in _foreign(plug_ins):
        if plug_in.name in designers:
            problems.append(
                f"The estimator plug-in {plug_in.value!r} is left out: the name "
                f"{plug_in.name!r} is taken; its author must choose another."
            )
            continue
        loaded = _load(plug_in)
        if isinstance(loaded, str):
            problems.append(loaded)
        else:
            designers[plug_in.name] = loaded
    return Catalogue(designers=designers, problems=tuple(problems))


def _foreign(plug_ins: Iterable[EntryPoint] | None) -> list[EntryPoint]:
    """Return the plug-ins that are not our own entry points, in order of name."""
    own = {f"{make.__module__}:{make.__qualname__}" for make in _BUILT_IN.values()}
    every = entry_points(group=GROUP) if plug_ins is None else plug_ins
    return sorted(
        (plug_in for plug_in in every if plug_in.value not in own),
        key=lambda plug_in: (plug_in.name, plug_in.value),
    )


def _load(plug_in: EntryPoint) -> Designer | str:
    """Return the plug-in's designer, or a sentence that says why there is none."""
    try:
        designer = plug_in.load()()
    except Exception as error:  # noqa: BLE001 - foreign code may fail in any way
        return (
            f"The estimator plug-in {plug_in.name!r} ({plug_in.value}) cannot be "
            f"loaded: {type(error).__name__}: {error}; mend or uninstall it."
        )
    missing = [
        part
        for part in ("name", "needs_rest", "reads_others", "design")
        if not hasattr(designer, part)
    ]
    if missing:
        return (
            f"The estimator plug-in {plug_in.name!r} ({plug_in.value}) has no "
            f"{', '.join(missing)}; it is not a designer."
        )
    found: Designer = designer
    return found
