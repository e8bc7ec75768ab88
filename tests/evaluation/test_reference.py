"""The reference evaluator against what the documentation itself says of its examples."""

from typing import Any

import pytest

from tests.evaluation.reference import Call, Reference
from tests.evaluation.vocabulary import ACCOUNT, ROLE, ROOT

ANYTHING: dict[str, Any] = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
TAGS = ["PostDateTime", "Message", "Tags"]


def may(policy: dict[str, Any], call: Call) -> list[str | None]:
    return sorted((ruling.effect for ruling in Reference(policy).rulings(call)), key=str)


def under(changes: dict[str, Any], call: Call, version: str = "2012-10-17") -> list[str | None]:
    return may({"Version": version, "Statement": {**ANYTHING, **changes}}, call)


def get(resource: str = "arn:aws:s3:::b/k", **context: tuple[str, ...]) -> Call:
    return Call("s3:GetObject", resource, context={f"aws:{key}": values for key, values in context.items()})


def test_an_explicit_deny_wins_over_an_allow_wherever_it_stands() -> None:
    deny = {**ANYTHING, "Effect": "Deny", "Action": "s3:getobject"}
    assert may({"Statement": [deny, ANYTHING]}, get()) == may({"Statement": [ANYTHING, deny]}, get()) == ["Deny"]


def test_what_no_statement_allows_is_denied() -> None:
    assert under({"Action": "s3:PutObject"}, get()) == [None]


@pytest.mark.parametrize(
    ("pattern", "resource", "effect"),
    [
        ("arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1/2/test/object.jpg", "Allow"),
        ("arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b//test/object.jpg", "Allow"),
        ("arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1-test/object.jpg", None),
        ("arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/test/object.jpg", None),
        ("arn:aws:s3:::B/*", "arn:aws:s3:::b/k", None),
        ("arn:aws:s3:::b/?", "arn:aws:s3:::b/k", "Allow"),
        ("arn:aws:s3:::b/?", "arn:aws:s3:::b/", None),
        ("arn:aws:sqs:us-*-2:1:q", "arn:aws:sqs:us-east-2:1:q", "Allow"),
        ("arn:aws:sqs:us-*-2:q", "arn:aws:sqs:us-east-2:x-2:q", None),
        ("arn:aws:sqs:us-*:q", "arn:aws:sqs:us-east-2:1:q", "Allow"),
        ("arn:aws:sqs:us?east-2:1:q", "arn:aws:sqs:us:east-2:1:q", None),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/a:b", "Allow"),
        ("*", "*", "Allow"),
        ("arn:aws:s3:::*", "*", None),
    ],
)
def test_wildcards_in_resources_stay_in_their_segment_but_for_a_star_at_its_end(
    pattern: str, resource: str, effect: str | None
) -> None:
    assert under({"Resource": pattern}, get(resource)) == [effect]


@pytest.mark.parametrize(
    ("operator", "effect"), [("StringLike", "Allow"), ("ArnLike", None), ("ArnEquals", None), ("ArnNotLike", "Allow")]
)
def test_arn_operators_compare_component_by_component_where_string_operators_do_not(
    operator: str, effect: str | None
) -> None:
    wanted = {operator: {"aws:SourceArn": "arn:aws:someservice:*:111122223333:finance/*"}}
    call = get(SourceArn=("arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt",))
    assert under({"Condition": wanted}, call) == [effect]


@pytest.mark.parametrize(
    ("operator", "in_the_call", "effect"),
    [
        ("ForAllValues:StringLike", ("PostDateTime", "Message"), "Allow"),
        ("ForAllValues:StringLike", ("PostDateTime", "UserName"), None),
        ("ForAllValues:StringLike", (), "Allow"),
        ("ForAllValues:StringNotEquals", ("PostDateTime", "UserName"), None),
        ("ForAllValues:StringNotEquals", ("ID", "UserName"), "Allow"),
        ("ForAnyValue:StringLike", ("UserName", "Message", "PostDateTime"), "Allow"),
        ("ForAnyValue:StringLike", ("UserName",), None),
        ("ForAnyValue:StringLike", (), None),
        ("ForAnyValue:StringNotEquals", ("Message", "UserName"), "Allow"),
        ("ForAnyValue:StringNotEquals", ("Message", "Tags"), None),
        ("ForAnyValue:StringNotEquals", (), None),
    ],
)
def test_qualifiers_take_the_values_of_the_call_as_a_set(
    operator: str, in_the_call: tuple[str, ...], effect: str | None
) -> None:
    call = get(TagKeys=in_the_call)
    assert under({"Condition": {operator: {"aws:TagKeys": TAGS}}}, call) == [effect]


@pytest.mark.parametrize(
    ("operator", "without_it", "with_another"),
    [
        ("StringEquals", None, None),
        ("StringEqualsIfExists", "Allow", None),
        ("StringNotEquals", "Allow", "Allow"),
        ("StringNotEqualsIfExists", "Allow", "Allow"),
        ("StringLike", None, None),
        ("StringNotLike", "Allow", "Allow"),
        ("ForAllValues:StringEquals", "Allow", None),
        ("ForAllValues:StringNotEquals", "Allow", "Allow"),
    ],
)
def test_an_absent_key_meets_negated_and_optional_conditions_alone(
    operator: str, without_it: str | None, with_another: str | None
) -> None:
    wanted = {"Condition": {operator: {"aws:PrincipalOrgID": ["o-a", "o-b"]}}}
    assert under(wanted, get()) == [without_it]
    assert under(wanted, get(PrincipalOrgID=("o-c",))) == [with_another]
    assert under(wanted, get(PrincipalOrgID=("o-b",))) != under(wanted, get(PrincipalOrgID=("o-c",)))


