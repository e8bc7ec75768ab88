"""Whether a condition holds for a request: operators, their qualifiers, absent keys and unknown ones.

Source: IAM user guide, "IAM JSON policy elements: Condition operators", "Conditions with multiple context keys or
values", "Single-valued vs. multivalued context keys". Values are read by `policy.readings`.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias, TypeVar

from ibpe.policy import readings
from ibpe.policy.document import Condition, PolicyError
from ibpe.policy.facts import Facts
from ibpe.policy.operators import OPERATORS, is_operator
from ibpe.policy.truth import Truth, all_of, any_of, negation
from ibpe.policy.values import nearest, quoted
from ibpe.policy.wildcards import SEGMENTS, Parts, Pattern, Wild, arn_parts, pattern, segments

Test: TypeAlias = Callable[[str | None], Truth]
"""Whether a value of the request matches one value of the policy; None is a value that may be anything."""
R = TypeVar("R")

_NEVER: Final[Test] = lambda _: False  # noqa: E731  (a constant of its type, not a function to call by name)
_POSSIBLE: Final[tuple[tuple[str | None, ...], ...]] = ((), ("",), (None,))
"""What an unknown key may come to: absent, empty, anything. More values than one come to nothing else."""
_QUALIFIERS: Final[Mapping[str, Literal["", "all", "any"]]] = {"": "", "forallvalues": "all", "foranyvalue": "any"}

_RELATIONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "equals": operator.eq,
    "lessthan": operator.lt,
    "lessthanequals": operator.le,
    "greaterthan": operator.gt,
    "greaterthanequals": operator.ge,
}


@dataclass(frozen=True, slots=True)
class _Operator:
    """An operator taken apart."""

    base: str
    """In lower case, without qualifiers, and without Not."""
    negated: bool
    over: Literal["", "all", "any"]
    """All values of the request, any of them, or no word about it."""
    if_exists: bool


def holds(condition: Condition, facts: Facts) -> Truth:
    """Whether the condition holds; None where it hangs on what isn't known.

    An unknown key may be absent, empty or anything else; only where all come to the same is the answer sure. Raises
    PolicyError for an operator that AWS doesn't know.
    """
    taken_apart = _operator(condition.operator)
    values = facts.values(condition.key)
    if values is not None:
        return _holds(taken_apart, condition, values, facts)
    first, *others = (_holds(taken_apart, condition, possible, facts) for possible in _POSSIBLE)
    return first if all(other is first for other in others) else None


@lru_cache(maxsize=256)
def _operator(written: str) -> _Operator:
    qualifier, _, rest = written.lower().rpartition(":")
    if qualifier not in _QUALIFIERS or not is_operator(written):
        raise PolicyError("Condition", f"{quoted(written)} is not a condition operator", nearest(written, OPERATORS))
    base = rest.removesuffix("ifexists")
    return _Operator(
        base=base.replace("not", "", 1),
        negated="not" in base,
        over=_QUALIFIERS[qualifier],
        if_exists=rest != base,
    )


def _holds(taken_apart: _Operator, condition: Condition, values: tuple[str | None, ...], facts: Facts) -> Truth:
    if not values and taken_apart.if_exists:
        return True
    if taken_apart.base == "null":
        return any(readings.truth_value(wanted) is (not values) for wanted in condition.values)
    if not values or (taken_apart.over and values == ("",)):  # to sets, an empty string is as good as no value
        return taken_apart.over == "all" if taken_apart.over else taken_apart.negated
    tests = [_test(taken_apart.base, wanted, facts) for wanted in condition.values]
    matched = (any_of(test(value) for test in tests) for value in values)
    satisfied = map(negation, matched) if taken_apart.negated else matched
    every = taken_apart.over == "all" or (taken_apart.negated and not taken_apart.over)
    return all_of(satisfied) if every else any_of(satisfied)


def _test(base: str, wanted: str, facts: Facts) -> Test:
    read = _TEXTS.get(base)
    if read is None:
        return _COMPARISONS[base](wanted)
    return read(wanted, facts)


def _text(wanted: str, facts: Facts) -> Test:
    return _matching(facts.filled(facts.template(wanted, wildcards=False)))


def _text_in_any_case(wanted: str, facts: Facts) -> Test:
    parts = facts.filled(facts.template(wanted, wildcards=False))
    if parts is None:
        return _NEVER
    test = _matching(tuple(part if isinstance(part, Wild) else part.lower() for part in parts))
    return lambda value: test(value if value is None else value.lower())


def _text_like(wanted: str, facts: Facts) -> Test:
    return _matching(facts.filled(facts.template(wanted, wildcards=True)))


def _arn(wanted: str, facts: Facts) -> Test:
    """Six segments, each matched by itself; text of fewer is no ARN."""
    parts = facts.filled(facts.template(wanted, wildcards=True))
    if parts is None or segments(parts) < SEGMENTS:
        return _NEVER
    test = _matching(arn_parts(parts, across=False))
    return lambda value: value.count(":") >= SEGMENTS - 1 and test(value) if value is not None else None


def _truth_value(wanted: str, facts: Facts) -> Test:
    """The guide is of two minds about variables here; they are filled in, as the section on this operator says."""
    parts = facts.filled(facts.template(wanted, wildcards=False))
    if parts is None:
        return _NEVER
    known = [part for part in parts if isinstance(part, str)]
    return _as_truth_value("".join(known)) if len(known) == len(parts) else lambda _: None


def _matching(parts: Parts | None) -> Test:
    if parts is None:
        return _NEVER
    return _pattern_test(pattern(parts))


def _pattern_test(compiled: Pattern) -> Test:
    def test(value: str | None) -> Truth:
        if value is None:
            return True if compiled.everything else None
        return compiled.matches(value)

    return test


def _comparison(read: Callable[[str], R | None], relation: Callable[[R, R], bool]) -> Callable[[str], Test]:
    """Of two values that can be read, the request's first. What can't be read matches nothing."""

    def test_for(wanted: str) -> Test:
        limit = read(wanted)
        if limit is None:
            return _NEVER

        def test(value: str | None) -> Truth:
            if value is None:
                return None
            found = read(value)
            return found is not None and relation(found, limit)

        return test

    return test_for


_as_truth_value: Final = _comparison(readings.truth_value, _RELATIONS["equals"])

_TEXTS: Final[Mapping[str, Callable[[str, Facts], Test]]] = {
    "stringequals": _text,
    "stringequalsignorecase": _text_in_any_case,
    "stringlike": _text_like,
    "arnequals": _arn,
    "arnlike": _arn,
    "bool": _truth_value,
}
"""Values in which variables are filled in."""

_COMPARISONS: Final[Mapping[str, Callable[[str], Test]]] = {
    "binaryequals": _comparison(readings.octets, _RELATIONS["equals"]),
    "ipaddress": _comparison(readings.address_range, readings.within),
    **{f"numeric{name}": _comparison(readings.number, relation) for name, relation in _RELATIONS.items()},
    **{f"date{name}": _comparison(readings.instant, relation) for name, relation in _RELATIONS.items()},
}
