"""Many VPCs at once, straight in moto's EC2: as `network.make_network`, but for a bench that needs a thousand."""

from collections.abc import Iterator
from typing import Any

from sandbox.aws.messages import NetworksOrder
from sandbox.aws.network import Network


def make_networks(backend: Any, order: NetworksOrder) -> Iterator[Network]:
    """Make the VPCs that were ordered in moto's EC2; all have the same CIDR, as VPCs of one account may."""
    zones = [zone.name for zone in backend.describe_availability_zones()][: order.subnets]
    if len(zones) < order.subnets:
        raise ValueError(f"{order.region} has {len(zones)} zones, and each of {order.subnets} subnets needs its own")
    for number in range(order.count):
        yield _make(backend, number, zones)


def _make(backend: Any, number: int, zones: list[str]) -> Network:
    cidr = "10.0.0.0/16"
    vpc = backend.create_vpc(cidr, amazon_provided_ipv6_cidr_block=True)
    vpc.enable_dns_support = vpc.enable_dns_hostnames = True
    main = next(iter(t for t in reversed(backend.route_tables.values()) if t.vpc_id == vpc.id))
    table = backend.create_route_table(vpc.id)
    subnets = [
        backend.create_subnet(vpc.id, f"10.0.{each}.0/24", availability_zone=zone) for each, zone in enumerate(zones)
    ]
    for subnet in subnets:
        table._associations[f"rtbassoc-{subnet.id.removeprefix('subnet-')}"] = subnet.id  # noqa: SLF001 - moto's own
        # way searches every route table of the region first, which is what bulk making must not do
    endpoints = backend.create_security_group(f"endpoints-{number}", "endpoints", vpc.id)
    backend.authorize_security_group_ingress(endpoints.id, "tcp", 443, 443, [{"CidrIp": cidr}])
    other = backend.create_security_group(f"other-{number}", "other", vpc.id)
    default = next(group for group in backend.groups[vpc.id].values() if group.name == "default")
    return Network(
        vpc_id=vpc.id,
        cidr=cidr,
        subnet_ids=tuple(subnet.id for subnet in subnets),
        zones=tuple(zones),
        route_table_id=table.id,
        main_route_table_id=main.id,
        security_group_id=endpoints.id,
        other_security_group_id=other.id,
        default_security_group_id=default.id,
    )
