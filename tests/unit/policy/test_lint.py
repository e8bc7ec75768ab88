"""What lint says of policies that AWS would take, and of some that it would refuse without saying why."""

from dataclasses import fields, replace
from functools import lru_cache
from itertools import product
from typing import Any

import botocore.session
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibpe.policy.access import ANONYMOUS, Caller, Request, decide
from ibpe.policy.document import PolicyDocument
from ibpe.policy.imagebuilder import PRESETS, imagebuilder_policy
from ibpe.policy.lint import EndpointRole, Problem, lint
from ibpe.policy.parse import parse
from ibpe.policy.s3 import BASELINES, ENVIRONMENTS, S3Use, s3_policy
from ibpe.policy.statements import Organization

REGION = "us-west-2"
COMPONENT = "arn:aws:imagebuilder:us-west-2:123456789012:component/mine/*"
TOE = "arn:aws:s3:::ec2imagebuilder-toe-us-west-2-prod/*"
ALLOW: dict[str, Any] = {"Effect": "Allow", "Principal": "*", "Action": "imagebuilder:*", "Resource": "*"}
ORGANIZATION = Organization("o-a1b2c3d4e5", "o-a1b2c3d4e5")


def statement(**changes: object) -> dict[str, Any]:
    """ALLOW with other elements; `NotX` takes the place of X."""
    replaced = {name.removeprefix("Not") for name in changes}
    return {name: value for name, value in ALLOW.items() if name not in replaced} | changes


def s3_statement(**changes: object) -> dict[str, Any]:
    return statement(**{"Action": "s3:GetObject", "Resource": "arn:aws:s3:::mine/*", **changes})


def found(*statements: object, role: EndpointRole = "imagebuilder", version: str = "2012-10-17") -> list[Problem]:
    return list(lint(parse({"Version": version, "Statement": list(statements)}), role, REGION))


def only(problems: list[Problem]) -> Problem:
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


