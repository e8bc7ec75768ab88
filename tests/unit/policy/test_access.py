"""Which requests a document lets through: statements, callers, actions and resources, rule by rule."""

from collections.abc import Mapping
from typing import Any

import pytest

from ibpe.policy.access import ANONYMOUS, Caller, Decision, Request, Verdict, decide
from ibpe.policy.document import Condition, Match, PolicyDocument, PolicyError, Principal, Statement
from ibpe.policy.parse import parse
from ibpe.policy.principals import NEVER_ROOT

ALLOWED, DENIED, DEPENDS = Verdict.ALLOWED, Verdict.DENIED, Verdict.DEPENDS
ACCOUNT = "123456789012"
ROLE = Caller("Identity", f"arn:aws:iam::{ACCOUNT}:role/build")
SESSION = Caller("Identity", f"arn:aws:sts::{ACCOUNT}:assumed-role/build/i-0abc")
USER = Caller("Identity", f"arn:aws:iam::{ACCOUNT}:user/ann")
ROOT = Caller("Identity", f"arn:aws:iam::{ACCOUNT}:root")
SOMEBODY = Caller("Identity")
SOMEBODY_OF_OURS = Caller("Identity", account=ACCOUNT)
SOME_ROLE = Caller("Identity", may_be=frozenset({"Role"}))
SOME_ROLE_OF_OURS = Caller("Identity", account=ACCOUNT, may_be=frozenset({"Role"}))
NOT_ROOT = Caller("Identity", account=ACCOUNT, may_be=NEVER_ROOT)
SERVICE = Caller("Service", "imagebuilder.amazonaws.com")
A_SERVICE = Caller("Service")
OBJECT = "arn:aws:s3:::builds/logs/a.txt"


def policy(*statements: Mapping[str, Any], version: str = "2012-10-17") -> PolicyDocument:
    """Statements that say nothing else are `Allow * on * to *`."""
    return parse({"Version": version, "Statement": [completed(statement) for statement in statements]})


def completed(statement: Mapping[str, Any]) -> dict[str, Any]:
    written = {"Effect": "Allow", **statement}
    for element in ("Principal", "Action", "Resource"):
        if f"Not{element}" not in written:
            written.setdefault(element, "*")
    return written


def asked(caller: Caller = ROLE, action: str = "s3:GetObject", resource: str = OBJECT) -> Request:
    return Request(action, resource, caller)


def verdict(document: PolicyDocument, request: Request) -> Verdict:
    return decide(document, request).verdict


ALLOW, DENY = {"Effect": "Allow"}, {"Effect": "Deny"}
DELETE = {"Effect": "Deny", "Action": "s3:Delete*"}


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        pytest.param([ALLOW], ALLOWED, id="an Allow allows"),
        pytest.param([DENY], DENIED, id="a Deny denies"),
        pytest.param([ALLOW, DENY], DENIED, id="a Deny wins over an Allow"),
        pytest.param([DENY, ALLOW], DENIED, id="a Deny wins wherever it stands"),
        pytest.param([DELETE], DENIED, id="a Deny of something else allows nothing"),
        pytest.param([ALLOW, DELETE], ALLOWED, id="a Deny of something else denies nothing"),
        pytest.param([{"Action": "s3:PutObject"}], DENIED, id="what no statement allows is denied"),
    ],
)
def test_an_explicit_deny_then_an_allow_then_nothing(statements: list[dict[str, Any]], expected: Verdict) -> None:
    assert verdict(policy(*statements), asked()) is expected


def test_a_document_without_statements_allows_nothing() -> None:
    assert decide(PolicyDocument(()), asked()) == Decision(DENIED)


