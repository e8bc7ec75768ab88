"""What is worth an event, from a status before and after. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from ibpe.api.names import ConditionType, Role
from ibpe.api.status import DriftEntry, EndpointStatus, Ownership, Status
from ibpe.aws.gateway import Endpoint, EndpointID
from ibpe.reconcile.fields import Field
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
    return Notice("PolicyWidened", widening.note, warning=widening.cause == "drift")


def of_stuck(endpoint_id: EndpointID) -> Notice:
    """The event that our statements can't leave somebody else's policy."""
    note = (
        f"Our statements stay in the policy of {endpoint_id}: without them it would be empty, and AWS's default allows "
        "everything. Its owner should write the policy anew, or delete the endpoint."
    )
    return Notice("StatementsRetained", note, warning=True)


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
    for role in Role:
        yield from _comings_and_goings(role, before.endpoint(role), after.endpoint(role), made)
    for entry in news.detected:
        what = f"{entry.role} {entry.field}: {entry.observed} instead of {entry.desired}"
        yield Notice("DriftDetected", f"{what} ({entry.action.lower()}).", warning=True)
    for entry, seconds in news.repaired:
        yield Notice("DriftRepaired", f"{entry.role} {entry.field} is {entry.desired} again, after {seconds:.1f} s.")
    yield from _turns(before, after)


def _comings_and_goings(
    role: Role, was: EndpointStatus, now: EndpointStatus, made: Mapping[Role, Endpoint]
) -> Iterator[Notice]:
    """Endpoints that are ours now or no longer, other than those just made, and our statements in others' policies."""
    managed = now.id is not None and now.ownership is Ownership.MANAGED
    if managed and now.id not in was.made_ids and role not in made and not was.intent_open:
        yield Notice("Adopted", f"Found the {role} endpoint {now.id} by this resource's tags, and look after it.")
    for id_ in was.made_ids:
        if id_ not in now.made_ids:
            yield Notice("Deleted", f"AWS shows {id_} ({role}) gone.")
    there = now.ownership is Ownership.CONTRIBUTED and now.id in now.contributed_ids and Field.POLICY in now.applied
    if there and (now.id, True) != (was.id, Field.POLICY in was.applied):
        yield Notice("Contributed", f"Our statements are in the policy of {now.id}.")
    for id_ in was.contributed_ids:
        if id_ not in now.contributed_ids and id_ != now.id:
            yield Notice("Withdrawn", f"AWS shows none of our statements in the policy of {id_} any more.")


def _turns(before: Status, after: Status) -> Iterator[Notice]:
    stalled, was = after.condition(ConditionType.STALLED), before.condition(ConditionType.STALLED)
    if stalled and stalled.status == "True" and (was is None or (was.status, was.reason) != ("True", stalled.reason)):
        yield Notice("Refused", stalled.message, warning=True)
    drift, before_that = after.condition(ConditionType.DRIFT_FREE), before.condition(ConditionType.DRIFT_FREE)
    if (
        drift
        and drift.reason == Response.CONTENDED
        and (before_that is None or before_that.reason != Response.CONTENDED)
    ):
        yield Notice("Contended", f"Somebody else keeps changing it back: {drift.message}", warning=True)
    busy, earlier = after.condition(ConditionType.RECONCILING), before.condition(ConditionType.RECONCILING)
    if busy and busy.reason == "Throttled" and (earlier is None or earlier.reason != "Throttled"):
        yield Notice("Throttled", busy.message, warning=True)
    ready, ago = after.condition(ConditionType.READY), before.condition(ConditionType.READY)
    if ready and ready.status == "True" and (ago is None or ago.status != "True"):
        yield Notice("Ready", ready.message)