IMAGE_BUILDER: dict[str, tuple[dict[str, Any], str, str]] = {
    "an-unknown-action": (
        {"Effect": "Deny", "Action": ["imagebuilder:DeleteImages"]},
        "error",
        'Statement[0].Action: "imagebuilder:DeleteImages" is no known action; did you mean "imagebuilder:DeleteImage"?',
    ),
    "an-unknown-action-that-is-left-out": (
        {"NotAction": "imagebuilder:Deletelmage"},
        "error",
        'Statement[0].NotAction: "imagebuilder:Deletelmage" is no known action; did you mean "imagebuilder:DeleteImage',
    ),
    "an-action-like-none": (
        {"Action": ["imagebuilder:GetImage", "imagebuilder:Zzz"]},
        "error",
        '"imagebuilder:Zzz" is no known action; correct its name, or put * at its end if it is newer',
    ),
    "a-wildcard-for-nothing": (
        {"Action": ["imagebuilder:GetImage", "imagebuilder:Remove*"]},
        "warning",
        '"imagebuilder:Remove*" matches no known action',
    ),
    "a-service-misspelt": (
        {"Action": ["imagebuilder:GetImage", "image-builder:GetImage"]},
        "error",
        '"image-builder:GetImage" is of no known service; did you mean "imagebuilder"?',
    ),
    "another-service": (
        {"Action": ["imagebuilder:GetImage", "ec2:*"]},
        "warning",
        '"ec2:*" never passes this endpoint, which carries imagebuilder calls alone; take it out',
    ),
    "another-partition": (
        {"Resource": "arn:aws-cn:imagebuilder:us-west-2:*:component/*"},
        "error",
        'component/*" is in another partition than the endpoint; write "arn:aws:…" in us-west-2',
    ),
    "another-partition-beside-the-right-one": (
        {"Resource": [COMPONENT, "arn:aws-cn:imagebuilder:us-west-2:*:component/*"]},
        "warning",
        "is in another partition",
    ),
    "another-partition-left-out": (
        {"NotResource": "arn:aws-cn:imagebuilder:us-west-2:*:component/*"},
        "warning",
        "Statement[0].NotResource: ",
    ),
    "another-region": (
        {"Resource": COMPONENT.replace("us-west-2", "us-east-1")},
        "warning",
        "is in another Region than the endpoint, which reaches its own alone; write us-west-2 there",
    ),
    "another-services-resource": (
        {"Resource": [COMPONENT, "arn:aws:s3:::bucket/*"]},
        "warning",
        '"arn:aws:s3:::bucket/*" is no resource of imagebuilder, the service behind this endpoint',
    ),
    "no-kind-of-resource": (
        {"Resource": "arn:aws:imagebuilder:us-west-2:123456789012:recipe/*"},
        "error",
        "is no resource that imagebuilder has",
    ),
    "a-resource-for-other-actions": (
        {"Action": "imagebuilder:GetComponent", "Resource": COMPONENT.replace("component", "image")},
        "error",
        'image/mine/*"; add "arn:aws:imagebuilder:us-west-2:*:component/*/*/*" to Resource, or one of that form',
    ),
    "a-resource-for-some-of-the-actions": (
        {"Action": ["imagebuilder:GetComponent", "imagebuilder:ListImages"], "Resource": COMPONENT},
        "warning",
        '"imagebuilder:ListImages" has no effect, since it is never authorized on',
    ),
    "a-variable-and-a-wildcard-for-an-account": (
        {"Resource": COMPONENT.replace("123456789012", "${aws:PrincipalAccount}*")},
        "error",
        "is part number, part wildcard",
    ),
    "half-an-account": (
        {"Resource": COMPONENT.replace("123456789012", "123*")},
        "error",
        "is part number, part wildcard, which an endpoint policy doesn't take; write the account's 12 digits, or *",
    ),
    "an-account-as-principal": (
        {"Principal": {"AWS": "123456789012"}},
        "warning",
        'Statement[0].Principal: "123456789012" means the account\'s root user alone, not its roles and users; write',
    ),
    "an-accounts-root-as-principal": (
        {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
        "warning",
        "root user alone",
    ),
    "part-of-a-principal": (
        {"Principal": {"AWS": "arn:aws:iam::123456789012:role/build-*"}},
        "error",
        "matches nobody: a principal is named in full",
    ),
    "a-principal-of-another-partition": (
        {"Principal": {"AWS": "arn:aws-us-gov:iam::123456789012:role/build"}},
        "error",
        'is in another partition than the endpoint; write "arn:aws:…"',
    ),
    "no-principal": ({"Principal": {"AWS": "build-role"}}, "error", '"build-role" names nobody'),
    "allow-all-but": (
        {"NotPrincipal": {"AWS": "arn:aws:iam::123456789012:role/build"}},
        "warning",
        "Statement[0].NotPrincipal: it allows everybody else, anonymous callers too",
    ),
    "all-but-everybody": ({"NotPrincipal": "*", "Effect": "Deny"}, "error", "it leaves out everybody"),
    "a-short-wildcard": (
        {"Condition": {"StringLike": {"aws:PrincipalTag/team": "build*"}}},
        "error",
        'Statement[0].Condition.StringLike.aws:PrincipalTag/team: a wildcard in "build*" has fewer than 6 characters',
    ),
    "a-short-wildcard-among-long-ones": (
        {"Condition": {"ForAnyValue:StringNotLikeIfExists": {"aws:PrincipalTag/team": "builders*ab*cd*operators"}}},
        "error",
        "has fewer than 6 characters",
    ),
    "any-value": (
        {"Condition": {"StringLike": {"aws:PrincipalTag/team": "*"}}},
        "error",
        'use {"Null": {key: "false"}',
    ),
    "a-wildcard-for-the-systems-ids": (
        {"Condition": {"StringLike": {"aws:PrincipalAccount": "123456789*"}}},
        "error",
        'an endpoint policy takes no wildcard such as "123456789*" with aws:PrincipalAccount',
    ),
    "a-number-for-the-systems-ids": (
        {"Condition": {"NumericEquals": {"AWS:principalaccount": "123456789012"}}},
        "error",
        "takes no NumericEquals with AWS:principalaccount",
    ),
    "half-an-account-in-a-condition": (
        {"Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::1234*:role/build"}}},
        "error",
        "is part number, part wildcard",
    ),
    "a-key-misspelt": (
        {"Condition": {"StringEquals": {"aws:PrincipleOrgID": "o-a1b2c3d4e5"}}},
        "warning",
        '"aws:PrincipleOrgID" is no known key; did you mean "aws:PrincipalOrgID"?',
    ),
    "no-value": ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": []}}}, "error", "it names no value"),
    "no-address": (
        {"Condition": {"NotIpAddress": {"aws:VpcSourceIp": "10.0.0.0/33"}}},
        "error",
        '"10.0.0.0/33" can\'t be read by NotIpAddress; write an address or a range',
    ),
    "no-truth-value": ({"Condition": {"Bool": {"aws:SecureTransport": "yes"}}}, "error", "write true or false"),
    "no-truth-value-for-null": ({"Condition": {"Null": {"aws:SourceVpc": "vpc-1"}}}, "error", "write true or false"),
    "no-number": ({"Condition": {"NumericLessThan": {"aws:MultiFactorAuthAge": "1h"}}}, "error", "write a number"),
    "no-date": ({"Condition": {"DateLessThan": {"aws:CurrentTime": "soon"}}}, "error", "write a date"),
}


