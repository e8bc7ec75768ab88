"""Every refusal that AWS's Create gives, with its code and what the message must name (fact sheet, section 2)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from mypy_boto3_ec2 import EC2Client

from sandbox.aws import AwsServer, Control
from sandbox.aws.network import Network, add_subnet, make_network
from tests.aws.given import IMAGE_BUILDER, S3, SSM, gateway, interface, refusal

Change = Callable[[Network, Network], dict[str, Any]]

_INTERFACE: list[tuple[str, Change, str, str]] = [
    ("vpc missing", lambda _, __: {"VpcId": "vpc-0123456789abcdef0"}, "InvalidVpcID.NotFound", "vpc-0123456789abcdef0"),
    (
        "subnet missing",
        lambda _, __: {"SubnetIds": ["subnet-0123456789abcdef0"]},
        "InvalidSubnetID.NotFound",
        "subnet-0123456789abcdef0",
    ),
    (
        "subnet elsewhere",
        lambda _, other: {"SubnetIds": [other.subnet_ids[0]]},
        "InvalidParameter",
        "does not belong to the VPC",
    ),
    (
        "group missing",
        lambda _, __: {"SecurityGroupIds": ["sg-0123456789abcdef0"]},
        "InvalidGroup.NotFound",
        "sg-0123456789abcdef0",
    ),
    (
        "group elsewhere",
        lambda _, other: {"SecurityGroupIds": [other.security_group_id]},
        "InvalidParameter",
        "does not belong to the VPC",
    ),
    (
        "service unknown",
        lambda _, __: {"ServiceName": "com.amazonaws.us-east-1.nosuch"},
        "InvalidServiceName",
        "The Vpc Endpoint Service 'com.amazonaws.us-east-1.nosuch' does not exist",
    ),
    (
        "service of another region",
        lambda _, __: {"ServiceName": "com.amazonaws.us-west-2.ssm"},
        "InvalidServiceName",
        "us-west-2",
    ),
    (
        "type not offered",
        lambda _, __: {"ServiceName": "com.amazonaws.us-east-1.dynamodb"},
        "InvalidParameter",
        "Endpoint type (Interface) does not match available service types ([Gateway])",
    ),
    (
        "route tables on an interface endpoint",
        lambda own, _: {"RouteTableIds": [own.route_table_id]},
        "InvalidParameter",
        "Route table IDs are only supported for Gateway",
    ),
    (
        "aws: tag",
        lambda _, __: {
            "TagSpecifications": [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "aws:x", "Value": "1"}]}]
        },
        "InvalidParameterValue",
        "reserved",
    ),
    (
        "tags for something else",
        lambda _, __: {"TagSpecifications": [{"ResourceType": "vpc", "Tags": [{"Key": "x", "Value": "1"}]}]},
        "InvalidParameter",
        "vpc-endpoint",
    ),
    (
        "51 tags",
        lambda _, __: {
            "TagSpecifications": [
                {"ResourceType": "vpc-endpoint", "Tags": [{"Key": f"k{n}", "Value": ""} for n in range(51)]}
            ]
        },
        "TagLimitExceeded",
        "50",
    ),
    ("long token", lambda _, __: {"ClientToken": "x" * 65}, "InvalidParameterValue", "64"),
    ("policy not JSON", lambda _, __: {"PolicyDocument": '{"Statement":\n [,]}'}, "InvalidPolicyDocument", "(2,3)"),
    (
        "policy too long",
        lambda _, __: {"PolicyDocument": json.dumps({"Statement": []}) + " " * 20_480},
        "InvalidPolicyDocument",
        "20480",
    ),
]


@pytest.mark.parametrize(
    ("change", "code", "text"), [row[1:] for row in _INTERFACE], ids=[row[0] for row in _INTERFACE]
)
def test_an_interface_endpoint_is_refused(
    ec2: EC2Client, network: Network, change: Change, code: str, text: str
) -> None:
    asked: dict[str, Any] = {
        "VpcId": network.vpc_id,
        "ServiceName": IMAGE_BUILDER,
        "VpcEndpointType": "Interface",
        "SubnetIds": list(network.subnet_ids),
        "SecurityGroupIds": [network.security_group_id],
    }
    asked |= change(network, make_network(ec2, name="other"))
    found, message = refusal(lambda: ec2.create_vpc_endpoint(**asked))
    assert found == code
    assert text in message
    assert ec2.describe_vpc_endpoints()["VpcEndpoints"] == []


_STATEMENT = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
_POLICIES = {
    "no statement": {"Version": "2012-10-17"},
    "empty statement list": {"Statement": []},
    "no principal": {"Statement": [{k: v for k, v in _STATEMENT.items() if k != "Principal"}]},
    "no action": {"Statement": [{k: v for k, v in _STATEMENT.items() if k != "Action"}]},
    "no resource": {"Statement": [{k: v for k, v in _STATEMENT.items() if k != "Resource"}]},
    "both Action and NotAction": {"Statement": [_STATEMENT | {"NotAction": "s3:PutObject"}]},
    "bad effect": {"Statement": [_STATEMENT | {"Effect": "Permit"}]},
    "a space in the action, as in the AWS page's own example": {
        "Statement": [_STATEMENT | {"Action": "imagebuilder: DeleteImage"}]
    },
    "an unknown key": {"Statement": [_STATEMENT | {"Actions": "*"}]},
    "a resource that is no ARN": {"Statement": [_STATEMENT | {"Resource": "bucket"}]},
    "an unknown version": {"Version": "2020-01-01", "Statement": [_STATEMENT]},
}


@pytest.mark.parametrize("document", _POLICIES.values(), ids=_POLICIES)
def test_a_policy_that_is_none_is_refused_with_a_position(
    ec2: EC2Client, network: Network, document: dict[str, object]
) -> None:
    policy = json.dumps(document)
    code, message = refusal(
        lambda: ec2.create_vpc_endpoint(VpcId=network.vpc_id, ServiceName=S3, PolicyDocument=policy)
    )
    assert code == "InvalidPolicyDocument"
    assert message == f"The Policy Document is not valid. Syntax error at position (1,{len(policy)})"


def test_two_subnets_in_one_zone_are_refused(ec2: EC2Client, network: Network) -> None:
    twin = add_subnet(ec2, network.vpc_id, network.zones[0], "10.0.99.0/24", 99)
    code, _ = refusal(
        lambda: ec2.create_vpc_endpoint(
            VpcId=network.vpc_id,
            ServiceName=SSM,
            VpcEndpointType="Interface",
            SubnetIds=[network.subnet_ids[0], twin],
        )
    )
    assert code == "DuplicateSubnetsInSameZone"


def test_a_zone_that_the_service_does_not_support_is_refused(
    ec2: EC2Client, network: Network, control: Control
) -> None:
    control.limit_zones("us-east-1", IMAGE_BUILDER, [network.zones[0]])
    code, message = refusal(lambda: interface(ec2, network))
    assert code == "InvalidParameter"
    assert f"The VPC endpoint service {IMAGE_BUILDER} does not support the availability zone of the subnet" in message
    assert network.subnet_ids[1] in message


@pytest.mark.parametrize("attribute", ["EnableDnsSupport", "EnableDnsHostnames"])
def test_private_dns_without_a_resolving_vpc_is_refused(ec2: EC2Client, network: Network, attribute: str) -> None:
    off: dict[str, Any] = {attribute: {"Value": False}}
    ec2.modify_vpc_attribute(VpcId=network.vpc_id, **off)
    code, message = refusal(lambda: interface(ec2, network))
    assert code == "InvalidParameter"
    assert "requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true" in message
    interface(ec2, network, private_dns=False)


def test_a_second_endpoint_with_the_private_name_is_refused_until_the_first_is_gone(
    ec2: EC2Client, network: Network, control: Control
) -> None:
    first = interface(ec2, network)
    code, message = refusal(lambda: interface(ec2, network))
    assert code == "InvalidParameter"
    assert "conflicting DNS domain for imagebuilder.us-east-1.amazonaws.com in the VPC" in message
    ec2.delete_vpc_endpoints(VpcEndpointIds=[first])
    assert refusal(lambda: interface(ec2, network))[0] == "InvalidParameter"
    control.advance_clock(11)
    interface(ec2, network)


def test_a_second_gateway_on_a_route_table_is_refused(ec2: EC2Client, network: Network) -> None:
    gateway(ec2, network)
    code, message = refusal(lambda: gateway(ec2, network))
    assert code == "RouteAlreadyExists"
    assert network.route_table_id in message
    assert "destination-prefix-list-id pl-" in message


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"RouteTableIds": ["rtb-0123456789abcdef0"]}, "InvalidRouteTableId.NotFound"),
        ({"SubnetIds": ["subnet-0123456789abcdef0"]}, "InvalidParameter"),
        ({"SecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidParameter"),
        ({"PrivateDnsEnabled": True}, "InvalidParameter"),
        ({"VpcEndpointType": "Interface", "IpAddressType": "ipv5"}, "InvalidParameter"),
        ({"VpcEndpointType": "Gateway", "ServiceName": SSM}, "InvalidParameter"),
    ],
)
def test_a_gateway_endpoint_is_refused(ec2: EC2Client, network: Network, asked: dict[str, Any], code: str) -> None:
    found, _ = refusal(lambda: ec2.create_vpc_endpoint(**({"VpcId": network.vpc_id, "ServiceName": S3} | asked)))
    assert found == code


def test_quotas_count_living_endpoints(ec2: EC2Client, network: Network, control: Control) -> None:
    control.set(interface_endpoints_per_vpc=1, gateway_endpoints_per_region=1, groups_per_endpoint=1)
    interface(ec2, network)
    assert refusal(lambda: interface(ec2, network, SSM))[0] == "VpcEndpointLimitExceeded"
    gateway(ec2, network)
    other = make_network(ec2, name="other")
    assert refusal(lambda: gateway(ec2, other))[0] == "VpcEndpointLimitExceeded"
    groups = [other.security_group_id, other.other_security_group_id]
    code, _ = refusal(
        lambda: ec2.create_vpc_endpoint(
            VpcId=other.vpc_id, ServiceName=SSM, VpcEndpointType="Interface", SecurityGroupIds=groups
        )
    )
    assert code == "SecurityGroupsPerInterfaceLimitExceeded"


def test_a_vpc_that_another_account_shares_shows_its_owner_and_takes_no_endpoint(
    ec2: EC2Client, network: Network, control: Control, aws: AwsServer
) -> None:
    control.set_vpc_owner(network.vpc_id, "210987654321")
    assert ec2.describe_vpcs(VpcIds=[network.vpc_id])["Vpcs"][0]["OwnerId"] == "210987654321"
    subnets = ec2.describe_subnets(SubnetIds=list(network.subnet_ids))["Subnets"]
    assert {each["OwnerId"] for each in subnets} == {"210987654321"}
    assert refusal(lambda: gateway(ec2, network))[0] == "OperationNotPermitted"
    control.set_vpc_owner(network.vpc_id, None)
    gateway(aws.client("ec2"), network)


def test_dualstack_needs_subnets_with_ipv6(ec2: EC2Client, network: Network) -> None:
    plain = ec2.create_subnet(VpcId=network.vpc_id, AvailabilityZone="us-east-1c", CidrBlock="10.0.50.0/24")
    asked: dict[str, Any] = {
        "VpcId": network.vpc_id,
        "ServiceName": SSM,
        "VpcEndpointType": "Interface",
        "IpAddressType": "dualstack",
    }
    subnet_id = plain["Subnet"]["SubnetId"]
    code, message = refusal(lambda: ec2.create_vpc_endpoint(**asked, SubnetIds=[subnet_id]))
    assert (code, subnet_id in message) == ("InvalidParameter", True)
    made = ec2.create_vpc_endpoint(**asked, SubnetIds=list(network.subnet_ids))["VpcEndpoint"]
    assert (made["IpAddressType"], made["DnsOptions"]["DnsRecordIpType"]) == ("dualstack", "dualstack")
