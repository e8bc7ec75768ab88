import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_ec2 import EC2Client

from sandbox.aws import AwsServer, Control, LastError
from sandbox.aws.network import Network, make_network
from tests.aws.given import IMAGE_BUILDER, S3, SSM, described, gateway, interface, refusal


def test_an_interface_endpoint_reads_back_with_every_default(ec2: EC2Client, network: Network) -> None:
    made = ec2.create_vpc_endpoint(
        VpcId=network.vpc_id,
        ServiceName=IMAGE_BUILDER,
        VpcEndpointType="Interface",
        SubnetIds=list(network.subnet_ids),
        TagSpecifications=[{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "team", "Value": "a&b <c>"}]}],
    )["VpcEndpoint"]
    shown = described(ec2, made["VpcEndpointId"])
    assert made["State"].lower() == "pending"
    assert shown["PrivateDnsEnabled"] is True, "omitted means true in the API (TF#37694)"
    assert shown["Groups"] == [{"GroupId": network.default_security_group_id, "GroupName": "default"}]
    assert json.loads(shown["PolicyDocument"]) == {
        "Statement": [{"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}]
    }
    assert "\n" in shown["PolicyDocument"]
    assert shown["IpAddressType"] == "ipv4"
    assert shown["DnsOptions"]["DnsRecordIpType"] == "ipv4"
    assert shown["DnsOptions"]["PrivateDnsPreference"] == "VERIFIED_DOMAINS_ONLY"
    assert shown["DnsOptions"]["PrivateDnsSpecifiedDomains"] == ["*"]
    assert shown["ServiceRegion"] == "us-east-1"
    assert shown["OwnerId"] == "123456789012"
    assert shown["RequesterManaged"] is False
    assert shown["Tags"] == [{"Key": "team", "Value": "a&b <c>"}]
    assert set(shown["SubnetIds"]) == set(network.subnet_ids)


def test_dns_entries_come_regional_zonal_then_private(ec2: EC2Client, network: Network) -> None:
    names = [entry["DnsName"] for entry in described(ec2, interface(ec2, network))["DnsEntries"]]
    own = names[0].split(".")[0]
    suffix = "imagebuilder.us-east-1.vpce.amazonaws.com"
    assert names == [
        f"{own}.{suffix}",
        f"{own}-us-east-1a.{suffix}",
        f"{own}-us-east-1b.{suffix}",
        "imagebuilder.us-east-1.amazonaws.com",
    ]


def test_each_subnet_gets_an_interface_of_the_requesters(ec2: EC2Client, network: Network) -> None:
    endpoint = described(ec2, interface(ec2, network))
    interfaces = ec2.describe_network_interfaces(NetworkInterfaceIds=endpoint["NetworkInterfaceIds"])
    found = interfaces["NetworkInterfaces"]
    assert {each["SubnetId"] for each in found} == set(network.subnet_ids)
    assert all(each["RequesterManaged"] and each["InterfaceType"] == "vpc_endpoint" for each in found)
    assert all(each["Groups"][0]["GroupId"] == network.security_group_id for each in found)
    assert all(endpoint["VpcEndpointId"] in each["Description"] for each in found)


def test_an_interface_endpoint_without_subnets_is_legal_and_has_no_interface(ec2: EC2Client, network: Network) -> None:
    made = ec2.create_vpc_endpoint(VpcId=network.vpc_id, ServiceName=SSM, VpcEndpointType="Interface")["VpcEndpoint"]
    assert (made["SubnetIds"], made["NetworkInterfaceIds"], made["DnsEntries"]) == ([], [], [])


def test_a_gateway_endpoint_is_available_at_once_and_routes_the_s3_prefix_list(
    ec2: EC2Client, network: Network
) -> None:
    endpoint = described(ec2, gateway(ec2, network))
    assert (endpoint["State"], endpoint["VpcEndpointType"]) == ("available", "Gateway")
    assert (endpoint["PrivateDnsEnabled"], endpoint["Groups"]) == (False, [])
    assert endpoint["DnsOptions"] == {"DnsRecordIpType": "service-defined"}
    assert json.loads(endpoint["PolicyDocument"])["Version"] == "2008-10-17"
    routes = ec2.describe_route_tables(RouteTableIds=[network.route_table_id])["RouteTables"][0]["Routes"]
    route = next(each for each in routes if each.get("GatewayId") == endpoint["VpcEndpointId"])
    lists = ec2.describe_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [S3]}])["PrefixLists"]
    assert [each["PrefixListId"] for each in lists] == [route["DestinationPrefixListId"]]


def test_pending_becomes_available_by_the_clock(ec2: EC2Client, network: Network, control: Control) -> None:
    endpoint_id = interface(ec2, network)
    control.advance_clock(9.9)
    assert described(ec2, endpoint_id)["State"].lower() == "pending"
    control.advance_clock(0.2)
    assert described(ec2, endpoint_id)["State"].lower() == "available"


def test_a_creation_can_end_in_failed_with_its_reason(ec2: EC2Client, network: Network, control: Control) -> None:
    control.set(creations_fail_with=LastError(code="ENILimit", message="no addresses").model_dump())
    endpoint_id = interface(ec2, network)
    control.advance_clock(11)
    endpoint = described(ec2, endpoint_id)
    assert endpoint["State"].lower() == "failed"
    assert endpoint["LastError"] == {"Code": "ENILimit", "Message": "no addresses"}


