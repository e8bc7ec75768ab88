"""Looking: one snapshot, the surroundings, and by id what the snapshot doesn't show. Reads only."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from ibpe.api.names import OWN_ACCOUNT, Role
from ibpe.api.status import Ownership, Status
from ibpe.aws.facts import Facts, Needs, VpcFacts
from ibpe.aws.gateway import AccountID, Cloud, Endpoint, EndpointID, EndpointState, Gateway, SecurityGroupID, VpcID
from ibpe.aws.limits import Turns, Unlimited
from ibpe.aws.snapshot import Snapshot
from ibpe.partitions import service_names
from ibpe.reconcile.claims import claims_of
from ibpe.reconcile.contributions import contributed_ids, contributions, unshown_ids
from ibpe.reconcile.grants import OWN_FOR_ALL, Grants, counts, wish_of
from ibpe.reconcile.holdings import Holdings, Identity, hold
from ibpe.reconcile.memory import LAG_BOUND, Recollection
from ibpe.reconcile.observation import Absence, Observation
from ibpe.reconcile.ports import Key, Resource, Resources, Siblings
from ibpe.reconcile.wanted import Desired, Owner

STALE_SECONDS = 300.0
"""Age from which a snapshot no longer supports a decision or Ready."""


class Inventory(Protocol):
    """The first AWS watch (`aws.inventory`)."""

    def clock(self) -> float:
        """Monotonic seconds."""

    def snapshot(self, region: str, not_before: float = ...) -> Snapshot:
        """A snapshot begun at or after a reading of the clock; raises ObservationFailed."""

    def age(self, region: str) -> float:
        """Seconds since the last good snapshot began."""

    def hint_transitional(self, region: str) -> None:
        """Something of ours is on its way: look more often."""

    def braked(self, region: str) -> bool:
        """Whether many endpoints vanished at once and are being looked up by id."""


class Prerequisites(Protocol):
    """The second AWS watch (`aws.prerequisites`)."""

    def facts(self, key: Key, needs: Needs, max_age: float) -> Facts:
        """The surroundings, at most so many seconds old; raises AwsError."""

    def known_vpc(self, region: str, vpc_id: VpcID, max_age: float) -> VpcFacts | None:
        """What is known of a VPC, at most so many seconds old, without a call."""

    def forget(self, key: Key) -> None:
        """The key needs nothing any more."""


class AccountMismatch(Exception):  # noqa: N818 -- named for what it says
    """The credentials belong to another account than the endpoints: nothing is called with them."""

    def __init__(self, pinned: str, found: str) -> None:
        super().__init__(
            f"The operator's credentials belong to account {found}, and this resource's endpoints are in {pinned}: "
            f"give the operator credentials of {pinned} again."
        )


@dataclass(frozen=True)
class Eyes:
    """All that looking at one account needs."""

    cloud: Cloud
    inventory: Inventory
    prerequisites: Prerequisites
    resources: Resources
    siblings: Siblings
    prerequisites_max_age: float
    """Seconds after which the surroundings are looked at again, should the second watch not have done so."""
    account: str = OWN_ACCOUNT
    """By the name that resources know."""
    grants: Grants = OWN_FOR_ALL
    own_account: Callable[[], str] = str
    """The operator's own account; "" while it is not known."""
    turns: Turns = field(default_factory=Unlimited)
    """Who says when a write that AWS limits may be sent."""


def observe(eyes: Eyes, resource: Resource, desired: Desired, past: Recollection, now: datetime) -> Observation:
    """Everything that a decision about this resource may rest on.

    Raises AccountMismatch, ObservationFailed (the snapshot) and AwsError (anything else).
    """
    floor = max(past.not_before, eyes.inventory.clock() - STALE_SECONDS)
    snapshot = eyes.inventory.snapshot(desired.region, not_before=floor)
    check_account(resource.status, snapshot.account)
    fresh = resource.generation != resource.status.observed_generation or past.prerequisites_stale
    gateway = eyes.cloud.gateway(desired.region)
    named = _named(gateway, desired, snapshot)
    needs = _needs(desired, named.values())
    facts = eyes.prerequisites.facts(resource.key, needs, 0.0 if fresh else eyes.prerequisites_max_age)
    looked = look_up(gateway, recorded_ids(resource.status), snapshot.endpoints)
    shared = look_up(gateway, contributed_ids(resource.status), snapshot.endpoints)
    if None in (*looked.values(), *shared.values()):
        # NotFound by other credentials than the snapshot's would prove nothing
        check_account(resource.status, eyes.cloud.caller_account())
    recorded = {id_: endpoint for id_, endpoint in looked.items() if endpoint is not None}
    known = {**{endpoint.id: endpoint for endpoint in snapshot.in_vpc(desired.vpc_id)}, **recorded}.values()
    identity = identity_for(desired)
    holdings = hold(known, resource.status.endpoints, identity)
    ours = {endpoint.id for endpoint in holdings.all}
    listed, unshown = snapshot.contributed_to(desired.mark), unshown_ids(resource.status)
    sharing = contributions(listed, shared, unshown, desired.mark, past, now)
    return Observation(
        account=snapshot.account,
        facts=facts,
        holdings=holdings,
        neighbours=tuple(e for e in known if e.id not in ours and e.vpc_id == desired.vpc_id),
        absent=absences(resource.status, looked, past, now),
        rivals=_rivals(eyes, resource, holdings, snapshot.account, facts),
        named=named,
        contributions=sharing.found,
        uncontributed=sharing.proved_without,
        braked=eyes.inventory.braked(desired.region),
    )


