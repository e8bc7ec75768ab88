"""What `${…}` stands for in a Resource and in a condition's values, and where it stands for nothing."""

from typing import Any

import pytest

from ibpe.policy.access import ANONYMOUS, Caller, Request, Verdict, decide
from ibpe.policy.parse import parse

ALLOWED, DENIED, DEPENDS = Verdict.ALLOWED, Verdict.DENIED, Verdict.DEPENDS
USER = Caller("Identity", "arn:aws:iam::123456789012:user/ann")
ANN: dict[str, tuple[str, ...]] = {
    "aws:username": ("ann",),
    "aws:principalarn": (USER.name,),
    "aws:principaltag/cost center": ("a*b",),
    "aws:securetransport": ("true",),
    "aws:tagkeys": ("one", "two"),
}
NO_ONE: dict[str, tuple[str, ...]] = {}


def written(version: str | None = "2012-10-17", **elements: object) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", **elements}
    if "NotResource" in elements:
        del statement["Resource"]
    return {"Statement": statement, **({"Version": version} if version else {})}


def verdict(document: dict[str, Any], resource: str, context: dict[str, tuple[str, ...]], *unknown: str) -> Verdict:
    caller = USER if context else ANONYMOUS
    return decide(parse(document), Request("s3:GetObject", resource, caller, context, frozenset(unknown))).verdict


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("home/${aws:username}/*", "home/ann/a", True),
        ("home/${aws:username}/*", "home/bob/a", False),
        ("home/${AWS:UserName}/*", "home/ann/a", True),
        ("home/${aws:username, 'guest'}/*", "home/ann/a", True),
        ("home/${aws:userid, 'guest'}/*", "home/guest/a", True),
        ("home/${aws:userid,'gu*t'}/*", "home/gu*t/a", True),
        ("home/${aws:userid,'gu*t'}/*", "home/guest/a", False),
        ("home/${aws:userid}/*", "home//a", False),
        ("home/${aws:PrincipalTag/cost center}", "home/a*b", True),
        ("home/${aws:PrincipalTag/cost center}", "home/aab", False),
        ("home/${aws:TagKeys}", "home/one", False),
        ("home/${aws:PrincipalArn}", f"home/{USER.name}", True),
        ("${*}", "*", True),
        ("${*}", "x", False),
        ("a${?}b${$}{c}", "a?b${c}", True),
        ("a${?}b", "axb", False),
        ("${aws:username", "${aws:username", True),
        ("${}", "${}", True),
    ],
)
def test_a_variable_in_a_resource(pattern: str, name: str, *, expected: bool) -> None:
    pattern, resource = f"arn:aws:s3:::bucket/{pattern}", f"arn:aws:s3:::bucket/{name}"
    assert verdict(written(Resource=pattern), resource, ANN) is (ALLOWED if expected else DENIED)
    assert verdict(written(NotResource=pattern), resource, ANN) is (DENIED if expected else ALLOWED)


def test_a_variable_that_has_no_value_matches_nothing() -> None:
    pattern = "arn:aws:s3:::bucket/${aws:username}*"
    for name in ("", "ann", "${aws:username}", "None"):
        assert verdict(written(Resource=pattern), f"arn:aws:s3:::bucket/{name}", NO_ONE) is DENIED
        assert verdict(written(NotResource=pattern), f"arn:aws:s3:::bucket/{name}", NO_ONE) is ALLOWED


@pytest.mark.parametrize("version", ["2008-10-17", None])
def test_the_older_version_has_no_variables(version: str | None) -> None:
    resource = written(version, Resource="arn:aws:s3:::bucket/${aws:username}/*")
    assert verdict(resource, "arn:aws:s3:::bucket/ann/a", ANN) is DENIED
    assert verdict(resource, "arn:aws:s3:::bucket/${aws:username}/a", ANN) is ALLOWED
    assert verdict(written(version, Resource="arn:aws:s3:::bucket/${*}"), "arn:aws:s3:::bucket/${any}", ANN) is ALLOWED
    condition = written(version, Condition={"StringEquals": {"aws:username": "${aws:username}"}})
    assert verdict(condition, "arn:aws:s3:::bucket/a", ANN) is DENIED
    assert verdict(condition, "arn:aws:s3:::bucket/a", {"aws:username": ("${aws:username}",)}) is ALLOWED


@pytest.mark.parametrize(
    "pattern",
    ["arn:aws:s3::${aws:username}:bucket/a", "arn:${aws:username}:s3:::bucket/a", "arn:aws:s3*${aws:username}*"],
)
def test_a_variable_before_the_fifth_colon_matches_nothing(pattern: str) -> None:
    for name in ("ann", "", "aws"):
        assert verdict(written(Resource=pattern), "arn:aws:s3:::bucket/a", {"aws:username": (name,)}) is DENIED
    assert verdict(written(Resource=pattern), "arn:aws:s3:::bucket/a", {}, "aws:username") is DENIED


