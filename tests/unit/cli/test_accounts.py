"""`ibpe accounts check`, and `ibpe plan` for a resource of another account."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from ibpe.cli.root import cli
from sandbox.aws import AwsServer, Settings
from sandbox.aws.network import Network, make_network
from tests.crd.cases import GOOD, changed

EXAMPLES = Path(__file__).parents[3] / "examples"
FILE = EXAMPLES / "configuration" / "accounts.yaml"
NETWORK, OTHER = "111122223333", "999999999999"


def ibpe(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(cli, arguments, env=environment)


def test_the_example_is_valid_and_told_in_words() -> None:
    done = ibpe("accounts", "check", str(FILE))
    assert done.exit_code == 0
    assert done.output.splitlines() == [
        (
            "network (111122223333, us-west-2): team-a in VPCs with the tag team=a; team-b in VPCs with "
            "the tag team=b; platform in every VPC"
        ),
        "own (the operator's own account): platform in every VPC",
    ]


def test_one_namespace_hears_of_itself() -> None:
    done = ibpe("accounts", "check", str(FILE), "-n", "team-b")
    assert done.output == "network (111122223333, us-west-2): team-b in VPCs with the tag team=b\n"
    assert ibpe("accounts", "check", str(FILE), "-n", "team-z").output == "Namespace team-z may use nothing.\n"


def test_a_mistake_ends_with_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "accounts.yaml"
    file.write_text(FILE.read_text().replace("accounts: [own, network]", "accounts: [netwerk]"))
    done = ibpe("accounts", "check", str(file))
    assert done.exit_code == 1
    assert done.output == (
        f"error: {file}: grants[2].accounts: there is no account netwerk; name one of network, own.\n"
    )


# ibpe plan


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    with AwsServer(Settings(pending_seconds=0.0)) as server:
        server.control.set_account("network-key", NETWORK)
        server.control.set_account("other-key", OTHER)
        yield server


@pytest.fixture(scope="module")
def network(aws: AwsServer) -> Network:
    made = make_network(aws.client("ec2", "us-west-2", access_key="network-key"))
    aws.client("ec2", "us-west-2", access_key="network-key").create_tags(
        Resources=[made.vpc_id], Tags=[{"Key": "team", "Value": "a"}]
    )
    return made


@pytest.fixture(autouse=True)
def environment(aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN", "IBPE_ACCOUNTS_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "network-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def plan(tmp_path: Path, network: Network, *arguments: str, namespace: str = "team-a", **changes: Any) -> Any:
    """Exit code and outlook."""
    ids = {
        "accountRef": {"name": "network"},
        "vpcID": network.vpc_id,
        "builds.subnets.ids": list(network.subnet_ids),
        "imageBuilder.subnets.ids": list(network.subnet_ids),
        "imageBuilder.securityGroups.ids": [network.security_group_id],
        "s3.routeTables.ids": [network.route_table_id],
    }
    resource = {
        "apiVersion": "ibpe.dev/v1beta1",
        "kind": "ImageBuilderPrivateEndpoint",
        "metadata": {"name": "images", "namespace": namespace},
        "spec": changed(GOOD, {**ids, **changes}),
    }
    file = tmp_path / "resource.yaml"
    file.write_text(yaml.safe_dump(resource))
    done = ibpe("plan", "-f", str(file), "--cluster-name", "demo", "-o", "json", *arguments)
    (outlook,) = json.loads(done.stdout)
    return done.exit_code, outlook


WITH_FILE = ("--accounts-file", str(FILE))


def test_what_is_granted_is_planned_with_the_accounts_own_credentials(
    aws: AwsServer, tmp_path: Path, network: Network
) -> None:
    since = aws.control.cursor()
    code, outlook = plan(tmp_path, network, *WITH_FILE)
    assert (code, [action["action"] for action in outlook["actions"]]) == (2, ["Create", "Create"]), outlook
    assert aws.control.calls(since=since, action="AssumeRole") == (), "no role is assumed for a person"


def test_without_the_file_nobody_knows_which_account_it_is(aws: AwsServer, tmp_path: Path, network: Network) -> None:
    since = aws.control.cursor()
    code, outlook = plan(tmp_path, network)
    assert (code, outlook["error"]) == (
        1,
        "accountRef names an account that only the operator's accounts file knows: --accounts-file.",
    )
    assert aws.control.calls(since=since) == ()


def test_a_file_that_is_not_valid_ends_it(tmp_path: Path, network: Network) -> None:
    bad = tmp_path / "accounts.yaml"
    bad.write_text("grants: []")
    file = tmp_path / "resource.yaml"
    file.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "ibpe.dev/v1beta1",
                "kind": "ImageBuilderPrivateEndpoint",
                "metadata": {"name": "images"},
                "spec": changed(GOOD, {"vpcID": network.vpc_id}),
            }
        )
    )
    done = ibpe("plan", "-f", str(file), "--cluster-name", "demo", "--accounts-file", str(bad))
    assert done.exit_code == 1
    assert done.output.startswith(f"error: The accounts file {bad} is not valid: grants: name at least one grant")


@pytest.mark.parametrize(
    ("namespace", "changes", "words"),
    [
        ("team-z", {}, "Namespace team-z may not use the account network"),
        ("platform", {"region": "us-east-1"}, "The account network may be used in us-west-2 only"),
    ],
    ids=["account", "Region"],
)
def test_what_is_not_granted_is_refused_and_nothing_is_called(
    aws: AwsServer, tmp_path: Path, network: Network, namespace: str, changes: dict[str, Any], words: str
) -> None:
    since = aws.control.cursor()
    code, outlook = plan(tmp_path, network, *WITH_FILE, namespace=namespace, **changes)
    (refusal,) = outlook["refusals"]
    assert (code, words in refusal) == (1, True), outlook
    assert aws.control.calls(since=since) == ()


def test_a_vpc_without_the_tag_is_refused(aws: AwsServer, tmp_path: Path, network: Network) -> None:
    since = aws.control.cursor()
    code, outlook = plan(tmp_path, network, *WITH_FILE, namespace="team-b")
    (refusal,) = outlook["refusals"]
    assert (code, "does not carry the tag team=b" in refusal) == (1, True), outlook
    assert set(aws.control.counts(since=since)) == {"GetCallerIdentity", "DescribeVpcs"}


def test_credentials_of_another_account_are_refused(
    aws: AwsServer, tmp_path: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "other-key")
    since = aws.control.cursor()
    code, outlook = plan(tmp_path, network, *WITH_FILE)
    assert (code, outlook["refusals"]) == (
        1,
        ["These credentials are not those of 111122223333, which accountRef network stands for: log in to it."],
    )
    assert set(aws.control.counts(since=since)) == {"GetCallerIdentity"}
