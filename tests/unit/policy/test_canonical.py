"""One test a rule of equality; the rules are those of the IAM user guide that AWS's read-backs need."""

import json
from collections.abc import Mapping

import pytest

from ibpe.policy.canonical import canonical, digest, equivalent, same_policy
from ibpe.policy.document import render
from ibpe.policy.parse import parse

Plain = Mapping[str, object]

STATEMENT: Plain = {
    "Sid": "Reads",
    "Effect": "Allow",
    "Principal": "*",
    "Action": ["s3:GetObject", "s3:ListBucket"],
    "Resource": ["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"],
    "Condition": {"StringEquals": {"aws:PrincipalOrgID": ["o-a", "o-b"]}},
}


def policy(*statements: Plain, version: str | None = "2012-10-17") -> dict[str, object]:
    return {**({} if version is None else {"Version": version}), "Statement": list(statements)}


def with_(**elements: object) -> dict[str, object]:
    return policy({**STATEMENT, **elements})


def condition(operator: str, key: str, value: object) -> dict[str, object]:
    return with_(Condition={operator: {key: value}})


ALIKE: list[tuple[str, Plain, Plain]] = [
    ("one value or a list of one: action", with_(Action="s3:*"), with_(Action=["s3:*"])),
    ("one value or a list of one: resource", with_(Resource="*"), with_(Resource=["*"])),
    ("one value or a list of one: condition", condition("Bool", "k", "true"), condition("Bool", "k", ["true"])),
    ("one value or a list of one: principal", with_(Principal={"AWS": "1"}), with_(Principal={"AWS": ["1"]})),
    ("arrays have no order", with_(Action=["s3:a", "s3:b"]), with_(Action=["s3:b", "s3:a"])),
    ("a value twice is one", with_(Resource=["arn:a", "arn:a"]), with_(Resource="arn:a")),
    (
        "condition values have no order",
        condition("Bool", "k", ["true", "false"]),
        condition("Bool", "k", [False, True]),
    ),
    ("one statement or a list of one", {"Statement": STATEMENT}, {"Statement": [STATEMENT]}),
    (
        "statements have no order",
        policy(STATEMENT, {**STATEMENT, "Sid": "B"}),
        policy({**STATEMENT, "Sid": "B"}, STATEMENT),
    ),
    (
        "a statement twice is one",
        policy({**STATEMENT, "Sid": ""}, {**STATEMENT, "Sid": ""}),
        policy({**STATEMENT, "Sid": ""}),
    ),
    ("anyone is any AWS principal", with_(Principal="*"), with_(Principal={"AWS": "*"})),
    ("anyone in a list", with_(Principal="*"), with_(Principal={"AWS": ["*"]})),
    (
        "an account's ID is its root",
        with_(Principal={"AWS": "123456789012"}),
        with_(Principal={"AWS": "arn:aws:iam::123456789012:root"}),
    ),
    (
        "an account's root in China",
        with_(Principal={"AWS": ["123456789012"]}),
        with_(Principal={"AWS": "arn:aws-cn:iam::123456789012:root"}),
    ),
    ("actions don't regard letter case", with_(Action="S3:getobject"), with_(Action="s3:GetObject")),
    (
        "nor do excluded ones",
        policy({"Effect": "Deny", "Principal": "*", "NotAction": "S3:X", "Resource": "*"}),
        policy({"Effect": "Deny", "Principal": "*", "NotAction": ["s3:x"], "Resource": "*"}),
    ),
    (
        "condition keys don't regard letter case",
        condition("Bool", "AWS:securetransport", "true"),
        condition("Bool", "aws:SecureTransport", "true"),
    ),
    ("operators don't regard letter case", condition("stringequals", "k", "v"), condition("StringEquals", "k", "v")),
    (
        "true is its word",
        condition("Bool", "aws:SecureTransport", value=True),
        condition("Bool", "aws:SecureTransport", "true"),
    ),
    ("a bool in any letter case", condition("BoolIfExists", "k", "False"), condition("BoolIfExists", "k", value=False)),
    ("null tests are bools", condition("Null", "k", "True"), condition("Null", "k", value=True)),
    ("a number is its digits", condition("NumericEquals", "k", 10), condition("NumericEquals", "k", "10")),
    ("a number in a text comparison too", condition("StringEquals", "k", 10), condition("StringEquals", "k", "10")),
    ("numbers by value", condition("NumericLessThan", "k", "10.50"), condition("NumericLessThan", "k", "010.5")),
    ("numbers by value: exponents", condition("NumericEquals", "k", "1e2"), condition("NumericEquals", "k", 100)),
    ("zero has one value", condition("NumericEquals", "k", "-0.0"), condition("NumericEquals", "k", 0)),
    ("ignoring case", condition("StringEqualsIgnoreCase", "k", "Ab"), condition("StringEqualsIgnoreCase", "k", "aB")),
    (
        "ignoring case, each of many",
        condition("ForAnyValue:StringNotEqualsIgnoreCaseIfExists", "k", "Ab"),
        condition("ForAnyValue:StringNotEqualsIgnoreCaseIfExists", "k", "aB"),
    ),
    (
        "an instant in any zone",
        condition("DateLessThan", "aws:CurrentTime", "2026-01-01T00:00:00Z"),
        condition("DateLessThan", "aws:CurrentTime", "2026-01-01T02:00:00+02:00"),
    ),
    ("a host is a range of one", condition("IpAddress", "k", "10.0.0.1"), condition("IpAddress", "k", "10.0.0.1/32")),
    (
        "IPv6 however it is written",
        condition("NotIpAddress", "k", "2001:DB8:0::/32"),
        condition("NotIpAddress", "k", "2001:db8::/32"),
    ),
    ("an empty Sid is none", with_(Sid=""), policy({k: v for k, v in STATEMENT.items() if k != "Sid"})),
    ("an empty Id is none", {"Id": "", "Statement": STATEMENT}, {"Statement": STATEMENT}),
    ("no Version is the first one", policy(STATEMENT, version=None), policy(STATEMENT, version="2008-10-17")),
    ("the Version alone changes nothing", policy(STATEMENT, version="2008-10-17"), policy(STATEMENT)),
    (
        "an empty condition is none",
        with_(Condition={}),
        policy({k: v for k, v in STATEMENT.items() if k != "Condition"}),
    ),
    (
        "no Version is the first one where variables are plain text",
        policy({**STATEMENT, "Resource": "arn:aws:s3:::a/${aws:username}"}, version=None),
        policy({**STATEMENT, "Resource": "arn:aws:s3:::a/${aws:username}"}, version="2008-10-17"),
    ),
]

