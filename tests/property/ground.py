"""The VPC that generated worlds stand in, made once: two zones of two subnets, one of one, and three tables."""

from dataclasses import dataclass

from sandbox.aws import AwsServer, Settings
from sandbox.aws.network import add_security_group, add_subnet, make_network

REGION = "us-west-2"
IMAGE_BUILDER = f"com.amazonaws.{REGION}.imagebuilder"
S3 = f"com.amazonaws.{REGION}.s3"


@dataclass(frozen=True)
class Ground:
    """Ids. `by_zone`: the subnets of each zone. All groups let 443 in; the first table serves every subnet."""

    vpc_id: str
    by_zone: tuple[tuple[str, ...], ...]
    group_ids: tuple[str, ...]
    table_ids: tuple[str, ...]

    @property
    def subnet_ids(self) -> tuple[str, ...]:
        """Every subnet."""
        return tuple(subnet for zone in self.by_zone for subnet in zone)


def make_ground(aws: AwsServer) -> Ground:
    """Make the VPC."""
    ec2 = aws.client("ec2", REGION)
    network = make_network(ec2, subnets=3)
    more = [
        add_subnet(ec2, network.vpc_id, zone, f"10.0.{10 + number}.0/24", 10 + number)
        for number, zone in enumerate(network.zones[:2])
    ]
    for subnet in more:
        ec2.associate_route_table(RouteTableId=network.route_table_id, SubnetId=subnet)
    first, second, third = network.subnet_ids
    return Ground(
        vpc_id=network.vpc_id,
        by_zone=((first, more[0]), (second, more[1]), (third,)),
        group_ids=(
            network.security_group_id,
            *(add_security_group(ec2, network.vpc_id, name, network.cidr) for name in ("second", "third")),
        ),
        table_ids=(
            network.route_table_id,
            *(ec2.create_route_table(VpcId=network.vpc_id)["RouteTable"]["RouteTableId"] for _ in range(2)),
        ),
    )


SWIFT = Settings(pending_seconds=2.0, modify_pending_seconds=0.5, deleting_seconds=3.0, deleted_listed_seconds=30.0)
"""Seconds of the double's clock, which a test pushes on: no test waits for them."""