def check_account(status: Status, account: AccountID) -> None:
    """Raise AccountMismatch unless the credentials' account is the one that the status was pinned to."""
    if status.account_id is not None and status.account_id != account:
        raise AccountMismatch(status.account_id, account)


def identity_of(owner: Owner, region: str, vpc_id: VpcID | None) -> Identity:
    """What an endpoint of this resource's must agree with."""
    return Identity(owner, vpc_id, {role: service_names(region, role.value) for role in Role})


def identity_for(desired: Desired) -> Identity:
    """The same for what a spec asks for: where that is an endpoint of our own, one that was retained is taken back."""
    own = frozenset(endpoint.role for endpoint in desired.endpoints)
    return replace(identity_of(desired.owner, desired.region, desired.vpc_id), takes_back=own)


def look_up(
    gateway: Gateway, ids: Iterable[EndpointID], shown: Mapping[EndpointID, Endpoint]
) -> Mapping[EndpointID, Endpoint | None]:
    """Each as a list showed it, or asked for by id where it didn't: a list proves no absence."""
    return {id_: shown[id_] if id_ in shown else gateway.endpoint(id_) for id_ in dict.fromkeys(ids)}


def recorded_ids(status: Status) -> Iterator[EndpointID]:
    """Every endpoint that the status says we made."""
    for entry in status.endpoints:
        yield from map(EndpointID, entry.made_ids)


def concerned_ids(status: Status) -> Iterator[EndpointID]:
    """Every endpoint id that the status names, somebody else's too."""
    for entry in status.endpoints:
        yield from map(EndpointID, (*entry.made_ids, *entry.contributed_ids))
        if entry.id and entry.ownership is not Ownership.MANAGED:
            yield EndpointID(entry.id)


def absences(
    status: Status, looked: Mapping[EndpointID, Endpoint | None], past: Recollection, now: datetime
) -> Mapping[EndpointID, Absence]:
    """Which recorded ids AWS doesn't know, and whether that proves them gone.

    An endpoint that was seen before, or whose deletion AWS accepted, is gone when it is not found by id. One that AWS
    has never shown may yet appear, for as long as the lag bound.
    """
    never_seen = {e.id for e in status.endpoints if e.state == "creating" and e.ownership is Ownership.MANAGED}
    found: dict[EndpointID, Absence] = {}
    for id_, endpoint in looked.items():
        if endpoint is not None:
            past.unseen_since.pop(id_, None)
            if endpoint.state.is_gone:
                found[id_] = Absence(proved=True)
            continue
        unseen = past.unseen_for(id_, now)
        proved = id_ not in never_seen or id_ in past.delete_accepted or unseen > LAG_BOUND
        found[id_] = Absence(proved)
    return found


def is_transitional(endpoints: Iterable[Endpoint]) -> bool:
    """Whether AWS is still at work on any of these."""
    return any(endpoint.state in {EndpointState.PENDING, EndpointState.DELETING} for endpoint in endpoints)


def _named(gateway: Gateway, desired: Desired, snapshot: Snapshot) -> Mapping[EndpointID, Endpoint]:
    """Somebody else's endpoints that the spec names, as the list shows them, or by id: a list proves no absence."""
    looked = look_up(gateway, (shared.endpoint_id for shared in desired.shared), snapshot.endpoints)
    return {id_: endpoint for id_, endpoint in looked.items() if endpoint is not None and not endpoint.state.is_gone}


def _needs(desired: Desired, named: Iterable[Endpoint]) -> Needs:
    groups = frozenset[SecurityGroupID]().union(
        *(endpoint.security_group_ids for endpoint in desired.endpoints),
        *(endpoint.security_group_ids for endpoint in named),
    )
    return Needs(
        desired.region,
        desired.vpc_id,
        desired.build_subnet_ids.union(*(endpoint.subnet_ids for endpoint in desired.endpoints)),
        groups,
        frozenset(name for endpoint in desired.endpoints for name in endpoint.services),
    )


def _rivals(eyes: Eyes, resource: Resource, holdings: Holdings, account: AccountID, facts: Facts) -> Mapping[str, Key]:
    """Who comes first for what this resource claims, where it holds nothing yet; the winner is read again."""
    rivals: dict[str, Key] = {}
    tags = facts.vpc.tags if facts.vpc is not None else {}
    for claim in claims_of(resource.spec):
        role = Role.S3 if "/s3-route/" in claim else Role.IMAGE_BUILDER
        live = holdings.of(role).live
        if live is not None and (role is Role.IMAGE_BUILDER or claim.rsplit("/", 1)[-1] in live.route_table_ids):
            continue  # whoever AWS names as holder holds it
        for claimant in eyes.siblings.claimants(claim):
            if claimant.uid == resource.uid:
                break
            winner = eyes.resources.get(claimant.key)
            if winner is None or winner.uid != claimant.uid or winner.deleting or claim not in claims_of(winner.spec):
                continue
            if not counts(eyes.grants, wish_of(winner), account, eyes.own_account(), tags):
                continue
            rivals[claim] = winner.key
            break
    return rivals
