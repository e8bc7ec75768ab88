"""The commands iam-policy and iam-trust: what narrows them, and what they refuse."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ibpe.cli.root import cli

EXAMPLES = Path(__file__).parents[3] / "examples"
PERMISSIONS = Path(__file__).parents[3] / "docs" / "permissions" / "aws.json"


def rendered(*arguments: str) -> dict[str, dict[str, Any]]:
    """Sid -> statement."""
    answer = CliRunner().invoke(cli, ["iam-policy", "--cluster-name", "prod", *arguments])
    assert answer.exit_code == 0, answer.output
    return {each["Sid"]: each for each in json.loads(answer.stdout)["Statement"]}


def refused(*arguments: str) -> str:
    answer = CliRunner().invoke(cli, [*arguments])
    assert answer.exit_code == 1, answer.output
    return answer.output


def test_the_page_of_permissions_shows_what_the_command_prints() -> None:
    answer = CliRunner().invoke(cli, ["iam-policy", "--cluster-name", "my-cluster"])
    assert PERMISSIONS.read_text() == answer.stdout


def test_a_resource_narrows_to_its_features_region_and_vpc() -> None:
    found = rendered("-f", str(EXAMPLES / "minimal.yaml"), "--account", "123456789012")
    assert "arn:aws:ec2:us-west-2:123456789012:vpc/vpc-0123456789abcdef0" in found["MakeThemInVpcs"]["Resource"]
    assert found["Look"]["Condition"] == {"StringEquals": {"aws:RequestedRegion": "us-west-2"}}
    assert "EditSharedPolicies" not in found


def test_any_vpc_widens_to_all_of_them() -> None:
    found = rendered("-f", str(EXAMPLES / "minimal.yaml"), "--any-vpc")
    assert "arn:aws:ec2:us-west-2:*:vpc/*" in found["MakeThemInVpcs"]["Resource"]


def test_who_only_looks_may_only_look() -> None:
    assert set(rendered("-f", str(EXAMPLES / "existing.yaml"))) == {"Look"}


def test_a_shared_endpoint_on_the_command_line_is_one_in_each_region() -> None:
    found = rendered("--shared-endpoint", "vpce-0123456789abcdef0", "--region", "us-west-2", "--region", "eu-west-1")
    assert found["EditSharedPolicies"]["Resource"] == [
        "arn:aws:ec2:eu-west-1:*:vpc-endpoint/vpce-0123456789abcdef0",
        "arn:aws:ec2:us-west-2:*:vpc-endpoint/vpce-0123456789abcdef0",
    ]


def test_an_account_that_is_only_left_for_others_may_assume_their_roles_and_nothing_else() -> None:
    role = "arn:aws-cn:iam::123456789012:role/ibpe"
    found = rendered("--assume-role", role)
    assert set(found) == {"WorkInOtherAccounts"}
    assert found["WorkInOtherAccounts"]["Resource"] == role


def test_with_everything_it_may_work_here_as_well_in_the_partition_of_the_roles() -> None:
    found = rendered("--assume-role", "arn:aws-cn:iam::123456789012:role/ibpe", "--everything")
    assert {"Look", "MakeOurEndpoints", "WorkInOtherAccounts"} <= set(found)
    assert found["MakeOurEndpoints"]["Resource"].startswith("arn:aws-cn:ec2:")


def test_resources_about_other_accounts_are_left_out_with_a_note() -> None:
    files = ["-f", str(EXAMPLES / "multi-account.yaml"), "-f", str(EXAMPLES / "existing.yaml")]
    answer = CliRunner().invoke(cli, ["iam-policy", "--cluster-name", "prod", *files])
    assert answer.exit_code == 0, answer.output
    assert [each["Sid"] for each in json.loads(answer.stdout)["Statement"]] == ["Look"]
    assert "left out what is about the account network; --account-ref network prints it." in answer.stderr
    assert "MakeOurEndpoints" in rendered(*files, "--account-ref", "network")


def test_a_policy_that_iam_would_refuse_is_printed_with_a_note() -> None:
    regions = [part for number in range(1, 10) for part in ("--region", f"us-west-{number}")]
    answer = CliRunner().invoke(cli, ["iam-policy", "--cluster-name", "prod", "--account", "123456789012", *regions])
    assert answer.exit_code == 0
    assert json.loads(answer.stdout)
    assert "a managed policy holds 6144" in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["iam-policy"], "--cluster-name"),
        (["iam-policy", "--cluster-name", "*"], "my-cluster"),
        (["iam-policy", "--cluster-name", "prod", "--account", "12345"], "123456789012"),
        (["iam-policy", "--cluster-name", "prod", "--account", "\u0661" * 12], "123456789012"),
        (["iam-policy", "--cluster-name", "prod", "--region", "*"], "us-west-2"),
        (["iam-policy", "--cluster-name", "prod", "--vpc", "vpc-1/*"], "vpc-0123456789abcdef0"),
        (["iam-policy", "--cluster-name", "prod", "--shared-endpoint", "*"], "vpce-0123456789abcdef0"),
        (["iam-policy", "--cluster-name", "prod", "--assume-role", "arn:aws:iam::1:role/x"], "role/ibpe"),
        (["iam-policy", "--cluster-name", "prod", "--region", "us-west-2", "--region", "cn-north-1"], "aws and aws-cn"),
        (["iam-policy", "--cluster-name", "prod", "-f", "absent.yaml"], "no file absent.yaml"),
        (
            ["iam-policy", "--cluster-name", "prod", "-f", str(EXAMPLES / "minimal.yaml"), "--account-ref", "absent"],
            "No resource in the files is about the account absent",
        ),
        (["iam-trust", "pod-identity", "--cluster-arn", "platform", "--service-account", "a:b"], "cluster/platform"),
        (["iam-trust", "irsa", "--account", "*", "--oidc-issuer", "x.y", "--service-account", "a:b"], "123456789012"),
        (["iam-trust", "member", "--operator-role", "*"], "role/ibpe"),
    ],
)
def test_a_wrong_value_is_told_with_a_right_one(arguments: list[str], told: str) -> None:
    assert told in refused(*arguments)
