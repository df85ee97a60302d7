"""What a session's records have to say of a fault."""

from collections.abc import Callable

from bench.faults.evidence import Reason
from controller.core.reasons import HOLD_SENTENCES, HoldReason, Outcome
from controller.safety.interlock import REFUSAL_SENTENCES, Refusal
from controller.session.load import Session
from controller.session.recording.process import ENDED_ABRUPTLY


def fault_with(*words: str) -> Reason:
    """Return the sentence of the fault that ended a session, if it has these words."""

    def find(session: Session, t_fault: float) -> str | None:
        for event in session.events:
            said = str(event.get("sentence", ""))
            if event["event"] != "fault" or not event["t"] >= t_fault:
                continue
            if all(word in said for word in words):
                return said
        return None

    return find


def controller_died(session: Session, t_fault: float) -> str | None:
    """Return what the recorder wrote when its controller was gone."""
    for event in session.events:
        if event["event"] == ENDED_ABRUPTLY and event["t"] >= t_fault:
            return f"{ENDED_ABRUPTLY} (process {event['pid']})"
    return None


def held_as(hold: HoldReason) -> Reason:
    """Return why every decision after the fault was held."""
    return _every_decision(
        lambda row: bool(int(row["holds"]) & hold), HOLD_SENTENCES[hold]
    )


def refused_as(refusal: Refusal) -> Reason:
    """Return why what came due after the fault was refused, and nothing planned."""

    def find(session: Session, t_fault: float) -> str | None:
        later = session.decisions[session.decisions["t_decided"] > t_fault]
        refused = later[later["outcome"] == Outcome.REFUSED]
        why = REFUSAL_SENTENCES[refusal]
        if not len(refused) or not (refused["refusal"] == refusal).all():
            return None
        planned = (later["outcome"] == Outcome.PLANNED).any()
        return None if planned else f"{len(refused)} refused: {why}"

    return find


def _every_decision(holds: Callable[..., bool], sentence: str) -> Reason:
    def find(session: Session, t_fault: float) -> str | None:
        later = session.decisions[session.decisions["t_decided"] > t_fault]
        held = [row for row in later if holds(row)]
        # The first may have been made on the samples before.
        if len(held) < max(2, len(later) - 1):
            return None
        return f"{len(held)} of {len(later)} decisions held: {sentence}"

    return find
