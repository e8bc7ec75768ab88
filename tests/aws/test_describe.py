import json
import time
from collections.abc import Callable

import pytest
from mypy_boto3_ec2 import EC2Client
from mypy_boto3_ec2.type_defs import FilterTypeDef

from sandbox.aws import AwsServer, Control
from sandbox.aws.network import Network, make_network
from tests.aws.given import IMAGE_BUILDER, S3, SSM, described, gateway, interface, refusal


def found(ec2: EC2Client, *filters: tuple[str, list[str]]) -> set[str]:
    wanted: list[FilterTypeDef] = [{"Name": name, "Values": values} for name, values in filters]
    return {each["VpcEndpointId"] for each in ec2.describe_vpc_endpoints(Filters=wanted)["VpcEndpoints"]}


@pytest.fixture
def pair(ec2: EC2Client, network: Network) -> tuple[str, str]:
    interface_id, gateway_id = interface(ec2, network), gateway(ec2, network)
    ec2.create_tags(Resources=[interface_id], Tags=[{"Key": "owner", "Value": "team/one"}])
    ec2.create_tags(Resources=[gateway_id], Tags=[{"Key": "owner", "Value": "team/two*"}, {"Key": "x", "Value": ""}])
    return interface_id, gateway_id


Question = Callable[[Network, tuple[str, str]], list[tuple[str, list[str]]]]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (lambda n, _: [("vpc-id", [n.vpc_id])], {0, 1}),
        (lambda _, __: [("vpc-id", ["vpc-0123456789abcdef0"])], set()),
        (lambda _, p: [("vpc-endpoint-id", [p[1]])], {1}),
        (lambda _, __: [("vpc-endpoint-type", ["Gateway"])], {1}),
        (lambda _, __: [("vpc-endpoint-state", ["pending"])], {0}),
        (lambda _, __: [("vpc-endpoint-state", ["Available", "deleted"])], {1}),
        (lambda _, __: [("service-name", [IMAGE_BUILDER])], {0}),
        (lambda _, __: [("service-name", ["*.s3", "*.ssm"])], {1}),
        (lambda _, __: [("service-region", ["us-east-1"])], {0, 1}),
        (lambda _, __: [("ip-address-type", ["dualstack"])], set()),
        (lambda _, __: [("tag:owner", ["team/*"])], {0, 1}),
        (lambda _, __: [("tag:owner", ["team/on?"])], {0}),
        (lambda _, __: [("tag:owner", ["team/two\\*"])], {1}),
        (lambda _, __: [("tag:owner", ["TEAM/one"])], set()),
        (lambda _, __: [("tag-key", ["x"])], {1}),
        (lambda _, __: [("tag:x", [""])], {1}),
        (lambda _, __: [("tag:owner", ["team/*"]), ("vpc-endpoint-type", ["Interface"])], {0}),
    ],
)
def test_filters(
    ec2: EC2Client, network: Network, pair: tuple[str, str], question: Question, expected: set[int]
) -> None:
    assert found(ec2, *question(network, pair)) == {pair[each] for each in expected}


def test_an_unknown_filter_is_refused(ec2: EC2Client) -> None:
    code, message = refusal(lambda: found(ec2, ("colour", ["red"])))
    assert (code, message) == ("InvalidParameterValue", "The filter 'colour' is invalid")


def test_unknown_and_malformed_ids_are_refused(ec2: EC2Client, pair: tuple[str, str]) -> None:
    codes = [
        refusal(lambda each=each: ec2.describe_vpc_endpoints(VpcEndpointIds=[pair[0], each]))[0]  # type: ignore[misc] # a default binds the row
        for each in ("vpce-0123456789abcdef0", "vpce-xyz")
    ]
    assert codes == ["InvalidVpcEndpointId.NotFound", "InvalidVpcEndpointId.Malformed"]


def test_pages_show_every_endpoint_once_though_some_go_meanwhile(ec2: EC2Client, control: Control) -> None:
    networks = control.make_networks(7, region="us-east-1")
    made = [gateway(ec2, each) for each in networks]
    first = ec2.describe_vpc_endpoints(MaxResults=3)
    seen = [each["VpcEndpointId"] for each in first["VpcEndpoints"]]
    control.vanish(seen[0])
    token = first["NextToken"]
    while token:
        page = ec2.describe_vpc_endpoints(MaxResults=3, NextToken=token)
        seen += [each["VpcEndpointId"] for each in page["VpcEndpoints"]]
        token = page.get("NextToken", "")
    assert seen == made


def test_the_paginator_and_a_wrong_token(ec2: EC2Client, control: Control) -> None:
    control.set(page_size=2)
    made = {gateway(ec2, each) for each in control.make_networks(5, region="us-east-1")}
    pages = list(ec2.get_paginator("describe_vpc_endpoints").paginate())
    assert [len(page["VpcEndpoints"]) for page in pages] == [2, 2, 1]
    assert {each["VpcEndpointId"] for page in pages for each in page["VpcEndpoints"]} == made
    assert refusal(lambda: ec2.describe_vpc_endpoints(NextToken="nonsense"))[0] == "InvalidNextToken"


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("verbatim", None),
        ("pretty", None),
        (
            "harsh",
            {
                "Statement": {
                    "Action": ["s3:GetObject", "s3:ListBucket"],
                    "Effect": "Allow",
                    "Principal": {"AWS": "*"},
                    "Resource": "arn:aws:s3:::b/*",
                    "Sid": "",
                }
            },
        ),
    ],
)
def test_policies_read_back_rewritten(
    ec2: EC2Client, network: Network, control: Control, form: str, expected: dict[str, object] | None
) -> None:
    sent = (
        '{"Statement":[{"Resource":["arn:aws:s3:::b/*"],"Action":["s3:ListBucket","s3:GetObject"],'
        '"Effect":"Allow","Principal":"*"}]}'
    )
    control.set(policy_format=form)
    made = ec2.create_vpc_endpoint(VpcId=network.vpc_id, ServiceName=S3, PolicyDocument=sent)["VpcEndpoint"]
    shown = described(ec2, made["VpcEndpointId"])["PolicyDocument"]
    assert json.loads(shown) == (expected or json.loads(sent))
    assert (shown == sent) is (form == "verbatim")


