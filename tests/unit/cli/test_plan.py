"""`ibpe plan` against an AWS that answers like AWS: it reads, and never writes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from ibpe.cli.root import cli
from sandbox.aws import AwsServer, Settings
from sandbox.aws.network import Network, make_network
from tests.crd.cases import GOOD, changed

REGION = "us-west-2"


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    with AwsServer(Settings(pending_seconds=0.0)) as server:
        yield server


@pytest.fixture(scope="module")
def network(aws: AwsServer) -> Network:
    return make_network(aws.client("ec2", REGION))


@pytest.fixture(autouse=True)
def environment(aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("AWS_ENDPOINT_URL", aws.url),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("IBPE_CLUSTER_NAME", "demo"),
    ):
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def spec_for(network: Network, **changes: Any) -> dict[str, Any]:
    ids = {
        "vpcID": network.vpc_id,
        "builds.subnets.ids": list(network.subnet_ids),
        "imageBuilder.subnets.ids": list(network.subnet_ids),
        "imageBuilder.securityGroups.ids": [network.security_group_id],
        "s3.routeTables.ids": [network.route_table_id],
    }
    return changed(GOOD, {**ids, **changes})


def plan(*specs: dict[str, Any], arguments: tuple[str, ...] = ()) -> Result:
    documents = [
        {
            "apiVersion": "ibpe.dev/v1beta1",
            "kind": "ImageBuilderPrivateEndpoint",
            "metadata": {"name": f"images-{number}", "namespace": "team-a"},
            "spec": spec,
        }
        for number, spec in enumerate(specs)
    ]
    return CliRunner().invoke(cli, ["plan", "-f", "-", *arguments], input=yaml.safe_dump_all(documents))


def writes(aws: AwsServer) -> list[str]:
    return [call.action for call in aws.control.calls() if not call.action.startswith(("Describe", "Get"))]


def test_what_would_be_made_is_shown_and_nothing_is_made(aws: AwsServer, network: Network) -> None:
    before = writes(aws)
    done = plan(spec_for(network))
    assert done.exit_code == 2, done.output
    assert done.stdout.startswith("team-a/images-0\n  + Create imagebuilder: ")
    assert "\n  + Create s3: " in done.stdout
    assert done.stdout.endswith("\n2 changes planned. Nothing was changed.\n")
    assert writes(aws) == before
    assert aws.client("ec2", REGION).describe_vpc_endpoints()["VpcEndpoints"] == []


def test_programs_get_data(network: Network) -> None:
    for output, load in (("json", json.loads), ("yaml", yaml.safe_load)):
        done = plan(spec_for(network), arguments=("-o", output))
        assert done.exit_code == 2
        (found,) = load(done.stdout)
        assert (found["namespace"], found["name"], found["error"]) == ("team-a", "images-0", "")
        assert [(action["action"], action["role"]) for action in found["actions"]] == [
            ("Create", "imagebuilder"),
            ("Create", "s3"),
        ]


def test_a_refusal_names_what_is_wrong_and_ends_with_1(network: Network) -> None:
    done = plan(spec_for(network, **{"imageBuilder.subnets.ids": ["subnet-00000000"]}))
    assert done.exit_code == 1
    assert "  refused imagebuilder: subnet-00000000 of imageBuilder.subnets.ids does not exist" in done.stdout
    assert "1 of 1 can't go ahead. Nothing was changed." in done.stdout


def test_one_bad_document_does_not_hide_the_others(network: Network) -> None:
    done = plan(spec_for(network, region="nowhere"), spec_for(network))
    assert done.exit_code == 1
    assert "  error spec.region: write the Region's code" in done.stdout
    assert "  + Create imagebuilder: " in done.stdout
    assert "2 changes planned, 1 of 2 can't go ahead." in done.stdout


def test_no_right_to_read_is_told_with_the_rights_to_ask_for(aws: AwsServer, network: Network) -> None:
    aws.control.deny(["DescribeVpcEndpoints"])
    try:
        done = plan(spec_for(network))
    finally:
        aws.control.deny([])
    assert done.exit_code == 1
    assert "DescribeVpcEndpoints failed with UnauthorizedOperation" in done.stdout
    assert "Ask for ec2:Describe* and sts:GetCallerIdentity." in done.stdout


def test_without_credentials(monkeypatch: pytest.MonkeyPatch, network: Network) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    done = plan(spec_for(network))
    assert done.exit_code == 1
    assert "Log in to AWS, or set AWS_PROFILE: reading rights are enough." in done.stdout


def test_without_a_cluster_name(monkeypatch: pytest.MonkeyPatch, network: Network) -> None:
    monkeypatch.delenv("IBPE_CLUSTER_NAME")
    done = plan(spec_for(network))
    assert done.exit_code == 1
    assert done.stderr == "error: Say which cluster's operator it is for: --cluster-name, or IBPE_CLUSTER_NAME.\n"
