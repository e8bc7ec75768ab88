"""The status entries of endpoints, brought up to date with what was seen. Pure."""

import hashlib
from collections.abc import Collection, Mapping

from ibpe.api.names import Role
from ibpe.api.status import EndpointStatus, Ownership, Status
from ibpe.aws.gateway import Endpoint, EndpointID
from ibpe.policy.canonical import digest
from ibpe.policy.document import PolicyError
from ibpe.policy.parse import parse
from ibpe.reconcile.actions import Contribute
from ibpe.reconcile.fields import Field
from ibpe.reconcile.holdings import Holding, Holdings
from ibpe.reconcile.observation import Absence
from ibpe.reconcile.plan import Plan, RolePlan
from ibpe.reconcile.wanted import Desired, DesiredEndpoint, SharedEndpoint

PREVIOUS_LIMIT = 16


def refreshed(
    status: Status,
    desired: Desired | None,
    holdings: Holdings,
    absent: Mapping[EndpointID, Absence],
    plan: Plan,
    uncontributed: Collection[EndpointID] = (),
    contributed: Collection[EndpointID] = (),
) -> tuple[EndpointStatus, ...]:
    """Every role's entry as it is now; `desired` is None while the whole resource goes.

    `contributed` are endpoints of others that hold our statements; `uncontributed` are proved not to, as they were seen
    before the plan put any in.
    """
    without = {*uncontributed} - {action.id for action in plan.actions if isinstance(action, Contribute)}
    entries: list[EndpointStatus] = []
    for role in Role:
        before, holding = status.endpoint(role), holdings.of(role)
        sharing = _contributed(before, without, contributed if role is Role.S3 else ())
        unshown = tuple(id_ for id_ in before.unshown_ids if id_ in sharing and id_ not in contributed)
        entry = before.model_copy(update={"contributed_ids": sharing, "unshown_ids": unshown})
        share = desired.share(role) if desired else None
        wanted = desired.endpoint(role) if desired else None
        if share is not None and not is_unresolved(before, holding, absent):
            entry = _shared(entry, share, holding, absent, plan.role(role))
        elif desired is None and before.ownership is not Ownership.MANAGED:
            entry = entry.model_copy(update={"previous_ids": _remaining(entry, holding, absent)})
        else:
            entry = _seen(as_made(entry), holding, absent)
            if wanted is not None:
                entry = _compared(entry, wanted, plan.role(role))
            elif desired is not None:
                entry = _retired(entry, plan.role(role))
        entries.append(entry)
    return tuple(entry for entry in entries if entry != EndpointStatus(role=entry.role))


def is_unresolved(entry: EndpointStatus, holding: Holding, absent: Mapping[EndpointID, Absence]) -> bool:
    """Whether an endpoint of ours may have been made that AWS has never shown: its entry must not be overwritten."""
    if entry.ownership is not Ownership.MANAGED or entry.state != "creating" or holding.all:
        return False
    absence = absent.get(EndpointID(entry.id)) if entry.id else None
    return absence is None or not absence.proved


def _contributed(
    entry: EndpointStatus, uncontributed: Collection[EndpointID], contributed: Collection[EndpointID]
) -> tuple[str, ...]:
    """Where our statements are, or may be."""
    kept = [id_ for id_ in entry.contributed_ids if id_ not in uncontributed]
    return (*kept, *(id_ for id_ in sorted(contributed) if id_ not in kept))[-PREVIOUS_LIMIT:]


def as_made(entry: EndpointStatus) -> EndpointStatus:
    """The entry without somebody else's endpoint in it: what is to be made begins anew."""
    if entry.ownership is Ownership.MANAGED:
        return entry
    return EndpointStatus(
        role=entry.role,
        attempt=entry.attempt,
        previous_ids=entry.previous_ids,
        tag_keys=entry.tag_keys if entry.previous_ids else (),
        contributed_ids=entry.contributed_ids,
        unshown_ids=entry.unshown_ids,
    )


def _remaining(entry: EndpointStatus, holding: Holding, absent: Mapping[EndpointID, Absence]) -> tuple[str, ...]:
    """Ids of endpoints that we made and that aren't proved gone."""
    made = [id_ for id_ in entry.made_ids if not _is_gone(id_, absent)]
    return (*made, *(endpoint.id for endpoint in holding.all if endpoint.id not in made))[-PREVIOUS_LIMIT:]


def _is_gone(id_: str, absent: Mapping[EndpointID, Absence]) -> bool:
    absence = absent.get(EndpointID(id_))
    return absence is not None and absence.proved


def _shared(
    entry: EndpointStatus,
    share: SharedEndpoint,
    holding: Holding,
    absent: Mapping[EndpointID, Absence],
    plan: RolePlan | None,
) -> EndpointStatus:
    """Somebody else's endpoint; what we made for the role before is remembered until it is gone."""
    live = plan.live if plan is not None else None
    contributed = share.contribution is not None
    remaining = _remaining(entry, holding, absent)
    fresh = EndpointStatus(
        role=share.role,
        ownership=Ownership.CONTRIBUTED if contributed else Ownership.EXISTING,
        id=share.endpoint_id,
        attempt=entry.attempt + (1 if entry.ownership is Ownership.MANAGED and entry.id else 0),
        previous_ids=remaining,
        tag_keys=entry.tag_keys if remaining else (),  # the former endpoint may become the one in use again
        contributed_ids=entry.contributed_ids,
        unshown_ids=entry.unshown_ids,
        widening=entry.widening,
    )
    if live is None:
        return fresh
    same = entry.ownership is fresh.ownership and entry.id == fresh.id
    differing = {finding.difference.field for finding in plan.findings} if plan is not None else set()
    reached = {str(name): value for name, value in share.fields().items() if name not in differing}
    return fresh.model_copy(
        update={**_sight(live), "applied": {**(entry.applied if same and share.fields() else {}), **reached}}
    )


def _sight(shown: Endpoint) -> dict[str, object]:
    """What the status tells of an endpoint as AWS shows it."""
    return {
        "id": shown.id,
        "state": shown.state.value,
        "service_name": shown.service_name,
        "dns_names": shown.dns_names[:64],
        "network_interface_ids": tuple(sorted(shown.network_interface_ids))[:64],
        "policy_digest": _digest(shown.policy),
    }


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
    earlier = [id_ for id_ in entry.made_ids if id_ != shown.id and id_ not in gone]
    others = [endpoint.id for endpoint in holding.all if endpoint.id != shown.id and endpoint.id not in earlier]
    return entry.model_copy(
        update={
            **_sight(shown),
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
    return EndpointStatus(
        role=entry.role,
        attempt=entry.attempt + 1,
        previous_ids=entry.previous_ids,
        contributed_ids=entry.contributed_ids,
        unshown_ids=entry.unshown_ids,
    )


def _digest(policy: str) -> str:
    try:
        return digest(parse(policy))
    except PolicyError:
        return hashlib.sha256(policy.encode()).hexdigest()[:16]
