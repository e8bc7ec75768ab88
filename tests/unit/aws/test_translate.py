"""What EC2 answers, in our own types: what may be missing, and what may not."""

from typing import Any

import pytest

from ibpe.aws import translate
from ibpe.aws.gateway import EndpointState, EndpointType


@pytest.mark.parametrize("kind", ["Resource", "ServiceNetwork"])
def test_an_endpoint_without_a_service_is_seen_all_the_same(kind: str) -> None:
    given: Any = {"VpcEndpointId": "vpce-1", "VpcId": "vpc-1", "VpcEndpointType": kind, "State": "Available"}
    seen = translate.endpoint(given)
    assert (seen.service_name, seen.type, seen.state) == ("", EndpointType.OTHER, EndpointState.AVAILABLE)


def test_an_endpoint_without_a_state_is_in_an_unknown_one() -> None:
    assert translate.endpoint({"VpcEndpointId": "vpce-1", "VpcId": "vpc-1"}).state is EndpointState.UNKNOWN


def test_a_subnet_shows_the_ipv6_blocks_that_it_has_now() -> None:
    given: Any = {
        "SubnetId": "subnet-1",
        "VpcId": "vpc-1",
        "AvailabilityZone": "us-west-2a",
        "Ipv6CidrBlockAssociationSet": [
            {"Ipv6CidrBlock": "2001:db8:2::/64", "Ipv6CidrBlockState": {"State": "associated"}},
            {"Ipv6CidrBlock": "2001:db8:1::/64", "Ipv6CidrBlockState": {"State": "associated"}},
            {"Ipv6CidrBlock": "2001:db8:3::/64", "Ipv6CidrBlockState": {"State": "disassociated"}},
            {"Ipv6CidrBlock": "2001:db8:4::/64", "Ipv6CidrBlockState": {"State": "associating"}},
        ],
    }
    assert translate.subnet(given).ipv6_cidrs == ("2001:db8:1::/64", "2001:db8:2::/64")
    assert translate.subnet(given).cidr == "", "for IPv6 alone"


def test_a_subnet_without_ipv6_has_no_such_block() -> None:
    given: Any = {"SubnetId": "subnet-1", "VpcId": "vpc-1", "AvailabilityZone": "a", "CidrBlock": "10.0.0.0/24"}
    seen = translate.subnet(given)
    assert (seen.cidr, seen.ipv6_cidrs) == ("10.0.0.0/24", ())
