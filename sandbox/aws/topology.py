"""The border to moto's EC2: the VPCs, subnets, security groups and route tables that endpoints stand in.

The one module that reads and writes moto's EC2 models, and turns them into frozen values. Knows no endpoint rules.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from moto.ec2.models.route_tables import Route
from moto.ec2.models.subnets import Subnet as MotoSubnet
from moto.ec2.models.vpcs import VPC

from sandbox.aws.model import Endpoint

REQUESTER: Final = "727180483921"
"""The account that AWS's PrivateLink makes interfaces under; any other than the user's would do."""


@dataclass(frozen=True)
class Vpc:
    """A VPC with its DNS attributes."""

    id: str
    owner: str
    dns_support: bool
    dns_host_names: bool


@dataclass(frozen=True)
class Subnet:
    """A subnet and the address families that it has."""

    id: str
    vpc_id: str
    zone: str
    has_ipv6: bool


@dataclass(frozen=True)
class Group:
    """A security group."""

    id: str
    vpc_id: str
    name: str


@dataclass(frozen=True)
class RouteTable:
    """A route table and its routes to prefix lists: prefix list id -> target id."""

    id: str
    vpc_id: str
    prefix_list_routes: Mapping[str, str]


@dataclass(frozen=True)
class _RouteTarget:
    """What moto asks of a route's gateway: its id."""

    id: str


def _vpc_owner(vpc: Any) -> str:
    return str(getattr(vpc, "shared_by", None) or vpc.ec2_backend.account_id)


def _subnet_owner(subnet: Any) -> str:
    vpc = subnet.ec2_backend.vpcs.get(subnet.vpc_id)
    return _vpc_owner(vpc) if vpc else str(subnet.ec2_backend.account_id)


def let_vpcs_have_other_owners() -> None:
    """Make moto show a VPC that RAM shares: in this account's list, with its subnets, under another owner.

    moto has the owner as a property that answers the backend's own account, so it is replaced on the class.
    """
    classes: dict[Any, Callable[[Any], str]] = {VPC: _vpc_owner, MotoSubnet: _subnet_owner}
    for moto_class, owner in classes.items():
        moto_class.owner_id = property(owner)


