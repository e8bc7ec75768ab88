"""In which statements two policies differ, and the sentence that tells a person. Decides nothing about repairing it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ibpe.policy.canonical import (
    CanonicalStatement,
    canonical_condition,
    canonical_principal,
    canonical_statement,
    same_policy,
)
from ibpe.policy.document import Condition, Match, PolicyDocument, PolicyError, Principal, Statement, Version
from ibpe.policy.parse import parse

SENTENCE_LIMIT: Final = 1024
"""Characters; what an event's note holds in Kubernetes (events.k8s.io/v1)."""
_VALUES_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class ElementChange:
    """One element of a statement that is not as desired. Values are as they were written, conditions as sentences."""

    element: str
    lacks: tuple[str, ...] = ()
    has: tuple[str, ...] = ()

    def sentence(self) -> str:
        """`Resource lacks arn:…`, `Action also has s3:PutObject`, `Effect is Allow instead of Deny`."""
        if self.element in {"Sid", "Effect", "Version"}:
            return f"{self.element} is {_named(self.has)} instead of {_named(self.lacks)}"
        parts = [f"lacks {_named(self.lacks)}"] if self.lacks else []
        if self.has:
            parts.append(f"also has {_named(self.has)}")
        return f"{self.element} {' and '.join(parts)}"


@dataclass(frozen=True, slots=True)
class StatementChange:
    """A desired statement that was found, but not as desired."""

    desired: Statement
    observed: Statement
    elements: tuple[ElementChange, ...]

    def sentence(self) -> str:
        """`statement <Sid>: <element changes>`"""
        name = self.desired.sid or f"that {describe(self.desired)}"
        return f"statement {name}: {', '.join(element.sentence() for element in self.elements)}"


@dataclass(frozen=True, slots=True)
class PolicyDifference:
    """How an observed policy differs from the desired one; false when AWS reads both alike."""

    missing: tuple[Statement, ...] = ()
    extra: tuple[Statement, ...] = ()
    changed: tuple[StatementChange, ...] = ()
    id_change: ElementChange | None = None
    unreadable: str = ""
    """Why the observed text is no policy; then nothing else is said."""

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.changed or self.id_change or self.unreadable)

    def sentence(self, limit: int = SENTENCE_LIMIT) -> str:
        """All differences in one sentence of at most `limit` characters; those that don't fit are counted."""
        return _clamped(self._clauses() or ["the policies say the same"], limit)

    def _clauses(self) -> list[str]:
        if self.unreadable:
            return [f"the policy there can't be read ({self.unreadable})"]
        clauses = [change.sentence() for change in self.changed]
        clauses += [
            f"statement {s.sid} is missing" if s.sid else f"a statement is missing that {describe(s)}"
            for s in self.missing
        ]
        clauses += [f"an unexpected statement {f'{s.sid} ' if s.sid else ''}{describe(s)}" for s in self.extra]
        if self.id_change:
            clauses.append(f"Id is {_named(self.id_change.has)} instead of {_named(self.id_change.lacks)}")
        return clauses


def difference(desired: PolicyDocument, observed: PolicyDocument) -> PolicyDifference:
    """Statement by statement; empty exactly when both are equivalent."""
    wanted = _by_meaning(desired)
    found = _by_meaning(observed)
    missing = [statement for meaning, statement in wanted.items() if meaning not in found]
    extra = [statement for meaning, statement in found.items() if meaning not in wanted]
    changed = tuple(
        StatementChange(one, other, _changes(one, desired.effective_version, other, observed.effective_version))
        for one, other in _pairs(missing, extra)
    )
    return PolicyDifference(
        missing=_without(missing, (change.desired for change in changed)),
        extra=_without(extra, (change.observed for change in changed)),
        changed=changed,
        id_change=None if desired.id == observed.id else _swap("Id", desired.id, observed.id),
    )


def difference_from_text(desired: PolicyDocument, observed_text: str) -> PolicyDifference:
    """As `difference`, for the text that AWS shows; empty exactly when `same_policy` holds."""
    if same_policy(desired, observed_text):
        return PolicyDifference()
    try:
        observed = parse(observed_text)
    except PolicyError as error:
        return PolicyDifference(unreadable=str(error))
    return difference(desired, observed)


def describe(statement: Statement) -> str:
    """What a statement does: `allows s3:GetObject on arn:… to *`."""
    verb = "allows" if statement.effect == "Allow" else "denies"
    actions = _matched(statement.actions, statement.actions.values)
    resources = _matched(statement.resources, statement.resources.values)
    principals = _matched(statement.principals, tuple(principal.value for principal in statement.principals.values))
    condition = f" where {_named(tuple(map(_condition_text, statement.conditions)))}" if statement.conditions else ""
    return f"{verb} {actions} on {resources} to {principals}{condition}"


