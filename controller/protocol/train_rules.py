"""Repetitive stimulation is refused unless the protocol says which trains may be."""

from collections.abc import Iterator

from controller.protocol.ceilings import (
    HIGHEST_TRAIN_PCT_RMT,
    TRAIN_CEILINGS,
    UNSAFE_PAUSE_S,
)
from controller.protocol.condition_forms import Condition, Intensity
from controller.protocol.form import Protocol, TrainRule
from controller.protocol.patterns import Layout, layout_of

_ROUNDING = 1e-9


def train_complaints(
    protocol: Protocol, condition: Condition, key: str, pause_s: float
) -> Iterator[str]:
    """Yield what stands against a condition's trains.

    Parameters
    ----------
    protocol : Protocol
    condition : Condition
    key : str
        What the condition is called in sentences.
    pause_s : float
        Shortest time from its last pulse to the next pattern.
    """
    layout = layout_of(protocol.pattern_of(condition))
    if not layout.repetitive:
        return
    rules = protocol.dose.trains
    if not rules:
        yield (
            f"{key}: pattern is repetitive, and dose.trains allows none; add the "
            "trains that the study's approval allows, with their source."
        )
        return
    for place, rule in enumerate(rules):
        yield from _rule_complaints(f"dose.trains {place + 1}", rule)
    intensity = protocol.intensity_of(condition)
    against = [list(_against(rule, layout, intensity, pause_s)) for rule in rules]
    if all(against):
        closest = min(range(len(rules)), key=lambda place: len(against[place]))
        yield (
            f"{key}: no entry of dose.trains allows the pattern; entry {closest + 1} "
            f"comes closest, but {' and '.join(against[closest])}."
        )


def _against(
    rule: TrainRule, layout: Layout, intensity: Intensity | None, pause_s: float
) -> Iterator[str]:
    slack = 1.0 + _ROUNDING
    if not layout.peak_frequency_hz <= rule.max_frequency_hz * slack:
        yield (
            f"its pulses come at {layout.peak_frequency_hz:.4g} Hz, above "
            f"max_frequency_hz = {rule.max_frequency_hz:g}"
        )
    if not layout.n_pulses <= rule.max_pulses:
        yield f"it has {layout.n_pulses} pulses, above max_pulses = {rule.max_pulses}"
    if not layout.duration_s <= rule.max_duration_s * slack:
        yield (
            f"it lasts {layout.duration_s:.4g} s, above max_duration_s = "
            f"{rule.max_duration_s:g}"
        )
    if not pause_s * slack >= rule.min_pause_s:
        yield (
            f"iti_s leaves {pause_s:.4g} s after it, below min_pause_s = "
            f"{rule.min_pause_s:g}"
        )
    if intensity is not None:
        value, unit = intensity.strongest()
        highest, scale = rule.max_intensity.strongest()
        if unit != scale:
            yield f"its intensity is in {unit}, the entry's in {scale}"
        elif not value <= highest:
            yield f"its {unit} is {value:g}, above max_intensity.{scale} = {highest:g}"


def _rule_complaints(key: str, rule: TrainRule) -> Iterator[str]:
    for name, ceiling in TRAIN_CEILINGS.items():
        value = float(getattr(rule, name))
        if not ceiling.lowest <= value <= ceiling.highest:
            yield (
                f"{key}.{name} is {value:g}, but must be from {ceiling.lowest:g} to "
                f"{ceiling.highest:g} ({ceiling.source})."
            )
    highest, scale = rule.max_intensity.strongest()
    if scale != "pct_rmt":
        return
    if not highest <= HIGHEST_TRAIN_PCT_RMT:
        yield (
            f"{key}.max_intensity.pct_rmt is {highest:g}, but must be at most "
            f"{HIGHEST_TRAIN_PCT_RMT:g} (our choice: published tables end there)."
        )
    if not (highest <= 100.0 or rule.min_pause_s > UNSAFE_PAUSE_S):
        yield (
            f"{key}.min_pause_s is {rule.min_pause_s:g}, but must be above "
            f"{UNSAFE_PAUSE_S:g} where max_intensity.pct_rmt is above 100 (shorter "
            "pauses were unsafe: Chen et al. 1997)."
        )
