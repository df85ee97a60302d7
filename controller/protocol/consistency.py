"""Where a protocol contradicts itself: names that are not there, keys without a use."""

from collections.abc import Callable, Iterator

from controller.errors import ConfigError
from controller.protocol.condition_forms import Condition, Yoked
from controller.protocol.form import Protocol
from controller.protocol.pattern_forms import Paired
from controller.protocol.patterns import layout_of
from controller.protocol.stage_forms import Stimulating, Task


def contradictions(protocol: Protocol) -> list[str]:
    """Return one sentence for each contradiction; each names the key."""
    rules: tuple[Callable[[Protocol], Iterator[str]], ...] = (
        _names,
        _stages,
        _conditions,
        _blinding,
        _intervals,
    )
    return [sentence for rule in rules for sentence in rule(protocol)]


def _names(protocol: Protocol) -> Iterator[str]:
    for what, names in (
        ("conditions", [each.name for each in protocol.conditions]),
        ("stages", [each.name for each in protocol.stages]),
    ):
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"{what}: the name {name!r} stands there twice; give two names."
    if not protocol.stimulating_stages():
        yield 'stages: none has kind = "run" or "task", so nothing is stimulated.'


def _stages(protocol: Protocol) -> Iterator[str]:
    known = {each.name for each in protocol.conditions}
    used: set[str] = set()
    for place, stage in protocol.stimulating_stages():
        key = f"stages {place + 1}"
        wanted = known if stage.conditions is None else set(stage.conditions)
        used |= wanted
        unknown = sorted(wanted - known)
        if unknown:
            yield (
                f"{key}.conditions names {', '.join(unknown)}, which is no condition; "
                f"there are {', '.join(sorted(known))}."
            )
        if stage.conditions is not None and len(wanted) < len(stage.conditions):
            yield f"{key}.conditions names one condition twice; use its weight."
        if isinstance(stage, Task):
            yield from _task(protocol, key, stage, wanted)
    for name in sorted(known - used):
        yield f"conditions: no stage uses {name!r}; use it, or leave it out."
    needs_stream = [
        f"stages {place + 1}"
        for place, stage in enumerate(protocol.stages)
        if (stage.enter is not None and stage.enter.marker is not None)
        or (stage.leave is not None and stage.leave.marker is not None)
        or (isinstance(stage, Task) and bool(stage.window or stage.condition_markers))
    ]
    if needs_stream and protocol.marker_streams.listen_to is None:
        yield (
            f"{', '.join(needs_stream)}: markers are waited for, but "
            "marker_streams.listen_to names no stream; add it."
        )


def _task(protocol: Protocol, key: str, stage: Task, wanted: set[str]) -> Iterator[str]:
    strange = sorted(set(stage.condition_markers.values()) - wanted)
    if strange:
        yield (
            f"{key}.condition_markers leads to {', '.join(strange)}, which is no "
            "condition of this stage."
        )
    if stage.window is not None:
        iti_s, jitter_s = protocol.iti_of(stage)
        if not stage.window.to_s - stage.window.from_s <= iti_s + jitter_s:
            yield (
                f"{key}.window is {stage.window.to_s - stage.window.from_s:g} s long, "
                f"longer than the interval of trials, {iti_s + jitter_s:g} s."
            )


def _conditions(protocol: Protocol) -> Iterator[str]:
    for place, condition in enumerate(protocol.conditions):
        key = f"conditions {place + 1}"
        if not condition.gives_pulses:
            if condition.pattern is not None or condition.intensity is not None:
                yield (
                    f"{key}: a control gives no pulse, so pattern and intensity have "
                    "no use there; remove them."
                )
            continue
        yield from _pulses(protocol, key, condition)


def _pulses(protocol: Protocol, key: str, condition: Condition) -> Iterator[str]:
    pattern = protocol.pattern_of(condition)
    try:
        layout = layout_of(pattern)
    except ConfigError as error:
        yield f"{key}: {error}"
        return
    intensity = protocol.intensity_of(condition)
    if intensity is None and protocol.modality == "tms":
        yield f"{key}.intensity is missing, and the protocol has none; add one."
    if (
        intensity is not None
        and intensity.is_paired
        and not isinstance(pattern, Paired)
    ):
        yield (
            f"{key}.intensity: first_pct_mso and first_pct_rmt go with a paired "
            f"pattern, not with {pattern.kind!r}."
        )
    if len(layout.decisions) > 1 and not condition.needs_phase:
        yield (
            f'{key}: lock = "each" meets a phase with every burst, but '
            f'{condition.when.kind!r} waits for none; use lock = "first".'
        )


def _blinding(protocol: Protocol) -> Iterator[str]:
    blinding = protocol.blinding
    if blinding is None:
        return
    if len(set(blinding.arms)) < len(blinding.arms):
        yield "blinding.arms names one arm twice."
    if blinding.sham not in blinding.arms:
        yield f"blinding.sham is {blinding.sham!r}, which is no arm."
    if (blinding.sham_by == "intensity") != (blinding.sham_intensity is not None):
        yield 'blinding.sham_intensity goes with sham_by = "intensity", only.'
    by_coil = blinding.sham_by == "coil-code"
    n_codes = (len(blinding.coil_codes), len(set(blinding.coil_codes)))
    if by_coil and n_codes != (len(blinding.arms), len(blinding.arms)):
        yield (
            f"blinding.coil_codes must list {len(blinding.arms)} codes, one for each "
            "arm and no two alike."
        )
    if not by_coil and blinding.coil_codes:
        yield 'blinding.coil_codes goes with sham_by = "coil-code", only.'
    if blinding.sham_by == "random-phase" and not any(
        isinstance(phase, float)
        for condition in protocol.conditions
        for phase in condition.targets_rad()
    ):
        yield (
            'blinding.sham_by = "random-phase" changes nothing where no condition has '
            "a phase_deg; take another sham."
        )
    intensity = blinding.sham_intensity
    if intensity is not None and intensity.is_paired:
        paired = [protocol.pattern_of(c).kind == "paired" for c in protocol.conditions]
        if not all(paired):
            yield (
                "blinding.sham_intensity: first_pct_mso and first_pct_rmt go with "
                "paired patterns in every condition."
            )


def _intervals(protocol: Protocol) -> Iterator[str]:
    for place, stage in protocol.stimulating_stages():
        iti_s, jitter_s = protocol.iti_of(stage)
        if not jitter_s < iti_s:
            yield (
                f"stages {place + 1}: iti_jitter_s is {jitter_s:g} s, but must be "
                f"shorter than iti_s, {iti_s:g} s."
            )
        yield from _yoked(protocol, place, stage)


def _yoked(protocol: Protocol, place: int, stage: Stimulating) -> Iterator[str]:
    known = {each.name for each in protocol.conditions}
    if stage.conditions is not None and not set(stage.conditions) <= known:
        return
    conditions = protocol.conditions_of(stage)
    if len(conditions) > 1 and any(isinstance(c.when, Yoked) for c in conditions):
        yield (
            f"stages {place + 1}: a yoked condition follows another session's times, "
            "so no other can share its stage; give it one of its own."
        )
