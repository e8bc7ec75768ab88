"""Conditions that an endpoint policy doesn't take, or that can't be read.

Sources: PrivateLink guide, "Control access to VPC endpoints using endpoint policies" (wildcards, numeric operators,
accounts of ARNs); IAM user guide, "IAM JSON policy elements: Condition operators" and "AWS global condition context
keys".
"""

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from ibpe.policy import readings
from ibpe.policy.document import Condition, Statement
from ibpe.policy.findings.keys import GLOBAL_KEYS, OF_THE_CALLER, OF_THE_SYSTEM
from ibpe.policy.findings.resources import account_problems
from ibpe.policy.problem import Problem
from ibpe.policy.values import quoted

LEAST_BESIDE_A_WILDCARD: Final = 6
"""Consecutive characters before or after each wildcard of a string operator."""

_ESCAPED: Final = re.compile(r"\$\{[^}]*\}")
_WILD: Final = re.compile(r"[*?]")
_RUN: Final = re.compile(r"[^*?]+|[*?]")
_IMAGE_BUILDERS_BUCKET: Final = ":::ec2imagebuilder-"
_READ: Final[Mapping[str, tuple[str, Callable[[str], object]]]] = {
    "numeric": ("a number", readings.number),
    "date": ("a date, such as 2026-01-31T00:00:00Z", readings.instant),
    "ipaddress": ("an address or a range, such as 10.0.0.0/16", readings.address_range),
    "bool": ("true or false", readings.truth_value),
    "null": ("true or false", readings.truth_value),
    "binary": ("base64", readings.octets),
}


def condition_problems(statement: Statement, path: str) -> Iterator[Problem]:
    """Findings about Condition."""
    for condition in statement.conditions:
        where = f"{path}.Condition.{condition.operator}.{condition.key}"
        base = _base(condition.operator)
        yield from _key_problems(condition, where)
        yield from _value_problems(condition, base, where)
        if condition.key.lower() in OF_THE_SYSTEM:
            yield from _system_problems(condition, base, where)
        elif base in {"stringlike", "stringnotlike"}:
            yield from _short_of_characters(condition, where)
        if base.startswith("arn"):
            for value in condition.values:
                yield from account_problems(value, where)
    yield from _closed_to_the_anonymous(statement, path)


def _base(operator: str) -> str:
    """In lower case, without ForAnyValue:, ForAllValues: and IfExists."""
    return operator.lower().rpartition(":")[2].removesuffix("ifexists")


def _key_problems(condition: Condition, path: str) -> Iterator[Problem]:
    """Only keys that begin with aws: are all known, and new ones come: a warning, where one is much alike."""
    key = condition.key.lower()
    head = key.partition("/")[0]
    if not key.startswith("aws:") or head in GLOBAL_KEYS:
        return
    close = get_close_matches(head, GLOBAL_KEYS, n=1, cutoff=0.8)
    if close:
        yield Problem(
            path, f"{quoted(condition.key)} is no known key", f'did you mean "{GLOBAL_KEYS[close[0]]}"?', "warning"
        )


def _value_problems(condition: Condition, base: str, path: str) -> Iterator[Problem]:
    if not condition.values:
        yield Problem(path, "it names no value, so it is the same for all requests", "name one, or take it out")
    what, read = _READ.get(next((kind for kind in _READ if base.replace("not", "", 1).startswith(kind)), ""), ("", str))
    for value in condition.values:
        if what and "${" not in value and read(value) is None:
            yield Problem(path, f"{quoted(value)} can't be read by {condition.operator}", f"write {what}")


def _system_problems(condition: Condition, base: str, path: str) -> Iterator[Problem]:
    if base.startswith("numeric"):
        yield Problem(
            path,
            f"an endpoint policy takes no {condition.operator} with {condition.key}, whose values the system makes",
            "use StringEquals",
        )
    for value in condition.values:
        if _WILD.search(_ESCAPED.sub("", value)):
            yield Problem(
                path,
                f"an endpoint policy takes no wildcard such as {quoted(value)} with {condition.key}, whose values the "
                "system makes",
                "write the values out, with StringEquals",
            )


def _short_of_characters(condition: Condition, path: str) -> Iterator[Problem]:
    for value in condition.values:
        runs = ["", *_RUN.findall(_ESCAPED.sub(lambda variable: "x" * len(variable[0]), value)), ""]
        beside = [
            max(len(before), len(after))
            for before, run, after in zip(runs, runs[1:], runs[2:], strict=False)
            if run in {"*", "?"}
        ]
        if min(beside, default=LEAST_BESIDE_A_WILDCARD) < LEAST_BESIDE_A_WILDCARD:
            yield Problem(
                path,
                f"a wildcard in {quoted(value)} has fewer than {LEAST_BESIDE_A_WILDCARD} characters before or after "
                "it, which an endpoint policy needs",
                'write more of the value; to ask only whether the key is there, use {"Null": {key: "false"}}',
            )


def _closed_to_the_anonymous(statement: Statement, path: str) -> Iterator[Problem]:
    """Image Builder user guide, "VPC endpoint policy for Amazon S3 bucket access"; AWS samples,
    "data-perimeter-policy-examples": builds read these buckets without a signature.
    """
    buckets = [resource for resource in statement.resources.values if _IMAGE_BUILDERS_BUCKET in resource]
    if statement.effect != "Allow" or statement.resources.excluded or not buckets:
        return
    for condition in statement.conditions:
        if _asks_for_a_caller(condition):
            yield Problem(
                f"{path}.Condition.{condition.operator}.{condition.key}",
                f"builds read {quoted(buckets[0])} without a signature too, and such a call does not meet this",
                "allow this bucket in a statement without a condition on the caller",
                "warning",
            )


def _asks_for_a_caller(condition: Condition) -> bool:
    """Whether a call without a signature never meets it: the key is absent there, or says `anonymous`."""
    operator = condition.operator.lower()
    met_when_absent = operator.startswith("forallvalues:") or operator.endswith("ifexists") or "not" in operator
    return (
        condition.key.lower().partition("/")[0] in OF_THE_CALLER
        and not met_when_absent
        and _base(operator) != "null"
        and not any(value.lower() in {"anonymous", "*"} for value in condition.values)
    )
