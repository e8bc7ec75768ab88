import json
from collections.abc import Callable
from typing import Any

import pytest
from mypy_boto3_ec2 import EC2Client

from sandbox.aws import Control
from sandbox.aws.network import Network, add_subnet, make_network
from tests.aws.given import described, gateway, interface, refusal


@pytest.fixture
def endpoint(ec2: EC2Client, network: Network, control: Control) -> str:
    made = interface(ec2, network)
    control.advance_clock(11)
    return made


def routes_to(ec2: EC2Client, table_id: str) -> list[str]:
    routes = ec2.describe_route_tables(RouteTableIds=[table_id])["RouteTables"][0]["Routes"]
    return [route["GatewayId"] for route in routes if "DestinationPrefixListId" in route]


def test_a_policy_is_replaced_and_reset(ec2: EC2Client, endpoint: str) -> None:
    policy = {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]}
    default = described(ec2, endpoint)["PolicyDocument"]
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PolicyDocument=json.dumps(policy))
    assert json.loads(described(ec2, endpoint)["PolicyDocument"]) == policy
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, ResetPolicy=True)
    assert described(ec2, endpoint)["PolicyDocument"] == default


def test_groups_are_added_and_removed_and_the_interfaces_follow(
    ec2: EC2Client, endpoint: str, network: Network
) -> None:
    ec2.modify_vpc_endpoint(
        VpcEndpointId=endpoint,
        AddSecurityGroupIds=[network.other_security_group_id],
        RemoveSecurityGroupIds=[network.security_group_id],
    )
    shown = described(ec2, endpoint)
    assert [group["GroupId"] for group in shown["Groups"]] == [network.other_security_group_id]
    found = ec2.describe_network_interfaces(NetworkInterfaceIds=shown["NetworkInterfaceIds"])["NetworkInterfaces"]
    assert {group["GroupId"] for each in found for group in each["Groups"]} == {network.other_security_group_id}


def test_subnets_are_added_and_removed_and_the_interfaces_follow(
    ec2: EC2Client, endpoint: str, network: Network
) -> None:
    third = add_subnet(ec2, network.vpc_id, "us-east-1c", "10.0.7.0/24", 7)
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddSubnetIds=[third], RemoveSubnetIds=[network.subnet_ids[0]])
    shown = described(ec2, endpoint)
    assert set(shown["SubnetIds"]) == {third, network.subnet_ids[1]}
    found = ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert {each["SubnetId"] for each in found} == {third, network.subnet_ids[1]}
    assert {each["NetworkInterfaceId"] for each in found} == set(shown["NetworkInterfaceIds"])
    zones = [entry["DnsName"].split(".")[0][-2:] for entry in shown["DnsEntries"][1:-1]]
    assert zones == ["1b", "1c"]


def test_a_change_of_subnets_returns_to_pending_and_blocks_the_next_modify(
    ec2: EC2Client, endpoint: str, network: Network, control: Control
) -> None:
    control.set(modify_pending_seconds=5)
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, RemoveSubnetIds=[network.subnet_ids[0]])
    assert described(ec2, endpoint)["State"].lower() == "pending"
    code, message = refusal(lambda: ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PrivateDnsEnabled=False))
    assert (code, message) == ("OperationInProgress", "VpcEndpoint modify operation in progress")
    control.advance_clock(6)
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PrivateDnsEnabled=False)
    assert described(ec2, endpoint)["PrivateDnsEnabled"] is False


def test_swapping_subnets_of_one_zone_in_one_call_is_refused_unless_set(
    ec2: EC2Client, endpoint: str, network: Network, control: Control
) -> None:
    twin = add_subnet(ec2, network.vpc_id, network.zones[0], "10.0.99.0/24", 99)

    def swap() -> None:
        ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddSubnetIds=[twin], RemoveSubnetIds=[network.subnet_ids[0]])

    assert refusal(swap)[0] == "DuplicateSubnetsInSameZone"
    assert set(described(ec2, endpoint)["SubnetIds"]) == set(network.subnet_ids)
    control.set(same_zone_swap="allow")
    swap()
    assert set(described(ec2, endpoint)["SubnetIds"]) == {twin, network.subnet_ids[1]}


def test_private_dns_goes_off_and_on_with_its_entry(ec2: EC2Client, endpoint: str) -> None:
    private = "imagebuilder.us-east-1.amazonaws.com"
    for wanted in (False, True):
        ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PrivateDnsEnabled=wanted)
        shown = described(ec2, endpoint)
        assert shown["PrivateDnsEnabled"] is wanted
        assert (private in [entry["DnsName"] for entry in shown["DnsEntries"]]) is wanted


def test_private_dns_can_not_be_turned_on_over_another_endpoint(
    ec2: EC2Client, endpoint: str, network: Network, control: Control
) -> None:
    second = interface(ec2, network, private_dns=False)
    control.advance_clock(11)
    code, message = refusal(lambda: ec2.modify_vpc_endpoint(VpcEndpointId=second, PrivateDnsEnabled=True))
    assert code == "InvalidParameter"
    assert "conflicting DNS domain" in message
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PrivateDnsEnabled=False)
    ec2.modify_vpc_endpoint(VpcEndpointId=second, PrivateDnsEnabled=True)


def test_private_dns_can_not_be_turned_on_without_dns_support(ec2: EC2Client, endpoint: str, network: Network) -> None:
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PrivateDnsEnabled=False)
    ec2.modify_vpc_attribute(VpcId=network.vpc_id, EnableDnsSupport={"Value": False})
    code, message = refusal(lambda: ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PrivateDnsEnabled=True))
    assert (code, "enableDnsSupport" in message) == ("InvalidParameter", True)


