"""Condition operators and their qualifiers, as the IAM user guide words them; shares nothing with the code under test.

Sources: IAM user guide, "Condition operators", "Conditions with multiple context keys or values" (NOR for negated
operators), "Single-valued vs. multivalued context keys" (ForAllValues, ForAnyValue, the null dataset).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import ip_address, ip_network
from typing import Final

from tests.evaluation.patterns import Context, UnresolvedVariableError, matches, matches_arn, read, read_plain

Meets = Callable[[str, str], bool]
"""(value in the policy, value in the request) -> whether the positive operator is met."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A choice for each place where the documentation leaves one."""

    unresolved_voids_statement: bool = True
    """A variable that can't be resolved "might cause the entire statement to be invalid"; or matches nothing."""
    if_exists_beats_qualifier: bool = True
    """ForAnyValue:…IfExists on an absent key: true by "…IfExists", false by "ForAnyValue … null dataset"."""
    excluded_account_means_root: bool = True
    """An account in NotPrincipal leaves out its root user alone, as Principal would; or all its identities."""
    resource_is_one_segment: bool = True
    """Wildcards stay in "segments of an ARN (the parts separated by colons)": in six, or in each between colons."""


def moment(text: str) -> datetime:
    """A W3C date, or seconds since 1970."""
    if text.isdigit() and len(text) > 4:
        return datetime.fromtimestamp(int(text), UTC)
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def within(network: str, address: str) -> bool:
    """An address without a prefix is a network of one."""
    return ip_address(address) in ip_network(network)


TYPED: Final[Mapping[str, Meets]] = {
    "NumericEquals": lambda policy, request: Decimal(request) == Decimal(policy),
    "NumericLessThan": lambda policy, request: Decimal(request) < Decimal(policy),
    "NumericLessThanEquals": lambda policy, request: Decimal(request) <= Decimal(policy),
    "NumericGreaterThan": lambda policy, request: Decimal(request) > Decimal(policy),
    "NumericGreaterThanEquals": lambda policy, request: Decimal(request) >= Decimal(policy),
    "DateEquals": lambda policy, request: moment(request) == moment(policy),
    "DateLessThan": lambda policy, request: moment(request) < moment(policy),
    "DateLessThanEquals": lambda policy, request: moment(request) <= moment(policy),
    "DateGreaterThan": lambda policy, request: moment(request) > moment(policy),
    "DateGreaterThanEquals": lambda policy, request: moment(request) >= moment(policy),
    "Bool": lambda policy, request: policy == request,
    "IpAddress": within,
}
"""Operators in which no variable can stand."""
NEGATED: Final[Mapping[str, str]] = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


def holds(operator: str, key: str, values: Sequence[str], version: str, context: Context, reading: Reading) -> bool:
    """Whether the condition holds. Raises UnresolvedVariableError where that makes the whole statement invalid."""
    present = context.get(key.lower(), ())
    if operator == "Null":
        return ("false" if present else "true") in values
    qualifier, _, unqualified = operator.rpartition(":")
    name = unqualified.removesuffix("IfExists")
    positive = NEGATED.get(name, name)
    found = [_met(positive, value, present, version, context, reading) for value in values]
    if not present:
        return _absent(qualifier, name, optional=name != unqualified, reading=reading)
    answers = [any(met[index] for met in found) != (name in NEGATED) for index in range(len(present))]
    return _combined(qualifier, answers)


def _combined(qualifier: str, answers: Sequence[bool]) -> bool:
    match qualifier:
        case "ForAllValues":
            return all(answers)
        case "ForAnyValue":
            return any(answers)
    (answer,) = answers  # several values without a qualifier: not documented
    return answer


def _absent(qualifier: str, name: str, *, optional: bool, reading: Reading) -> bool:
    if qualifier == "ForAllValues":
        return True
    if qualifier == "ForAnyValue":
        return optional and reading.if_exists_beats_qualifier
    return optional or name in NEGATED


def _met(
    positive: str, value: str, present: Sequence[str], version: str, context: Context, reading: Reading
) -> list[bool]:
    """For each value in the request, whether it meets this value of the policy."""
    if positive in TYPED:
        return [TYPED[positive](value, each) for each in present]
    try:
        return [_text_met(positive, value, each, version, context) for each in (present or ("",))]
    except UnresolvedVariableError:
        if reading.unresolved_voids_statement:
            raise
        return [False] * len(present)


def _text_met(positive: str, value: str, request: str, version: str, context: Context) -> bool:
    match positive:
        case "StringEquals":
            return read_plain(value, version, context) == request
        case "StringEqualsIgnoreCase":
            return read_plain(value, version, context).lower() == request.lower()
        case "StringLike":
            return matches(read(value, version, context), request)
        case "ArnEquals" | "ArnLike":
            return matches_arn(read(value, version, context), request)
    raise ValueError(f"{positive} is not an operator that the guide knows")
