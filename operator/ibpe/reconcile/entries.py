"""The status entries of endpoints, brought up to date with what was seen. Pure."""

import hashlib
from collections.abc import Mapping

from ibpe.api.names import Role
from ibpe.api.status import EndpointStatus, Status
from ibpe.aws.gateway import Endpoint, EndpointID
from ibpe.policy.canonical import digest
from ibpe.policy.document import PolicyError
from ibpe.policy.parse import parse
from ibpe.reconcile.desire import Desired, DesiredEndpoint, Field
from ibpe.reconcile.holdings import Holding, Holdings
from ibpe.reconcile.observation import Absence
from ibpe.reconcile.plan import Plan, RolePlan

PREVIOUS_LIMIT = 16


def refreshed(
    status: Status, desired: Desired | None, holdings: Holdings, absent: Mapping[EndpointID, Absence], plan: Plan
) -> tuple[EndpointStatus, ...]:
    """Every role's entry as it is now; `desired` is None while the whole resource goes."""
    entries: list[EndpointStatus] = []
    for role in Role:
        entry = status.endpoint(role)
        wanted = desired.endpoint(role) if desired else None
        entry = _seen(entry, holdings.of(role), absent)
        if wanted is not None:
            entry = _compared(entry, wanted, plan.role(role))
        elif desired is not None:
            entry = _retired(entry, plan.role(role))
        entries.append(entry)
    return tuple(entry for entry in entries if entry != EndpointStatus(role=entry.role))


def _seen(entry: EndpointStatus, holding: Holding, absent: Mapping[EndpointID, Absence]) -> EndpointStatus:
    gone = {id_ for id_, absence in absent.items() if absence.proved}
    shown = holding.live or next(iter((*holding.dead, *holding.leaving)), None)
    if shown is not None:
        return _shown(entry, holding, shown, gone)
    previous = tuple(id_ for id_ in entry.previous_ids if id_ not in gone)
    if entry.id in gone:
        return entry.model_copy(
            update={"state": "absent", "previous_ids": previous, "dns_names": (), "network_interface_ids": ()}
        )
    return entry.model_copy(update={"previous_ids": previous})


def _shown(entry: EndpointStatus, holding: Holding, shown: Endpoint, gone: set[EndpointID]) -> EndpointStatus:
    earlier = [id_ for id_ in (*entry.previous_ids, entry.id) if id_ and id_ != shown.id and id_ not in gone]
    others = [endpoint.id for endpoint in holding.all if endpoint.id != shown.id and endpoint.id not in earlier]
    return entry.model_copy(
        update={
            "id": shown.id,
            "state": shown.state.value,
            "service_name": shown.service_name,
            "dns_names": shown.dns_names[:64],
            "network_interface_ids": tuple(sorted(shown.network_interface_ids))[:64],
            "policy_digest": _digest(shown.policy),
            "attempt": max(entry.attempt, 1),
            "previous_ids": (*earlier, *others)[-PREVIOUS_LIMIT:],
        }
    )


def _compared(entry: EndpointStatus, desired: DesiredEndpoint, plan: RolePlan | None) -> EndpointStatus:
    """Note what is now as desired: from here on, a difference in it is drift."""
    if plan is None or plan.live is None:
        return entry
    fields = desired.fields()
    differing = {finding.difference.field for finding in plan.findings}
    kept = {name: value for name, value in entry.applied.items() if Field(name) in fields}
    reached = {str(name): value for name, value in fields.items() if name not in differing}
    tag_keys = sorted({*entry.tag_keys, *desired.user_tag_keys})  # forgotten only when `apply` has taken them off
    return entry.model_copy(update={"applied": {**kept, **reached}, "tag_keys": tuple(tag_keys)})


def _retired(entry: EndpointStatus, plan: RolePlan | None) -> EndpointStatus:
    """A role that the spec no longer asks for: nothing counts as applied any more, so that asking again is no drift.

    Of an endpoint that is gone only the number of the next attempt stays: the ClientTokens up to it are used up.
    """
    given_up = plan is not None and plan.given_up
    if not given_up and (not entry.id or entry.state != "absent"):
        return entry.model_copy(update={"applied": {}})
    return EndpointStatus(role=entry.role, attempt=entry.attempt + 1, previous_ids=entry.previous_ids)


def _digest(policy: str) -> str:
    try:
        return digest(parse(policy))
    except PolicyError:
        return hashlib.sha256(policy.encode()).hexdigest()[:16]
