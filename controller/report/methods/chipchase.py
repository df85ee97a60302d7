"""The checklist of single- and paired-pulse TMS studies, filled in as far as known.

Of the participant the records know nothing on purpose; those lines are the authors'.

References
----------
Chipchase et al. (2012), A checklist for assessing the methodological quality of studies
using transcranial magnetic stimulation to study the motor system, Clinical
Neurophysiology 123, 1698-1704.
"""

from controller.report.methods.facts import MethodsFacts
from controller.report.methods.items import Item, items_of
from controller.report.methods.words import spread_words

_PARTICIPANT = (
    "age of the participants",
    "gender of the participants",
    "handedness of the participants",
    "prescribed medication",
    "use of drugs that act on the central nervous system",
    "neurological or psychiatric disorders",
    "other medical conditions",
    "history of repetitive motor activity",
)


def chipchase_items(facts: MethodsFacts) -> tuple[Item, ...]:
    """Return the checklist: 27 items, and 3 more where pulses came in pairs."""
    return (
        *items_of("Participants", dict.fromkeys(_PARTICIPANT)),
        *items_of("Methods", _methods(facts)),
        *items_of("Paired pulses", _paired(facts)),
        *items_of("Analysis", _analysis()),
    )


def _methods(facts: MethodsFacts) -> dict[str, str | None]:
    told = facts.stimulator or {}
    intensity = told.get("intensity_pct_mso")
    return {
        "position of the EMG electrodes": None,
        "contraction of the target muscle": None,
        "contraction of other muscles": None,
        "activity of the participant before": None,
        "type and size of the coil": None,
        "orientation of the coil": None,
        "direction of the induced current": None,
        "location and stability of the coil": None,
        "type and brand of the stimulator": str(told["kind"])
        if "kind" in told
        else None,
        "stimulation intensity": None
        if intensity is None
        else f"{intensity:g} % of maximum stimulator output",
        "shape of the pulse": None,
        "how the hotspot was found": None,
        "time between pulses": spread_words(facts.interval_s, "s", 1.0),
        "days between tests": None,
        "attention of the participant": None,
        "how the threshold was found": None,
        "number of motor responses": f"{facts.n_fired} pulses fired",
    }


def _paired(facts: MethodsFacts) -> dict[str, str | None]:
    told = facts.stimulator or {}
    interval = told.get("pair_interval_ms") or facts.section("stimulator").get(
        "pair_interval_ms"
    )
    second = told.get("second_intensity_pct_mso") or facts.section("stimulator").get(
        "second_intensity_pct_mso"
    )
    if not second:
        return {}
    return {
        "interval between the pulses of a pair": None
        if interval is None
        else f"{interval:g} ms",
        "intensities of a pair": f"first {told.get('intensity_pct_mso')} %, second "
        f"{second:g} % of maximum stimulator output",
        "conditioned against unconditioned response": None,
    }


def _analysis() -> dict[str, str | None]:
    return {
        "how the size of motor responses was measured": None,
        "size of the unconditioned response": None,
    }
