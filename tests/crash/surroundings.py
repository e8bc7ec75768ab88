"""The VPC that the endpoints of a fake AWS stand in: two zones, three subnets, two route tables. It never changes."""

from collections.abc import Collection, Mapping

from ibpe.aws.gateway import (
    AccountID,
    EndpointService,
    EndpointType,
    IngressRule,
    RouteTable,
    RouteTableID,
    SecurityGroup,
    SecurityGroupID,
    Subnet,
    SubnetID,
    Vpc,
    VpcID,
)

ACCOUNT = AccountID("123456789012")
REGION = "us-west-2"
VPC = VpcID("vpc-00000000000000001")
SUBNETS = tuple(SubnetID(f"subnet-0000000000000000{n}") for n in (1, 2, 3))
GROUPS = tuple(SecurityGroupID(f"sg-0000000000000000{n}") for n in (1, 2))
TABLES = tuple(RouteTableID(f"rtb-0000000000000000{n}") for n in (1, 2))
IMAGE_BUILDER = f"com.amazonaws.{REGION}.imagebuilder"
S3 = f"com.amazonaws.{REGION}.s3"


class Surroundings:
    """The reads of a Gateway that are not about endpoints."""

    def vpcs(self, ids: Collection[VpcID]) -> Mapping[VpcID, Vpc]:
        vpc = Vpc(VPC, ACCOUNT, ("10.0.0.0/16",), dns_support=True, dns_host_names=True)
        return {VPC: vpc} if VPC in ids else {}

    def vpc_tags(self, vpc_id: VpcID) -> Mapping[str, str] | None:
        return {} if vpc_id == VPC else None

    def subnets(self, ids: Collection[SubnetID]) -> Mapping[SubnetID, Subnet]:
        return {id_: subnet for id_, subnet in self.subnets_of([VPC]).items() if id_ in ids}

    def subnets_of(self, vpc_ids: Collection[VpcID]) -> Mapping[SubnetID, Subnet]:
        made = [Subnet(id_, VPC, f"{REGION}{'abc'[n]}", f"10.0.{n}.0/24", ACCOUNT) for n, id_ in enumerate(SUBNETS)]
        return {subnet.id: subnet for subnet in made if VPC in vpc_ids}

    def security_groups(self, ids: Collection[SecurityGroupID]) -> Mapping[SecurityGroupID, SecurityGroup]:
        rules = (IngressRule("tcp", 443, 443, ("10.0.0.0/16",)),)
        return {id_: SecurityGroup(id_, VPC, rules) for id_ in GROUPS if id_ in ids}

    def route_tables(self, vpc_ids: Collection[VpcID]) -> Mapping[RouteTableID, RouteTable]:
        served = (frozenset(SUBNETS[:2]), frozenset(SUBNETS[2:]))
        made = [RouteTable(id_, VPC, main=False, subnet_ids=served[n]) for n, id_ in enumerate(TABLES)]
        return {table.id: table for table in made if VPC in vpc_ids}

    def services(self, names: Collection[str]) -> Mapping[str, EndpointService]:
        known = {IMAGE_BUILDER: EndpointType.INTERFACE, S3: EndpointType.GATEWAY}
        zones = frozenset(f"{REGION}{zone}" for zone in "abc")
        return {
            name: EndpointService(name, frozenset({type_}), zones, (), policy_supported=True)
            for name, type_ in known.items()
            if name in names
        }
