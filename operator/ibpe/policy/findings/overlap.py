"""Statements that others leave without effect."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ibpe.policy.canonical import canonical_condition, canonical_principal, canonical_statement
from ibpe.policy.document import ANYONE, Match, Principal, Statement
from ibpe.policy.findings.patterns import meet, takes_in_action, takes_in_resource, tokens
from ibpe.policy.problem import Problem


def overlap_problems(statements: Sequence[Statement], index: int) -> Iterator[Problem]:
    """Whether the statement at this place has no effect because of another: warnings, since the policy says as much.

    A Deny within another is not spoken of: it does no harm, and outlives the other.
    """
    statement = statements[index]
    path = f"Statement[{index}]"
    for place, other in enumerate(statements[:index]):
        if _same(statement, other):
            yield Problem(path, f"it says the same as Statement[{place}]", "keep one of them", "warning")
            return
    if statement.effect != "Allow":
        return
    for place, other in enumerate(statements):
        if place == index or _same(statement, other) or not _takes_in(other, statement):
            continue
        if other.effect == "Deny":
            yield Problem(path, f"Statement[{place}] denies all that it allows", "take one of them out", "warning")
        else:
            yield Problem(path, f"Statement[{place}] allows all of it already", "take one of them out", "warning")
        return


def _same(one: Statement, other: Statement) -> bool:
    return canonical_statement(replace(one, sid="")) == canonical_statement(replace(other, sid=""))


def _takes_in(big: Statement, small: Statement) -> bool:
    """Whether `big` applies wherever `small` does; no where it can't be told."""
    conditions = {canonical_condition(condition) for condition in small.conditions}
    return (
        all(canonical_condition(condition) in conditions for condition in big.conditions)
        and _takes_in_principals(big.principals, small.principals)
        and _takes_in_actions(big.actions, small.actions)
        and _takes_in_resources(big.resources, small.resources)
    )


def _takes_in_principals(big: Match[Principal], small: Match[Principal]) -> bool:
    if big == ANYONE:
        return True
    named = {canonical_principal(principal) for principal in big.values}
    return big.excluded == small.excluded and named == {canonical_principal(principal) for principal in small.values}


def _takes_in_actions(big: Match[str], small: Match[str]) -> bool:
    if small.excluded:
        return "*" in big.values and not big.excluded
    if big.excluded:
        return not any(
            meet(tokens(left_out.lower()), tokens(action.lower())) for left_out in big.values for action in small.values
        )
    return all(any(takes_in_action(pattern, action) for pattern in big.values) for action in small.values)


def _takes_in_resources(big: Match[str], small: Match[str]) -> bool:
    if small.excluded:
        return "*" in big.values and not big.excluded
    if big.excluded:
        return not any(meet(tokens(left_out), tokens(resource)) for left_out in big.values for resource in small.values)
    return all(any(takes_in_resource(pattern, resource) for pattern in big.values) for resource in small.values)
