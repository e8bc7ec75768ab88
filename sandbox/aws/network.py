"""Small, realistic VPCs for endpoints to stand in: made by boto3 as a person would, or in bulk by the control API."""

from mypy_boto3_ec2 import EC2Client
from mypy_boto3_ec2.type_defs import FilterTypeDef
from pydantic import BaseModel, ConfigDict


class Network(BaseModel):
    """Ids of one VPC: private subnets in different zones on a route table of their own, and two security groups.

    `security_group_id` lets 443 in from the VPC; `other_security_group_id` lets nothing in. The main route table has
    no subnet associated.
    """

    model_config = ConfigDict(frozen=True)

    vpc_id: str
    cidr: str
    subnet_ids: tuple[str, ...]
    zones: tuple[str, ...]
    route_table_id: str
    main_route_table_id: str
    security_group_id: str
    other_security_group_id: str
    default_security_group_id: str


def make_network(ec2: EC2Client, *, subnets: int = 2, cidr_prefix: str = "10.0", name: str = "builds") -> Network:
    """Make a VPC of `<cidr_prefix>.0.0/16` with DNS support and host names on; at most as many subnets as zones."""
    cidr = f"{cidr_prefix}.0.0/16"
    vpc = ec2.create_vpc(CidrBlock=cidr, AmazonProvidedIpv6CidrBlock=True)["Vpc"]
    vpc_id = vpc["VpcId"]
    ec2.create_tags(Resources=[vpc_id], Tags=[{"Key": "Name", "Value": name}])
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsSupport={"Value": True})
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]]
    if subnets > len(zones):
        raise ValueError(f"the region has {len(zones)} zones, and each of {subnets} subnets needs its own")
    main = _main_route_table(ec2, vpc_id)
    table = ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]
    subnet_ids = []
    for number, zone in enumerate(zones[:subnets]):
        subnet_ids.append(add_subnet(ec2, vpc_id, zone, f"{cidr_prefix}.{number}.0/24", number))
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet_ids[-1])
    return Network(
        vpc_id=vpc_id,
        cidr=cidr,
        subnet_ids=tuple(subnet_ids),
        zones=tuple(zones[:subnets]),
        route_table_id=table,
        main_route_table_id=main,
        security_group_id=add_security_group(ec2, vpc_id, f"{name}-endpoints", cidr),
        other_security_group_id=add_security_group(ec2, vpc_id, f"{name}-other", None),
        default_security_group_id=_default_group(ec2, vpc_id),
    )


def add_subnet(ec2: EC2Client, vpc_id: str, zone: str, cidr: str, number: int) -> str:
    """A subnet with an IPv4 block and the `number`-th /64 of the VPC's IPv6 block; returns its id."""
    vpc = ec2.describe_vpcs(VpcIds=[vpc_id])["Vpcs"][0]
    block = vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
    prefix = block.removesuffix("00::/56")
    made = ec2.create_subnet(
        VpcId=vpc_id, AvailabilityZone=zone, CidrBlock=cidr, Ipv6CidrBlock=f"{prefix}{number:02x}::/64"
    )
    return made["Subnet"]["SubnetId"]


def add_security_group(ec2: EC2Client, vpc_id: str, name: str, https_from: str | None) -> str:
    """A security group that lets 443 in from a CIDR (None: from nowhere); returns its id."""
    group_id = ec2.create_security_group(VpcId=vpc_id, GroupName=name, Description=name)["GroupId"]
    if https_from is not None:
        ec2.authorize_security_group_ingress(
            GroupId=group_id,
            IpPermissions=[{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": https_from}]}],
        )
    return group_id


def _main_route_table(ec2: EC2Client, vpc_id: str) -> str:
    mine: list[FilterTypeDef] = [
        {"Name": "vpc-id", "Values": [vpc_id]},
        {"Name": "association.main", "Values": ["true"]},
    ]
    return ec2.describe_route_tables(Filters=mine)["RouteTables"][0]["RouteTableId"]


def _default_group(ec2: EC2Client, vpc_id: str) -> str:
    mine: list[FilterTypeDef] = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "group-name", "Values": ["default"]}]
    return ec2.describe_security_groups(Filters=mine)["SecurityGroups"][0]["GroupId"]
