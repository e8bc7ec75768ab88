"""A policy that allows more than before is noticed, and one that does not never is."""

import copy
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ibpe.policy.access import ANONYMOUS, Caller, Request, Verdict, decide
from ibpe.policy.document import PolicyDocument
from ibpe.policy.imagebuilder import imagebuilder_policy
from ibpe.policy.needs import Callers, imagebuilder_needs, s3_needs
from ibpe.policy.parse import parse
from ibpe.policy.probes import probes
from ibpe.policy.problem import EndpointRole
from ibpe.policy.s3 import S3Use, s3_policy
from ibpe.policy.statements import Organization
from ibpe.policy.widening import in_words, widened
from ibpe.policy.witnesses import LIMIT, WORK, witnesses
from tests.unit.policy.policies import RESOURCES, Written, changed, documents, rewritings, statements

Edit = Callable[[Written], object]
on_any_machine = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

REGION = "us-west-2"
ROLE = "arn:aws:iam::111122223333:role/build"
ORGANIZATION = Organization("o-principal01", "o-resource001")

POLICY: Written = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Read",
            "Effect": "Allow",
            "Principal": {"AWS": ROLE},
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": ["arn:aws:s3:::mine", "arn:aws:s3:::mine/public/*"],
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": ["o-mine"], "aws:SourceVpc": "vpc-1"}},
        },
        {"Sid": "Build", "Effect": "Allow", "Principal": "*", "NotAction": "s3:*", "NotResource": "arn:aws:ec2:*"},
        {
            "Sid": "NoDeletion",
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["imagebuilder:Delete*", "imagebuilder:PutImagePolicy"],
            "Resource": "*",
        },
        {
            "Sid": "OnlyFromHere",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "*",
            "Resource": "*",
            "Condition": {
                "StringNotEqualsIfExists": {"aws:SourceVpce": ["vpce-1"], "aws:SourceVpc": "vpc-1"},
                "Bool": {"aws:PrincipalIsAWSService": "false"},
            },
        },
    ],
}
READ, BUILD, NO_DELETION, ONLY_FROM_HERE = range(4)


def edited(*edits: Edit) -> Written:
    written = copy.deepcopy(POLICY)
    for edit in edits:
        edit(written)
    return written


def at(index: int, element: str, value: object) -> Edit:
    """The statement with this element in place of what it had."""
    return lambda policy: policy["Statement"][index].update({element: value})


def condition(index: int, operator: str, key: str, value: object) -> Edit:
    return lambda policy: (
        policy["Statement"][index].setdefault("Condition", {}).setdefault(operator, {}).update({key: value})
    )


def no_condition(index: int, operator: str, key: str) -> Edit:
    return lambda policy: policy["Statement"][index]["Condition"][operator].pop(key)


def no_statement(index: int) -> Edit:
    return lambda policy: policy["Statement"].pop(index)


def instead(index: int, old: str, new: str, value: object) -> Edit:
    """The statement with NotAction for Action, and the like."""

    def edit(policy: Written) -> None:
        del policy["Statement"][index][old]
        policy["Statement"][index][new] = value

    return edit


def one_more(**elements: object) -> Edit:
    allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
    return lambda policy: policy["Statement"].append({**allow, **elements})


WIDENINGS: dict[str, Edit] = {
    "a condition is dropped": no_condition(READ, "StringEquals", "aws:PrincipalOrgID"),
    "another condition is dropped": no_condition(READ, "StringEquals", "aws:SourceVpc"),
    "a condition takes a value more": condition(READ, "StringEquals", "aws:PrincipalOrgID", ["o-mine", "o-theirs"]),
    "a condition takes another value": condition(READ, "StringEquals", "aws:PrincipalOrgID", "o-theirs"),
    "a condition ends at absence": lambda policy: policy["Statement"][READ].update(
        Condition={"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-mine", "aws:SourceVpc": "vpc-1"}}
    ),
    "a condition takes a wildcard": lambda policy: policy["Statement"][READ].update(
        Condition={"StringLike": {"aws:PrincipalOrgID": "o-m*", "aws:SourceVpc": "vpc-1"}}
    ),
    "an action is added": at(READ, "Action", ["s3:GetObject", "s3:ListBucket", "s3:PutObject"]),
    "an action becomes a wildcard": at(READ, "Action", ["s3:GetObject*", "s3:ListBucket"]),
    "a resource is added": at(
        READ, "Resource", ["arn:aws:s3:::mine", "arn:aws:s3:::mine/public/*", "arn:aws:s3:::b/*"]
    ),
    "a wildcard is widened": at(READ, "Resource", ["arn:aws:s3:::mine", "arn:aws:s3:::mine/*"]),
    "a wildcard is widened in its middle": at(READ, "Resource", ["arn:aws:s3:::mi*e", "arn:aws:s3:::mine/public/*"]),
    "a resource becomes all": at(READ, "Resource", "*"),
    "a resource takes a variable": at(READ, "Resource", ["arn:aws:s3:::mine", "arn:aws:s3:::mine/${aws:username}/*"]),
    "the principal is opened": at(READ, "Principal", "*"),
    "a principal is added": at(READ, "Principal", {"AWS": [ROLE, "arn:aws:iam::444455556666:user/eve"]}),
    "a service becomes a principal": at(READ, "Principal", {"AWS": ROLE, "Service": "ec2.amazonaws.com"}),
    "less is left out of NotAction": at(BUILD, "NotAction", ["s3:Get*"]),
    "less is left out of NotResource": at(BUILD, "NotResource", "arn:aws:ec2:us-east-1:*"),
    "NotAction becomes an action": instead(BUILD, "NotAction", "Action", "*"),
    "a statement is added": one_more(),
    "a statement for services is added": one_more(Condition={"Bool": {"aws:PrincipalIsAWSService": "true"}}),
    "a statement within times is added": one_more(
        Condition={
            "DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"},
            "StringEquals": {"aws:SourceVpc": "vpc-1"},
        }
    ),
    "a Deny is dropped": no_statement(NO_DELETION),
    "a Deny leaves an action": at(NO_DELETION, "Action", "imagebuilder:Delete*"),
    "a Deny narrows its wildcard": at(NO_DELETION, "Action", ["imagebuilder:DeleteI*", "imagebuilder:PutImagePolicy"]),
    "a Deny leaves resources": at(NO_DELETION, "Resource", "arn:aws:imagebuilder:us-west-2:111122223333:image/*"),
    "a Deny leaves principals": at(NO_DELETION, "Principal", {"AWS": ROLE}),
    "a Deny gets a condition": condition(NO_DELETION, "StringNotEquals", "aws:PrincipalArn", ROLE),
    "a Deny gets another condition": condition(ONLY_FROM_HERE, "Null", "aws:ViaAWSService", "true"),
    "a conditional Deny is dropped": no_statement(ONLY_FROM_HERE),
    "a conditional Deny leaves out a value": condition(
        ONLY_FROM_HERE, "StringNotEqualsIfExists", "aws:SourceVpce", ["vpce-1", "vpce-2"]
    ),
    "a conditional Deny becomes an Allow": at(ONLY_FROM_HERE, "Effect", "Allow"),
}
NARROWINGS: dict[str, Edit] = {
    "a condition is added": condition(READ, "Bool", "aws:SecureTransport", "true"),
    "a condition loses IfExists' other side": condition(READ, "Null", "aws:PrincipalOrgID", "false"),
    "an action is dropped": at(READ, "Action", "s3:GetObject"),
    "a resource is dropped": at(READ, "Resource", "arn:aws:s3:::mine"),
    "a wildcard is narrowed": at(READ, "Resource", ["arn:aws:s3:::mine", "arn:aws:s3:::mine/public/a/*"]),
    "a statement is dropped": no_statement(READ),
    "an Allow becomes a Deny": at(READ, "Effect", "Deny"),
    "more is left out of NotAction": at(BUILD, "NotAction", ["s3:*", "ec2:*"]),
    "a Deny takes an action more": at(NO_DELETION, "Action", ["imagebuilder:Delete*", "imagebuilder:Put*"]),
    "a Deny loses a condition": no_condition(ONLY_FROM_HERE, "Bool", "aws:PrincipalIsAWSService"),
    "a Deny is added": one_more(Effect="Deny"),
    "an Allow is added that a Deny takes back": one_more(Action="imagebuilder:DeleteImage"),
    "an Allow is added that another holds": one_more(Action="imagebuilder:GetImage", Resource="arn:aws:imagebuilder:*"),
    "a Sid is changed": at(READ, "Sid", "Other"),
}


def assert_shown(before: PolicyDocument, after: PolicyDocument, shown: Request | None) -> None:
    assert shown is not None
    assert decide(after, shown).verdict is Verdict.ALLOWED
    assert decide(before, shown).verdict is Verdict.DENIED


@pytest.mark.parametrize("name", WIDENINGS)
def test_each_widening_is_noticed_when(name: str) -> None:
    before, after = parse(POLICY), parse(edited(WIDENINGS[name]))
    assert_shown(before, after, widened(before, after))


@pytest.mark.parametrize("name", NARROWINGS)
def test_nothing_is_called_wider_when(name: str) -> None:
    assert widened(parse(POLICY), parse(edited(NARROWINGS[name]))) is None


TAKEN_ELSEWHERE: dict[str, Edit] = {
    "a Deny of another service": one_more(Effect="Deny", Action="sts:GetCallerIdentity"),
    "a Deny from another VPC": one_more(
        Effect="Deny",
        Action="*",
        Condition={"StringEquals": {"aws:SourceVpc": "vpc-9"}, "Null": {"aws:userid": "false"}},
    ),
}


@pytest.mark.parametrize("widening", WIDENINGS)
@pytest.mark.parametrize("narrowing", TAKEN_ELSEWHERE)
def test_what_is_taken_elsewhere_does_not_hide_a_widening(widening: str, narrowing: str) -> None:
    before, after = parse(POLICY), parse(edited(WIDENINGS[widening], TAKEN_ELSEWHERE[narrowing]))
    assert_shown(before, after, widened(before, after))


STANDING: dict[str, Edit] = {
    "only from one VPC": one_more(
        Effect="Deny", Action="*", Condition={"StringNotEquals": {"aws:SourceVpc": ["vpc-1", "vpc-2"]}}
    ),
    "only with a tag": one_more(Effect="Deny", Action="*", Condition={"Null": {"aws:PrincipalTag/team": "true"}}),
    "only three services": lambda policy: policy["Statement"].append(
        {"Effect": "Deny", "Principal": "*", "NotAction": ["s3:*", "imagebuilder:*", "sts:*"], "Resource": "*"}
    ),
}


@pytest.mark.parametrize("widening", WIDENINGS)
@pytest.mark.parametrize("standing", STANDING)
def test_a_deny_that_stands_does_not_hide_a_widening(widening: str, standing: str) -> None:
    before, after = parse(edited(STANDING[standing])), parse(edited(STANDING[standing], WIDENINGS[widening]))
    assert_shown(before, after, widened(before, after))


def allowing(resource: str, **condition: Written) -> PolicyDocument:
    allow: Written = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": resource}
    return parse({"Version": "2012-10-17", "Statement": {**allow, "Condition": condition}})


@pytest.mark.parametrize(
    ("key", "narrow", "wide"),
    [
        ("aws:VpcSourceIp", {"IpAddress": "10.0.0.0/16"}, {"IpAddress": "10.0.0.0/8"}),
        ("aws:VpcSourceIp", {"IpAddress": "10.255.0.0/16"}, {"IpAddress": "10.0.0.0/8"}),
        ("aws:VpcSourceIp", {"NotIpAddress": "10.0.0.0/8"}, {"NotIpAddress": "10.0.0.0/16"}),
        ("aws:VpcSourceIp", {"IpAddress": "2001:db8::/64"}, {"IpAddress": "2001:db8::/56"}),
        ("s3:max-keys", {"NumericLessThan": "5", "NumericGreaterThan": "5"}, {"NumericLessThan": "5"}),
        ("s3:max-keys", {"NumericLessThan": "5"}, {"NumericLessThanEquals": "5"}),
        ("s3:max-keys", {"NumericGreaterThan": "7"}, {"NumericGreaterThan": "5"}),
        ("s3:max-keys", {"NumericLessThan": "5"}, {"NumericNotEquals": "5"}),
        ("aws:CurrentTime", {"DateLessThan": "2030-01-01T00:00:00Z"}, {"DateLessThan": "2031-01-01T00:00:00Z"}),
        ("aws:CurrentTime", {"DateLessThan": "1960-01-01T00:00:00Z"}, {"DateGreaterThan": "1950-01-01T00:00:00Z"}),
        ("aws:SecureTransport", {"Bool": "true"}, {"Null": "false"}),
        ("aws:SecureTransport", {"Null": "false"}, {}),
        ("aws:username", {"StringEquals": "Eve"}, {"StringEqualsIgnoreCase": "Eve"}),
        ("aws:username", {"StringLike": "anything*"}, {"StringLike": "a*"}),
        ("aws:username", {"StringNotLike": "a*"}, {"StringNotLike": "ab*"}),
        ("aws:username", {"StringNotEquals": ["eve", "mallory"]}, {"StringNotEquals": "eve"}),
        ("aws:username", {"StringEquals": "eve"}, {"StringEqualsIfExists": "eve"}),
        ("aws:PrincipalArn", {"ArnLike": "arn:aws:iam::*:role/a"}, {"ArnLike": "arn:aws:iam::*:role/*"}),
        ("aws:TagKeys", {"ForAllValues:StringEquals": "a"}, {"ForAllValues:StringEquals": ["a", "b"]}),
        ("aws:TagKeys", {"ForAllValues:StringEquals": "a", "Null": "false"}, {"ForAnyValue:StringEquals": "a"}),
        ("aws:SourceVpc", {"StringEquals": "vpc-1"}, {"StringEquals": "${aws:username}"}),
    ],
)
def test_a_condition_that_takes_more_is_noticed(key: str, narrow: Written, wide: Written) -> None:
    before = allowing("*", **{operator: {key: value} for operator, value in narrow.items()})
    after = allowing("*", **{operator: {key: value} for operator, value in wide.items()})
    assert_shown(before, after, widened(before, after))


@pytest.mark.parametrize("letter", ["a", "0", "x", "anything", ""])
@pytest.mark.parametrize("pattern", ["arn:aws:s3:::{}*", "arn:aws:s3:::*{}", "arn:aws:s3:::b/{}*/c"])
def test_a_wildcard_in_place_of_a_letter_is_noticed(pattern: str, letter: str) -> None:
    before, after = allowing(pattern.format(letter or "?")), allowing(pattern.format(""))
    assert_shown(before, after, widened(before, after))