def _by_meaning(document: PolicyDocument) -> dict[CanonicalStatement, Statement]:
    version = document.effective_version
    return {canonical_statement(statement, version): statement for statement in document.statements}


def _pairs(missing: Sequence[Statement], extra: Sequence[Statement]) -> list[tuple[Statement, Statement]]:
    pairs: list[tuple[Statement, Statement]] = []
    left = list(extra)
    for alike in (_same_sid, _one_element_differs):
        for one in _without(missing, (pair[0] for pair in pairs)):
            other = next((candidate for candidate in left if alike(one, candidate)), None)
            if other is not None:
                left.remove(other)
                pairs.append((one, other))
    return pairs


def _same_sid(one: Statement, other: Statement) -> bool:
    return bool(one.sid) and one.sid == other.sid


def _one_element_differs(one: Statement, other: Statement) -> bool:
    mine, theirs = canonical_statement(one), canonical_statement(other)
    return sum(a != b for a, b in zip(mine[:-1], theirs[:-1], strict=True)) <= 1


def _changes(
    desired: Statement, desired_version: Version, observed: Statement, observed_version: Version
) -> tuple[ElementChange, ...]:
    mine = canonical_statement(desired, desired_version)
    theirs = canonical_statement(observed, observed_version)
    changes = (
        _swap("Sid", desired.sid, observed.sid),
        _swap("Effect", desired.effect, observed.effect),
        _match_change("Principal", _principals(desired), _principals(observed)),
        _match_change("Action", _actions(desired), _actions(observed)),
        _match_change("Resource", _resources(desired), _resources(observed)),
        _values_change("Condition", _conditions(desired), _conditions(observed)),
        _swap("Version", desired_version, observed_version),
    )
    return tuple(
        change for change, a, b in zip(changes, mine, theirs, strict=True) if a != b and change.lacks != change.has
    )


_Meanings = dict[object, str]
"""What each value means -> how it was written."""


def _principals(statement: Statement) -> tuple[bool, _Meanings]:
    def text(principal: Principal) -> str:
        return principal.value if principal.kind == "AWS" else f"{principal.kind} {principal.value}"

    match = statement.principals
    return match.excluded, {canonical_principal(principal): text(principal) for principal in match.values}


def _actions(statement: Statement) -> tuple[bool, _Meanings]:
    return statement.actions.excluded, {action.lower(): action for action in statement.actions.values}


def _resources(statement: Statement) -> tuple[bool, _Meanings]:
    return statement.resources.excluded, {resource: resource for resource in statement.resources.values}


def _conditions(statement: Statement) -> _Meanings:
    return {canonical_condition(condition): _condition_text(condition) for condition in statement.conditions}


def _condition_text(condition: Condition) -> str:
    return f"{condition.key} {condition.operator} {' or '.join(condition.values) or 'nothing'}"


def _match_change(element: str, desired: tuple[bool, _Meanings], observed: tuple[bool, _Meanings]) -> ElementChange:
    if desired[0] == observed[0]:
        return _values_change(f"Not{element}" if desired[0] else element, desired[1], observed[1])
    other = f"Not{element}" if observed[0] else element
    return ElementChange(
        f"Not{element}" if desired[0] else element,
        lacks=tuple(desired[1].values()),
        has=tuple(f"{other} {value}" for value in observed[1].values()),
    )


def _values_change(element: str, desired: _Meanings, observed: _Meanings) -> ElementChange:
    return ElementChange(
        element,
        lacks=tuple(text for meaning, text in desired.items() if meaning not in observed),
        has=tuple(text for meaning, text in observed.items() if meaning not in desired),
    )


def _swap(element: str, desired: str, observed: str) -> ElementChange:
    return ElementChange(element, lacks=(desired or "absent",), has=(observed or "absent",))


def _without(statements: Iterable[Statement], taken: Iterable[Statement]) -> tuple[Statement, ...]:
    left = list(statements)
    for statement in taken:
        left.remove(statement)
    return tuple(left)


def _matched(match: Match[str] | Match[Principal], values: tuple[str, ...]) -> str:
    return f"all but {_named(values)}" if match.excluded else _named(values)


def _named(values: Sequence[str]) -> str:
    named = ", ".join(values[:_VALUES_NAMED])
    more = len(values) - _VALUES_NAMED
    return f"{named} and {more} more" if more > 0 else named


def _clamped(clauses: Sequence[str], limit: int) -> str:
    clauses = ["".join(c if c.isprintable() else "?" for c in clause) for clause in clauses]
    whole = "; ".join(clauses)
    if len(whole) <= limit:
        return whole
    for kept in range(len(clauses) - 1, 0, -1):
        shorter = f"{'; '.join(clauses[:kept])}; and {len(clauses) - kept} more"
        if len(shorter) <= limit:
            return shorter
    return f"{whole[: max(limit - 1, 0)]}…"[:limit]