def test_states_can_come_in_other_case(ec2: EC2Client, network: Network, control: Control) -> None:
    control.set(state_case="varied")
    assert described(ec2, gateway(ec2, network))["State"] == "Available"


def test_a_new_endpoint_stays_invisible_for_so_many_looks(ec2: EC2Client, network: Network, control: Control) -> None:
    control.set(lag_new_calls=2)
    endpoint_id = gateway(ec2, network)
    assert ec2.describe_vpc_endpoints()["VpcEndpoints"] == []
    assert refusal(lambda: described(ec2, endpoint_id))[0] == "InvalidVpcEndpointId.NotFound"
    assert described(ec2, endpoint_id)["VpcEndpointId"] == endpoint_id


def test_a_new_endpoint_stays_invisible_for_so_long(ec2: EC2Client, network: Network, control: Control) -> None:
    control.set(lag_new_seconds=5)
    endpoint_id = gateway(ec2, network)
    for _ in range(3):
        assert found(ec2) == set()
    control.advance_clock(5)
    assert found(ec2) == {endpoint_id}


def test_changes_can_show_late(ec2: EC2Client, network: Network, control: Control) -> None:
    endpoint_id = gateway(ec2, network)
    control.set(lag_change_calls=1)
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, RemoveRouteTableIds=[network.route_table_id])
    ec2.create_tags(Resources=[endpoint_id], Tags=[{"Key": "a", "Value": "b"}])
    before, after = described(ec2, endpoint_id), described(ec2, endpoint_id)
    assert (before["RouteTableIds"], before["Tags"]) == ([network.route_table_id], [])
    assert (after["RouteTableIds"], after["Tags"]) == ([], [{"Key": "a", "Value": "b"}])


def test_services_show_type_zones_and_private_name(ec2: EC2Client, control: Control) -> None:
    control.limit_zones("us-east-1", SSM, ["us-east-1a"])
    answer = ec2.describe_vpc_endpoint_services(ServiceNames=[SSM, S3])
    details = {(each["ServiceName"], each["ServiceType"][0]["ServiceType"]): each for each in answer["ServiceDetails"]}
    assert set(details) == {(SSM, "Interface"), (S3, "Gateway"), (S3, "Interface")}
    ssm = details[SSM, "Interface"]
    assert ssm["AvailabilityZones"] == ["us-east-1a"]
    assert ssm["PrivateDnsName"] == "ssm.us-east-1.amazonaws.com"
    assert ssm["VpcEndpointPolicySupported"] is True
    assert "PrivateDnsName" not in details[S3, "Gateway"]
    assert len(details[S3, "Gateway"]["AvailabilityZones"]) > 3


@pytest.mark.parametrize(
    ("region", "names"),
    [
        ("us-east-1", [IMAGE_BUILDER, "com.amazonaws.us-east-1.ecr.dkr"]),
        ("us-gov-west-1", ["com.amazonaws.us-gov-west-1.imagebuilder", "com.amazonaws.us-gov-west-1.s3"]),
        (
            "cn-north-1",
            ["cn.com.amazonaws.cn-north-1.imagebuilder", "com.amazonaws.cn-north-1.s3", "com.amazonaws.cn-north-1.ssm"],
        ),
    ],
)
def test_each_partition_has_its_own_names(aws: AwsServer, region: str, names: list[str]) -> None:
    answer = aws.client("ec2", region).describe_vpc_endpoint_services(ServiceNames=names)
    assert set(answer["ServiceNames"]) == set(names)


def test_an_unknown_service_is_refused(ec2: EC2Client) -> None:
    code, message = refusal(lambda: ec2.describe_vpc_endpoint_services(ServiceNames=["com.amazonaws.us-east-1.no"]))
    assert (code, message) == (
        "InvalidServiceName",
        "The Vpc Endpoint Service 'com.amazonaws.us-east-1.no' does not exist",
    )


def test_a_thousand_endpoints_are_described_in_one_page_in_well_under_a_second(
    ec2: EC2Client, control: Control
) -> None:
    control.set(gateway_endpoints_per_region=1000)
    for each in control.make_networks(500, region="us-east-1"):
        gateway(ec2, each)
        interface(ec2, each)
    best = 60.0
    for _ in range(3):
        begun = time.monotonic()
        answer = ec2.describe_vpc_endpoints(MaxResults=1000)
        best = min(best, time.monotonic() - begun)
        assert len(answer["VpcEndpoints"]) == 1000
    assert best < 1.0


def test_a_network_has_what_a_build_needs(ec2: EC2Client) -> None:
    made = make_network(ec2, subnets=3)
    subnets = ec2.describe_subnets(SubnetIds=list(made.subnet_ids))["Subnets"]
    assert len({each["AvailabilityZone"] for each in subnets}) == 3
    table = ec2.describe_route_tables(RouteTableIds=[made.route_table_id])["RouteTables"][0]
    assert {each["SubnetId"] for each in table["Associations"]} == set(made.subnet_ids)
    assert not any(each["Main"] for each in table["Associations"])
