"""Generated policies, each with calls that come near it: fitting it, missing it by little, or drawn apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.evaluation.reference import Call, CallerKind, Policy, conditions, several
from tests.evaluation.vocabulary import (
    ACCOUNT,
    ACTION_PATTERNS,
    ACTIONS,
    ARN_OPERATORS,
    AWS_PRINCIPALS,
    FILLINGS,
    IDENTITIES,
    MULTIPLE_KEYS,
    POLICY_VALUES,
    REQUEST_VALUES,
    RESOURCE_PATTERNS,
    RESOURCES,
    ROOT,
    SERVICES,
    SINGLE_KEYS,
    SPELLINGS,
    TEXT_OPERATORS,
)

Draw = st.DrawFn
T = TypeVar("T")
Written = dict[str, Any]  # JSON, which has no narrower type
CALLS_FOR_ONE_POLICY = 10
PRINCIPALS = (None, None, "Principal", "Principal", "NotPrincipal")


@dataclass(frozen=True, slots=True)
class Scene:
    """A policy, and calls to try on it."""

    policy: Policy
    calls: tuple[Call, ...]


def one_or_more(values: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    """A value, or a list of values, as JSON policies write it."""
    return st.one_of(st.sampled_from(values), st.lists(st.sampled_from(values), min_size=1, max_size=3))


@st.composite
def scenes(draw: Draw) -> Scene:
    policy = draw(policies())
    numbers = draw(st.lists(NUMBERS, min_size=CALLS_FOR_ONE_POLICY, max_size=CALLS_FOR_ONE_POLICY))
    return Scene(policy, tuple(call_near(policy, Choices(number)) for number in numbers))


@st.composite
def policies(draw: Draw) -> Written:
    written = draw(st.lists(statements(), min_size=1, max_size=4))
    policy: Written = {"Statement": written[0] if len(written) == 1 and draw(st.booleans()) else written}
    version = draw(st.sampled_from(("2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17", None)))
    return policy if version is None else {"Version": version, **policy}


@st.composite
def statements(draw: Draw) -> Written:
    statement: Written = {"Effect": draw(st.sampled_from(("Allow", "Allow", "Allow", "Deny")))}
    element, principals = draw(st.sampled_from(PRINCIPALS)), draw(principal_maps())
    statement[element or "Principal"] = principals if element else draw(st.sampled_from(("*", {"AWS": "*"})))
    statement[draw(usually("Action", "NotAction"))] = draw(one_or_more(ACTION_PATTERNS))
    statement[draw(usually("Resource", "NotResource"))] = draw(one_or_more(RESOURCE_PATTERNS))
    if draw(st.booleans()):
        statement["Condition"] = draw(condition_blocks())
    return statement


def usually(element: str, opposite: str) -> st.SearchStrategy[str]:
    return st.sampled_from((element, element, element, opposite))


@st.composite
def principal_maps(draw: Draw) -> Written:
    named: Written = {"AWS": draw(one_or_more(AWS_PRINCIPALS))}
    if draw(st.integers(0, 3)) == 0:
        named["Service"] = draw(one_or_more(SERVICES))
    return named


@st.composite
def condition_blocks(draw: Draw) -> Written:
    return {
        operator: {draw(st.sampled_from(keys_of(operator))): draw(one_or_more(POLICY_VALUES[base_of(operator)]))}
        for operator in draw(st.lists(st.sampled_from(SPELLINGS), min_size=1, max_size=2, unique=True))
    }


def base_of(operator: str) -> str:
    """The operator without its qualifier and suffix."""
    return operator.rpartition(":")[2].removesuffix("IfExists")


def keys_of(operator: str) -> tuple[str, ...]:
    return MULTIPLE_KEYS if ":" in operator else SINGLE_KEYS[operator.removesuffix("IfExists")]


class Choices:
    """Choices that one drawn number makes: quicker than a draw for each, and it shrinks towards the first of each."""

    def __init__(self, number: int) -> None:
        self._left = number

    def of(self, values: Sequence[T]) -> T:
        self._left, index = divmod(self._left, len(values))
        return values[index]

    def once_in(self, times: int) -> bool:
        return self.of(range(times)) == times - 1


NUMBERS = st.integers(0, 2**128 - 1)


def call_near(policy: Policy, choices: Choices) -> Call:
    """A call near one of the policy's statements, in each of its parts or in some."""
    statement = choices.of(several(policy["Statement"]))
    action = near(several(statement.get("Action", statement.get("NotAction"))), ACTIONS, choices)
    resource = near(several(statement.get("Resource", statement.get("NotResource"))), RESOURCES, choices)
    return Call(action, resource, *caller_near(statement, choices), context_near(policy, statement, choices))


