"""`ibpe policy check`: what builds ask of an endpoint, and what a policy makes of it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from ibpe.cli.root import cli
from ibpe.policy.document import plain
from ibpe.policy.imagebuilder import imagebuilder_policy
from ibpe.policy.needs import imagebuilder_needs, s3_needs
from ibpe.policy.s3 import S3Use, s3_policy
from ibpe.policy.statements import Organization

REGION = "us-west-2"
ORGANIZATION = "o-a1b2c3d4e5"
OURS = Organization(ORGANIZATION, ORGANIZATION)
BUILDS_ONLY = plain(s3_policy("ImageBuilderOnly", REGION))
WITHIN = plain(imagebuilder_policy("Organization", REGION, organization=OURS))
TOE = "ec2imagebuilder-toe-us-west-2-prod"


def check(document: object, *arguments: str, role: str = "s3") -> Result:
    command = ["policy", "check", "-", "--role", role, "--region", REGION, *arguments]
    return CliRunner().invoke(cli, command, input=json.dumps(document))


def data(document: object, *arguments: str, role: str = "s3") -> dict[str, Any]:
    done = check(document, "-o", "json", *arguments, role=role)
    loaded: dict[str, Any] = json.loads(done.stdout)
    assert loaded["passes"] is (done.exit_code == 0)
    return loaded


def with_statement(document: dict[str, Any], **statement: object) -> dict[str, Any]:
    return {**document, "Statement": [*document["Statement"], {"Principal": "*", "Resource": "*", **statement}]}


def test_a_policy_that_lets_builds_work_passes_with_a_line_for_each_request() -> None:
    done = check(BUILDS_ONLY)
    assert done.exit_code == 0, done.stderr
    *lines, total = done.stdout.splitlines()
    assert len(lines) == len(s3_needs(REGION))
    assert all(line.startswith("allowed a build ") for line in lines)
    assert f"s3:GetObject on arn:aws:s3:::{TOE}/" in done.stdout
    assert total == f"Passed. All {len(lines)} requests of builds are allowed."


def test_what_no_statement_allows_is_told_so() -> None:
    document = plain(s3_policy("ImageBuilderOnly", REGION, S3Use(ssm_agent=False)))
    done = check(document)
    assert done.exit_code == 1
    *denied, total = done.stdout.splitlines()
    assert denied
    assert all("amazon-ssm-us-west-2" in line and line.endswith(": no statement allows it") for line in denied)
    assert total == f"Failed. {len(denied)} of {len(s3_needs(REGION))} requests of builds are denied."
    assert check(document, "--no-ssm-agent").exit_code == 0


def test_the_statement_that_denies_is_named() -> None:
    document = with_statement(BUILDS_ONLY, Sid="NoReading", Effect="Deny", Action="s3:getobject")
    done = check(document)
    assert done.exit_code == 1
    assert done.stdout.count('by statement "NoReading"') == len(s3_needs(REGION))


def test_a_statement_without_a_sid_is_named_by_its_place() -> None:
    done = check(with_statement(BUILDS_ONLY, Effect="Deny", Action="s3:*"))
    assert f"by Statement[{len(BUILDS_ONLY['Statement'])}]" in done.stdout  # type: ignore[arg-type]  # a list


def test_a_condition_on_the_organization_denies_the_anonymous_reads_of_builds() -> None:
    condition = {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}
    document = {"Statement": [{**each, "Condition": condition} for each in BUILDS_ONLY["Statement"]]}  # type: ignore[attr-defined]  # a list of objects
    done = check(document, "--principal-org-id", ORGANIZATION)
    assert done.exit_code == 1
    denied = [line for line in done.stdout.splitlines() if line.startswith("denied")]
    assert denied
    assert all(", anonymously (" in line for line in denied)


def test_what_depends_on_callers_is_shown_and_does_not_fail() -> None:
    done = check(WITHIN, role="imagebuilder")
    assert done.exit_code == 0, done.stdout
    assert f"if aws:PrincipalOrgID is {ORGANIZATION}" in done.stdout
    total = done.stdout.splitlines()[-1]
    unknown = "depend on what isn't known here: say --principal-org-id, --resource-org-id."
    assert total.startswith(f"Passed. None of 4 requests of builds is denied; 3 {unknown} None of ")
    assert total.endswith(f" requests of pipelines' users is denied; 49 {unknown}")
    strict = check(WITHIN, "--strict", role="imagebuilder")
    assert strict.exit_code == 1
    assert strict.stdout.splitlines()[-1] == total.replace("Passed.", "Failed.")
    assert {line.split()[0] for line in strict.stdout.splitlines()[:-1]} == {"depends"}


@pytest.mark.parametrize(("caller", "exit_code"), [(ORGANIZATION, 0), ("o-zzzzzzzzzz", 1)], ids=["ours", "other"])
def test_what_is_known_of_callers_settles_it(caller: str, exit_code: int) -> None:
    known = ["--principal-org-id", caller, "--resource-org-id", ORGANIZATION]
    done = check(WITHIN, *known, role="imagebuilder")
    assert done.exit_code == exit_code
    assert "depends" not in done.stdout


def test_the_marketplace_is_asked_for_when_builds_use_it() -> None:
    known = ["--principal-org-id", ORGANIZATION, "--resource-org-id", ORGANIZATION, "--marketplace"]
    assert check(WITHIN, *known, role="imagebuilder").exit_code == 1
    wider = plain(imagebuilder_policy("Organization", REGION, organization=OURS, marketplace=True))
    assert check(wider, *known, role="imagebuilder").exit_code == 0


READS = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "imagebuilder:Get*", "Resource": "*"}]}


def test_what_pipelines_users_are_denied_is_shown_and_does_not_fail() -> None:
    done = check(READS, role="imagebuilder")
    assert done.exit_code == 0, done.stdout
    *lines, total = done.stdout.splitlines()
    users = [line for line in lines if " a pipeline's user " in line]
    denied = [line for line in lines if line.startswith("denied")]
    assert len(lines) == len(imagebuilder_needs(REGION))
    assert denied
    assert all(line.startswith("denied  (not counted) a pipeline's user ") for line in denied)
    assert total == (
        f"Passed. All 4 requests of builds are allowed. {len(denied)} of {len(users)} requests of pipelines' users are "
        "denied, which only --strict counts."
    )


@pytest.mark.parametrize("counting", [["--strict"], ["--only", "pipeline"]], ids=" ".join)
def test_what_pipelines_users_are_denied_counts_when_it_is_asked_for(counting: list[str]) -> None:
    done = check(READS, *counting, role="imagebuilder")
    assert done.exit_code == 1
    *lines, total = done.stdout.splitlines()
    assert all(line.startswith("denied  a pipeline's user ") for line in lines)
    assert f" {len(lines)} of " in total
    assert total.startswith("Failed. ")
    assert total.endswith(" requests of pipelines' users are denied.")
    found = data(READS, *counting, role="imagebuilder")
    assert {each["fails"] for each in found["requests"] if each["verdict"] == "denied"} == {True}
    assert found["summary"] == total


def test_what_is_denied_to_builds_comes_first() -> None:
    lists = {"Statement": [{**READS["Statement"][0], "Action": "imagebuilder:List*"}]}
    done = check(lists, role="imagebuilder")
    assert done.exit_code == 1
    *lines, total = done.stdout.splitlines()
    assert all(line.startswith("denied  a build ") for line in lines[:4])
    assert all(line.startswith("denied  (not counted) a pipeline's user ") for line in lines[4:])
    assert total.startswith("Failed. 4 of 4 requests of builds are denied. ")


def test_a_policy_for_builds_alone_can_be_checked_as_such() -> None:
    done = check(READS, "--only", "build", "--strict", role="imagebuilder")
    assert done.exit_code == 0, done.stdout
    assert "pipeline" not in done.stdout


def test_only_pipelines_is_refused_where_they_ask_nothing() -> None:
    done = check(BUILDS_ONLY, "--only", "pipeline")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "ask nothing of the S3 endpoint" in done.stderr


@pytest.mark.parametrize(
    ("sid", "named"), [("Outsiders", 'Statement "Outsiders"'), ("", "Statement[1]")], ids=["sid", "no sid"]
)
def test_where_builds_merely_depend_the_verdict_says_so(sid: str, named: str) -> None:
    anything = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    other = {"StringNotEquals": {"aws:SourceVpc": "vpc-0123456789abcdef0"}}
    document = {"Statement": [anything, {**anything, "Sid": sid, "Effect": "Deny", "Condition": other}]}
    done = check(document, "--only", "build", role="imagebuilder")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == (
        "Passed. None of 4 requests of builds is sure to be allowed; all depend on what isn't known here: say --vpc. "
        f"{named} may deny them all."
    )
    several = [{**anything, "Effect": "Deny", "Action": f"imagebuilder:{name}*", "Condition": other} for name in "GL"]
    several[0]["Resource"] = "arn:aws:imagebuilder:*:*:c*"
    several.insert(0, {**several[0], "Resource": "arn:aws:imagebuilder:*:aws:*"})
    done = check({"Statement": [anything, *several]}, "--only", "build", role="imagebuilder")
    assert done.stdout.splitlines()[-1].endswith(": say --vpc. Each of them may meet a Deny.")
    allowed = {"Statement": [{**anything, "Condition": {"StringEquals": other["StringNotEquals"]}}]}
    done = check(allowed, "--only", "build", role="imagebuilder")
    assert done.stdout.splitlines()[-1].endswith("isn't known here: say --vpc.")


@pytest.mark.parametrize("principal", ["123456789012", "arn:aws:iam::123456789012:root"])
def test_a_policy_for_the_root_user_alone_fails(principal: str) -> None:
    root = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "*", "Resource": "*"}
    done = check({"Statement": [root]}, role="imagebuilder")
    assert done.exit_code == 1
    assert "Failed. 4 of 4 requests of builds are denied." in done.stdout


ACCOUNTS = [
    ({"Resource": "arn:aws:imagebuilder:us-west-2:111122223333:component/*"}, True),
    ({"Principal": {"AWS": "arn:aws:iam::111122223333:role/builds"}}, True),
    ({"Resource": "arn:aws:imagebuilder:us-west-2:*:component/*"}, False),
    ({"Resource": "arn:aws:imagebuilder:us-west-2:aws:component/*"}, False),
]


@pytest.mark.parametrize(("changes", "matters"), ACCOUNTS, ids=["resource", "principal", "any", "AWS"])
def test_a_policy_of_certain_accounts_makes_account_matter(changes: dict[str, object], *, matters: bool) -> None:
    allow = {"Effect": "Allow", "Principal": "*", "Action": "imagebuilder:*", "Resource": "*"}
    document = {"Statement": [allow, {**allow, **changes}]}
    said = "warning --account: the policy names accounts in ARNs, and what is asked for here lies in account"
    assert (said in check(document, role="imagebuilder").stdout) is matters
    assert said not in check(document, "--account", "111122223333", role="imagebuilder").stdout


def test_every_toggle_is_an_option_that_widens_the_request_list() -> None:
    usual = len(data(BUILDS_ONLY)["requests"])
    for option in (
        "--amazon-linux-repositories",
        "--windows-downloads",
        "--patching",
        "--distributor",
        "--cloud-watch-agent",
        "--ecr-layers",
        "--log-bucket=my-logs",
        "--artifact-bucket=my-things",
        "--all-managed-resources",
    ):
        found = data(BUILDS_ONLY, option)
        assert len(found["requests"]) > usual, option
        assert not found["passes"], option


def test_each_bucket_that_is_named_is_asked_for() -> None:
    done = check(BUILDS_ONLY, "--log-bucket", "logs-one", "--log-bucket", "logs-two")
    assert "s3:PutObject on arn:aws:s3:::logs-one/" in done.stdout
    assert "s3:PutObject on arn:aws:s3:::logs-two/" in done.stdout


def test_another_environment_has_other_buckets() -> None:
    assert check(BUILDS_ONLY, "--environment", "beta").exit_code == 1
    document = plain(s3_policy("ImageBuilderOnly", REGION, S3Use("beta")))
    done = check(document, "--environment", "beta")
    assert done.exit_code == 0
    warning = "warning environment: bucket names of beta may not belong to AWS in every Region, and builds would run"
    assert done.stdout.count(warning) == 1
    assert "warning" not in check(BUILDS_ONLY, "--environment", "prod").stdout


def test_an_error_of_the_policy_fails_although_all_is_allowed() -> None:
    principal = {"AWS": "arn:aws:iam::123456789012:role/builds"}
    document = with_statement(BUILDS_ONLY, Effect="Allow", Principal=principal, Action="s3:PutObject")
    found = data(document)
    assert {each["verdict"] for each in found["requests"]} == {"allowed"}
    assert [each["severity"] for each in found["problems"]] == ["error"]
    *_, error, total = check(document).stdout.splitlines()
    assert error.startswith("error   Statement[2].Principal: ")
    assert total.startswith("Failed. The policy has an error. All ")


def test_a_policy_that_is_too_long_fails() -> None:
    many = [f"arn:aws:s3:::bucket-of-ours-{number:04}/*" for number in range(700)]
    document = with_statement(BUILDS_ONLY, Effect="Allow", Action="s3:GetObject", Resource=many)
    done = check(document)
    assert done.exit_code == 1
    assert " characters minified, and an endpoint takes 20480; shorten it" in done.stdout


def test_a_warning_is_shown_and_does_not_fail() -> None:
    document = with_statement(BUILDS_ONLY, Effect="Allow", Action="ec2:RunInstances")
    done = check(document)
    assert done.exit_code == 0, done.stdout
    assert any(line.startswith("warning Statement[2]") for line in done.stdout.splitlines())


def test_a_document_that_is_no_policy_is_one_sentence() -> None:
    done = CliRunner().invoke(cli, ["policy", "check", "-", "--role", "s3", "--region", REGION], input='{"a": }')
    assert done.exit_code == 1
    assert done.stderr.startswith("error: standard input: line 1 column 7: not JSON: ")
    assert done.stderr.count("\n") == 1
    assert not done.stdout


@pytest.mark.parametrize(
    ("arguments", "role", "message"),
    [
        (["--log-bucket", "logs"], "imagebuilder", "error: --log-bucket goes with --role s3; leave it out."),
        (["--no-ssm-agent"], "imagebuilder", "error: --ssm-agent goes with --role s3; leave it out."),
        (["--environment", "prod"], "imagebuilder", "error: --environment goes with --role s3; leave it out."),
        (["--marketplace"], "s3", "error: --marketplace goes with --role imagebuilder; leave it out."),
        (["--region", "us-west2"], "s3", "us-west2: write the Region's code, such as us-west-2."),
        (["--log-bucket", "s3://logs"], "s3", "s3://logs: write a bucket's name: "),
        (["--principal-org-id", "org"], "s3", "'--principal-org-id': org: "),
        (["--vpc", "vpc"], "s3", "vpc: write the id of the VPC"),
        (["--endpoint", "x"], "s3", "x: write the id of a VPC endpoint"),
        (["--account", "1234"], "s3", "1234: write the account's id, 12 digits."),
        (["--environment", "staging"], "s3", "'staging' is not one of 'prod', 'preprod', 'beta'"),
    ],
    ids=lambda value: value[0].removeprefix("--") if isinstance(value, list) else None,
)
def test_an_option_that_can_not_be_meant_is_refused(arguments: list[str], role: str, message: str) -> None:
    done = check(BUILDS_ONLY, *arguments, role=role)
    assert done.exit_code == 1
    assert message in done.stderr
    assert not done.stdout


def test_yaml_says_the_same_as_json() -> None:
    assert yaml.safe_load(check(BUILDS_ONLY, "-o", "yaml").stdout) == data(BUILDS_ONLY)
    found = data(BUILDS_ONLY)["requests"][0]
    assert set(found) == {"asker", "words", "action", "resource", "caller", "context", "verdict", "reason", "fails"}


@pytest.mark.parametrize("role", ["imagebuilder", "s3"])
@pytest.mark.parametrize(
    "example", sorted((Path(__file__).parents[3] / "examples").glob("*.yaml")), ids=lambda p: p.stem
)
def test_builds_work_behind_the_policies_of_every_example(example: Path, role: str) -> None:
    rendered = CliRunner().invoke(cli, ["policy", "render", "-f", str(example), "-o", "json"]).stdout
    region = yaml.safe_load(example.read_text())["spec"]["region"]
    if role in json.loads(rendered):
        arguments = ["policy", "check", "-", "--role", role, "--region", region, "--only", "build"]
        done = CliRunner().invoke(cli, arguments, input=rendered)
        assert done.exit_code == 0, done.output
