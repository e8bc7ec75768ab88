"""A cloud in memory at the seam that the project owns: it counts, and it waits where a test tells it to."""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from ibpe.aws.errors import AwsError, classify
from ibpe.aws.gateway import (
    AccountID,
    CreateEndpoint,
    DeleteFailure,
    Endpoint,
    EndpointID,
    EndpointService,
    EndpointState,
    EndpointType,
    ModifyEndpoint,
    RouteTable,
    RouteTableID,
    SecurityGroup,
    SecurityGroupID,
    Subnet,
    SubnetID,
    Vpc,
    VpcID,
)

REGION = "us-west-2"
CLUSTER = "blue"


def endpoint(number: int, *, owner: str = "", cluster: str = CLUSTER, **fields: object) -> Endpoint:
    """An endpoint of ours when it has an owner, else a foreign one."""
    tags = {"ibpe.dev/cluster": cluster, "ibpe.dev/owner": owner} if owner else {}
    made = Endpoint(
        id=EndpointID(f"vpce-{number:04x}"),
        vpc_id=VpcID("vpc-1"),
        service_name="com.amazonaws.us-west-2.imagebuilder",
        type=EndpointType.INTERFACE,
        state=EndpointState.AVAILABLE,
        owner_id=AccountID("123456789012"),
        policy="{}",
        tags=tags,
    )
    return replace(made, **fields)  # type: ignore[arg-type]  # a test's own fields, by name


class FakeCloud:
    """Implements Cloud and Gateway. `before` runs at the start of each call, by its name."""

    def __init__(self) -> None:
        self.region = REGION
        self.account = AccountID("123456789012")
        self.listed: dict[EndpointID, Endpoint] = {}
        self.hidden: dict[EndpointID, Endpoint] = {}
        self.known_vpcs: dict[VpcID, Vpc] = {}
        self.known_subnets: dict[SubnetID, Subnet] = {}
        self.known_groups: dict[SecurityGroupID, SecurityGroup] = {}
        self.known_tables: dict[RouteTableID, RouteTable] = {}
        self.known_services: dict[str, EndpointService] = {}
        self.calls: Counter[str] = Counter()
        self.asked: list[tuple[str, frozenset[str]]] = []
        self.before: Callable[[str], None] = lambda _: None
        self.after_list: Callable[[], None] = lambda: None
        self._lock = threading.Lock()

    def _call(self, name: str, ids: Collection[str] = ()) -> None:
        with self._lock:
            self.calls[name] += 1
            self.asked.append((name, frozenset(ids)))
        self.before(name)

    def hold(self, *endpoints: Endpoint) -> None:
        self.listed = {each.id: each for each in endpoints}

    def gateway(self, region: str) -> "FakeCloud":
        assert region == self.region
        return self

    def caller_account(self) -> AccountID:
        self._call("caller_account")
        return self.account

    def list_endpoints(self) -> tuple[Endpoint, ...]:
        self._call("list_endpoints")
        found = tuple(self.listed.values())
        self.after_list()
        return found

    def endpoint(self, endpoint_id: EndpointID) -> Endpoint | None:
        self._call("endpoint", (endpoint_id,))
        return self.listed.get(endpoint_id) or self.hidden.get(endpoint_id)

    def owned_endpoints(self, tags: Mapping[str, str]) -> tuple[Endpoint, ...]:
        raise NotImplementedError

    def create_endpoint(self, request: CreateEndpoint) -> Endpoint:
        raise NotImplementedError

    def modify_endpoint(self, request: ModifyEndpoint) -> None:
        raise NotImplementedError

    def delete_endpoints(self, ids: Collection[EndpointID]) -> Mapping[EndpointID, DeleteFailure]:
        raise NotImplementedError

    def put_tags(self, ids: Collection[EndpointID], tags: Mapping[str, str]) -> None:
        raise NotImplementedError

    def remove_tags(self, ids: Collection[EndpointID], keys: Collection[str]) -> None:
        raise NotImplementedError

    def vpcs(self, ids: Collection[VpcID]) -> Mapping[VpcID, Vpc]:
        self._call("vpcs", ids)
        return {each: self.known_vpcs[each] for each in ids if each in self.known_vpcs}

    def vpc_tags(self, vpc_id: VpcID) -> Mapping[str, str] | None:
        self._call("vpc_tags", (vpc_id,))
        return self.known_vpcs[vpc_id].tags if vpc_id in self.known_vpcs else None

    def subnets(self, ids: Collection[SubnetID]) -> Mapping[SubnetID, Subnet]:
        self._call("subnets", ids)
        return {each: self.known_subnets[each] for each in ids if each in self.known_subnets}

    def subnets_of(self, vpc_ids: Collection[VpcID]) -> Mapping[SubnetID, Subnet]:
        self._call("subnets_of", vpc_ids)
        return {each.id: each for each in self.known_subnets.values() if each.vpc_id in vpc_ids}

    def security_groups(self, ids: Collection[SecurityGroupID]) -> Mapping[SecurityGroupID, SecurityGroup]:
        self._call("security_groups", ids)
        return {each: self.known_groups[each] for each in ids if each in self.known_groups}

    def route_tables(self, vpc_ids: Collection[VpcID]) -> Mapping[RouteTableID, RouteTable]:
        self._call("route_tables", vpc_ids)
        return {each.id: each for each in self.known_tables.values() if each.vpc_id in vpc_ids}

    def services(self, names: Collection[str]) -> Mapping[str, EndpointService]:
        self._call("services", names)
        return {each: self.known_services[each] for each in names if each in self.known_services}


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


def throttled() -> AwsError:
    return classify("DescribeVpcEndpoints", "RequestLimitExceeded", "Request limit exceeded.", 503)