def test_the_address_type_and_dns_options_change(ec2: EC2Client, endpoint: str) -> None:
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, IpAddressType="dualstack")
    shown = described(ec2, endpoint)
    assert (shown["IpAddressType"], shown["DnsOptions"]["DnsRecordIpType"]) == ("dualstack", "dualstack")
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, DnsOptions={"DnsRecordIpType": "ipv4"})
    assert described(ec2, endpoint)["DnsOptions"]["DnsRecordIpType"] == "ipv4"


def test_route_tables_follow_a_gateway_endpoint(ec2: EC2Client, network: Network) -> None:
    endpoint_id = gateway(ec2, network)
    ec2.modify_vpc_endpoint(
        VpcEndpointId=endpoint_id,
        AddRouteTableIds=[network.main_route_table_id],
        RemoveRouteTableIds=[network.route_table_id],
    )
    assert described(ec2, endpoint_id)["RouteTableIds"] == [network.main_route_table_id]
    assert routes_to(ec2, network.main_route_table_id) == [endpoint_id]
    assert routes_to(ec2, network.route_table_id) == []


def test_a_route_table_of_another_endpoint_can_not_be_added(ec2: EC2Client, network: Network) -> None:
    gateway(ec2, network)
    second = ec2.create_vpc_endpoint(VpcId=network.vpc_id, ServiceName="com.amazonaws.us-east-1.s3")["VpcEndpoint"]
    code, _ = refusal(
        lambda: ec2.modify_vpc_endpoint(
            VpcEndpointId=second["VpcEndpointId"], AddRouteTableIds=[network.route_table_id]
        )
    )
    assert code == "RouteAlreadyExists"


def test_a_deleted_route_table_is_no_longer_the_endpoints(ec2: EC2Client, network: Network) -> None:
    table = ec2.create_route_table(VpcId=network.vpc_id)["RouteTable"]["RouteTableId"]
    endpoint_id = gateway(ec2, network)
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, AddRouteTableIds=[table])
    ec2.delete_route_table(RouteTableId=table)
    assert described(ec2, endpoint_id)["RouteTableIds"] == [network.route_table_id]


Asked = Callable[[Network, Network], dict[str, Any]]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (lambda _, other: {"RemoveSubnetIds": [other.subnet_ids[0]]}, "InvalidParameter"),
        (lambda _, other: {"AddSubnetIds": [other.subnet_ids[0]]}, "InvalidParameter"),
        (lambda own, _: {"AddSubnetIds": [own.subnet_ids[0]]}, "DuplicateSubnetsInSameZone"),
        (lambda _, __: {"AddSubnetIds": ["subnet-0123456789abcdef0"]}, "InvalidSubnetID.NotFound"),
        (lambda own, _: {"RemoveSecurityGroupIds": [own.other_security_group_id]}, "InvalidParameter"),
        (lambda own, _: {"RemoveSecurityGroupIds": [own.security_group_id]}, "InvalidParameter"),
        (lambda _, other: {"AddSecurityGroupIds": [other.security_group_id]}, "InvalidParameter"),
        (lambda _, __: {"AddSecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidGroup.NotFound"),
        (lambda own, _: {"AddRouteTableIds": [own.route_table_id]}, "InvalidParameter"),
        (lambda _, __: {"PolicyDocument": "{}"}, "InvalidPolicyDocument"),
        (lambda _, __: {"PolicyDocument": "{}", "ResetPolicy": True}, "InvalidParameterCombination"),
        (lambda _, __: {"IpAddressType": "ipv5"}, "InvalidParameter"),
        (lambda _, __: {"DnsOptions": {"PrivateDnsPreference": "ALL_DOMAINS"}}, "InvalidParameter"),
        (lambda _, __: {"VpcEndpointId": "vpce-0123456789abcdef0"}, "InvalidVpcEndpointId.NotFound"),
        (lambda _, __: {"DryRun": True, "PrivateDnsEnabled": False}, "DryRunOperation"),
    ],
)
def test_a_refused_modify_changes_nothing(
    ec2: EC2Client, endpoint: str, network: Network, asked: Asked, code: str
) -> None:
    before = described(ec2, endpoint)
    request: dict[str, Any] = {"VpcEndpointId": endpoint} | asked(network, make_network(ec2, name="other"))
    assert refusal(lambda: ec2.modify_vpc_endpoint(**request))[0] == code
    assert described(ec2, endpoint) == before


def test_too_many_groups_are_refused(ec2: EC2Client, endpoint: str, network: Network, control: Control) -> None:
    control.set(groups_per_endpoint=1)
    code, _ = refusal(
        lambda: ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddSecurityGroupIds=[network.other_security_group_id])
    )
    assert code == "SecurityGroupsPerInterfaceLimitExceeded"


def test_an_endpoint_on_its_way_out_can_not_be_modified(ec2: EC2Client, endpoint: str, control: Control) -> None:
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert refusal(lambda: ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, ResetPolicy=True))[0] == "IncorrectState"
    control.advance_clock(11)
    code, _ = refusal(lambda: ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, ResetPolicy=True))
    assert code == "InvalidVpcEndpointId.NotFound"


def test_a_new_address_replaces_the_interface_of_its_subnet(ec2: EC2Client, endpoint: str, network: Network) -> None:
    before = set(described(ec2, endpoint)["NetworkInterfaceIds"])
    subnet_id = network.subnet_ids[0]
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, SubnetConfigurations=[{"SubnetId": subnet_id, "Ipv4": "10.0.0.77"}])
    after = set(described(ec2, endpoint)["NetworkInterfaceIds"])
    assert len(before & after) == 1
    found = ec2.describe_network_interfaces(NetworkInterfaceIds=list(after - before))["NetworkInterfaces"]
    assert [(each["SubnetId"], each["PrivateIpAddress"]) for each in found] == [(subnet_id, "10.0.0.77")]