@pytest.mark.parametrize(("changes", "severity", "words"), IMAGE_BUILDER.values(), ids=IMAGE_BUILDER.keys())
def test_what_is_wrong_in_an_image_builder_policy_is_said(changes: dict[str, Any], severity: str, words: str) -> None:
    problem = only(found(statement(**changes)))
    assert words in str(problem)
    assert problem.severity == severity


S3: dict[str, tuple[dict[str, Any], str, str]] = {
    "objects-by-their-bucket": (
        {"Resource": "arn:aws:s3:::mine"},
        "error",
        '"s3:GetObject" has no effect, since it is never authorized on "arn:aws:s3:::mine"; add "arn:aws:s3:::*/*"',
    ),
    "a-bucket-by-its-objects": (
        {"Action": ["s3:GetObject", "s3:ListBucket"]},
        "warning",
        '"s3:ListBucket" has no effect',
    ),
    "a-list-without-resource": ({"Action": ["s3:ListAllMyBuckets"]}, "error", 'add "*" to Resource'),
    "an-unknown-action": ({"Action": ["s3:GetObjects"]}, "error", 'did you mean "s3:GetObject"?'),
    "another-partition": ({"Resource": "arn:aws-us-gov:s3:::mine/*"}, "error", "is in another partition"),
    "another-regions-access-point": (
        {"Resource": ["arn:aws:s3:::mine/*", "arn:aws:s3:eu-west-1:123456789012:accesspoint/a/object/*"]},
        "warning",
        "is in another Region",
    ),
    "a-principal": (
        {"Principal": {"AWS": "arn:aws:iam::123456789012:role/build"}},
        "error",
        'a gateway endpoint takes "Principal": "*" alone; write that, and a Condition on aws:PrincipalArn',
    ),
    "all-but-one": (
        {"NotPrincipal": {"AWS": "arn:aws:iam::123456789012:role/build"}, "Effect": "Deny"},
        "error",
        "Statement[0].NotPrincipal: a gateway endpoint takes",
    ),
    "the-organization-on-image-builders-bucket": (
        {"Resource": TOE, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}},
        "warning",
        f'builds read "{TOE}" without a signature too, and such a call does not meet this',
    ),
}


@pytest.mark.parametrize(("changes", "severity", "words"), S3.values(), ids=S3.keys())
def test_what_is_wrong_in_an_s3_policy_is_said(changes: dict[str, Any], severity: str, words: str) -> None:
    problem = only(found(s3_statement(**changes), role="s3"))
    assert words in str(problem)
    assert problem.severity == severity


