"""What is worth an event, from a status before and after. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from ibpe.api.names import ConditionType, Role
from ibpe.api.status import DriftEntry, Status
from ibpe.aws.gateway import Endpoint
from ibpe.policy.widening import in_words
from ibpe.reconcile.plan import Response
from ibpe.reconcile.widening import Widening


@dataclass(frozen=True)
class Notice:
    """One event for a person."""

    reason: str
    note: str
    warning: bool = False


def of_widening(widening: Widening) -> Notice:
    """The event that a policy allows more than before."""
    how = "" if widening.cause == "edit" else " behind the operator's back"
    return Notice(
        "PolicyWidened",
        f"The policy of {widening.endpoint_id} ({widening.role}) allows more than before{how}, such as "
        f"{in_words(widening.request)}.",
        warning=widening.cause == "drift",
    )


@dataclass(frozen=True)
class DriftNews:
    """Drift that came and drift that went."""

    detected: tuple[DriftEntry, ...]
    repaired: tuple[tuple[DriftEntry, float], ...]
    """With the seconds since it was first seen."""


def drift_news(before: Status, after: Status, now: datetime) -> DriftNews:
    """What differs between the drift of two statuses; what was only reported is not called repaired."""
    old = {(entry.role, entry.field): entry for entry in before.drift}
    new = {(entry.role, entry.field): entry for entry in after.drift}
    return DriftNews(
        tuple(entry for what, entry in new.items() if what not in old),
        tuple(
            (entry, (now - entry.detected_at).total_seconds())
            for what, entry in old.items()
            if what not in new and entry.action == Response.REPAIRING
        ),
    )


def notices(before: Status, after: Status, news: DriftNews, made: Mapping[Role, Endpoint]) -> Iterator[Notice]:
    """The events that a round is worth."""
    for role, endpoint in made.items():
        again = " again" if after.endpoint(role).attempt > 1 else ""
        yield Notice("Created", f"Made the {role} endpoint {endpoint.id}{again}.")
    for entry in news.detected:
        what = f"{entry.role} {entry.field}: {entry.observed} instead of {entry.desired}"
        yield Notice("DriftDetected", f"{what} ({entry.action.lower()}).", warning=True)
    for entry, seconds in news.repaired:
        yield Notice("DriftRepaired", f"{entry.role} {entry.field} is {entry.desired} again, after {seconds:.1f} s.")
    yield from _turns(before, after)


def _turns(before: Status, after: Status) -> Iterator[Notice]:
    stalled, was = after.condition(ConditionType.STALLED), before.condition(ConditionType.STALLED)
    if stalled and stalled.status == "True" and (was is None or (was.status, was.reason) != ("True", stalled.reason)):
        yield Notice("Refused", stalled.message, warning=True)
    busy, earlier = after.condition(ConditionType.RECONCILING), before.condition(ConditionType.RECONCILING)
    if busy and busy.reason == "Throttled" and (earlier is None or earlier.reason != "Throttled"):
        yield Notice("Throttled", busy.message, warning=True)
    ready, ago = after.condition(ConditionType.READY), before.condition(ConditionType.READY)
    if ready and ready.status == "True" and (ago is None or ago.status != "True"):
        yield Notice("Ready", ready.message)