def test_the_same_token_and_parameters_answer_with_the_first_endpoint(ec2: EC2Client, network: Network) -> None:
    def create() -> str:
        made = ec2.create_vpc_endpoint(
            VpcId=network.vpc_id, ServiceName=S3, RouteTableIds=[network.route_table_id], ClientToken="once"
        )
        assert made["ClientToken"] == "once"
        return made["VpcEndpoint"]["VpcEndpointId"]

    assert create() == create()
    assert len(ec2.describe_vpc_endpoints()["VpcEndpoints"]) == 1


def test_the_same_token_with_other_parameters_is_refused(ec2: EC2Client, network: Network) -> None:
    ec2.create_vpc_endpoint(VpcId=network.vpc_id, ServiceName=S3, ClientToken="once")
    code, _ = refusal(
        lambda: ec2.create_vpc_endpoint(
            VpcId=network.vpc_id, ServiceName=S3, ClientToken="once", RouteTableIds=[network.route_table_id]
        )
    )
    assert code == "IdempotentParameterMismatch"


def test_a_token_answers_with_the_dead_endpoint_after_it_was_deleted(
    ec2: EC2Client, network: Network, control: Control
) -> None:
    def create() -> tuple[str, str]:
        made = ec2.create_vpc_endpoint(VpcId=network.vpc_id, ServiceName=S3, ClientToken="once")["VpcEndpoint"]
        return made["VpcEndpointId"], made["State"].lower()

    endpoint_id, _ = create()
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])
    assert create() == (endpoint_id, "deleting")
    control.advance_clock(1000)
    assert create() == (endpoint_id, "deleted")
    assert ec2.describe_vpc_endpoints()["VpcEndpoints"] == []


def test_a_token_counts_for_its_region_and_account_alone(aws: AwsServer, network: Network, ec2: EC2Client) -> None:
    ec2.create_vpc_endpoint(VpcId=network.vpc_id, ServiceName=S3, ClientToken="once")
    west = aws.client("ec2", "us-west-2")
    there = make_network(west)
    made = west.create_vpc_endpoint(VpcId=there.vpc_id, ServiceName="com.amazonaws.us-west-2.s3", ClientToken="once")
    assert made["VpcEndpoint"]["VpcId"] == there.vpc_id


def test_a_refused_creation_does_not_use_up_its_token(ec2: EC2Client, network: Network) -> None:
    with pytest.raises(ClientError, match=r"InvalidVpcID\.NotFound"):
        ec2.create_vpc_endpoint(VpcId="vpc-0aaaaaaaaaaaaaaaa", ServiceName=S3, ClientToken="once")
    ec2.create_vpc_endpoint(VpcId=network.vpc_id, ServiceName=S3, ClientToken="once")


def test_dry_run_says_so_and_makes_nothing(ec2: EC2Client, network: Network) -> None:
    code, _ = refusal(lambda: ec2.create_vpc_endpoint(VpcId=network.vpc_id, ServiceName=S3, DryRun=True))
    assert code == "DryRunOperation"
    assert ec2.describe_vpc_endpoints()["VpcEndpoints"] == []


def test_s3_interface_with_private_dns_needs_a_gateway_unless_told_otherwise(ec2: EC2Client, network: Network) -> None:
    def create(**more: bool) -> str:
        options = {"PrivateDnsOnlyForInboundResolverEndpoint": more["only"]} if more else {}
        made = ec2.create_vpc_endpoint(
            VpcId=network.vpc_id,
            ServiceName=S3,
            VpcEndpointType="Interface",
            SubnetIds=list(network.subnet_ids),
            **({"DnsOptions": options} if more else {}),  # type: ignore[arg-type] # sent or left out, on purpose
        )
        return made["VpcEndpoint"]["VpcEndpointId"]

    code, message = refusal(create)
    assert code == "InvalidParameter"
    assert "must have a Gateway endpoint" in message
    ec2.delete_vpc_endpoints(VpcEndpointIds=[create(only=False)])


def test_an_address_can_be_chosen_for_a_subnet(ec2: EC2Client, network: Network) -> None:
    made = ec2.create_vpc_endpoint(
        VpcId=network.vpc_id,
        ServiceName=SSM,
        VpcEndpointType="Interface",
        SubnetConfigurations=[{"SubnetId": network.subnet_ids[1], "Ipv4": "10.0.1.77"}],
    )["VpcEndpoint"]
    found = ec2.describe_network_interfaces(NetworkInterfaceIds=made["NetworkInterfaceIds"])["NetworkInterfaces"]
    assert [(each["SubnetId"], each["PrivateIpAddress"]) for each in found] == [(network.subnet_ids[1], "10.0.1.77")]


def test_a_service_of_another_region_is_reached_by_naming_it(ec2: EC2Client, network: Network) -> None:
    made = ec2.create_vpc_endpoint(
        VpcId=network.vpc_id,
        ServiceName="com.amazonaws.us-west-2.ssm",
        ServiceRegion="us-west-2",
        VpcEndpointType="Interface",
    )["VpcEndpoint"]
    assert made["ServiceRegion"] == "us-west-2"


def test_many_threads_with_one_token_make_one_endpoint(ec2: EC2Client, network: Network) -> None:
    def create(_: int) -> str:
        made = ec2.create_vpc_endpoint(VpcId=network.vpc_id, ServiceName=S3, ClientToken="once")["VpcEndpoint"]
        return made["VpcEndpointId"]

    with ThreadPoolExecutor(16) as threads:
        assert len(set(threads.map(create, range(64)))) == 1
    assert len(ec2.describe_vpc_endpoints()["VpcEndpoints"]) == 1
