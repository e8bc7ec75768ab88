"""Which endpoints are ours, and which only look so. Pure: the one place that decides ownership."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from ibpe.api.names import CLUSTER_TAG, OWNER_TAG, RETAINED_TAG, ROLE_TAG, Role
from ibpe.api.status import EndpointStatus, Ownership
from ibpe.aws.gateway import Endpoint, EndpointID, EndpointState
from ibpe.reconcile.wanted import ENDPOINT_TYPES, Owner


@dataclass(frozen=True)
class Holding:
    """What AWS holds for us in one role."""

    role: Role
    live: Endpoint | None = None
    """The endpoint in use: pending or available."""
    leaving: tuple[Endpoint, ...] = ()
    """Ours and deleting: they still hold the name or the route."""
    dead: tuple[Endpoint, ...] = ()
    """Ours and failed, rejected or expired: they are deleted and made again."""
    surplus: tuple[Endpoint, ...] = ()
    """Ours besides the one in use."""
    stranger: Endpoint | None = None
    """The status names it, but its tags, VPC or service say that it isn't ours: never touched."""

    @property
    def all(self) -> tuple[Endpoint, ...]:
        """All that is ours."""
        return (*((self.live,) if self.live else ()), *self.leaving, *self.dead, *self.surplus)


@dataclass(frozen=True)
class Holdings:
    """What AWS holds for us."""

    by_role: Mapping[Role, Holding] = field(default_factory=dict)
    unknown_roles: tuple[Endpoint, ...] = ()
    """With our tags and a role that this version doesn't know: reported, never deleted."""

    def of(self, role: Role) -> Holding:
        """The holding of a role."""
        return self.by_role.get(role, Holding(role))

    @property
    def all(self) -> tuple[Endpoint, ...]:
        """All that is ours, of every role that we know."""
        return tuple(endpoint for holding in self.by_role.values() for endpoint in holding.all)


@dataclass(frozen=True)
class Identity:
    """What an endpoint must agree with to be ours, besides its tags: tags alone can be forged by whoever may tag."""

    owner: Owner
    vpc_id: str | None
    services: Mapping[Role, tuple[str, ...]]
    takes_back: frozenset[Role] = frozenset()
    """Roles for which the spec asks for an endpoint of our own, so that one that was retained is ours again."""

    def role_of(
        self, endpoint: Endpoint, recorded: Mapping[EndpointID, Role], awaited: Collection[EndpointID] = ()
    ) -> Role | None:
        """The role in which an endpoint is ours, or None.

        Tags, VPC, service and type must agree. For an id that our own status records, one surviving tag of cluster and
        owner is enough, so that a tag somebody took off is drift and not a loss; another's value never is. None need be
        there yet on an id that a Create of ours was just answered with (`awaited`), nor any more while it is deleted.
        """
        if self.vpc_id is not None and endpoint.vpc_id != self.vpc_id:
            return None
        role = recorded.get(endpoint.id) or self._tagged_role(endpoint)
        if role is None or endpoint.service_name not in self.services.get(role, ()):
            return None
        if endpoint.type is not ENDPOINT_TYPES[role]:
            return None
        wanted = {CLUSTER_TAG: self.owner.cluster, OWNER_TAG: str(self.owner.key)}
        carried = [endpoint.tags.get(key) for key in wanted]
        if endpoint.id in recorded:
            agrees = all(value in {None, want} for value, want in zip(carried, wanted.values(), strict=True))
            excused = endpoint.id in awaited or endpoint.state is EndpointState.DELETING
            return role if (agrees and (excused or any(carried))) or self._retained(endpoint) else None
        taken_back = role in self.takes_back and self._retained(endpoint)
        return role if carried == list(wanted.values()) or taken_back else None

    def unknown_role(self, endpoint: Endpoint) -> bool:
        """Whether it carries our cluster and owner and a role of another version's."""
        return (
            endpoint.tags.get(CLUSTER_TAG) == self.owner.cluster
            and endpoint.tags.get(OWNER_TAG) == str(self.owner.key)
            and ROLE_TAG in endpoint.tags
            and self._tagged_role(endpoint) is None
        )

    def _retained(self, endpoint: Endpoint) -> bool:
        """Left behind by this very resource (deletionPolicy Retain), and nobody's since."""
        return (
            endpoint.tags.get(RETAINED_TAG) == str(self.owner.key)
            and endpoint.tags.get(CLUSTER_TAG) in {None, self.owner.cluster}
            and endpoint.tags.get(OWNER_TAG) in {None, str(self.owner.key)}
        )

    @staticmethod
    def _tagged_role(endpoint: Endpoint) -> Role | None:
        tagged = endpoint.tags.get(ROLE_TAG)
        return next((role for role in Role if role.value == tagged), None)


def hold(endpoints: Iterable[Endpoint], entries: Iterable[EndpointStatus], identity: Identity) -> Holdings:
    """Sort what AWS shows into what is ours, by role."""
    entries = tuple(entries)
    recorded = {EndpointID(id_): entry.role for entry in entries for id_ in entry.made_ids}
    mine: dict[Role, list[Endpoint]] = {}
    strangers: dict[Role, Endpoint] = {}
    unknown: list[Endpoint] = []
    managed = [entry for entry in entries if entry.ownership is Ownership.MANAGED and entry.id]
    current = {entry.id for entry in managed}
    awaited = {EndpointID(str(entry.id)) for entry in managed if entry.state == "creating"}
    for endpoint in endpoints:
        if endpoint.state.is_gone:
            continue
        role = identity.role_of(endpoint, recorded, awaited)
        if role is not None:
            mine.setdefault(role, []).append(endpoint)
        elif endpoint.id in recorded:
            strangers[recorded[endpoint.id]] = endpoint
        elif identity.unknown_role(endpoint):
            unknown.append(endpoint)
    by_role = {
        role: _sort(role, mine.get(role, []), current, strangers.get(role))
        for role in Role
        if role in mine or role in strangers
    }
    return Holdings(by_role, tuple(unknown))


def _sort(role: Role, endpoints: list[Endpoint], current: set[str | None], stranger: Endpoint | None) -> Holding:
    usable = [e for e in endpoints if not e.state.is_dead and e.state is not EndpointState.DELETING]
    # The one that the status records stays; else the one that works, then the oldest, then the smallest id.
    usable.sort(
        key=lambda e: (
            e.id not in current,
            e.state is not EndpointState.AVAILABLE,
            e.created_at.timestamp() if e.created_at else float("inf"),
            e.id,
        )
    )
    return Holding(
        role,
        live=usable[0] if usable else None,
        leaving=tuple(e for e in endpoints if e.state is EndpointState.DELETING),
        dead=tuple(e for e in endpoints if e.state.is_dead),
        surplus=tuple(usable[1:]),
        stranger=stranger,
    )
