"""When a condition holds: every operator, its qualifiers, absent keys, several values, keys that aren't known."""

from typing import Any

import pytest

from ibpe.policy.access import ANONYMOUS, Caller, Request, Verdict, decide
from ibpe.policy.operators import OPERATORS
from ibpe.policy.parse import parse

ROLE = Caller("Identity", "arn:aws:iam::123456789012:role/build")
ARN = "arn:aws:iam::123456789012:role/build"


def holds(
    operator: str, wanted: object, *, carried: tuple[str, ...] = (), unknown: bool = False, caller: Caller = ROLE
) -> bool | None:
    """What becomes of an Allow under this condition on the key `k:Key`; the Deny must come to the opposite."""
    allow: dict[str, Any] = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    condition = {operator: {"K:key": wanted}}
    request = Request(
        "s3:GetObject",
        "arn:aws:s3:::b/o",
        caller,
        {"k:key": carried} if carried else {},
        frozenset({"k:key"}) if unknown else frozenset(),
    )
    outcome = {Verdict.ALLOWED: True, Verdict.DENIED: False, Verdict.DEPENDS: None}
    allowing = parse({"Statement": {**allow, "Condition": condition}})
    denying = parse({"Statement": [allow, {**allow, "Effect": "Deny", "Condition": condition}]})
    result = outcome[decide(allowing, request).verdict]
    opposite = outcome[decide(denying, request).verdict]
    assert opposite is (None if result is None else not result)
    return result


POSITIVE: list[tuple[str, str, tuple[str, ...], tuple[str, ...]]] = [
    ("StringEquals", "o-Abc", ("o-Abc",), ("o-abc", "o-Abcd", "x-o-Abc", "", "*", "o-Abc\n")),
    ("StringEquals", "o-*", ("o-*",), ("o-abc",)),
    ("StringEquals", "", ("",), ("a",)),
    ("StringEqualsIgnoreCase", "O-Abc", ("o-aBC", "O-Abc"), ("o-abd", "")),
    ("StringLike", "o-*c?", ("o-cd", "o-abccd"), ("o-c", "O-cd", "o-cde", "")),
    ("StringLike", "a*", ("a", "a:b\nc"), ("ba",)),
    ("StringLike", "arn:*:role/*", ("arn:x:y:role/z",), ("arn:role/z",)),
    ("ArnEquals", "arn:aws:iam::*:role/b*", (ARN, "arn:aws:iam::1:role/b:c"), (f"{ARN[:-5]}B", "arn:aws:iam::role/b")),
    (
        "ArnLike",
        "arn:aws:*:*:111122223333:finance/*",
        ("arn:aws:s:us-east-2:111122223333:finance/a:b",),
        (ARN, "", "x"),
    ),
    (
        "ArnLike",
        "arn:aws:someservice:*:111122223333:finance/*",
        ("arn:aws:someservice:us-east-2:111122223333:finance/document.txt",),
        ("arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt",),
    ),
    ("ArnLike", "arn:aws:iam::12345678901?:role/build", (ARN,), ("arn:aws:iam::12345678901:role/build",)),
    ("ArnLike", "*", (), (ARN, "*")),
    ("ArnLike", "arn:*", (), (ARN,)),
    ("Bool", "true", ("true", "TRUE"), ("false", "", "1", "yes")),
    ("Bool", "False", ("false",), ("true", "", "0")),
    ("Bool", "yes", (), ("yes", "true")),
    ("BinaryEquals", "QmluYXJ5", ("QmluYXJ5",), ("qmluYXJ5", "QmluYXJ", "", "é")),
    ("BinaryEquals", "no base64", (), ("no base64",)),
    ("IpAddress", "10.0.0.0/8", ("10.1.2.3", "10.0.0.0/16", "10.0.0.0/8"), ("11.0.0.1", "0.0.0.0/0", "::a", "ten")),
    ("IpAddress", "192.0.2.7", ("192.0.2.7", "192.0.2.7/32"), ("192.0.2.8",)),
    ("IpAddress", "10.9.9.9/8", ("10.1.2.3",), ("11.1.2.3",)),
    ("IpAddress", "2001:DB8:1234:5678::/64", ("2001:db8:1234:5678::1",), ("2001:db8:1234:5679::1", "10.0.0.1")),
    ("IpAddress", "::/0", ("::1",), ("10.0.0.1",)),
    ("IpAddress", "10.0.0.0/33", (), ("10.0.0.0", "10.0.0.0/33")),
    ("NumericEquals", "10", ("10", "10.0", "1e1", "+10"), ("11", "", "ten", "NaN", "1_0", " 10")),
    ("NumericEquals", "NaN", (), ("NaN",)),
    ("NumericEquals", "0.1", ("0.10",), ("0.1000000000000000055511151231257827",)),
    ("NumericLessThan", "10", ("9.99", "-1", "9"), ("10", "11", "Infinity", "-Infinity")),
    ("NumericLessThanEquals", "10", ("10", "9"), ("10.01",)),
    ("NumericGreaterThan", "10", ("10.01", "11"), ("10", "9", "")),
    ("NumericGreaterThanEquals", "10", ("10", "1e2"), ("9.99",)),
    (
        "DateEquals",
        "2020-01-01T00:00:00Z",
        ("2020-01-01T01:00:00+01:00", "1577836800", "2020-01-01", "2020"),
        ("2021",),
    ),
    ("DateLessThan", "2020-06-30T00:00:00Z", ("2020-06-29T23:59:59Z", "0"), ("2020-06-30T00:00:00Z", "2020-07")),
    ("DateLessThanEquals", "2020-06-30", ("2020-06-30T00:00:00Z",), ("2020-06-30T00:00:01Z", "soon")),
    ("DateGreaterThan", "2020-02-29T00:00:00Z", ("2020-03-01",), ("2020-02-29", "2020-02-31", "", "99999999999999")),
    ("DateGreaterThanEquals", "1577836800", ("2020-01-01T00:00:00Z",), ("2019-12-31T23:59:59.999Z",)),
    ("DateLessThan", "2020-01-01", ("0001-01-01",), ("0000-01-01", "0001-01-01T00:00:00+23:59", "-999999999999")),
    ("DateLessThan", "2020-02-31", (), ("2019-01-01",)),
]
NEGATED = {
    "StringEquals": ("StringNotEquals",),
    "StringEqualsIgnoreCase": ("StringNotEqualsIgnoreCase",),
    "StringLike": ("StringNotLike",),
    "ArnEquals": ("ArnNotEquals",),
    "ArnLike": ("ArnNotLike", "ArnNotEquals"),
    "IpAddress": ("NotIpAddress",),
    "NumericEquals": ("NumericNotEquals",),
    "DateEquals": ("DateNotEquals",),
}