def near(patterns: Sequence[str], pool: Sequence[str], choices: Choices) -> str:
    """A text that fits a pattern, or misses it by a character, or is drawn apart from it."""
    pattern = choices.of(patterns)
    if pattern == "*" or choices.once_in(4):
        return choices.of(pool)
    return missed(filled(pattern, choices.of(FILLINGS)), choices)


def filled(pattern: str, filling: str) -> str:
    for variable, value in VARIABLES.items():
        pattern = pattern.replace(variable, value)
    return pattern.replace("*", filling).replace("?", "x").replace("<star>", "*").replace("<question>", "?")


VARIABLES = {
    "${*}": "<star>",
    "${?}": "<question>",
    "${aws:username}": "ada",
    "${aws:username, 'nobody'}": "nobody",
    "${aws:PrincipalAccount}": ACCOUNT,
}


def missed(text: str, choices: Choices) -> str:
    """The text, often as it is, otherwise with one character changed."""
    at = choices.of(range(len(text) + 1))
    replacements = ("", ":", "x", text[at : at + 1].swapcase())
    if not choices.once_in(3):
        return text
    return text[:at] + choices.of(replacements) + text[at + 1 :]


def caller_near(statement: Policy, choices: Choices) -> tuple[CallerKind, str, str]:
    """(kind, name, account): usually one that the statement names, otherwise anybody."""
    principals = statement.get("Principal", statement.get("NotPrincipal"))
    named = several(principals.get("AWS", [])) if isinstance(principals, dict) else []
    known = [(name, account) for name, account in IDENTITIES if name in named or (account in named and name == ROOT)]
    match choices.of(("named", "named", "anybody", "named", "anonymous", "service")):
        case "anonymous":
            return "Anonymous", "", ""
        case "service":
            return "Service", choices.of(SERVICES), ""
        case "named" if known:
            return ("Identity", *choices.of(known))
    return ("Identity", *choices.of(IDENTITIES))


def context_near(policy: Policy, statement: Policy, choices: Choices) -> Mapping[str, tuple[str, ...]]:
    """Values for the keys that the policy asks for, the statement's own most often; some keys stay absent."""
    context: dict[str, tuple[str, ...]] = {}
    if not choices.once_in(3):
        context["aws:username"] = (choices.of(("ada", "Ada", "bob")),)
    if not choices.once_in(3):
        context["aws:principalaccount"] = (ACCOUNT,)
    for asked in (*several(policy["Statement"]), statement):
        for operator, key, values in conditions(asked):
            if not choices.once_in(4):
                context[key.lower()] = values_near(operator, key, values, choices)
    return context


def values_near(operator: str, key: str, values: Sequence[str], choices: Choices) -> tuple[str, ...]:
    pool = REQUEST_VALUES[base_of(operator)]
    if base_of(operator) in (*TEXT_OPERATORS, *ARN_OPERATORS):
        pool = (*(filled(value, "abcdefghij") for value in values), *pool)
    if key not in MULTIPLE_KEYS:
        return (choices.of(pool),)
    return tuple(choices.of(pool) for _ in range(choices.of((1, 2, 3, 0))))