def test_what_is_shown_is_asked_on_a_whole_arn() -> None:
    before, after = allowing("arn:aws:s3:*"), allowing("arn:aws-cn:s3*")
    shown = widened(before, after)
    assert_shown(before, after, shown)
    assert shown is not None
    assert shown.resource.count(":") == 5


ALLOW: Written = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
A, B = "arn:aws:s3:::a/*", "arn:aws:s3:::b/*"
TOGETHER: dict[str, tuple[list[Written], list[Written]]] = {
    "an action and a resource that were let through apart": (
        [{"Action": "s3:GetObject", "Resource": [A, B]}, {"Action": "s3:PutObject", "Resource": A}],
        [{"Action": ["s3:GetObject", "s3:PutObject"], "Resource": [A, B]}],
    ),
    "the one pair of three actions and two resources that was not": (
        [
            {"Action": "s3:GetObject", "Resource": [A, B]},
            {"Action": "s3:PutObject", "Resource": [A, B]},
            {"Action": "s3:DeleteObject", "Resource": A},
        ],
        [{"Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "Resource": [A, B]}],
    ),
    "values of two keys that were let through apart": (
        [
            {"Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1", "aws:username": ["ann", "bob"]}}},
            {"Condition": {"StringEquals": {"aws:SourceVpc": ["vpc-1", "vpc-2"], "aws:username": "ann"}}},
        ],
        [{"Condition": {"StringEquals": {"aws:SourceVpc": ["vpc-1", "vpc-2"], "aws:username": ["ann", "bob"]}}}],
    ),
    "an action for one whom another statement leaves out": (
        [{"Action": "s3:GetObject"}, {"NotPrincipal": {"AWS": ["444455556666", ROLE]}}],
        [{"Action": ["s3:GetObject", "s3:PutObject"]}, {"NotPrincipal": {"AWS": ["444455556666", ROLE]}}],
    ),
    "a resource for one whom another statement leaves out": (
        [{"Resource": A}, {"NotPrincipal": {"AWS": ROLE}}],
        [{"Resource": [A, B]}, {"NotPrincipal": {"AWS": ROLE}}],
    ),
    "one resource of a Deny": (
        [{}, {"Effect": "Deny", "Resource": [A, B]}],
        [{}, {"Effect": "Deny", "Resource": A}],
    ),
    "one value of a Deny": (
        [{}, {"Effect": "Deny", "Condition": {"StringEquals": {"aws:SourceVpc": ["vpc-1", "vpc-2"]}}}],
        [{}, {"Effect": "Deny", "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}],
    ),
    "what two Denies took": (
        [{}, {"Effect": "Deny", "Action": "s3:*"}, {"Effect": "Deny", "Resource": A}],
        [{}, {"Effect": "Deny", "Action": "s3:*", "Resource": A}],
    ),
    "an action that a Deny leaves for some resources": (
        [{"NotAction": "ec2:*"}, {"Effect": "Deny", "Action": ["ec2:*", "s3:Get*"], "NotResource": A}],
        [{}, {"Effect": "Deny", "Action": ["ec2:*", "s3:Get*"], "NotResource": A}],
    ),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_what_only_elements_together_show_is_noticed(name: str) -> None:
    def written(statements: list[Written]) -> PolicyDocument:
        hidden = {"NotAction": "Action", "NotPrincipal": "Principal", "NotResource": "Resource"}
        return parse(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {k: v for k, v in {**ALLOW, **s}.items() if not any(hidden.get(e) == k for e in s)}
                    for s in statements
                ],
            }
        )

    before, after = map(written, TOGETHER[name])
    assert_shown(before, after, widened(before, after))


@on_any_machine
@given(documents(), st.data())
def test_no_rewriting_is_wider(document: Written, data: st.DataObject) -> None:
    before = parse(document)
    after = parse(data.draw(rewritings(document)))
    requests = [need.request for need in (*imagebuilder_needs(REGION), *s3_needs(REGION))]
    assert widened(before, after, requests) is None
    assert widened(after, before, requests) is None


@on_any_machine
@given(documents(), statements("Z"), st.data())
def test_a_statement_less_that_allows_or_one_more_that_denies_is_never_wider(
    document: Written, deny: Written, data: st.DataObject
) -> None:
    written = copy.deepcopy(document)
    written["Statement"].append({**deny, "Effect": "Deny"})
    allows = [statement for statement in written["Statement"] if statement["Effect"] == "Allow"]
    if allows:
        written["Statement"].remove(data.draw(st.sampled_from(allows)))
    assert widened(parse(document), parse(written), [need.request for need in s3_needs(REGION)]) is None


@on_any_machine
@given(documents(), documents())
def test_what_is_shown_is_always_allowed_now_and_was_denied(one: Written, two: Written) -> None:
    before, after = parse(one), parse(two)
    shown = widened(before, after, [need.request for need in s3_needs(REGION)])
    if shown is not None:
        assert_shown(before, after, shown)


@on_any_machine
@given(documents())
def test_full_access_is_wider_than_whatever_denies_anything(document: Written) -> None:
    before, after = parse(document), imagebuilder_policy("FullAccess", REGION)
    tried = [
        Request(action, resource, caller)
        for action in ("s3:GetObject", "ec2:RunInstances", "imagebuilder:GetComponent", "sts:GetCallerIdentity")
        for resource in (*RESOURCES, "arn:aws:s3:::c/d", "arn:aws:s3:::a/b")
        for caller in (ANONYMOUS, Caller("Identity", ROLE, "111122223333"))
    ]
    assume(any(decide(before, request).verdict is Verdict.DENIED for request in tried))
    assert_shown(before, after, widened(before, after))


@on_any_machine
@given(documents(), st.sampled_from(["s3:Fresh", "sts:GetCallerIdentity"]), st.data())
def test_an_allow_without_condition_is_noticed_when_it_adds_anything(
    document: Written, action: str, data: st.DataObject
) -> None:
    before = parse(document)
    resource = data.draw(st.sampled_from(["arn:aws:s3:::fresh/x", "*"]))
    allow: Written = {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource}
    after = parse({**document, "Statement": [*document["Statement"], allow]})
    sure = Request(action, "arn:aws:s3:::fresh/x", Caller("Identity", ROLE, "111122223333"))
    assume(decide(before, sure).verdict is Verdict.DENIED)
    assume(decide(after, sure).verdict is Verdict.ALLOWED)
    assert_shown(before, after, widened(before, after))


PRESETS: dict[str, PolicyDocument] = {
    "FullAccess": imagebuilder_policy("FullAccess", REGION),
    "DenyDeletion": imagebuilder_policy("DenyDeletion", REGION),
    "DenyDestruction": imagebuilder_policy("DenyDestruction", REGION),
    "Organization": imagebuilder_policy("Organization", REGION, organization=ORGANIZATION),
    "Marketplace": imagebuilder_policy("Organization", REGION, organization=ORGANIZATION, marketplace=True),
    "Services": imagebuilder_policy("Organization", REGION, organization=ORGANIZATION, aws_services=True),
    "Another": imagebuilder_policy("Organization", REGION, organization=Organization("o-principal02", "o-resource001")),
}


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("DenyDestruction", "DenyDeletion"),
        ("DenyDeletion", "FullAccess"),
        ("DenyDestruction", "FullAccess"),
        ("Organization", "FullAccess"),
        ("Organization", "Marketplace"),
        ("Organization", "Services"),
    ],
)
def test_from_preset_to_preset(narrow: str, wide: str) -> None:
    assert_shown(PRESETS[narrow], PRESETS[wide], widened(PRESETS[narrow], PRESETS[wide]))
    assert widened(PRESETS[wide], PRESETS[narrow]) is None