@pytest.mark.parametrize(("operator", "wanted", "matching", "others"), POSITIVE)
def test_each_operator_reads_values_its_own_way(
    operator: str, wanted: str, matching: tuple[str, ...], others: tuple[str, ...]
) -> None:
    for written in (operator, operator.lower(), f"{operator}IfExists"):
        assert [holds(written, wanted, carried=(value,)) for value in matching] == [True] * len(matching)
        assert [holds(written, wanted, carried=(value,)) for value in others] == [False] * len(others)
    for negated in NEGATED.get(operator, ()):
        assert [holds(negated, wanted, carried=(value,)) for value in matching] == [False] * len(matching)
        assert [holds(negated, wanted, carried=(value,)) for value in others] == [True] * len(others)


def test_every_operator_is_tried() -> None:
    tried = {row[0] for row in POSITIVE} | {name for row in POSITIVE for name in NEGATED.get(row[0], ())} | {"Null"}
    assert tried == set(OPERATORS)


@pytest.mark.parametrize("operator", sorted(set(OPERATORS) - {"Null"}))
def test_an_absent_key(operator: str) -> None:
    negated = "Not" in operator
    assert holds(operator, "1") is negated
    assert holds(f"{operator}IfExists", "1") is True
    assert holds(f"ForAllValues:{operator}", "1") is True
    assert holds(f"ForAnyValue:{operator}", "1") is False
    assert holds(f"ForAnyValue:{operator}IfExists", "1") is True


@pytest.mark.parametrize("operator", ["StringNotEquals", "StringNotEqualsIfExists"])
def test_negated_operators_on_the_organization_match_who_does_not_sign(operator: str) -> None:
    assert holds(operator, "o-aaaaaaaaaa", caller=ANONYMOUS) is True


@pytest.mark.parametrize(
    ("wanted", "absent", "present"),
    [
        ("true", True, False),
        (True, True, False),
        ("FALSE", False, True),
        (["true", "false"], True, True),
        ("perhaps", False, False),
        ([], False, False),
    ],
)
def test_null_asks_whether_the_key_is_there(wanted: object, *, absent: bool, present: bool) -> None:
    assert holds("Null", wanted) is absent
    assert holds("Null", wanted, carried=("x",)) is present
    assert holds("Null", wanted, carried=("",)) is present