class Topology:
    """One account's network in one region."""

    def __init__(self, backend: Any) -> None:
        """`backend`: moto's EC2 of this account and region."""
        self._backend = backend

    def vpc(self, vpc_id: str) -> Vpc | None:
        """A VPC; None when there is none of this id (likewise below)."""
        found = self._backend.vpcs.get(vpc_id)
        if found is None:
            return None
        return Vpc(vpc_id, _vpc_owner(found), _is_true(found.enable_dns_support), _is_true(found.enable_dns_hostnames))

    def set_vpc_owner(self, vpc_id: str, account: str | None) -> bool:
        """Let a VPC be one that another account shares (None: its own); False when there is no such VPC."""
        found = self._backend.vpcs.get(vpc_id)
        if found is not None:
            found.shared_by = account
        return found is not None

    def subnet(self, subnet_id: str) -> Subnet | None:
        """A subnet by id."""
        found = self._moto_subnet(subnet_id)
        if found is None:
            return None
        return Subnet(subnet_id, found.vpc_id, found.availability_zone, bool(found.ipv6_cidr_block_associations))

    def group(self, group_id: str) -> Group | None:
        """A security group by id."""
        for by_id in self._backend.groups.values():
            if group_id in by_id:
                found = by_id[group_id]
                return Group(found.id, found.vpc_id, found.name)
        return None

    def default_group(self, vpc_id: str) -> Group | None:
        """The security group that every VPC has from its beginning."""
        groups = self._backend.groups.get(vpc_id, {}).values()
        return next((Group(g.id, g.vpc_id, g.name) for g in groups if g.name == "default"), None)

    def route_table(self, table_id: str) -> RouteTable | None:
        """A route table by id."""
        found = self._backend.route_tables.get(table_id)
        if found is None:
            return None
        routes = {
            route.destination_prefix_list.id: route.gateway_id or ""
            for route in found.routes
            if route.destination_prefix_list is not None
        }
        return RouteTable(table_id, found.vpc_id, routes)

    def route_tables_of(self, vpc_id: str) -> tuple[RouteTable, ...]:
        """Every route table of a VPC."""
        tables = (self.route_table(table.id) for table in self._backend.route_tables.values() if table.vpc_id == vpc_id)
        return tuple(table for table in tables if table is not None)

    def zones(self) -> tuple[tuple[str, str], ...]:
        """Name and id of every availability zone of the region."""
        return tuple((zone.name, zone.zone_id) for zone in self._backend.describe_availability_zones())

    def prefix_list(self, service_name: str) -> str | None:
        """The id of the prefix list that AWS keeps for a gateway service."""
        lists = self._backend.managed_prefix_lists.values()
        return next((found.id for found in lists if found.prefix_list_name == service_name), None)

    def put_tags(self, resource_id: str, tags: Mapping[str, str]) -> None:
        """Let moto's DescribeTags show these as the resource's tags."""
        if tags:
            self._backend.tags[resource_id] = dict(tags)
        else:
            self._backend.tags.pop(resource_id, None)

    def add_route(self, table_id: str, prefix_list_id: str, endpoint_id: str) -> None:
        """The route that a gateway endpoint puts into a table."""
        table = self._backend.route_tables.get(table_id)
        if table is not None:
            target = self._backend.managed_prefix_lists[prefix_list_id]
            make: Any = Route  # its types leave out that a route may lead to an endpoint
            route = make(table, None, None, destination_prefix_list=target, gateway=_RouteTarget(endpoint_id))
            table._routes[route.id] = route  # noqa: SLF001 - moto has no way to add a route that a user may not add

    def remove_routes(self, table_id: str, endpoint_id: str) -> None:
        """Take a gateway endpoint's route out of a table."""
        table = self._backend.route_tables.get(table_id)
        if table is None:
            return
        for route in table.routes:
            if route.gateway_id == endpoint_id:
                del table._routes[route.id]  # noqa: SLF001 - as above: a user can't remove it

    def add_interface(self, endpoint: Endpoint, subnet_id: str) -> str:
        """The network interface of an interface endpoint in a subnet; returns its id."""
        made = self._backend.create_network_interface(
            self._moto_subnet(subnet_id),
            private_ip_address=endpoint.addresses.get(subnet_id),
            group_ids=list(endpoint.group_ids),
            description=f"VPC Endpoint Interface {endpoint.id}",
        )
        made.requester_managed, made.requester_id = True, REQUESTER
        made.status, made.interface_type = "in-use", "vpc_endpoint"
        return str(made.id)

    def set_interface_groups(self, interface_id: str, group_ids: Iterable[str]) -> None:
        """The security groups of an interface."""
        interface = self._backend.enis.get(interface_id)
        if interface is not None:
            found = (self._backend.get_security_group_from_id(group_id) for group_id in group_ids)
            interface._group_set = [group for group in found if group]  # noqa: SLF001 - moto only replaces them by name

    def interface_address(self, interface_id: str) -> str | None:
        """The IPv4 address of an interface."""
        interface = self._backend.enis.get(interface_id)
        return interface.private_ip_address if interface else None

    def remove_interface(self, interface_id: str) -> None:
        """Delete an interface."""
        self._backend.enis.pop(interface_id, None)

    def is_endpoint_interface(self, interface_id: str) -> bool:
        """Whether an endpoint made it, so that a user may not delete it."""
        interface = self._backend.enis.get(interface_id)
        return interface is not None and interface.interface_type == "vpc_endpoint"

    def _moto_subnet(self, subnet_id: str) -> Any:
        for by_id in self._backend.subnets.values():
            if subnet_id in by_id:
                return by_id[subnet_id]
        return None


def _is_true(value: object) -> bool:
    """Whether it is on: moto keeps the attribute as it came over the wire."""
    return str(value).lower() == "true"