def test_variables_are_not_filled_in_elsewhere() -> None:
    role = {"AWS": "arn:aws:iam::123456789012:user/${aws:username}"}
    assert verdict(written(Principal=role), "arn:aws:s3:::bucket/a", ANN) is DENIED


@pytest.mark.parametrize(
    ("operator", "wanted", "carried", "expected"),
    [
        ("StringEquals", "${aws:username}", "ann", True),
        ("StringEquals", "${aws:username}", "bob", False),
        ("StringEquals", "${aws:username}s", "anns", True),
        ("StringEquals", "${aws:userid, 'ann'}", "ann", True),
        ("StringEquals", "${aws:userid}", "ann", False),
        ("StringEquals", "${aws:userid}", "", False),
        ("StringNotEquals", "${aws:userid}", "ann", True),
        ("StringNotEquals", "${aws:username}", "ann", False),
        ("StringEqualsIgnoreCase", "${aws:username}", "ANN", True),
        ("StringLike", "*/${aws:PrincipalTag/cost center}/*", "x/a*b/y", True),
        ("StringLike", "*/${aws:PrincipalTag/cost center}/*", "x/aab/y", False),
        ("StringLike", "${*}*", "*x", True),
        ("StringLike", "${*}*", "x", False),
        ("StringEquals", "a*", "a${*}", False),
        ("ArnLike", "${aws:PrincipalArn}", USER.name, True),
        ("ArnEquals", "arn:aws:iam::123456789012:user/${aws:username}", USER.name, True),
        ("ArnLike", "arn:*:iam::*:user/${aws:username}", USER.name, True),
        ("ArnNotLike", "arn:*:iam::*:user/${aws:username}", USER.name, False),
        ("ArnLike", "arn:aws:iam::123456789012:user/${aws:userid}", USER.name, False),
        ("Bool", "${aws:SecureTransport}", "true", True),
        ("Bool", "${aws:SecureTransport}", "false", False),
        ("Bool", "${aws:userid}", "true", False),
        ("Bool", "${aws:userid,'tr'}${aws:userid,'ue'}", "true", True),
        ("NumericEquals", "${k:number}", "5", False),
        ("DateEquals", "${k:number}", "2020", False),
        ("Null", "${aws:SecureTransport}", "x", False),
    ],
)
def test_a_variable_in_a_condition(operator: str, wanted: str, carried: str, *, expected: bool) -> None:
    context = {**ANN, "k:key": (carried,), "k:number": (carried,)}
    document = written(Condition={operator: {"k:key": wanted}})
    assert verdict(document, "arn:aws:s3:::bucket/a", context) is (ALLOWED if expected else DENIED)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("home/${aws:userid}/*", "home/ann/a", DEPENDS),
        ("home/${aws:userid}/*", "other/ann/a", DENIED),
        ("home/${aws:userid}/*.txt", "home/ann/a.log", DENIED),
        ("home/${aws:userid, 'ann'}/*", "home/ann/a", DEPENDS),
        ("*", "home/ann/a", ALLOWED),
        ("${aws:username}/${aws:userid}", "ann/x", DEPENDS),
        ("${aws:nothing}/${aws:userid}", "ann/x", DENIED),
    ],
)
def test_a_variable_whose_value_is_not_known(pattern: str, name: str, expected: Verdict) -> None:
    document = written(Resource=f"arn:aws:s3:::bucket/{pattern}")
    assert verdict(document, f"arn:aws:s3:::bucket/{name}", ANN, "aws:userid") is expected


@pytest.mark.parametrize(
    ("operator", "wanted", "carried", "expected"),
    [
        ("StringEquals", "u-${aws:userid}", "u-1", DEPENDS),
        ("StringEquals", "u-${aws:userid}", "v-1", DENIED),
        ("StringNotEquals", "u-${aws:userid}", "v-1", ALLOWED),
        ("StringEqualsIgnoreCase", "U-${aws:userid}", "u-1", DEPENDS),
        ("ArnLike", "${aws:userid}", USER.name, DEPENDS),
        ("ArnLike", "arn:aws:iam::${aws:userid}:user/*", USER.name, DEPENDS),
        ("ArnLike", "arn:aws:sts::${aws:userid}:user/*", USER.name, DENIED),
        ("ArnLike", "${aws:userid}", "no arn", DENIED),
        ("ArnLike", "${aws:userid}/*", "arn:aws:iam::1:role/build/a:b", DEPENDS),
        ("Bool", "${aws:userid}", "true", DEPENDS),
    ],
)
def test_a_condition_on_a_value_that_is_not_known(operator: str, wanted: str, carried: str, expected: Verdict) -> None:
    context = {**ANN, "k:key": (carried,)}
    document = written(Condition={operator: {"k:key": wanted}})
    assert verdict(document, "arn:aws:s3:::bucket/a", context, "aws:userid") is expected