def test_another_organization_is_let_in_both_ways() -> None:
    for before, after in (("Organization", "Another"), ("Another", "Organization")):
        assert_shown(PRESETS[before], PRESETS[after], widened(PRESETS[before], PRESETS[after]))


@pytest.mark.parametrize(
    "use",
    [
        S3Use(patching=True),
        S3Use(ecr_layers=True),
        S3Use(all_managed_resources=True),
        S3Use(log_buckets=("logs",)),
        S3Use(artifact_buckets=("tools",)),
        S3Use(environment="beta"),
    ],
    ids=str,
)
def test_each_use_of_s3_widens(use: S3Use) -> None:
    before, after = s3_policy("ImageBuilderOnly", REGION), s3_policy("ImageBuilderOnly", REGION, use)
    needs = [need.request for need in s3_needs(REGION, use)]
    assert_shown(before, after, widened(before, after))
    assert_shown(before, after, widened(before, after, needs))
    if use.environment == "prod":
        assert widened(after, before, needs) is None


def test_a_given_request_is_shown_first_with_no_more_keys_than_it_needs() -> None:
    given_requests = [need.request for need in s3_needs(REGION, S3Use(log_buckets=("logs",)), Callers("111122223333"))]
    before = s3_policy("ImageBuilderOnly", REGION)
    after = s3_policy("ImageBuilderOnly", REGION, S3Use(log_buckets=("logs",)))
    assert widened(before, after, given_requests) == replace(given_requests[-1], context={})


