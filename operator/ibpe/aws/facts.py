"""What a resource needs of a VPC's surroundings, and what AWS has of it: values, and fetching them in batches."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from ibpe.aws.gateway import (
    EndpointService,
    Gateway,
    RouteTable,
    RouteTableID,
    SecurityGroup,
    SecurityGroupID,
    Subnet,
    SubnetID,
    Vpc,
    VpcID,
)

Name = TypeVar("Name", bound=str)


@dataclass(frozen=True)
class Needs:
    """What one resource's spec names. All route tables and subnets of the VPC come along."""

    region: str
    vpc_id: VpcID
    subnet_ids: frozenset[SubnetID] = frozenset()
    security_group_ids: frozenset[SecurityGroupID] = frozenset()
    service_names: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Facts:
    """What AWS has of it. What is named and absent does not exist; equal facts may be of different times."""

    vpc: Vpc | None
    subnets: Mapping[SubnetID, Subnet]
    """Those of the VPC, and those named that lie elsewhere."""
    security_groups: Mapping[SecurityGroupID, SecurityGroup]
    route_tables: Mapping[RouteTableID, RouteTable]
    services: Mapping[str, EndpointService]
    taken_at: float = field(compare=False)
    """The clock, in seconds, before the call for the oldest part."""


@dataclass(frozen=True)
class VpcFacts:
    """A VPC (None: it does not exist) and all that lies in it."""

    vpc: Vpc | None
    subnets: Mapping[SubnetID, Subnet]
    route_tables: Mapping[RouteTableID, RouteTable]


Part: TypeAlias = VpcFacts | Subnet | SecurityGroup | EndpointService | None
"""One thing that was asked for; None: AWS has no such thing."""


def part_names(needs: Needs) -> frozenset[str]:
    """What it needs, by name: AWS's ids and services' names can't be taken for each other."""
    return frozenset({needs.vpc_id, *needs.subnet_ids, *needs.security_group_ids, *needs.service_names})


def fetch(gateway: Gateway, wanted: Collection[Needs]) -> dict[str, Part]:
    """Everything that these need, each thing once, in as few calls as batches allow. Raises AwsError."""
    vpc_ids = frozenset(each.vpc_id for each in wanted)
    subnet_ids = _union(each.subnet_ids for each in wanted)
    group_ids = _union(each.security_group_ids for each in wanted)
    names = _union(each.service_names for each in wanted)
    inside = gateway.subnets_of(vpc_ids)
    elsewhere = gateway.subnets(subnet_ids - inside.keys()) if subnet_ids - inside.keys() else {}
    groups = gateway.security_groups(group_ids) if group_ids else {}
    services = gateway.services(names) if names else {}
    parts = _vpc_facts(gateway, vpc_ids, inside)
    parts |= {each: inside.get(each) or elsewhere.get(each) for each in subnet_ids}
    parts |= {each: groups.get(each) for each in group_ids}
    parts |= {each: services.get(each) for each in names}
    return parts


def _vpc_facts(gateway: Gateway, vpc_ids: Collection[VpcID], subnets: Mapping[SubnetID, Subnet]) -> dict[str, Part]:
    vpcs, tables = gateway.vpcs(vpc_ids), gateway.route_tables(vpc_ids)
    subnets_by: dict[VpcID, dict[SubnetID, Subnet]] = {each: {} for each in vpc_ids}
    tables_by: dict[VpcID, dict[RouteTableID, RouteTable]] = {each: {} for each in vpc_ids}
    for subnet in subnets.values():
        subnets_by.setdefault(subnet.vpc_id, {})[subnet.id] = subnet
    for table in tables.values():
        tables_by.setdefault(table.vpc_id, {})[table.id] = table
    return {each: VpcFacts(vpcs.get(each), subnets_by[each], tables_by[each]) for each in vpc_ids}


def assemble(needs: Needs, parts: Mapping[str, tuple[float, Part]]) -> Facts:
    """The facts out of parts, each with its time; every part that `part_names` lists must be there."""
    around = parts[needs.vpc_id][1]
    inside = around if isinstance(around, VpcFacts) else VpcFacts(None, {}, {})
    named = [parts[each][1] for each in part_names(needs) if each != needs.vpc_id]
    strangers = {each.id: each for each in named if isinstance(each, Subnet)}
    return Facts(
        vpc=inside.vpc,
        subnets=strangers | dict(inside.subnets),
        security_groups={each.id: each for each in named if isinstance(each, SecurityGroup)},
        route_tables=inside.route_tables,
        services={each.name: each for each in named if isinstance(each, EndpointService)},
        taken_at=min(parts[each][0] for each in part_names(needs)),
    )


def _union(of: Iterable[frozenset[Name]]) -> frozenset[Name]:
    return frozenset(name for some in of for name in some)
