"""Condition operators and how each reads its values: which spellings of a value mean the same to AWS.

Source of names and readings: IAM user guide, "IAM JSON policy elements: Condition operators".
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import ip_network
from typing import Final

_COMPARISONS: Final = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
OPERATORS: Final = (
    *("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
    *("StringLike", "StringNotLike", "Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "Null"),
    *("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"),
    *(f"Numeric{comparison}" for comparison in _COMPARISONS),
    *(f"Date{comparison}" for comparison in _COMPARISONS),
)
"""Without `ForAllValues:`, `ForAnyValue:` and `IfExists`, which go with any of them."""

_LOWER: Final = frozenset(operator.lower() for operator in OPERATORS)
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,6})?", re.ASCII)
_ADDRESS: Final = re.compile(r"[0-9a-fA-F.:]+(/\d{1,3})?", re.ASCII)


def is_operator(written: str) -> bool:
    """Whether AWS knows the operator, with its prefix and suffix, in whatever letter case."""
    return _base(written) in _LOWER


def canonical_value(operator: str, value: str) -> str:
    """One spelling for all values that this operator reads alike; what it can't read stays as it is."""
    return _READINGS.get(_base(operator), _verbatim)(value)


def _base(written: str) -> str:
    prefix, colon, rest = written.lower().rpartition(":")
    known = not colon or prefix in {"forallvalues", "foranyvalue"}
    return rest.removesuffix("ifexists") if known else ""


def _verbatim(value: str) -> str:
    return value


def _number(value: str) -> str:
    if not _NUMBER.fullmatch(value):
        return value
    sign, digits, exponent = Decimal(value).as_tuple()  # exact; Decimal.normalize() would round at 28 digits
    written = "".join(map(str, digits)).lstrip("0")
    significant = written.rstrip("0")
    if not significant or not isinstance(exponent, int):
        return "0"
    return f"{'-' if sign else ''}{significant}e{exponent + len(written) - len(significant)}"


def _instant(value: str) -> str:
    if not _INSTANT.fullmatch(value):
        return value
    try:
        return datetime.fromisoformat(value).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):  # the 31st of February; the year 0000
        return value


def _address_range(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        return value
    try:
        network = ip_network(value)
    except ValueError:
        return value
    return f"v{network.version}:{int(network.network_address):x}/{network.prefixlen}"


_READINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "stringequalsignorecase": str.lower,
    "stringnotequalsignorecase": str.lower,
    "bool": str.lower,
    "null": str.lower,
    "ipaddress": _address_range,
    "notipaddress": _address_range,
    **{f"numeric{comparison.lower()}": _number for comparison in _COMPARISONS},
    **{f"date{comparison.lower()}": _instant for comparison in _COMPARISONS},
}
