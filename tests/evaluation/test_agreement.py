"""`ibpe.policy.access` against the evaluator that was written apart from it, on thousands of generated pairs."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations, pairwise, product

import pytest
from hypothesis import HealthCheck, given, settings

from ibpe.policy.access import Caller, Request, Verdict, decide
from ibpe.policy.parse import parse
from ibpe.policy.principals import IdentityKind
from tests.evaluation.comparison import assert_agreement, call_of, request_of
from tests.evaluation.generation import CALLS_FOR_ONE_POLICY, Scene, base_of, keys_of, scenes
from tests.evaluation.reference import Call, Reference, Ruling
from tests.evaluation.vocabulary import POLICY_VALUES, REQUEST_VALUES, SPELLINGS

POLICIES = 600
PAIRS = POLICIES * CALLS_FOR_ONE_POLICY
ANYTHING = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}


def test_both_evaluators_rule_alike_and_name_a_statement_that_rules_so(
    record_property: Callable[[str, object], None],
) -> None:
    tally: Counter[str] = Counter()

    @settings(max_examples=POLICIES, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    @given(scenes())
    def agree(scene: Scene) -> None:
        reference, document = Reference(scene.policy), parse(scene.policy)
        for call in scene.calls:
            assert_agreement(reference, document, call)
            tally[in_words(reference.rulings(call))] += 1

    agree()
    record_property("rulings", dict(tally))
    assert tally.total() >= PAIRS
    assert shares(tally) == {"Allow", "Deny", "None", "open"}, tally


def test_a_verdict_without_some_keys_holds_whatever_their_values() -> None:
    """The call with the values and the call without the keys may differ only where the verdict is DEPENDS."""
    tally: Counter[Verdict] = Counter()

    @settings(max_examples=POLICIES // 2, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    @given(scenes())
    def hold(scene: Scene) -> None:
        reference, document = Reference(scene.policy), parse(scene.policy)
        for call, hidden in product(scene.calls, ("aws:username", "aws:*", "*")):
            verdict = decide(document, without(request_of(call), hidden)).verdict
            tally[verdict] += 1
            possible = verdicts(reference, call) | verdicts(reference, call_of(without(request_of(call), hidden)))
            assert verdict in {Verdict.DEPENDS, *possible}
            assert verdict is Verdict.DEPENDS or len(possible) == 1 or reads_differently(reference, call)

    hold()
    assert tally[Verdict.DEPENDS] < tally.total() / 2, tally
    assert all(tally[verdict] > tally.total() / 20 for verdict in Verdict), tally


def test_a_verdict_on_a_caller_of_whom_only_the_kind_is_known_holds_for_each_of_them() -> None:
    tally: Counter[Verdict] = Counter()

    @settings(max_examples=POLICIES // 2, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    @given(scenes())
    def hold(scene: Scene) -> None:
        reference, document = Reference(scene.policy), parse(scene.policy)
        for call in scene.calls:
            nameless = Caller(call.kind, account=call.account, may_be=frozenset({kind_of(call)}))
            verdict = decide(document, replace(request_of(call), caller=nameless)).verdict
            tally[verdict] += call.kind == "Identity"
            assert verdict in {Verdict.DEPENDS, *verdicts(reference, call)}

    hold()
    assert 0 < tally[Verdict.DEPENDS] < tally.total() / 3, tally
    assert tally[Verdict.ALLOWED], tally
    assert tally[Verdict.DENIED], tally


def kind_of(call: Call) -> IdentityKind:
    if call.name.endswith(":root"):
        return "Root"
    return "User" if ":user/" in call.name else "Role"


def without(request: Request, pattern: str) -> Request:
    """The request of which the keys that begin so aren't known."""
    start = pattern.removesuffix("*")
    known = {key: values for key, values in request.context.items() if not key.startswith(start)}
    return replace(request, context=known, unknown=frozenset({pattern}))


def verdicts(reference: Reference, call: Call) -> set[Verdict]:
    return {Verdict.ALLOWED if ruling.allowed else Verdict.DENIED for ruling in reference.rulings(call)}


def reads_differently(reference: Reference, call: Call) -> bool:
    return len(reference.readings(call)) > 1


def in_words(possible: frozenset[Ruling]) -> str:
    return "open" if len(possible) > 1 else str(*(ruling.effect for ruling in possible))


def shares(tally: Counter[str]) -> set[str]:
    """The rulings that had their share of the pairs: enough of each, and few that the documentation leaves open."""
    wanted = {"Allow": (0.15, 0.6), "Deny": (0.05, 0.5), "None": (0.2, 0.75), "open": (0, 0.03)}
    return {word for word, (low, high) in wanted.items() if low <= tally[word] / tally.total() <= high}


@pytest.mark.parametrize("operator", SPELLINGS)
def test_each_operator_meets_and_misses_the_same_values_in_both(operator: str) -> None:
    tally: Counter[str] = Counter()
    wanted, key = POLICY_VALUES[base_of(operator)], keys_of(operator)[0]
    for values in (*wanted, *(list(pair) for pair in pairwise(wanted))):
        policy = {"Version": "2012-10-17", "Statement": {**ANYTHING, "Condition": {operator: {key: values}}}}
        reference, document = Reference(policy), parse(policy)
        for values_in_call in values_to_try(operator):
            call = Call("s3:GetObject", "arn:aws:s3:::b/k", context={"aws:username": ("ada",), **values_in_call})
            tally[assert_agreement(reference, document, call).verdict] += 1
    assert tally["allowed"], f"{operator} was never met"
    assert tally["denied"], f"{operator} was always met"


def values_to_try(operator: str) -> Iterator[dict[str, tuple[str, ...]]]:
    """The key absent, with each value, and with none and several where the operator is for such keys."""
    yield {}
    key, values = keys_of(operator)[0], REQUEST_VALUES[base_of(operator)]
    several_values = ((), *combinations(values, 2)) if ":" in operator else ()
    for each in (*((value,) for value in values), *several_values):
        yield {key: each}
