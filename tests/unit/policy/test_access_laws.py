"""Laws of deciding, on generated policies and requests."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from ibpe.policy.access import ANONYMOUS, Caller, Request, Verdict, decide
from ibpe.policy.canonical import equivalent
from ibpe.policy.document import PolicyDocument
from ibpe.policy.operators import OPERATORS
from ibpe.policy.parse import parse
from ibpe.policy.principals import IdentityKind
from tests.unit.policy.policies import Draw, Written, documents, rewritings, some_of

bounded = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
KEYS = ("aws:principalorgid", "aws:resourceorgid", "aws:sourcevpc", "aws:username")
VALUES = ("o-a", "o-A", "a", "b", "x", "5", "5.0", "2020", "true", "10.1.2.3", "arn:aws:iam::1:role/a", "")
WANTED = (*VALUES, "*", "a*", "?", "${aws:username}", "${aws:username, 'a'}", "10.0.0.0/8", "arn:aws:iam::*:role/*")
QUALIFIERS = ("", "", "ForAllValues:", "ForAnyValue:")
ROLE = "arn:aws:iam::123456789012:role/build"
CALLERS = (
    ANONYMOUS,
    Caller("Identity", ROLE),
    Caller("Identity", "arn:aws:sts::123456789012:assumed-role/build/i-1"),
    Caller("Identity", "arn:aws:iam::123456789012:root"),
    Caller("Identity", "arn:aws:iam::999999999999:user/a"),
    Caller("Service", "ec2.amazonaws.com"),
)
ACTIONS = ("s3:GetObject", "s3:getobject", "s3:ListBucket", "imagebuilder:GetComponent", "ec2:RunInstances")
RESOURCES = ("*", "arn:aws:s3:::a/x", "arn:aws:s3:::b/x", "arn:aws:s3:::a/a/x", "arn:aws:s3:::c/x")


@st.composite
def conditions(draw: Draw) -> Written:
    """Any operator on any value, fitting or not."""
    block: Written = {}
    for _ in range(draw(st.integers(0, 2))):
        suffix = draw(st.sampled_from(("", "IfExists")))
        operator = f"{draw(st.sampled_from(QUALIFIERS))}{draw(st.sampled_from(OPERATORS))}{suffix}"
        block.setdefault(operator, {})[draw(st.sampled_from(KEYS))] = draw(some_of(WANTED))
    return block


@st.composite
def policies(draw: Draw) -> Written:
    """Half of the statements say no more than their effect and conditions, so that much is allowed and denied."""
    written: Written = draw(documents())
    for statement in written["Statement"]:
        if draw(st.booleans()):
            for element in ("Action", "Resource", "Principal"):
                statement.pop(f"Not{element}", None)
                statement[element] = "*"
        if draw(st.booleans()):
            statement["Condition"] = draw(conditions())
    return written


POLICIES = policies().map(parse)
VALUE_TUPLES = st.lists(st.sampled_from(VALUES), min_size=1, max_size=2).map(tuple)
CONTEXTS = st.dictionaries(st.sampled_from(KEYS), VALUE_TUPLES, max_size=4)
UNKNOWN = st.frozensets(st.sampled_from((*KEYS, "aws:principal*", "aws:*")), max_size=3)
KNOWN_REQUESTS = st.builds(
    Request, st.sampled_from(ACTIONS), st.sampled_from(RESOURCES), st.sampled_from(CALLERS), CONTEXTS
)
REQUESTS = st.builds(replace, KNOWN_REQUESTS, unknown=UNKNOWN)

ORDER = (Verdict.DENIED, Verdict.DEPENDS, Verdict.ALLOWED)


def rank(document: PolicyDocument, request: Request) -> int:
    return ORDER.index(decide(document, request).verdict)


def with_statement(document: PolicyDocument, other: PolicyDocument, effect: str, at: int) -> PolicyDocument:
    added = replace(other.statements[0], effect="Allow" if effect == "Allow" else "Deny")
    statements = document.statements
    return replace(document, statements=(*statements[:at], added, *statements[at:]))


@bounded
@given(POLICIES, POLICIES, st.integers(0, 3), REQUESTS)
def test_another_deny_never_allows_more(
    document: PolicyDocument, other: PolicyDocument, at: int, made: Request
) -> None:
    assert rank(with_statement(document, other, "Deny", at), made) <= rank(document, made)


@bounded
@given(POLICIES, POLICIES, st.integers(0, 3), REQUESTS)
def test_another_allow_never_denies_more(
    document: PolicyDocument, other: PolicyDocument, at: int, made: Request
) -> None:
    assert rank(with_statement(document, other, "Allow", at), made) >= rank(document, made)


@bounded
@given(POLICIES, REQUESTS, st.data())
def test_neither_order_nor_repetition_matters(document: PolicyDocument, made: Request, data: st.DataObject) -> None:
    statements = document.statements + tuple(data.draw(st.lists(st.sampled_from(document.statements), max_size=2)))
    shuffled = replace(document, statements=tuple(data.draw(st.permutations(statements))))
    assert decide(shuffled, made).verdict is decide(document, made).verdict


@bounded
@given(policies(), REQUESTS, st.data())
def test_equivalent_documents_decide_alike(written: Written, made: Request, data: st.DataObject) -> None:
    for statement in written["Statement"]:
        for element in ("Principal", "Action", "Resource"):
            if statement.get(element) == "*":
                statement[element] = {"AWS": ["*"]} if element == "Principal" else ["*"]
    document, rewritten = parse(written), parse(json.loads(data.draw(rewritings(written))))
    assume(equivalent(document, rewritten))  # not where Bool is given anything but true and false
    assert decide(rewritten, made).verdict is decide(document, made).verdict


@bounded
@given(POLICIES, KNOWN_REQUESTS)
def test_what_is_known_in_full_never_depends(document: PolicyDocument, made: Request) -> None:
    decision = decide(document, made)
    event(decision.verdict)
    assert decision.verdict is not Verdict.DEPENDS
    assert (decision.provided, decision.fitting) == ((), ())


@bounded
@given(POLICIES, REQUESTS, st.data())
def test_no_value_of_an_unknown_key_belies_a_verdict(
    document: PolicyDocument, made: Request, data: st.DataObject
) -> None:
    before = decide(document, made).verdict
    assume(made.unknown)
    assume(before is not Verdict.DEPENDS)
    event(before)
    for _ in range(5):
        filled: Mapping[str, Any] = {**data.draw(CONTEXTS), **made.context}
        known = replace(made, context={key: filled[key] for key in filled if may_carry(made, key)}, unknown=frozenset())
        assert decide(document, known).verdict is before


@bounded
@given(st.sampled_from(QUALIFIERS), st.sampled_from(OPERATORS), st.sampled_from(("", "IfExists")), some_of(WANTED))
def test_an_unknown_key_is_sure_only_where_every_value_comes_to_the_same(
    qualifier: str, operator: str, suffix: str, wanted: list[str]
) -> None:
    condition = {f"{qualifier}{operator}{suffix}": {"aws:SourceVpc": wanted}}
    allow = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": condition}
    document = parse({"Version": "2012-10-17", "Statement": allow})
    made = Request("s3:GetObject", "*", ANONYMOUS, unknown=frozenset({"aws:sourcevpc"}))
    before = decide(document, made).verdict
    event(before)
    carried = [(), *((one,) for one in VALUES), *((one, other) for one in VALUES for other in VALUES)]
    after = {decide(document, replace(made, context={"aws:sourcevpc": values})).verdict for values in carried}
    assert after == {before} if before is not Verdict.DEPENDS else Verdict.DEPENDS not in after


def may_carry(made: Request, key: str) -> bool:
    if key in made.context or key in made.unknown:
        return True
    return any(other.endswith("*") and key.startswith(other[:-1]) for other in made.unknown)


def what_it_is(caller: Caller) -> frozenset[IdentityKind]:
    if caller.name.endswith(":root"):
        return frozenset({"Root"})
    return frozenset({"User"}) if ":user/" in caller.name else frozenset({"Role"})


@bounded
@given(POLICIES, st.sampled_from(ACTIONS), st.sampled_from(RESOURCES), CONTEXTS, st.sampled_from(CALLERS))
def test_no_name_of_an_unknown_caller_belies_a_verdict(
    document: PolicyDocument, action: str, resource: str, context: dict[str, tuple[str, ...]], caller: Caller
) -> None:
    assume(caller.kind != "Anonymous")
    account = caller.name.split(":")[4] if caller.kind == "Identity" else ""
    known = decide(document, Request(action, resource, caller, context)).verdict
    for nameless in (
        Caller(caller.kind),
        Caller(caller.kind, account=account),
        Caller(caller.kind, account=account, may_be=what_it_is(caller)),
    ):
        before = decide(document, Request(action, resource, nameless, context)).verdict
        assert before in {known, Verdict.DEPENDS}


@bounded
@given(POLICIES, REQUESTS)
def test_a_verdict_names_a_statement_of_that_effect_and_its_open_conditions(
    document: PolicyDocument, made: Request
) -> None:
    decision = decide(document, made)
    if decision.statement is None or decision.index is None:
        assert decision.verdict is Verdict.DENIED
        return
    assert document.statements[decision.index] is decision.statement
    assert set(decision.provided) <= set(decision.statement.conditions)
    if decision.verdict is Verdict.DEPENDS:
        assert decision.provided or decision.fitting
    else:
        effect = "Allow" if decision.verdict is Verdict.ALLOWED else "Deny"
        assert decision.statement.effect == effect
