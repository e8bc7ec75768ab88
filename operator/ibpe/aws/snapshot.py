"""All endpoints of one account and region at one time, and what differs between two of these. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from ibpe.api.names import CLUSTER_TAG, OWNER_TAG
from ibpe.aws.gateway import AccountID, Endpoint, EndpointID, VpcID
from ibpe.policy.contribution import SID_PREFIX, is_contributed


@dataclass(frozen=True)
class Snapshot:
    """What DescribeVpcEndpoints showed; `begun_at` is the clock before the first call, in seconds."""

    account: AccountID
    region: str
    begun_at: float
    endpoints: Mapping[EndpointID, Endpoint]

    def in_vpc(self, vpc_id: VpcID) -> tuple[Endpoint, ...]:
        """The endpoints of a VPC, foreign ones too, by id."""
        return self._by_vpc.get(vpc_id, ())

    def contributed_to(self, mark: str) -> tuple[Endpoint, ...]:
        """The endpoints, of whatever VPC, whose policy holds statements of this mark (`policy.contribution`)."""
        return tuple(endpoint for endpoint in self._marked if is_contributed(endpoint.policy, mark))

    @cached_property
    def _marked(self) -> tuple[Endpoint, ...]:
        """Those with anybody's mark, found once: there are few, and a resource asks for its own each time."""
        return tuple(endpoint for _, endpoint in sorted(self.endpoints.items()) if SID_PREFIX in endpoint.policy)

    @cached_property
    def _by_vpc(self) -> dict[VpcID, tuple[Endpoint, ...]]:
        grouped: defaultdict[VpcID, list[Endpoint]] = defaultdict(list)
        for endpoint_id in sorted(self.endpoints):
            endpoint = self.endpoints[endpoint_id]
            grouped[endpoint.vpc_id].append(endpoint)
        return {vpc_id: tuple(endpoints) for vpc_id, endpoints in grouped.items()}


@dataclass(frozen=True)
class Change:
    """An endpoint that differs between two snapshots."""

    endpoint_id: EndpointID
    vpc_id: VpcID
    owners: frozenset[str]
    """Values of the owner tag before and after, where the cluster tag beside it was ours."""
    foreign: bool
    """Neither before nor after had our cluster's tag."""
    service_name: str


def shared_with(before: Snapshot | None, found: Iterable[Endpoint]) -> dict[EndpointID, Endpoint]:
    """By id; an endpoint that did not change is the very object of the snapshot before: memory for one, not two."""
    known = before.endpoints if before is not None else {}
    return {each.id: known[each.id] if known.get(each.id) == each else each for each in found}


def is_ours(endpoint: Endpoint, cluster: str) -> bool:
    """Whether it has our cluster's tag. That alone is no leave to write: tags can be forged."""
    return endpoint.tags.get(CLUSTER_TAG) == cluster


def changes(before: Snapshot, after: Snapshot, cluster: str) -> frozenset[Change]:
    """Every endpoint that came, went or differs in anything."""
    return frozenset(_differing(before, after, cluster))


def change_of(cluster: str, *versions: Endpoint | None) -> Change:
    """The change that these versions of one endpoint make; the last one given names the VPC and the service."""
    known = [version for version in versions if version is not None]
    ours = [version for version in known if is_ours(version, cluster)]
    return Change(
        endpoint_id=known[-1].id,
        vpc_id=known[-1].vpc_id,
        owners=frozenset(version.tags[OWNER_TAG] for version in ours if version.tags.get(OWNER_TAG)),
        foreign=not ours,
        service_name=known[-1].service_name,
    )


def _differing(before: Snapshot, after: Snapshot, cluster: str) -> Iterator[Change]:
    for endpoint_id in before.endpoints.keys() | after.endpoints.keys():
        old, new = before.endpoints.get(endpoint_id), after.endpoints.get(endpoint_id)
        if old != new:
            yield change_of(cluster, old, new)