@pytest.mark.parametrize(
    ("operator", "wanted", "given", "effect"),
    [
        ("StringEquals", "a*", "ab", None),
        ("StringEqualsIgnoreCase", "AB", "ab", "Allow"),
        ("NumericEquals", 5, "5.0", "Allow"),
        ("NumericLessThan", "10", "9", "Allow"),
        ("NumericLessThanEquals", "10", "11", None),
        ("NumericGreaterThanEquals", "10", "10", "Allow"),
        ("DateEquals", "2026-01-01", "2026-01-01T00:00:00Z", "Allow"),
        ("DateGreaterThan", "1767225600", "2026-01-01T00:00:01Z", "Allow"),
        ("DateLessThan", "2026-01-01T00:00:00Z", "2026-01-01T00:30:00+01:00", "Allow"),
        ("Bool", True, "true", "Allow"),
        ("Bool", "false", "true", None),
        ("IpAddress", "203.0.113.0/24", "203.0.113.255", "Allow"),
        ("IpAddress", "203.0.113.7", "203.0.113.8", None),
        ("IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5678::1", "Allow"),
        ("NotIpAddress", "203.0.113.0/24", "203.0.114.1", "Allow"),
        ("Null", "true", "x", None),
        ("Null", False, "x", "Allow"),
    ],
)
def test_each_operator_compares_by_its_type(operator: str, wanted: object, given: str, effect: str | None) -> None:
    condition = {operator: {"AWS:key": wanted}}
    assert under({"Condition": condition}, get(Key=(given,))) == [effect]


@pytest.mark.parametrize(
    ("resource", "version", "expected"),
    [
        ("arn:aws:s3:::b/${aws:username}/*", "2012-10-17", ["Allow"]),
        ("arn:aws:s3:::b/${AWS:UserName}/*", "2012-10-17", ["Allow"]),
        ("arn:aws:s3:::b/${aws:username}/*", "2008-10-17", [None]),
        ("arn:aws:s3:::b/${aws:userid, 'ada'}/*", "2012-10-17", ["Allow"]),
        ("arn:aws:s3:::b/${aws:userid}/*", "2012-10-17", [None]),
        ("arn:aws:s3:::b/${*}da/*", "2012-10-17", [None]),
    ],
)
def test_variables_are_filled_in_from_the_call_in_the_newer_version(
    resource: str, version: str, expected: list[str | None]
) -> None:
    assert under({"Resource": resource}, get("arn:aws:s3:::b/ada/k", username=("ada",)), version) == expected


def test_a_colon_in_the_resource_part_leaves_more_than_one_reading() -> None:
    assert under({"Resource": "arn:aws:s3:::b/*/k"}, get("arn:aws:s3:::b/a:b/k")) == ["Allow", None]


def test_a_variable_that_cannot_be_resolved_leaves_more_than_one_reading() -> None:
    resources = {"Resource": ["arn:aws:s3:::b/${aws:userid}/*", "arn:aws:s3:::b/ada/*"]}
    assert under(resources, get("arn:aws:s3:::b/ada/k")) == ["Allow", None]


@pytest.mark.parametrize(
    ("principal", "kind", "name", "effect"),
    [
        ("*", "Anonymous", "", "Allow"),
        ({"AWS": "*"}, "Anonymous", "", "Allow"),
        ({"AWS": ROLE}, "Identity", ROLE, "Allow"),
        ({"AWS": ROLE}, "Identity", ROLE.replace("build", "Build"), None),
        ({"AWS": ROLE}, "Anonymous", "", None),
        ({"AWS": ACCOUNT}, "Identity", ROLE, None),
        ({"AWS": ACCOUNT}, "Identity", ROOT, "Allow"),
        ({"AWS": ROOT}, "Identity", ROOT, "Allow"),
        ({"Service": "ec2.amazonaws.com"}, "Service", "ec2.amazonaws.com", "Allow"),
        ({"Service": "ec2.amazonaws.com"}, "Identity", ROLE, None),
        ({"AWS": ["x", ROLE], "Service": "ec2.amazonaws.com"}, "Identity", ROLE, "Allow"),
    ],
)
def test_a_principal_is_everybody_or_just_who_is_named(
    principal: object, kind: Any, name: str, effect: str | None
) -> None:
    call = Call("s3:GetObject", "arn:aws:s3:::b/k", kind, name, ACCOUNT if kind == "Identity" else "")
    assert under({"Principal": principal}, call) == [effect]


def test_the_elements_that_exclude_fit_all_but_what_they_name() -> None:
    statement = {"Effect": "Allow", "NotPrincipal": {"AWS": ROLE}, "NotAction": "s3:Get*", "NotResource": "*:b/*"}
    policy = {"Statement": statement}
    assert may(policy, Call("s3:PutObject", "arn:aws:s3:::c/k")) == ["Allow"]
    assert may(policy, Call("s3:GetObject", "arn:aws:s3:::c/k")) == [None]
    assert may(policy, Call("s3:PutObject", "arn:aws:s3:::b/k")) == [None]
    assert may(policy, Call("s3:PutObject", "arn:aws:s3:::c/k", "Identity", ROLE, ACCOUNT)) == [None]
