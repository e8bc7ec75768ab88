"""Conditions and their history: when one changed, and which message stays. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ibpe.api.names import ConditionStatus, ConditionType
from ibpe.api.status import MESSAGE_LIMIT, Condition
from ibpe.reconcile.failed_calls import same_call
from ibpe.reconcile.listing import clamped


@dataclass(frozen=True)
class Verdict:
    """A condition without its history."""

    status: ConditionStatus
    reason: str
    message: str


def merge(
    before: Sequence[Condition], verdicts: Mapping[ConditionType, Verdict], generation: int, now: datetime
) -> tuple[Condition, ...]:
    """New conditions, the transition time kept where the status is as before.

    A message about the same failed operation and code is kept as it was first: request ids differ each time, and a
    status that changes with them is written for ever.
    """
    known = {condition.type: condition for condition in before}
    merged: list[Condition] = []
    for type_ in ConditionType:
        verdict = verdicts.get(type_)
        old = known.get(type_)
        if verdict is None:
            if old is not None:
                merged.append(old)
            continue
        same = old is not None and old.status == verdict.status
        message = clamped(verdict.message, MESSAGE_LIMIT)
        if old is not None and (old.observed_generation, old.reason) == (generation, verdict.reason):
            message = old.message if same_call(old.message, message) else message
        merged.append(
            Condition(
                type=type_,
                status=verdict.status,
                reason=verdict.reason,
                message=message,
                last_transition_time=old.last_transition_time if old is not None and same else now,
                observed_generation=generation,
            )
        )
    return tuple(merged)