def test_what_is_not_known_of_a_given_request_is_filled_in_until_it_shows() -> None:
    allow: dict[str, Any] = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    before = parse({"Statement": {**allow, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a"}}}})
    after = parse({"Statement": {**allow, "Condition": {"StringEquals": {"aws:PrincipalOrgID": ["o-a", "o-b"]}}}})
    request = Request(
        "s3:GetObject", "arn:aws:s3:::a/b", Caller("Identity", ROLE), unknown=frozenset({"aws:principalorgid"})
    )
    shown = widened(before, after, [request])
    assert shown is not None
    assert (shown.action, shown.resource, shown.caller) == (request.action, request.resource, request.caller)
    assert shown.context["aws:principalorgid"] == ("o-b",)
    assert widened(after, before, [request]) is None


def test_an_anonymous_witness_has_no_keys_of_a_principal() -> None:
    before, after = parse(POLICY), parse(edited(at(READ, "Principal", "*"), one_more(Action="sts:*")))
    anonymous = [request for request in witnesses(before, after) if request.caller == ANONYMOUS]
    assert anonymous
    assert not any("aws:principalorgid" in request.context for request in anonymous)


@pytest.mark.parametrize(("count", "named"), [(1, 300), (80, 3)], ids=["one long statement", "many statements"])
def test_witnesses_are_bounded_and_each_is_made_once(count: int, named: int) -> None:
    allow: Written = {"Effect": "Allow", "Principal": "*"}
    names = [f"s3:Action{number}" for number in range(named)]
    folders = [[f"arn:aws:s3:::bucket-{number}/{folder}/*" for number in range(named)] for folder in range(count)]
    before = parse({"Statement": [{**allow, "Action": name, "Resource": "*"} for name in names[:40]]})
    after = parse({"Statement": [{**allow, "Action": names, "Resource": arns} for arns in folders]})
    made = list(witnesses(before, after))
    assert 100 < len(made) <= min(LIMIT, WORK // count)
    assert len({(request.action, request.resource, request.caller) for request in made}) == len(made)


def test_a_request_is_told_in_one_line() -> None:
    assert in_words(Request("s3:PutObject", "arn:aws:s3:::a/b", ANONYMOUS)) == (
        "s3:PutObject on arn:aws:s3:::a/b, called anonymously"
    )
    caller = Caller("Identity", ROLE)
    assert in_words(Request("s3:GetObject", "*", caller, {"aws:sourcevpc": ("vpc-1",), "aws:tagkeys": ("a", "b")})) == (
        f"s3:GetObject on *, called by {ROLE} with aws:sourcevpc vpc-1, aws:tagkeys a and b"
    )
    assert in_words(Request("a:B", "*", Caller("Service", "x.amazonaws.com"))) == (
        "a:B on *, called by the service x.amazonaws.com"
    )


def test_a_request_is_told_in_one_short_line_however_much_it_carries() -> None:
    carried = {f"aws:tag{number}": ("a", "b\nc") for number in range(50)}
    told = in_words(Request("s3:PutObject", "arn:aws:s3:::a/b", ANONYMOUS, carried))
    assert len(told) == 300
    assert told.endswith("…")
    assert "\n" not in told


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        pytest.param({}, {}, set(), id="what neither speaks of"),
        pytest.param(
            {"StringEquals": {"aws:SourceVpc": "vpc-1"}}, {"StringEquals": {"aws:PrincipalOrgID": "o-a"}},
            {"aws:principalorgid"}, id="what the new one asks for",
        ),
        pytest.param(
            {"Null": {"aws:userid": "true"}}, {}, {"aws:userid"}, id="what the old one did not let through",
        ),
    ],
)  # fmt: skip
def test_a_request_that_is_shown_carries_just_what_tells_the_policies_apart(
    before: Written, after: Written, named: set[str]
) -> None:
    allow: Written = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
    one = parse({"Statement": {**allow, "Action": allow["Action"] if before else "s3:PutObject", "Condition": before}})
    two = parse({"Statement": {**allow, "Condition": after}})
    asked = (probes("s3", REGION, Callers("111122223333", "o-a", "o-a", "vpc-2")), ())
    for requests in asked:
        shown = widened(one, two, requests)
        assert_shown(one, two, shown)
        assert shown is not None
        assert shown.context.keys() == named


def verdicts(document: PolicyDocument, role: EndpointRole) -> set[Verdict]:
    known = Callers("111122223333", "o-principal01", "o-resource001")
    return {decide(document, request).verdict for request in probes(role, REGION, known)}


def test_every_call_that_deletes_is_a_probe() -> None:
    client = boto3.client("imagebuilder", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")  # noqa: S106 -- no secret: nothing is called
    deleting = {name for name in client.meta.service_model.operation_names if name.startswith("Delete")}
    deleting |= {"StartResourceStateUpdate", "CreateLifecyclePolicy", "UpdateLifecyclePolicy"}
    assert {f"imagebuilder:{name}" for name in deleting} <= {r.action for r in probes("imagebuilder", REGION)}


def test_full_access_lets_every_probe_through() -> None:
    assert verdicts(PRESETS["FullAccess"], "imagebuilder") == {Verdict.ALLOWED}
    assert verdicts(s3_policy("FullAccess", REGION), "s3") == {Verdict.ALLOWED}


def test_image_builder_only_denies_every_probe() -> None:
    every_toggle = S3Use(patching=True, distributor=True, ecr_layers=True, log_buckets=("logs",))
    assert verdicts(s3_policy("ImageBuilderOnly", REGION, every_toggle), "s3") == {Verdict.DENIED}


@pytest.mark.parametrize(
    ("preset", "action"), [("DenyDeletion", "Delete(Image|Component)"), ("DenyDestruction", "Del")]
)
def test_a_preset_against_deletion_denies_just_its_probes(preset: str, action: str) -> None:
    for request in probes("imagebuilder", REGION):
        name = request.action.partition(":")[2]
        by_lifecycle = preset == "DenyDestruction" and re.match("StartResourceState|(Create|Update)Lifecycle", name)
        named = re.fullmatch(action, name) if preset == "DenyDeletion" else re.match(action, name)
        expected = Verdict.DENIED if named or by_lifecycle else Verdict.ALLOWED
        assert decide(PRESETS[preset], request).verdict is expected, request


def test_the_organization_preset_keeps_strangers_and_services_out() -> None:
    known = Callers("111122223333", "o-principal01", "o-resource001")
    for request in probes("imagebuilder", REGION, known):
        strange = request.caller.kind != "Identity" or request.caller.account != known.account
        strange = strange or f":{known.account}:" not in request.resource
        expected = Verdict.DENIED if strange else Verdict.ALLOWED
        assert decide(PRESETS["Organization"], request).verdict is expected, request


@pytest.mark.parametrize(
    ("role", "before", "after", "action"),
    [
        ("imagebuilder", PRESETS["DenyDeletion"], PRESETS["FullAccess"], "imagebuilder:DeleteImage"),
        ("imagebuilder", PRESETS["Organization"], PRESETS["FullAccess"], "imagebuilder:GetImage"),
        ("s3", s3_policy("ImageBuilderOnly", REGION), s3_policy("FullAccess", REGION), "s3:PutObject"),
    ],
)
def test_a_probe_tells_what_a_wider_policy_opens(
    role: EndpointRole, before: PolicyDocument, after: PolicyDocument, action: str
) -> None:
    known = Callers("111122223333", "o-principal01", "o-resource001")
    shown = widened(before, after, probes(role, REGION, known))
    assert_shown(before, after, shown)
    assert shown is not None
    assert shown.action == action


GRID = tuple(
    Request(action, resource, caller, {key: value for key, value in context.items() if value})
    for action in ("s3:GetObject", "s3:GetX", "s3:Fresh", "imagebuilder:X", "ec2:X", "sts:Q", "s3:0etObject")
    for resource in ("*", "arn:aws:s3:::a/x", "arn:aws:s3:::B/x", "arn:aws:s3:::a/u/x", "arn:aws:s3:::fresh/q")
    for caller in (
        ANONYMOUS,
        Caller("Identity", "arn:aws:iam::123456789012:role/build", "123456789012"),
        Caller("Identity", "arn:aws:iam::123456789012:root", "123456789012"),
        Caller("Service", "ec2.amazonaws.com"),
    )
    for context in (
        {
            "aws:principalorgid": organization,
            "aws:resourceorgid": organization,
            "aws:sourcevpc": vpc,
            "aws:username": user,
        }
        for organization, vpc, user in (
            *(((), (), ()), (("o-a",), ("o-a",), ()), (("o-A",), (), ("u",)), ((), ("5",), ("u",))),
            *((("x",), ("true",), ()), (("10.0.0.1",), ("a",), ("u",)), (("18",), ("18",), ())),
        )
    )
)


def test_a_statement_that_took_nobody_does_not_hide_what_it_takes_now() -> None:
    anything: Written = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    but_one = {
        **{key: value for key, value in anything.items() if key != "Resource"},
        "NotResource": "arn:aws:s3:::a/*",
    }
    nobody = {**{key: value for key, value in anything.items() if key != "Principal"}, "NotPrincipal": "*"}
    root = {**anything, "Principal": {"AWS": "123456789012"}}
    before, after = (parse({"Statement": [root, but_one, {**each, "Sid": "B"}]}) for each in (nobody, anything))
    assert_shown(before, after, widened(before, after))


# The witnesses are samples, so that not every pair of policies is told apart: the same pairs are tried every time.
@settings(on_any_machine, derandomize=True)
@given(documents(), st.data())
def test_what_a_search_finds_to_be_opened_by_one_change_is_noticed(document: Written, data: st.DataObject) -> None:
    one, two = parse(document), parse(data.draw(changed(document)))
    decided = [(decide(one, request).verdict, decide(two, request).verdict) for request in GRID]
    if (Verdict.DENIED, Verdict.ALLOWED) in decided:
        assert_shown(one, two, widened(one, two))
    if (Verdict.ALLOWED, Verdict.DENIED) in decided:
        assert_shown(two, one, widened(two, one))
