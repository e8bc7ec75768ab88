"""What the status must say before the plan's writes are made, so that a crash loses none of them. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ibpe.api.names import Role
from ibpe.api.status import EndpointStatus, Ownership, PendingWidening, Status
from ibpe.reconcile.actions import Contribute, Create, Retag
from ibpe.reconcile.entries import PREVIOUS_LIMIT
from ibpe.reconcile.plan import Plan

NOTHING: Final[Mapping[Role, PendingWidening]] = MappingProxyType({})


def intents(status: Status, plan: Plan, widening: Mapping[Role, PendingWidening] = NOTHING) -> Status:
    """The status that must be stored before the plan's writes.

    It says who is about to be made, with which tags, what is put into others' policies, and what changed ones open.
    """
    entries = {entry.role: entry for entry in status.endpoints}
    for action in plan.actions:
        entry = entries.get(action.role, EndpointStatus(role=action.role))
        if isinstance(action, Create):
            entry = intend(entry, action)
        elif isinstance(action, Contribute):
            entry = entry.model_copy(
                update={
                    "contributed_ids": _with(entry.contributed_ids, action.id),
                    "unshown_ids": _with(entry.unshown_ids, action.id),
                }
            )
        elif isinstance(action, Retag):
            keys = sorted({*entry.tag_keys, *action.change.put})
            entry = entry.model_copy(update={"tag_keys": tuple(k for k in keys if not k.startswith("ibpe.dev/"))})
        entries[action.role] = entry
    for role, what in widening.items():
        entries[role] = entries.get(role, EndpointStatus(role=role)).model_copy(update={"widening": what})
    return status.model_copy(update={"endpoints": in_order(entries)})


def begun_again(status: Status, plan: Plan) -> tuple[Role, ...]:
    """The roles whose endpoint was in use, vanished or died, and now gets a successor.

    An intent that is stored already is not begun again, nor is an endpoint that the spec did without for a while.
    """
    creates = [action for action in plan.actions if isinstance(action, Create)]
    return tuple(
        action.role
        for action in creates
        if (entry := status.endpoint(action.role)).ownership is Ownership.MANAGED
        and entry.applied
        and action.attempt > entry.attempt
    )


def intend(entry: EndpointStatus, action: Create) -> EndpointStatus:
    """The intent to make an endpoint: its predecessor is remembered until AWS shows it gone."""
    previous = entry.made_ids
    return entry.model_copy(
        update={
            "id": None,
            "ownership": Ownership.MANAGED,
            "applied": entry.applied if entry.ownership is Ownership.MANAGED else {},
            "state": "creating",
            "attempt": action.attempt,
            "service_name": action.service_name,
            "previous_ids": previous[-PREVIOUS_LIMIT:],
            "tag_keys": tuple(sorted({*entry.tag_keys, *action.endpoint.user_tag_keys})),
        }
    )


def _with(ids: tuple[str, ...], another: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*ids, another)))[-PREVIOUS_LIMIT:]


def in_order(entries: Mapping[Role, EndpointStatus]) -> tuple[EndpointStatus, ...]:
    """Entries in the order of roles, so that a status never changes by order alone."""
    return tuple(entries[role] for role in Role if role in entries)
