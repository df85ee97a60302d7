"""Rules of stimulators for the review of a protocol, from the drivers' own figures."""

import math
from collections.abc import Callable

from controller.errors import ConfigError
from controller.protocol.device_rules import DeviceRules
from drivers.magpro.codes import Mode, Model, Wave
from drivers.magpro.grids import PAIR_INTERVAL, max_rate_hz
from drivers.magstim.limits import (
    BISTIM_RECHARGE_S,
    CONTINUOUS_S,
    Variant,
    longest_train_s,
    max_frequency_hz,
    recharge_200_s,
    train_wait_s,
)

_GATHERED = "gathered from published manuals and open drivers; not measured by us"


def device_rules(name: str) -> DeviceRules:
    """Return the rules of a model.

    Raises
    ------
    ConfigError
        Nothing is known of it.
    """
    rules = _known()
    if name not in rules:
        raise ConfigError(
            f"No rules are known of a device {name!r}; known are "
            f"{', '.join(sorted(rules))}."
        )
    return rules[name]


def _known() -> dict[str, DeviceRules]:
    models = [
        DeviceRules(
            name="magstim-200",
            source=_GATHERED,
            min_gap_s=lambda pct: recharge_200_s(math.ceil(pct)),
        ),
        DeviceRules(
            name="magstim-bistim",
            source=_GATHERED,
            min_gap_s=lambda pct: BISTIM_RECHARGE_S,
            pair_s=(0.001, 0.999),
            two_intensities=True,
        ),
        *(_rapid(variant) for variant in ("rapid", "super", "super-plus")),
        _magpro("magpro-r30", Model.R30),
        _magpro("magpro-x100", Model.X100),
        _magpro("magpro-x100-option", Model.X100_OPTION, pairs=True),
    ]
    return {rules.name: rules for rules in models}


def _rapid(variant: Variant) -> DeviceRules:
    name = "magstim-rapid" if variant == "rapid" else f"magstim-rapid-{variant}"
    return DeviceRules(
        name=name,
        source=_GATHERED,
        min_gap_s=_rapid_gap(variant),
        longest_train_s=_rapid_longest,
        train_pause_s=lambda pct, hz, n: train_wait_s(math.ceil(pct), hz, n),
    )


def _rapid_gap(variant: Variant) -> Callable[[float], float]:
    def gap_s(pct: float) -> float:
        hz = max_frequency_hz(math.ceil(pct), variant, 240)
        return 1.0 / hz if hz > 0.0 else float("inf")

    return gap_s


def _rapid_longest(pct: float, hz: float) -> float:
    longest_s = longest_train_s(math.ceil(pct), hz)
    return longest_s if longest_s <= CONTINUOUS_S else float("inf")


def _magpro(name: str, model: Model, *, pairs: bool = False) -> DeviceRules:
    rate_hz = max_rate_hz(model, Mode.STANDARD, Wave.BIPHASIC)
    segments, unit = PAIR_INTERVAL.segments, PAIR_INTERVAL.unit
    return DeviceRules(
        name=name,
        source=_GATHERED,
        min_gap_s=lambda pct: 1.0 / rate_hz,
        pair_s=(segments[0].low * unit, segments[-1].high * unit) if pairs else None,
        two_intensities=pairs,
    )
