"""Statements that others leave without effect."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ibpe.policy.canonical import canonical_condition, canonical_principal, canonical_statement
from ibpe.policy.document import ANYONE, Match, Principal, Statement
from ibpe.policy.findings.patterns import meet, takes_in_action, takes_in_resource, tokens
from ibpe.policy.problem import Problem


def overlap_problems(statements: Sequence[Statement]) -> Iterator[Problem]:
    """Statements that have no effect because of another: warnings, since the policy says as much.

    A Deny within another is not spoken of: it does no harm, and outlives the other.
    """
    meanings = [canonical_statement(replace(statement, sid="")) for statement in statements]
    for index, statement in enumerate(statements):
        place = meanings.index(meanings[index])
        if place < index:
            yield Problem(
                f"Statement[{index}]", f"it says the same as Statement[{place}]", "keep one of them", "warning"
            )
        elif statement.effect == "Allow":
            others = [(at, other) for at, other in enumerate(statements) if meanings[at] != meanings[index]]
            yield from _needless(f"Statement[{index}]", statement, others)


def _needless(path: str, allow: Statement, others: Sequence[tuple[int, Statement]]) -> Iterator[Problem]:
    place, other = next(((place, other) for place, other in others if _takes_in(other, allow)), (0, None))
    if other is not None:
        what = "denies all that it allows" if other.effect == "Deny" else "allows all of it already"
        yield Problem(path, f"Statement[{place}] {what}", "take one of them out", "warning")


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
