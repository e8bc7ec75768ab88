"""`ibpe policy explain`: in words, with reasons, and without claiming what isn't so."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from ibpe.cli.root import cli
from ibpe.policy.document import PolicyDocument, plain
from ibpe.policy.explanation import UNLOGGED_CALLS, explain, limits
from ibpe.policy.imagebuilder import PRESETS, full_access, imagebuilder_policy
from ibpe.policy.parse import parse
from ibpe.policy.phrases import in_words
from ibpe.policy.problem import EndpointRole
from ibpe.policy.s3 import ENVIRONMENTS, S3Use, s3_policy
from ibpe.policy.sources import SOURCES
from ibpe.policy.statements import Organization
from tests.unit.cli.test_commands import manifest

OURS = Organization("o-a1b2c3d4e5", "o-f6g7h8i9j0")
EVERYTHING: dict[str, Any] = {field.name: True for field in fields(S3Use) if isinstance(field.default, bool)}
NOT_OURS = "Not one of the operator's own statements."


def statement(**changes: object) -> dict[str, object]:
    return {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", **changes}


def words(**changes: object) -> str:
    (parsed,) = parse({"Version": "2012-10-17", "Statement": statement(**changes)}).statements
    return in_words(parsed)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Anybody, even without credentials, may make any call on anything"),
        ({"Effect": "Deny"}, "Nobody may make any call on anything"),
        (
            {"Effect": "Deny", "Action": ["s3:PutObject", "s3:Delete*"]},
            "Nobody may call s3:PutObject or s3:Delete* on anything",
        ),
        (
            {"NotAction": ["s3:*"], "Action": None},
            "Anybody, even without credentials, may make any call but s3:* on anything",
        ),
        (
            {"Action": ["imagebuilder:*", "S3:*"]},
            "Anybody, even without credentials, may make any call of Image Builder and S3 on anything",
        ),
        (
            {"Principal": {"AWS": "arn:aws:iam::123456789012:role/builds"}},
            "arn:aws:iam::123456789012:role/builds may make any call on anything",
        ),
        (
            {"Effect": "Deny", "Principal": {"AWS": "123456789012"}},
            "The root user of account 123456789012 may not make any call on anything",
        ),
        (
            {"Principal": {"Service": "ec2.amazonaws.com"}},
            "The service ec2.amazonaws.com may make any call on anything",
        ),
        (
            {"NotPrincipal": {"AWS": "arn:aws:iam::123456789012:root"}, "Principal": None, "Effect": "Deny"},
            "Nobody but the root user of account 123456789012 may make any call on anything",
        ),
        (
            {"Action": "s3:GetObject", "Resource": ["arn:aws:s3:::b/*", "arn:aws-cn:s3:::b/c/d/*", "arn:aws:s3:::b"]},
            (
                "Anybody, even without credentials, may call s3:GetObject on every object of bucket b, every object "
                "under c/d/ of bucket b and the bucket b itself"
            ),
        ),
        (
            {"Resource": None, "NotResource": "arn:aws:s3:::b*/*"},
            "Anybody, even without credentials, may make any call on anything but arn:aws:s3:::b*/*",
        ),
        (
            {"Resource": "arn:aws:imagebuilder:us-east-1:aws:component/*"},
            "Anybody, even without credentials, may make any call on every component that AWS owns",
        ),
        (
            {"Condition": {"StringEquals": {"aws:PrincipalOrgID": ["o-a", "o-b"], "aws:ResourceOrgID": "o-a"}}},
            (
                "Anybody may make any call on anything, where aws:PrincipalOrgID is o-a or o-b and aws:ResourceOrgID "
                "is o-a"
            ),
        ),
        (
            {"Effect": "Deny", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": ["o-a", "o-b"]}}},
            "Nobody may make any call on anything, where aws:PrincipalOrgID is not o-a nor o-b (or is absent)",
        ),
        (
            {"Condition": {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a/*"}, "Null": {"aws:a": "true"}}},
            (
                "Anybody may make any call on anything, where any value of aws:PrincipalOrgPaths is like o-a/* and "
                "aws:a is absent"
            ),
        ),
        (
            {"Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": "a"}, "IpAddressIfExists": {"aws:b": "::/0"}}},
            (
                "Anybody, even without credentials, may make any call on anything, where every value of aws:TagKeys is "
                "a (or it is absent) and aws:b is in ::/0 (or is absent)"
            ),
        ),
    ],
)
def test_a_statement_in_words(changes: dict[str, object], sentence: str) -> None:
    written = {key: value for key, value in statement(**changes).items() if value is not None}
    (parsed,) = parse({"Version": "2012-10-17", "Statement": written}).statements
    assert in_words(parsed) == sentence


def _own_documents(region: str) -> list[tuple[EndpointRole, PolicyDocument]]:
    presets = [
        imagebuilder_policy(preset, region, organization=OURS, marketplace=more, aws_services=more)
        for preset in PRESETS
        for more in (False, True)
        if preset not in {"Custom", "FullAccess"}
    ]
    uses = [
        S3Use(environment, log_buckets=("logs",), artifact_buckets=("one", "two"), **{**EVERYTHING, **whole})
        for environment in ENVIRONMENTS
        for whole in ({"all_managed_resources": False}, {})
    ]
    baselines = [s3_policy("Organization", region, use, organization=OURS) for use in uses]
    return [*(("imagebuilder", each) for each in presets), *(("s3", each) for each in baselines)]


@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1", "us-gov-west-1"])
def test_every_statement_of_the_operator_has_its_reason(region: str) -> None:
    explained = [
        (statement.sid, explanation)
        for role, document in _own_documents(region)
        for statement, explanation in zip(document.statements, explain(document, role, region), strict=True)
    ]
    assert [sid for sid, each in explained if (each.why, each.source) != (SOURCES[sid].why, SOURCES[sid].source)] == []
    assert {sid for sid, _ in explained} == set(SOURCES)


@pytest.mark.parametrize(
    "changes",
    [
        {"Effect": "Deny"},
        {"Action": "s3:*"},
        {"Resource": "*"},
        {"Resource": "arn:aws:s3:::amazon-ssm-eu-west-1/*"},
        {"Principal": {"AWS": "arn:aws:iam::123456789012:role/builds"}},
        {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_statement_that_only_bears_the_name_gets_no_reason(changes: dict[str, object]) -> None:
    own = {"Sid": "AllowSSMAgentDownload", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::amazon-ssm-us-east-1/*"}
    (true,) = explain(parse({"Statement": [statement(**own)]}), "s3", "us-east-1")
    assert true.why == SOURCES["AllowSSMAgentDownload"].why
    (false,) = explain(parse({"Statement": [statement(**{**own, **changes})]}), "s3", "us-east-1")
    assert false.source == ""
    assert "it does not say what the operator writes for us-east-1" in false.why


def test_a_contributed_statement_keeps_its_reason() -> None:
    own = plain(s3_policy("ImageBuilderOnly", "us-east-1"))
    for each in own["Statement"]:  # type: ignore[attr-defined]  # a list of objects
        each["Sid"] = f"IBPE0123456789ab{each['Sid']}"
    assert all(each.source for each in explain(parse(own), "s3", "us-east-1"))


def test_a_statement_of_somebody_elses_is_told_as_such() -> None:
    (named, unnamed) = explain(parse({"Statement": [statement(Sid="Mine"), statement()]}), "s3", "us-east-1")
    assert (named.name, named.why, named.source) == ("Mine", NOT_OURS, "")
    assert unnamed.name == "Statement[1]"


def _limits(preset: str) -> str:
    return "\n".join(limits(imagebuilder_policy(preset, "us-east-1", organization=OURS), "imagebuilder", "us-east-1"))


def test_what_the_denying_presets_can_not_do() -> None:
    for preset in ("DenyDeletion", "DenyDestruction"):
        for words_ in ("calls through this endpoint only", "Lifecycle policies that exist", "ec2:DeregisterImage"):
            assert words_ in _limits(preset)
    assert "imagebuilder:StartResourceStateUpdate" in _limits("DenyDeletion")
    assert "imagebuilder:StartResourceStateUpdate" not in _limits("DenyDestruction")


def test_where_nothing_is_denied_nothing_is_said_of_denying() -> None:
    assert _limits("Organization") == UNLOGGED_CALLS
    assert limits(full_access(), "imagebuilder", "us-east-1") == ()
    reading = statement(Action="imagebuilder:Get*")
    assert limits(parse({"Statement": [reading]}), "imagebuilder", "us-east-1") == (UNLOGGED_CALLS,)
    assert limits(s3_policy("ImageBuilderOnly", "us-east-1"), "s3", "us-east-1") == ()


def test_a_deny_on_a_condition_counts_for_none() -> None:
    condition = {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    deny = statement(Effect="Deny", Action="imagebuilder:DeleteImage", Condition=condition)
    assert limits(parse({"Statement": [statement(), deny]}), "imagebuilder", "us-east-1") == (UNLOGGED_CALLS,)


@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1"])
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_buckets_that_may_not_be_awss_are_told(environment: str, region: str) -> None:
    told = limits(s3_policy("ImageBuilderOnly", region, S3Use(environment)), "s3", region)
    warning = (
        f"Bucket names of {environment} may not belong to AWS in every Region, and builds would run what lies there: "
        "use prod, or be sure who owns them."
    )
    assert told == (() if environment == "prod" else (warning,))


def test_buckets_that_are_denied_open_nothing() -> None:
    beta = plain(s3_policy("ImageBuilderOnly", "us-east-1", S3Use("beta", ssm_agent=False)))
    denied = [{**each, "Effect": "Deny"} for each in beta["Statement"]]  # type: ignore[attr-defined]  # a list of objects
    assert limits(parse({"Statement": [statement(), *denied]}), "s3", "us-east-1") == ()


def run(*arguments: str, text: str = "") -> Result:
    return CliRunner().invoke(cli, ["policy", "explain", *arguments], input=text)


def test_a_resource_is_explained_by_role() -> None:
    done = run("-f", "-", text=manifest())
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("imagebuilder: 279 of 20480 characters\n\nAllowImageBuilder\n  Anybody, even ")
    assert "\n\ns3: " in done.stdout
    assert "\nGood to know\n- A Deny binds calls through this endpoint only" in done.stdout


def test_one_role_of_a_resource() -> None:
    data: dict[str, Any] = json.loads(run("-f", "-", "--role", "s3", "-o", "json", text=manifest()).stdout)
    assert list(data) == ["s3"]
    assert data["s3"]["limits"] == []
    assert [each["name"] for each in data["s3"]["statements"]] == [
        "AllowImageBuilderAccessToAppAndComponentBuckets",
        "AllowSSMAgentDownload",
    ]


@pytest.mark.parametrize("mode", [{}, {"mode": "Contribute", "endpointID": "vpce-0123456789abcdef0"}])
def test_a_resource_of_another_environment_is_warned_of(mode: dict[str, str]) -> None:
    managed: dict[str, object] = {"s3.policy.environment": "beta"}
    text = manifest({"s3": {**mode, "policy": {"environment": "beta"}}} if mode else managed)
    done = run("-f", "-", "--role", "s3", text=text)
    assert done.stdout.count("Bucket names of beta may not belong to AWS") == 1, done.output


def test_a_document_is_explained_for_its_role_and_region(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(yaml.safe_dump(plain(s3_policy("ImageBuilderOnly", "eu-west-1"))))
    done = run(str(file), "--role", "s3", "--region", "eu-west-1", "-o", "yaml")
    (page,) = yaml.safe_load(done.stdout).values()
    assert all(each["source"] for each in page["statements"])


def test_what_would_be_contributed_is_shown_as_it_is_written() -> None:
    contribute = {"mode": "Contribute", "endpointID": "vpce-0123456789abcdef0"}
    text = manifest({"s3": contribute})
    rendered = CliRunner().invoke(cli, ["policy", "render", "-f", "-", "-o", "json"], input=text)
    assert [each["Sid"] for each in json.loads(rendered.stdout)["s3"]["Statement"]] == [
        "AllowImageBuilderAccessToAppAndComponentBuckets",
        "AllowSSMAgentDownload",
    ]
    assert "\n\ns3: " in run("-f", "-", text=text).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Name a DOCUMENT, or a resource's file with -f; one of the two."),
        (["-", "-f", "-"], "Name a DOCUMENT, or a resource's file with -f; one of the two."),
        (["-", "--role", "s3"], "Say which endpoint DOCUMENT is for: --role and --region."),
        (
            ["-", "--role", "s3", "--region", "us-east-1", "--name", "x"],
            "--name chooses a resource of -f; leave it out.",
        ),
        (["-f", "-", "--region", "us-east-1"], "The Region of a resource is its own; leave --region out."),
    ],
    ids=["nothing", "both", "no-region", "name", "region"],
)
def test_misuse_is_one_sentence(arguments: list[str], message: str) -> None:
    done = run(*arguments, text=manifest())
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == f"error: {message}\n"


def test_a_resource_that_writes_no_policy() -> None:
    existing = {"mode": "Existing", "endpointID": "vpce-0123456789abcdef0"}
    done = run("-f", "-", text=manifest({"imageBuilder": existing, "s3": {"mode": "None"}}))
    assert (done.exit_code, done.stderr) == (1, "error: The resource writes no policy; there is nothing to explain.\n")