FINE: dict[str, dict[str, Any]] = {
    "everything": {"Action": "*"},
    "actions-in-any-letter-case": {"Action": ["ImageBuilder:getIMAGE", "imagebuilder:g?tComponent"]},
    "a-resource-with-wildcards": {"Resource": "arn:aws*:image*"},
    "a-partition-by-wildcard": {"Resource": "arn:*:imagebuilder:*:*:component/*"},
    "aws-owned": {"Action": "imagebuilder:GetComponent", "Resource": "arn:aws:imagebuilder:us-west-2:aws:component/*"},
    "a-component-by-version": {
        "Action": "imagebuilder:GetComponent",
        "Resource": "arn:aws:imagebuilder:us-west-2:aws:component/update-linux/x.x.x",
    },
    "a-variable": {"Resource": "arn:aws:imagebuilder:us-west-2:${aws:PrincipalAccount}:component/*"},
    "a-role": {"Principal": {"AWS": "arn:aws:iam::123456789012:role/build"}},
    "a-session": {"Principal": {"AWS": "arn:aws:sts::123456789012:assumed-role/build/i-0123"}},
    "a-deleted-role": {"Principal": {"AWS": "AROAEXAMPLEEXAMPLE123"}},
    "anyone-in-other-words": {"Principal": {"AWS": ["*"]}},
    "a-service": {"Principal": {"Service": "imagebuilder.amazonaws.com"}},
    "deny-all-but": {"NotPrincipal": {"AWS": "arn:aws:iam::123456789012:role/build"}, "Effect": "Deny"},
    "six-characters-before": {"Condition": {"StringLike": {"aws:PrincipalTag/team": "builds*"}}},
    "six-characters-after": {"Condition": {"StringLike": {"aws:PrincipalTag/team": "*builds"}}},
    "six-characters-between": {"Condition": {"StringLike": {"aws:PrincipalTag/team": "?builds*"}}},
    "a-star-that-is-none": {"Condition": {"StringLike": {"aws:PrincipalTag/team": "a${*}b"}}},
    "a-star-in-an-exact-value": {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "*"}}},
    "an-account-by-wildcard": {"Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/build"}}},
    "presence-of-the-systems-ids": {"Condition": {"Null": {"aws:SourceVpc": "false"}}},
    "a-path-of-the-organization": {
        "Condition": {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/r-ab12/*"}}
    },
    "keys-of-the-service": {
        "Condition": {"StringEquals": {"imagebuilder:StatusTopicArn": "x", "s3:ResourceAccount": "1"}}
    },
    "keys-of-tags": {"Condition": {"StringEquals": {"aws:RequestTag/PrincipleOrgID": "x"}}},
    "readable-values": {
        "Condition": {
            "Bool": {"aws:SecureTransport": "TRUE"},
            "NumericLessThan": {"aws:MultiFactorAuthAge": "3600"},
            "DateGreaterThan": {"aws:CurrentTime": "2026-01-31T00:00:00Z"},
            "IpAddress": {"aws:VpcSourceIp": ["10.0.0.0/16", "fd00::/8", "${aws:PrincipalTag/range}"]},
            "NotIpAddressIfExists": {"aws:SourceIp": "192.0.2.7"},
        }
    },
}


@pytest.mark.parametrize("changes", FINE.values(), ids=FINE.keys())
def test_what_is_meant_so_is_let_be(changes: dict[str, Any]) -> None:
    assert found(statement(**changes)) == []


FINE_FOR_S3: dict[str, dict[str, Any]] = {
    "all-of-a-bucket-by-one-wildcard": {"Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "arn:aws:s3:::mine*"},
    "both-resources": {"Action": "s3:*", "Resource": ["arn:aws:s3:::mine", "arn:aws:s3:::mine/*"]},
    "an-access-point": {"Resource": "arn:aws:s3:us-west-2:123456789012:accesspoint/a/object/*"},
    "object-lambda": {"Action": "s3-object-lambda:WriteGetObjectResponse", "Resource": "*"},
    "image-builders-bucket-for-anyone": {"Resource": TOE},
    "image-builders-bucket-by-owner": {
        "Resource": TOE,
        "Condition": {"StringEquals": {"aws:ResourceAccount": "123456789012"}},
    },
    "image-builders-bucket-for-the-anonymous": {
        "Resource": TOE,
        "Condition": {"StringEquals": {"aws:PrincipalType": ["Anonymous"]}},
    },
    "image-builders-bucket-without-a-caller": {"Resource": TOE, "Condition": {"Null": {"aws:PrincipalArn": "true"}}},
    "image-builders-bucket-denied-to-some": {
        "Resource": TOE,
        "Effect": "Deny",
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
    },
    "image-builders-bucket-if-known": {
        "Resource": TOE,
        "Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
    },
    "deny-to-strangers": {"Effect": "Deny", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}},
}


@pytest.mark.parametrize("changes", FINE_FOR_S3.values(), ids=FINE_FOR_S3.keys())
def test_what_is_meant_so_is_let_be_on_s3(changes: dict[str, Any]) -> None:
    assert found(s3_statement(**changes), role="s3") == []


def test_a_variable_in_the_old_version_is_plain_text() -> None:
    variable = statement(Condition={"StringEquals": {"aws:PrincipalTag/team": "${aws:username}"}})
    old = only(found(variable, version="2008-10-17"))
    assert str(old) == 'Version: ${…} is plain text in this version, "2008-10-17"; write "Version": "2012-10-17"'
    absent = only(list(lint(parse({"Statement": variable}), "imagebuilder", REGION)))
    assert "the one that counts when none is written" in str(absent)


OTHERS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "the-same-twice": (
        [statement(Sid="A", Action=["imagebuilder:GetImage"]), statement(Sid="B", Action="IMAGEBUILDER:getimage")],
        "Statement[1]: it says the same as Statement[0]; keep one of them",
    ),
    "denied-altogether": (
        [statement(Action="imagebuilder:DeleteImage"), statement(Effect="Deny", Action="imagebuilder:Delete*")],
        "Statement[0]: Statement[1] denies all that it allows; take one of them out",
    ),
    "denied-by-what-is-left-out": (
        [
            statement(Action="imagebuilder:DeleteImage"),
            statement(Effect="Deny", NotAction=["imagebuilder:Get*", "imagebuilder:List*"]),
        ],
        "Statement[0]: Statement[1] denies all that it allows",
    ),
    "denied-under-the-same-condition": (
        [
            statement(Action="imagebuilder:GetImage", Condition={"Bool": {"aws:SecureTransport": "true"}}),
            statement(Effect="Deny", Condition={"Bool": {"AWS:SecureTransport": True}}),
        ],
        "Statement[0]: Statement[1] denies all that it allows",
    ),
    "allowed-already": (
        [statement(Action="*"), statement(Action="imagebuilder:GetComponent", Resource=COMPONENT)],
        "Statement[1]: Statement[0] allows all of it already",
    ),
}


@pytest.mark.parametrize(("statements", "words"), OTHERS.values(), ids=OTHERS.keys())
def test_a_statement_that_another_leaves_without_effect_is_warned_of(
    statements: list[dict[str, Any]], words: str
) -> None:
    problem = only(found(*statements))
    assert str(problem).startswith(words)
    assert problem.severity == "warning"


TOGETHER: dict[str, list[dict[str, Any]]] = {
    "some-is-denied": [statement(), statement(Effect="Deny", Action="imagebuilder:DeleteImage")],
    "denied-under-a-condition": [
        statement(Action="imagebuilder:GetImage"),
        statement(Effect="Deny", Condition={"Bool": {"aws:SecureTransport": "false"}}),
    ],
    "denied-to-somebody": [
        statement(Action="imagebuilder:GetImage"),
        statement(Effect="Deny", Principal={"AWS": "arn:aws:iam::123456789012:role/other"}),
    ],
    "denied-to-everybody-else": [
        statement(Action="imagebuilder:GetImage", Principal={"AWS": "arn:aws:iam::123456789012:role/build"}),
        statement(Effect="Deny", NotPrincipal={"AWS": "arn:aws:iam::123456789012:role/build"}),
    ],
    "denied-elsewhere": [
        statement(Action="imagebuilder:GetImage"),
        statement(Effect="Deny", NotResource="arn:aws:imagebuilder:us-west-2:*:image/*"),
    ],
    "a-deny-within-another": [
        statement(),
        statement(Effect="Deny", Action="imagebuilder:DeleteImage"),
        statement(Effect="Deny", Action="imagebuilder:Delete*"),
    ],
    "allowed-under-a-condition": [
        statement(Condition={"Bool": {"aws:SecureTransport": "true"}}),
        statement(Action="imagebuilder:GetImage"),
    ],
    "another-letter-case-in-a-resource": [
        statement(Action="imagebuilder:GetComponent", Resource=COMPONENT),
        statement(Action="imagebuilder:GetComponent", Resource=COMPONENT.replace("mine", "Mine")),
    ],
}


@pytest.mark.parametrize("statements", TOGETHER.values(), ids=TOGETHER.keys())
def test_statements_that_each_have_an_effect_are_let_be(statements: list[dict[str, Any]]) -> None:
    assert found(*statements) == []


def test_each_statement_is_named_by_its_place() -> None:
    problems = found(
        ALLOW, statement(Effect="Deny", Action=["imagebuilder:X", "imagebuilder:Y"]), statement(Action="ec2:*")
    )
    assert [problem.path for problem in problems] == ["Statement[1].Action"] * 2 + ["Statement[2].Action"]


@lru_cache
def regions() -> tuple[str, ...]:
    session = botocore.session.get_session()
    partitions = ("aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc")
    return tuple(region for partition in partitions for region in session.get_available_regions("ec2", partition))


@pytest.mark.parametrize("preset", [preset for preset in PRESETS if preset != "Custom"])
def test_every_preset_is_clean_in_every_region(preset: str) -> None:
    assert len(regions()) > 30
    for region, marketplace, aws_services in product(regions(), (False, True), (False, True)):
        policy = imagebuilder_policy(
            preset, region, organization=ORGANIZATION, marketplace=marketplace, aws_services=aws_services
        )
        assert list(lint(policy, "imagebuilder", region)) == []


@pytest.mark.parametrize("baseline", BASELINES)
def test_every_baseline_is_clean_in_every_region(baseline: str) -> None:
    toggles = [field.name for field in fields(S3Use) if field.default in {True, False}]
    assert len(toggles) >= 8
    for region, environment, on in product(regions(), ENVIRONMENTS, (False, True)):
        buckets = {"log_buckets": ("my-logs",), "artifact_buckets": ("my-artifacts", "my-logs")}
        use = S3Use(environment, **dict.fromkeys(toggles, on), **buckets)  # type: ignore[arg-type]  # two kinds of fields
        policy = s3_policy(baseline, region, use, organization=ORGANIZATION)
        assert list(lint(policy, "s3", region)) == []


ACTIONS = ("imagebuilder:*", "imagebuilder:Get*", "imagebuilder:GetComponent", "imagebuilder:GetImage", "*")
RESOURCES = ("*", COMPONENT, COMPONENT.replace("mine", "*"), COMPONENT.replace("component", "image"))
CALLERS = (
    ANONYMOUS,
    Caller("Identity", "arn:aws:iam::123456789012:role/build", "123456789012"),
    Caller("Identity", "arn:aws:iam::210987654321:role/other", "210987654321"),
)
PRINCIPALS: tuple[object, ...] = ("*", {"AWS": "arn:aws:iam::123456789012:role/build"})
CONDITIONS: tuple[object, ...] = ({}, {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})
REQUESTS = tuple(
    Request(action, resource, caller, context)
    for (action, resource), caller, context in product(
        (
            ("imagebuilder:GetComponent", COMPONENT.replace("*", "1.0.0/1")),
            ("imagebuilder:GetComponent", COMPONENT.replace("mine/*", "other/1.0.0/1")),
            ("imagebuilder:GetImage", COMPONENT.replace("component", "image").replace("*", "1.0.0/1")),
            ("imagebuilder:ListImages", "*"),
        ),
        CALLERS,
        ({}, {"aws:principalorgid": ("o-a1b2c3d4e5",)}),
    )
)


@st.composite
def written(draw: st.DrawFn) -> dict[str, Any]:
    not_ = {element: draw(st.sampled_from(("", "", "Not"))) for element in ("Action", "Resource")}
    return {
        "Effect": draw(st.sampled_from(("Allow", "Allow", "Deny"))),
        "Principal": draw(st.sampled_from(PRINCIPALS)),
        f"{not_['Action']}Action": draw(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=2)),
        f"{not_['Resource']}Resource": draw(st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=2)),
        "Condition": draw(st.sampled_from(CONDITIONS)),
    }


def decisions(policy: PolicyDocument) -> list[str]:
    return [decide(policy, request).verdict for request in REQUESTS]


@settings(max_examples=300)
@given(st.lists(written(), min_size=2, max_size=4))
def test_a_statement_that_is_said_to_have_no_effect_can_be_taken_out(statements: list[dict[str, Any]]) -> None:
    policy = parse({"Version": "2012-10-17", "Statement": statements})
    for problem in lint(policy, "imagebuilder", REGION):
        place = int(problem.path.removeprefix("Statement[").partition("]")[0])
        whole = problem.path == f"Statement[{place}]" or problem.severity == "error"
        if whole and len(statements) > 1:
            kept = policy.statements[:place] + policy.statements[place + 1 :]
            assert decisions(replace(policy, statements=kept)) == decisions(policy), str(problem)
