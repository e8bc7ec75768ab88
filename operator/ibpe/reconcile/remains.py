"""What AWS still holds of a resource that is being deleted: looked up straight, since a list proves nothing gone."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ibpe.api.names import CLUSTER_TAG, OWNER_TAG, Role
from ibpe.api.status import EndpointStatus
from ibpe.aws.gateway import Endpoint, EndpointID, EndpointState, Gateway
from ibpe.policy.contribution import is_contributed, mark
from ibpe.reconcile.actions import Resolve, Withdraw
from ibpe.reconcile.contributions import contributed_ids, contributions, unshown_ids
from ibpe.reconcile.holdings import Holdings, Identity, hold
from ibpe.reconcile.memory import LAG_BOUND, Recollection
from ibpe.reconcile.observation import Absence
from ibpe.reconcile.observe import STALE_SECONDS, Inventory, absences, recorded_ids
from ibpe.reconcile.plan import Plan, RolePlan
from ibpe.reconcile.ports import Resource
from ibpe.reconcile.retention import retains, without_released
from ibpe.reconcile.retiring import can_withdraw


@dataclass(frozen=True)
class Remains:
    """What AWS still holds of a resource that is being deleted."""

    holdings: Holdings
    absent: Mapping[EndpointID, Absence]
    seen: tuple[Endpoint, ...]
    open_intents: tuple[EndpointStatus, ...]
    contributions: tuple[Endpoint, ...] = ()
    """Somebody else's endpoints whose policy holds our statements, and should not."""
    stuck: tuple[Endpoint, ...] = ()
    """Those whose policy would be empty without our statements: they stay there."""
    unsettled: tuple[EndpointID, ...] = ()
    """Those that our statements were sent to and that don't show them, and may yet."""
    uncontributed: frozenset[EndpointID] = frozenset()

    @property
    def contributed(self) -> tuple[EndpointID, ...]:
        """Somebody else's endpoints whose policy shows our statements, whether they can leave it or not."""
        return tuple(endpoint.id for endpoint in (*self.contributions, *self.stuck))

    @property
    def unproved(self) -> tuple[EndpointID, ...]:
        """Ids that AWS doesn't show and that may yet appear."""
        return tuple(id_ for id_, absence in self.absent.items() if not absence.proved)

    @property
    def nothing(self) -> bool:
        """Whether all of it is proved gone."""
        ours = self.holdings.all or self.holdings.unknown_roles or self.open_intents or self.unproved
        return not (ours or self.contributions or self.unsettled)

    @property
    def rest_on_absence(self) -> bool:
        """Whether anything of this was concluded from what AWS did not show."""
        return bool(self.nothing or self.absent or self.uncontributed)

    @property
    def strangers(self) -> tuple[Endpoint, ...]:
        """Endpoints that the status names, that exist, and that don't carry our tags."""
        return tuple(h.stranger for h in self.holdings.by_role.values() if h.stranger is not None)


def look(
    inventory: Inventory, gateway: Gateway, resource: Resource, identity: Identity, past: Recollection, now: datetime
) -> Remains:
    """Straight at AWS, by tags and by id: a shared snapshot proves nothing gone. Raises AwsError, ObservationFailed."""
    owner = identity.owner
    tagged = gateway.owned_endpoints({CLUSTER_TAG: owner.cluster, OWNER_TAG: str(owner.key)})
    looked = {id_: gateway.endpoint(id_) for id_ in recorded_ids(resource.status)}
    by_id = {e.id: e for e in (*tagged, *looked.values()) if e is not None}
    entries = resource.status.endpoints
    holdings = hold(by_id.values(), entries, identity)
    if retains(resource):
        # What was let go carries neither our cluster nor our owner: it is no longer held, and no stranger either.
        holdings = without_released(holdings, owner)
    held = {role for role, holding in holdings.by_role.items() if holding.all}
    open_intents = tuple(e for e in entries if e.intent_open and e.role not in held and not past_gone(e, past, now))
    remains = Remains(holdings, absences(resource.status, looked, past, now), tuple(by_id.values()), open_intents)
    if retains(resource):
        return remains
    return _with_contributions(remains, inventory, gateway, resource, mark(owner.cluster, resource.uid), past, now)


def _with_contributions(
    remains: Remains,
    inventory: Inventory,
    gateway: Gateway,
    resource: Resource,
    ours: str,
    past: Recollection,
    now: datetime,
) -> Remains:
    """What others' policies hold of ours: the shared snapshot finds it, and a look by id decides."""
    snapshot = inventory.snapshot(gateway.region, inventory.clock() - STALE_SECONDS)
    recorded = {id_: gateway.endpoint(id_) for id_ in contributed_ids(resource.status)}
    listed = [e.id for e in snapshot.contributed_to(ours) if e.id not in recorded]
    others = [e for id_ in listed if (e := gateway.endpoint(id_)) is not None and is_contributed(e.policy, ours)]
    sharing = contributions(others, recorded, unshown_ids(resource.status), ours, past, now)
    leaving = tuple(each for each in sharing.found if can_withdraw(each.policy, ours))
    settled = {*sharing.proved_without, *(each.id for each in sharing.found)}
    return replace(
        remains,
        contributions=leaving,
        stuck=tuple(each for each in sharing.found if each not in leaving),
        unsettled=tuple(id_ for id_ in recorded if id_ not in settled),
        uncontributed=sharing.proved_without,
    )


def past_gone(entry: EndpointStatus, past: Recollection, now: datetime) -> bool:
    """Whether an intent may be given up: AWS had every chance to show what came of it, and didn't."""
    if entry.role in past.intents_without_vpc:
        return True
    since = past.unseen_since.get(entry.role.value)
    return since is not None and now - since > LAG_BOUND


def openings(remains: Remains, ours: str, resting: Collection[EndpointID]) -> Plan:
    """What comes before the deletions: intents to resolve, and statements (marked `ours`) to take out of policies."""
    resolving = tuple(
        RolePlan(entry.role, actions=(Resolve(entry.role, entry.attempt),)) for entry in remains.open_intents
    )
    due = [e for e in remains.contributions if e.state is EndpointState.AVAILABLE and e.id not in resting]
    leaving = tuple(Withdraw(Role.S3, each.id, ours, "the resource is being deleted") for each in due)
    return Plan((*resolving, RolePlan(Role.S3, actions=leaving)))