@pytest.mark.parametrize(
    ("operator", "wanted", "carried", "expected"),
    [
        pytest.param("StringEquals", ["a", "b"], ("b",), True, id="one of several"),
        pytest.param("StringEquals", ["a", "b"], ("c",), False, id="none of several"),
        pytest.param("StringNotEquals", ["a", "b"], ("b",), False, id="negated: none may match"),
        pytest.param("StringNotEquals", ["a", "b"], ("c",), True, id="negated: none does"),
        pytest.param("StringEquals", [], ("a",), False, id="no value to match"),
        pytest.param("StringNotEquals", [], ("a",), True, id="negated: no value to match"),
        pytest.param("ForAllValues:StringEquals", ["a", "b"], ("a", "b"), True, id="all of the request's"),
        pytest.param("ForAllValues:StringEquals", ["a", "b"], ("a", "c"), False, id="not all of them"),
        pytest.param("ForAllValues:StringNotEquals", ["a", "b"], ("c", "d"), True, id="all match none"),
        pytest.param("ForAllValues:StringNotEquals", ["a", "b"], ("c", "a"), False, id="one matches"),
        pytest.param("ForAllValues:StringEquals", ["a"], ("",), True, id="all of an empty set"),
        pytest.param("ForAnyValue:StringEquals", ["a", "b"], ("c", "b"), True, id="any of the request's"),
        pytest.param("ForAnyValue:StringEquals", ["a", "b"], ("c", "d"), False, id="not any of them"),
        pytest.param("ForAnyValue:StringNotEquals", ["a", "b"], ("a", "c"), True, id="any that matches none"),
        pytest.param("ForAnyValue:StringNotEquals", ["a", "b"], ("a", "b"), False, id="each matches one"),
        pytest.param("ForAnyValue:StringLike", ["*"], ("",), False, id="any of an empty set"),
        pytest.param("foranyvalue:stringlike", ["a*"], ("x", "ab"), True, id="qualifiers in any letter case"),
        pytest.param("StringEquals", ["a"], ("a", "b"), True, id="without a qualifier: any of them"),
        pytest.param("StringNotEquals", ["a"], ("a", "b"), False, id="without a qualifier, negated: none of them"),
        pytest.param("StringEqualsIfExists", ["a"], ("b",), False, id="IfExists still looks at what is there"),
        pytest.param("Bool", [True], ("true",), True, id="a value that JSON has no quotes for"),
        pytest.param("NumericLessThan", [5, 17], ("10",), True, id="numbers without quotes"),
    ],
)
def test_several_values(operator: str, wanted: object, carried: tuple[str, ...], *, expected: bool) -> None:
    assert holds(operator, wanted, carried=carried) is expected


@pytest.mark.parametrize(
    ("operator", "wanted", "expected"),
    [
        ("StringEquals", "a", None),
        ("StringNotEquals", "a", None),
        ("StringEqualsIfExists", "a", None),
        ("StringLike", "*", None),
        ("StringLikeIfExists", "*", True),
        ("ForAllValues:StringLike", "*", True),
        ("ForAnyValue:StringNotLike", "*", False),
        ("ForAnyValue:StringLikeIfExists", "*", None),
        ("StringEquals", [], False),
        ("StringNotEquals", [], True),
        ("NumericLessThan", "ten", False),
        ("NumericNotEquals", "ten", True),
        ("NumericNotEqualsIfExists", "10", None),
        ("IpAddress", "nowhere", False),
        ("ArnLike", "*", False),
        ("Null", "true", None),
        ("Null", ["true", "false"], True),
        ("Bool", ["true", "false"], None),
    ],
)
def test_a_key_that_is_not_known(operator: str, wanted: object, *, expected: bool | None) -> None:
    assert holds(operator, wanted, unknown=True) is expected


def test_all_conditions_must_hold_and_one_that_fails_settles_it() -> None:
    both = {"StringEquals": {"aws:SourceVpc": "vpc-1", "aws:PrincipalOrgID": "o-aaaaaaaaaa"}}
    document = parse(
        {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": both}}
    )

    def verdict(vpc: str, unknown: frozenset[str] = frozenset(), **organization: tuple[str, ...]) -> Verdict:
        context = {"aws:sourcevpc": (vpc,), **{f"aws:{key}": value for key, value in organization.items()}}
        return decide(document, Request("s3:GetObject", "arn:aws:s3:::b/o", ROLE, context, unknown)).verdict

    unknown = frozenset({"aws:principalorgid"})
    assert verdict("vpc-1", principalorgid=("o-aaaaaaaaaa",)) is Verdict.ALLOWED
    assert verdict("vpc-2", principalorgid=("o-aaaaaaaaaa",)) is Verdict.DENIED
    assert verdict("vpc-1") is Verdict.DENIED
    assert verdict("vpc-1", unknown) is Verdict.DEPENDS
    assert verdict("vpc-1", frozenset({"aws:principal*"})) is Verdict.DEPENDS
    assert verdict("vpc-1", frozenset({"AWS:PrincipalOrgID"})) is Verdict.DEPENDS
    assert verdict("vpc-1", PrincipalOrgID=("o-aaaaaaaaaa",)) is Verdict.ALLOWED
    assert verdict("vpc-1", frozenset({"aws:resource*"})) is Verdict.DENIED
    assert verdict("vpc-2", unknown) is Verdict.DENIED
    assert verdict("vpc-1", unknown, principalorgid=("o-aaaaaaaaaa",)) is Verdict.ALLOWED