UNLIKE: list[tuple[str, Plain, Plain]] = [
    ("resources regard letter case", with_(Resource="arn:aws:s3:::A/*"), with_(Resource="arn:aws:s3:::a/*")),
    ("condition values regard letter case", condition("StringEquals", "k", "a"), condition("StringEquals", "k", "A")),
    ("also in ARN comparisons", condition("ArnLike", "k", "arn:a"), condition("ArnLike", "k", "arn:A")),
    ("principals regard letter case", with_(Principal={"AWS": "AIDAa"}), with_(Principal={"AWS": "AIDAA"})),
    (
        "a number is no number in a text comparison",
        condition("StringEquals", "k", "10"),
        condition("StringEquals", "k", "10.0"),
    ),
    (
        "numbers beyond 28 digits",
        condition("NumericEquals", "k", "1" * 30),
        condition("NumericEquals", "k", "1" * 29 + "2"),
    ),
    ("numbers by size", condition("NumericEquals", "k", "10"), condition("NumericEquals", "k", "100")),
    ("numbers by sign", condition("NumericEquals", "k", "10"), condition("NumericEquals", "k", "-10")),
    (
        "instants a second apart",
        condition("DateEquals", "k", "2026-01-01T00:00:00Z"),
        condition("DateEquals", "k", "2026-01-01T00:00:01Z"),
    ),
    ("ranges by length", condition("IpAddress", "k", "10.0.0.0/8"), condition("IpAddress", "k", "10.0.0.0/9")),
    (
        "IPv4 and IPv6 with the same bits",
        condition("IpAddress", "k", "0.0.0.1"),
        condition("IpAddress", "k", "::1/128"),
    ),
    (
        "a role is not its account",
        with_(Principal={"AWS": "123456789012"}),
        with_(Principal={"AWS": "arn:aws:iam::123456789012:role/root"}),
    ),
    (
        "a service is not an account",
        with_(Principal={"AWS": "123456789012"}),
        with_(Principal={"Service": "123456789012"}),
    ),
    ("anyone is not any service", with_(Principal="*"), with_(Principal={"Service": "*"})),
    ("IfExists", condition("StringEquals", "k", "v"), condition("StringEqualsIfExists", "k", "v")),
    ("each or any", condition("ForAllValues:StringLike", "k", "v"), condition("ForAnyValue:StringLike", "k", "v")),
    (
        "two keys are no two values",
        condition("StringEquals", "k", ["a", "b"]),
        with_(Condition={"StringEquals": {"k": "a"}, "stringequals": {"k": "b"}}),
    ),
    ("another Sid", with_(Sid="A"), with_(Sid="B")),
    ("another Id", {"Id": "a", "Statement": STATEMENT}, {"Id": "b", "Statement": STATEMENT}),
    (
        "the Version where variables are used in a resource",
        policy({**STATEMENT, "Resource": "arn:aws:s3:::a/${aws:username}"}),
        policy({**STATEMENT, "Resource": "arn:aws:s3:::a/${aws:username}"}, version=None),
    ),
    (
        "the Version where variables are used in a condition",
        policy({**STATEMENT, "Condition": {"StringLike": {"k": "${aws:username}"}}}),
        policy({**STATEMENT, "Condition": {"StringLike": {"k": "${aws:username}"}}}, version="2008-10-17"),
    ),
    ("NotAction", with_(), policy({"NotAction" if k == "Action" else k: v for k, v in STATEMENT.items()})),
    ("NotPrincipal", with_(), policy({"NotPrincipal" if k == "Principal" else k: v for k, v in STATEMENT.items()})),
    ("NotResource", with_(), policy({"NotResource" if k == "Resource" else k: v for k, v in STATEMENT.items()})),
]


