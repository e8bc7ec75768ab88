"""What deletionPolicy Retain leaves in AWS, and how that is told from what is still ours. Pure."""

from dataclasses import replace

from ibpe.api.names import CLUSTER_TAG, OWNER_TAG, RETAINED_TAG
from ibpe.api.spec import DeletionPolicy
from ibpe.aws.gateway import Endpoint
from ibpe.reconcile.holdings import Holdings
from ibpe.reconcile.ports import Resource
from ibpe.reconcile.wanted import Owner


def retains(resource: Resource) -> bool:
    """Whether what was made is to stay."""
    return resource.spec.get("deletionPolicy") == DeletionPolicy.RETAIN.value


def without_released(holdings: Holdings, owner: Owner) -> Holdings:
    """The holdings without what was let go: it carries neither our cluster nor our owner, and is no stranger either."""

    def released(endpoint: Endpoint) -> bool:
        return CLUSTER_TAG not in endpoint.tags and OWNER_TAG not in endpoint.tags

    by_role = {
        role: replace(
            holding,
            live=None if holding.live and released(holding.live) else holding.live,
            surplus=tuple(e for e in holding.surplus if not released(e)),
            dead=tuple(e for e in holding.dead if not released(e)),
            leaving=tuple(e for e in holding.leaving if not released(e)),
            stranger=holding.stranger
            if holding.stranger and holding.stranger.tags.get(RETAINED_TAG) != str(owner.key)
            else None,
        )
        for role, holding in holdings.by_role.items()
    }
    return replace(holdings, by_role=by_role)


def is_bare(endpoint: Endpoint, resource: Resource) -> bool:
    """Made only to find out about an intent: never as specified, without subnets and routes, not worth keeping."""
    applied = any(entry.applied for entry in resource.status.endpoints if entry.id == endpoint.id)
    return not (applied or endpoint.subnet_ids or endpoint.route_table_ids)