@pytest.mark.parametrize(
    ("principal", "caller", "expected"),
    [
        pytest.param("*", ANONYMOUS, True, id="* is also who doesn't sign"),
        pytest.param({"AWS": "*"}, ANONYMOUS, True, id="AWS * is the same as *"),
        pytest.param("*", ROLE, True, id="* is a role"),
        pytest.param("*", SERVICE, True, id="* is a service"),
        pytest.param("*", SOMEBODY, True, id="* is whoever it may be"),
        pytest.param({"AWS": ROLE.name}, ROLE, True, id="a role by its ARN"),
        pytest.param({"AWS": ROLE.name}, SESSION, True, id="a session by its role's ARN"),
        pytest.param({"AWS": f"arn:aws:iam::{ACCOUNT}:role/a/path/build"}, SESSION, True, id="a role with a path"),
        pytest.param({"AWS": f"arn:aws:iam::{ACCOUNT}:role/a/path/build"}, ROLE, False, id="a role of another path"),
        pytest.param({"AWS": "arn:aws:iam::999999999999:role/build"}, SESSION, False, id="a role of another account"),
        pytest.param(
            {"AWS": f"arn:aws-cn:iam::{ACCOUNT}:role/build"}, SESSION, False, id="a role of another partition"
        ),
        pytest.param({"AWS": f"arn:aws:iam::{ACCOUNT}:role/builder"}, SESSION, False, id="a role of a longer name"),
        pytest.param({"AWS": SESSION.name}, SESSION, True, id="a session by its own ARN"),
        pytest.param({"AWS": f"{SESSION.name}x"}, SESSION, False, id="another session of the role"),
        pytest.param({"AWS": SESSION.name}, ROLE, None, id="a role in a session that isn't known"),
        pytest.param({"AWS": USER.name}, ROLE, False, id="a user isn't a role"),
        pytest.param({"AWS": f"arn:aws:iam::{ACCOUNT}:user/Ann"}, USER, False, id="names regard letter case"),
        pytest.param({"AWS": f"arn:aws:iam::{ACCOUNT}:role/*"}, ROLE, False, id="no wildcard within a name"),
        pytest.param({"AWS": f"arn:aws:iam::{ACCOUNT}:role/*"}, SOMEBODY, False, id="nor for a caller not known"),
        pytest.param({"AWS": ROLE.name}, ANONYMOUS, False, id="nobody has no ARN"),
        pytest.param({"AWS": ACCOUNT}, ROLE, False, id="an account isn't its roles"),
        pytest.param(
            {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, SESSION, False, id="a root ARN isn't the account's sessions"
        ),
        pytest.param({"AWS": ACCOUNT}, ROOT, True, id="an account is its root user"),
        pytest.param({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, ROOT, True, id="and so is the root ARN"),
        pytest.param({"AWS": "999999999999"}, ROOT, False, id="another account's root user"),
        pytest.param({"AWS": ACCOUNT}, SOMEBODY_OF_OURS, None, id="somebody of the account may be its root user"),
        pytest.param({"AWS": ROLE.name}, SOMEBODY, None, id="somebody may be the role"),
        pytest.param({"AWS": ROLE.name}, SOMEBODY_OF_OURS, None, id="somebody of the account may be the role"),
        pytest.param(
            {"AWS": "arn:aws:iam::999999999999:role/build"}, SOMEBODY_OF_OURS, False, id="not of another account"
        ),
        pytest.param({"AWS": "999999999999"}, SOMEBODY_OF_OURS, False, id="nor another account's root user"),
        pytest.param({"AWS": ["999999999999", ROLE.name]}, ROLE, True, id="one of several is enough"),
        pytest.param({"AWS": ACCOUNT}, SOME_ROLE, False, id="no role is an account's root user"),
        pytest.param({"AWS": ACCOUNT}, SOME_ROLE_OF_OURS, False, id="not even that of its own account"),
        pytest.param({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, SOME_ROLE_OF_OURS, False, id="by the root ARN neither"),
        pytest.param({"AWS": USER.name}, SOME_ROLE_OF_OURS, False, id="no role is a user"),
        pytest.param({"AWS": f"arn:aws:sts::{ACCOUNT}:federated-user/ann"}, SOME_ROLE, False, id="nor a federated one"),
        pytest.param({"AWS": f"arn:aws:iam::{ACCOUNT}:group/builders"}, SOMEBODY, False, id="a group is nobody"),
        pytest.param({"AWS": ROLE.name}, SOME_ROLE, None, id="some role may be this one"),
        pytest.param({"AWS": SESSION.name}, SOME_ROLE_OF_OURS, None, id="or this session of it"),
        pytest.param({"AWS": [ACCOUNT, ROLE.name]}, SOME_ROLE, None, id="a role may be the one of several"),
        pytest.param({"AWS": ACCOUNT}, NOT_ROOT, False, id="who is never the root user isn't"),
        pytest.param({"AWS": USER.name}, NOT_ROOT, None, id="and may be a user"),
        pytest.param({"AWS": f"arn:aws:iam::{ACCOUNT}:role/a/b"}, NOT_ROOT, None, id="or a role"),
        pytest.param({"AWS": "AIDAEXAMPLE"}, SOMEBODY, False, id="the ID of a deleted user is nobody"),
        pytest.param({"Service": SERVICE.name}, SERVICE, True, id="a service by its name"),
        pytest.param({"Service": "ec2.amazonaws.com"}, SERVICE, False, id="another service"),
        pytest.param({"Service": "ec2.amazonaws.com"}, A_SERVICE, None, id="a service not known"),
        pytest.param({"Service": SERVICE.name}, ROLE, False, id="a service isn't a role"),
        pytest.param({"Service": "*"}, SERVICE, True, id="every service"),
        pytest.param({"Service": "*"}, ROLE, False, id="not even every service"),
        pytest.param({"AWS": SERVICE.name}, SERVICE, False, id="a service isn't an identity"),
        pytest.param({"Service": "ec2.amazonaws.com", "AWS": ROLE.name}, ROLE, True, id="kinds are alternatives"),
        pytest.param({"Federated": "accounts.google.com"}, ROLE, False, id="Federated is for trust policies"),
        pytest.param({"CanonicalUser": "79a59d"}, ROLE, False, id="CanonicalUser is for buckets"),
    ],
)
def test_who_calls(principal: object, caller: Caller, *, expected: bool | None) -> None:
    outcome = {True: ALLOWED, False: DENIED, None: DEPENDS}
    opposite = {True: DENIED, False: ALLOWED, None: DEPENDS}
    assert verdict(policy({"Principal": principal}), asked(caller)) is outcome[expected]
    assert verdict(policy({"NotPrincipal": principal}), asked(caller)) is opposite[expected]
    denied_to_others = policy(ALLOW, {**DENY, "NotPrincipal": principal})
    assert verdict(denied_to_others, asked(caller)) is outcome[expected]


MATCHING_ACTIONS = ("*", "s3:*", "s3:GetObject", "S3:getobject", "s3:Get*", "s3:*Object", "s3:G*t*b*t", "s3:GetObjec?")
OTHER_ACTIONS = ("s3:GetObject?", "s3:GetObjects", "s3:GetObjectAcl", "s3:Get", "s3:?", "s3express:*", "ec2:GetObject")


@pytest.mark.parametrize(
    ("action", "expected"),
    [*((action, True) for action in MATCHING_ACTIONS), *((action, False) for action in OTHER_ACTIONS)],
)
def test_actions_regard_no_letter_case(action: str, *, expected: bool) -> None:
    for made in ("s3:GetObject", "S3:GETOBJECT", "s3:getobject"):
        assert verdict(policy({"Action": action}), asked(action=made)) is (ALLOWED if expected else DENIED)
        assert verdict(policy({"NotAction": action}), asked(action=made)) is (DENIED if expected else ALLOWED)


COMPONENT = f"arn:aws:imagebuilder:us-east-1:{ACCOUNT}:component/a/1.0.0/1"


@pytest.mark.parametrize(
    ("pattern", "resource", "expected"),
    [
        ("*", OBJECT, True),
        (OBJECT, OBJECT, True),
        (OBJECT.upper().replace("ARN:AWS:S3", "arn:aws:s3"), OBJECT, False),
        ("arn:aws:s3:::builds/*", OBJECT, True),
        ("arn:aws:s3:::builds/*", "arn:aws:s3:::builds/", True),
        ("arn:aws:s3:::builds/*", "arn:aws:s3:::builds", False),
        ("arn:aws:s3:::builds/*", "arn:aws:s3:::builds-2/a", False),
        ("arn:aws:s3:::builds*", "arn:aws:s3:::builds-2/a", True),
        ("arn:aws:s3:::builds", OBJECT, False),
        ("arn:aws:s3:::builds/*.txt", OBJECT, True),
        ("arn:aws:s3:::builds/*.txt", "arn:aws:s3:::builds/a:b.txt", True),
        ("arn:aws:s3:::builds/?ogs/*", OBJECT, True),
        ("arn:aws:s3:::builds/?logs/*", OBJECT, False),
        ("arn:aws:s3:::*/logs/*", OBJECT, True),
        ("arn:aws:s3:*", OBJECT, True),
        ("arn:*", OBJECT, True),
        ("arn:*:builds/logs/a.txt", OBJECT, True),
        ("arn:aws:s3*builds/*", OBJECT, False),
        ("arn:aws-cn:s3:::builds/*", OBJECT, False),
        ("arn:aws:imagebuilder:*:*:component/*", COMPONENT, True),
        ("arn:aws:imagebuilder:us-*-1:*:component/*", COMPONENT, True),
        ("arn:aws:imagebuilder:us-east-?:*:component/*", COMPONENT, True),
        ("arn:aws:imagebuilder:u*12:component/*", COMPONENT, False),
        ("arn:aws:imagebuilder:us-east-1:aws:component/*", COMPONENT, False),
        ("arn:aws:imagebuilder:*:component/*", COMPONENT, True),
        ("arn:aws:imagebuilder:us-east-1?123456789012:component/*", COMPONENT, False),
        ("arn:aws:imagebuilder:us-east-1:?23456789012:component/*", COMPONENT, True),
        ("arn:aws:imagebuilder:eu-*:*:component/*", COMPONENT, False),
        ("*", "*", True),
        ("arn:*", "*", False),
        ("arn:aws:imagebuilder:*:*:*", "*", False),
    ],
)
def test_resources_regard_letter_case_and_colons(pattern: str, resource: str, *, expected: bool) -> None:
    made = asked(resource=resource)
    assert verdict(policy({"Resource": pattern}), made) is (ALLOWED if expected else DENIED)
    assert verdict(policy({"NotResource": pattern}), made) is (DENIED if expected else ALLOWED)
    assert verdict(policy({"Resource": ["arn:aws:s3:::other", pattern]}), made) is (ALLOWED if expected else DENIED)


def in_organization(effect: str, sid: str, organization: str = "o-aaaaaaaaaa") -> dict[str, Any]:
    condition = {"StringEquals": {"aws:PrincipalOrgID": organization, "aws:SecureTransport": "true"}}
    return {"Effect": effect, "Sid": sid, "Condition": condition}


UNSURE = Request("s3:GetObject", OBJECT, ROLE, {"aws:securetransport": ("true",)}, frozenset({"aws:principalorgid"}))
ORGANIZATION = Condition("StringEquals", "aws:PrincipalOrgID", ("o-aaaaaaaaaa",))


@pytest.mark.parametrize(
    ("statements", "expected", "sid", "words"),
    [
        pytest.param([{"Sid": "Y"}], ALLOWED, "Y", 'allowed by statement "Y"', id="allowed"),
        pytest.param([{"Sid": "X", **DENY}], DENIED, "X", 'denied by statement "X"', id="denied"),
        pytest.param([DELETE, ALLOW, DENY], DENIED, "", "denied by Statement[2]", id="a statement without a Sid"),
        pytest.param([DELETE], DENIED, None, "no statement allows it", id="an implicit deny"),
        pytest.param(
            [in_organization("Allow", "Y")],
            DEPENDS,
            "Y",
            'allowed by statement "Y" if aws:PrincipalOrgID is o-aaaaaaaaaa',
            id="the one Allow may not apply",
        ),
        pytest.param(
            [ALLOW, in_organization("Deny", "X")],
            DEPENDS,
            "X",
            'denied by statement "X" if aws:PrincipalOrgID is o-aaaaaaaaaa',
            id="a Deny may apply",
        ),
        pytest.param(
            [in_organization("Allow", "Y"), in_organization("Deny", "X")],
            DEPENDS,
            "X",
            'denied by statement "X" if aws:PrincipalOrgID is o-aaaaaaaaaa',
            id="both may apply: the Deny is told, since it would win",
        ),
        pytest.param(
            [in_organization("Allow", "Y"), {"Sid": "Z"}], ALLOWED, "Z", 'allowed by statement "Z"', id="another Allow"
        ),
        pytest.param(
            [in_organization("Deny", "X"), DELETE],
            DENIED,
            None,
            "no statement allows it",
            id="nothing allows it anyway",
        ),
    ],
)
def test_what_a_decision_rests_on(
    statements: list[dict[str, Any]], expected: Verdict, sid: str | None, words: str
) -> None:
    document = policy(*statements)
    decision = decide(document, UNSURE)
    assert decision.verdict is expected
    assert (decision.statement and decision.statement.sid) == sid
    assert decision.provided == ((ORGANIZATION,) if expected is DEPENDS else ())
    assert str(decision) == words
    if decision.index is not None:
        assert document.statements[decision.index] is decision.statement


@pytest.mark.parametrize(
    ("statement", "caller", "words"),
    [
        ({"Principal": {"AWS": ROLE.name}}, SOMEBODY, "allowed by Statement[0] if its Principal names the caller"),
        (
            {"NotPrincipal": {"AWS": ROLE.name}},
            SOMEBODY,
            "allowed by Statement[0] if its NotPrincipal does not name the caller",
        ),
        (
            {"Resource": "arn:aws:s3:::builds/${aws:PrincipalOrgID}*"},
            ROLE,
            "allowed by Statement[0] if the values of its variables make Resource fit",
        ),
        (
            {**in_organization("Allow", ""), "Principal": {"AWS": ROLE.name}},
            SOMEBODY,
            "allowed by Statement[0] if its Principal names the caller and aws:PrincipalOrgID is o-aaaaaaaaaa",
        ),
    ],
)
def test_what_else_a_decision_may_hang_on(statement: dict[str, Any], caller: Caller, words: str) -> None:
    request = Request(
        "s3:GetObject", "arn:aws:s3:::builds/o-1/a", caller, UNSURE.context, frozenset({"aws:principalorgid"})
    )
    decision = decide(policy(statement), request)
    assert decision.verdict is DEPENDS
    assert str(decision) == words


@pytest.mark.parametrize("operator", ["StringEqual", "ForAllValues:ForAnyValue:StringEquals", "ForSome:Bool", ""])
def test_an_operator_that_aws_does_not_know_is_refused(operator: str) -> None:
    everything = Match(("*",))
    statement = Statement(
        "Allow",
        Match((Principal("AWS", "*"),)),
        everything,
        everything,
        (Condition(operator, "aws:SourceVpc", ("a",)),),
    )
    with pytest.raises(PolicyError, match="not a condition operator"):
        decide(PolicyDocument((statement,)), asked())