@pytest.mark.parametrize(("one", "other"), [pytest.param(a, b, id=rule) for rule, a, b in ALIKE])
def test_ways_to_write_the_same_are_equivalent(one: Plain, other: Plain) -> None:
    assert equivalent(parse(one), parse(other))
    assert digest(parse(one)) == digest(parse(other))
    assert same_policy(parse(one), json.dumps(other, indent=4))


@pytest.mark.parametrize(("one", "other"), [pytest.param(a, b, id=rule) for rule, a, b in UNLIKE])
def test_what_aws_tells_apart_is_not_equivalent(one: Plain, other: Plain) -> None:
    assert not equivalent(parse(one), parse(other))
    assert digest(parse(one)) != digest(parse(other))
    assert not same_policy(parse(one), json.dumps(other))


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("NumericEquals", "ten"),
        ("NumericEquals", "1_0"),
        ("NumericEquals", "Infinity"),
        ("NumericEquals", "1e999999999"),
        ("DateEquals", "2026-02-31T00:00:00Z"),
        ("DateEquals", "0001-01-01T00:00:00+23:00"),
        ("DateEquals", "1767225600"),
        ("IpAddress", "10.0.0.0/255.0.0.0"),
        ("IpAddress", "10.0.0.1/8"),
        ("IpAddress", "vpc"),
        ("Numericequals", ""),
    ],
)
def test_a_value_that_its_operator_cannot_read_is_compared_as_text(operator: str, value: str) -> None:
    (statement,) = canonical(parse(condition(operator, "k", value))).statements
    assert statement.conditions[0].values == (value,)


def test_the_canonical_form_can_be_a_key() -> None:
    assert len({canonical(parse(with_())), canonical(parse(with_(Principal={"AWS": "*"})))}) == 1


@pytest.mark.parametrize("text", ["", "null", "{", '{"Statement": []}', '{"Statement": [{"Effect": "Allow"}]}'])
def test_what_is_no_policy_is_never_the_desired_one(text: str) -> None:
    assert not same_policy(parse(with_()), text)


def test_the_very_text_that_was_sent_is_the_same_policy() -> None:
    assert same_policy(parse(with_()), render(parse(with_())))


DEFAULT_OF_INTERFACES = """{
  "Statement": [
    {
      "Action": "*",
      "Effect": "Allow",
      "Principal": "*",
      "Resource": "*"
    }
  ]
}"""
DEFAULT_OF_GATEWAYS = (
    '{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}'
)
OLD_DEFAULT = (
    '{"Version":"2008-10-17","Statement":[{"Sid":"","Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}'
)


@pytest.mark.parametrize("one", [DEFAULT_OF_INTERFACES, DEFAULT_OF_GATEWAYS, OLD_DEFAULT])
@pytest.mark.parametrize("other", [DEFAULT_OF_INTERFACES, DEFAULT_OF_GATEWAYS, OLD_DEFAULT])
def test_the_defaults_that_aws_shows_all_say_the_same(one: str, other: str) -> None:
    assert same_policy(parse(one), other)


@pytest.mark.parametrize(
    ("source", "pinned"),
    [
        pytest.param(DEFAULT_OF_INTERFACES, "6d98c09f0c87fdf5", id="the default"),
        pytest.param(with_(), "a8e0952074145ca9", id="conditions, lists"),
        pytest.param(
            policy(
                {
                    "Effect": "Deny",
                    "NotPrincipal": {"AWS": "arn:aws:iam::123456789012:root", "Service": "ec2.amazonaws.com"},
                    "NotAction": "S3:*",
                    "NotResource": "arn:aws:s3:::ü/${aws:username}",
                    "Condition": {
                        "NumericEquals": {"K": 1.50},
                        "DateEquals": {"K": "2026-01-01T00:00:00.5+01:00"},
                        "IpAddress": {"K": ["2001:db8::/32", "10.0.0.1"]},
                        "BoolIfExists": {"K": True},
                    },
                }
            ),
            "eafe932ebca49ee8",
            id="every reading of values",
        ),
    ],
)
def test_digests_are_stable_for_ever(source: str | Plain, pinned: str) -> None:
    assert digest(parse(source)) == pinned
