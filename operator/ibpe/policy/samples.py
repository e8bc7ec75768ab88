"""Actions, resources, callers and condition values that a statement speaks of: examples of what its patterns match.

Text alone: whether an example is really matched is for `access` to say.
"""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from ipaddress import ip_network
from typing import Final, TypeVar

from ibpe.policy.access import ANONYMOUS, Caller
from ibpe.policy.document import Condition, Principal, Statement

T = TypeVar("T")
Value = tuple[str, ...]
"""A condition key's values in a request; empty: the key is absent."""

FRESH_ACTION: Final = "anything:Anything"
FRESH_RESOURCE: Final = "arn:aws:anything:us-east-1:999999999999:anything"
IDENTITY: Final = Caller("Identity", "arn:aws:iam::999999999999:role/anything", "999999999999")
SERVICE: Final = Caller("Service", "anything.amazonaws.com")
ABSENT: Final[Value] = ()
FIRST_VALUE: Final[Value] = ("anything",)
"""What a variable is first filled in with."""

_FILLS: Final = ("anything", "0ther", "")
"""What stands for a `*`. They differ in their first and last letters: no pattern but `*` is likely to match the lot."""
_VARIABLE: Final = re.compile(r"\$\{([^},]*)(?:,\s*'([^']*)')?\s*\}")
_LITERAL: Final = {"*", "?", "$"}
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_FRESH_VALUES: Final = (*FIRST_VALUE, "0ther")
_DATES: Final = ("1970-01-01T00:00:00Z", "2099-12-31T23:59:59Z")
_ADDRESSES: Final = ("203.0.113.77", "2001:db8::77")
_ARN_COLONS: Final = 5


def actions(statement: Statement) -> tuple[str, ...]:
    """Actions that the statement names, and one that nobody names."""
    named = (filled(pattern) for pattern in statement.actions.values if pattern != "*")
    return once((*flat(named), FRESH_ACTION))


def resources(statement: Statement) -> tuple[str, ...]:
    """Resources that the statement names, one that nobody names, and `*`, for actions without a resource type."""
    named = flat(filled(pattern) for pattern in statement.resources.values if pattern != "*")
    return once((*map(_lengthened, named), FRESH_RESOURCE, "*"))


def callers(statement: Statement) -> tuple[Caller, ...]:
    """An identity that nobody names, those who are named, an AWS service, and nobody."""
    return (IDENTITY, *flat(map(_callers, statement.principals.values)), SERVICE, ANONYMOUS)


def values(statements: Iterable[Statement]) -> dict[str, tuple[Value, ...]]:
    """By condition key (lower case): values that the statements' conditions tell apart, and absence."""
    found: dict[str, list[Value]] = {}
    for statement in statements:
        for condition in statement.conditions:
            found.setdefault(condition.key.lower(), []).extend(_values(condition))
        for key in variables(statement):
            found.setdefault(key, [])
    fresh = [(text,) for text in _FRESH_VALUES]
    return {key: once((*mentioned, *fresh, ABSENT)) for key, mentioned in found.items()}


def variables(statement: Statement) -> frozenset[str]:
    """The keys (lower case) whose values `${…}` stands for in the statement."""
    texts = [*statement.resources.values, *flat(condition.values for condition in statement.conditions)]
    names = {name.strip().lower() for text in texts for name, _ in _VARIABLE.findall(text)}
    return frozenset(names - _LITERAL)


def filled(pattern: str) -> tuple[str, ...]:
    """Texts that the pattern matches: wildcards filled in, and `${…}` as a variable and as plain text."""
    texts = once((_VARIABLE.sub(_resolved, pattern), _VARIABLE.sub(_defaulted, pattern), pattern))
    return once(
        text.replace("*", fill).replace("?", fill[:1] or "x")
        for text in texts
        for fill in (_FILLS if "*" in text or "?" in text else _FILLS[:1])
    )


def _resolved(variable: re.Match[str]) -> str:
    name = variable[1].strip()
    return name if name in _LITERAL else _FRESH_VALUES[0]


def _defaulted(variable: re.Match[str]) -> str:
    return variable[2] if variable[2] is not None else _resolved(variable)


def _lengthened(arn: str) -> str:
    """An ARN with all of its parts, where a `*` stood for several of them."""
    missing = _ARN_COLONS - arn.count(":")
    return arn + ":anything" * missing if missing > 0 else arn


def _callers(principal: Principal) -> Iterator[Caller]:
    """Those whom the principal names: of an account both its root user and a role."""
    if principal.kind == "Service":
        yield Caller("Service", principal.value)
    elif principal.value != "*":
        numbers = _ACCOUNT.search(principal.value)
        account = numbers[0] if numbers else ""
        yield Caller("Identity", principal.value, account)
        if account and (principal.value == account or principal.value.endswith(":root")):
            yield Caller("Identity", f"arn:aws:iam::{account}:root", account)
            yield Caller("Identity", f"arn:aws:iam::{account}:role/anything", account)


def _values(condition: Condition) -> Iterator[Value]:
    operator = condition.operator.lower()
    texts = once(text for value in condition.values for text in _texts(operator, value))
    for text in texts:
        yield (text,)
    for text in texts[:1]:
        yield (text, _FRESH_VALUES[0])


def _texts(operator: str, value: str) -> Iterable[str]:
    """Values beside this one, on both sides of what the operator asks."""
    if "numeric" in operator:
        return _numbers(value)
    if "date" in operator:
        return (value, *_DATES)
    if "ipaddress" in operator:
        return (*_addresses(value), *_ADDRESSES)
    if "bool" in operator:
        return (value.lower(), "true", "false")
    if operator.startswith("null"):
        return ()
    return (*filled(value), value, value.swapcase()) if "ignorecase" in operator else (*filled(value), value)


def _numbers(value: str) -> Iterable[str]:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return (value,)
    return (value, str(number - 1), str(number + 1))


def _addresses(value: str) -> Iterable[str]:
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        return (value,)
    return (str(network[0]), str(network[-1]))


def once(items: Iterable[T]) -> tuple[T, ...]:
    """The items in their order, each once."""
    return tuple(dict.fromkeys(items))


def flat(items: Iterable[Iterable[T]]) -> tuple[T, ...]:
    """The items of all, one after another."""
    return tuple(item for inner in items for item in inner)
