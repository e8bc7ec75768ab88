import pytest
from mypy_boto3_ec2 import EC2Client
from mypy_boto3_ec2.type_defs import TagTypeDef

from sandbox.aws.network import Network
from tests.aws.given import described, gateway, interface, refusal


def tags(ec2: EC2Client, endpoint_id: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in described(ec2, endpoint_id)["Tags"]}


def test_one_call_tags_many_endpoints_and_other_resources_too(ec2: EC2Client, network: Network) -> None:
    ids = [interface(ec2, network), gateway(ec2, network)]
    ec2.create_tags(Resources=[*ids, network.vpc_id], Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}])
    ec2.create_tags(Resources=ids, Tags=[{"Key": "a", "Value": "2"}])
    assert [tags(ec2, each) for each in ids] == [{"a": "2", "b": ""}] * 2
    assert {"Key": "a", "Value": "1"} in ec2.describe_vpcs(VpcIds=[network.vpc_id])["Vpcs"][0]["Tags"]


def test_describe_tags_shows_endpoints_too(ec2: EC2Client, network: Network) -> None:
    endpoint_id = gateway(ec2, network)
    ec2.create_tags(Resources=[endpoint_id], Tags=[{"Key": "a", "Value": "1"}])
    found = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [endpoint_id]}])["Tags"]
    assert [(each["Key"], each["Value"], each["ResourceType"]) for each in found] == [("a", "1", "vpc-endpoint")]


def test_tags_are_removed_by_key_by_key_and_value_or_all(ec2: EC2Client, network: Network) -> None:
    endpoint_id = gateway(ec2, network)
    pairs = {"a": "1", "b": "2", "c": "3"}
    ec2.create_tags(Resources=[endpoint_id], Tags=[{"Key": key, "Value": value} for key, value in pairs.items()])
    ec2.delete_tags(Resources=[endpoint_id], Tags=[{"Key": "a"}, {"Key": "b", "Value": "other"}, {"Key": "none"}])
    assert tags(ec2, endpoint_id) == {"b": "2", "c": "3"}
    ec2.delete_tags(Resources=[endpoint_id], Tags=[{"Key": "b", "Value": "2"}])
    assert tags(ec2, endpoint_id) == {"c": "3"}
    ec2.delete_tags(Resources=[endpoint_id])
    assert tags(ec2, endpoint_id) == {}


def test_one_endpoint_that_is_missing_leaves_all_untagged(ec2: EC2Client, network: Network) -> None:
    endpoint_id = gateway(ec2, network)
    resources = [endpoint_id, "vpce-0123456789abcdef0"]
    code, _ = refusal(lambda: ec2.create_tags(Resources=resources, Tags=[{"Key": "a", "Value": "1"}]))
    assert (code, tags(ec2, endpoint_id)) == ("InvalidVpcEndpointId.NotFound", {})


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("aws:cloudformation:stack", "x", "InvalidParameterValue"),
        ("AWS:x", "x", "InvalidParameterValue"),
        ("k" * 128, "x", "InvalidParameterValue"),
        ("k", "v" * 257, "InvalidParameterValue"),
    ],
)
def test_an_illegal_tag_is_refused(ec2: EC2Client, network: Network, key: str, value: str, code: str) -> None:
    endpoint_id = gateway(ec2, network)
    found, _ = refusal(lambda: ec2.create_tags(Resources=[endpoint_id], Tags=[{"Key": key, "Value": value}]))
    assert (found, tags(ec2, endpoint_id)) == (code, {})


def test_an_endpoint_has_room_for_fifty_tags(ec2: EC2Client, network: Network) -> None:
    endpoint_id = gateway(ec2, network)
    ec2.create_tags(Resources=[endpoint_id], Tags=[{"Key": f"k{n}", "Value": ""} for n in range(50)])
    ec2.create_tags(Resources=[endpoint_id], Tags=[{"Key": "k7", "Value": "again"}])
    code, _ = refusal(lambda: ec2.create_tags(Resources=[endpoint_id], Tags=[{"Key": "one-more", "Value": ""}]))
    assert code == "TagLimitExceeded"


def test_a_dry_run_tags_nothing(ec2: EC2Client, network: Network) -> None:
    endpoint_id = gateway(ec2, network)
    made: list[TagTypeDef] = [{"Key": "a", "Value": "1"}]
    assert refusal(lambda: ec2.create_tags(Resources=[endpoint_id], Tags=made, DryRun=True))[0] == "DryRunOperation"
    assert tags(ec2, endpoint_id) == {}
