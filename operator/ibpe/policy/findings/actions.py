"""Actions that a statement names and the service doesn't have, or that never pass the endpoint."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from ibpe.actions import catalogue
from ibpe.policy.document import Statement
from ibpe.policy.problem import EndpointRole, Problem
from ibpe.policy.values import quoted

PASSING: Final[dict[EndpointRole, frozenset[str]]] = {
    "imagebuilder": frozenset({"imagebuilder"}),
    "s3": frozenset({"s3", "s3-object-lambda"}),
}
"""Prefixes of the actions that an endpoint's calls are authorized by."""
_ALIKE: Final = 0.85


def action_problems(statement: Statement, path: str, role: EndpointRole) -> Iterator[Problem]:
    """Findings about Action or NotAction."""
    path = f"{path}.{'NotAction' if statement.actions.excluded else 'Action'}"
    for written in statement.actions.values:
        service, _, name = written.partition(":")
        if written == "*":
            continue
        if service.lower() not in PASSING[role]:
            yield _of_another_service(path, written, service, role)
        elif service.lower() == role and not catalogue.matching(role, name):
            yield _unknown(path, written, role)


def _of_another_service(path: str, written: str, service: str, role: EndpointRole) -> Problem:
    if get_close_matches(service.lower(), [role], n=1, cutoff=_ALIKE):
        return Problem(path, f"{quoted(written)} is of no known service", f'did you mean "{role}"?')
    return Problem(
        path,
        f"{quoted(written)} never passes this endpoint, which carries {role} calls alone",
        "take it out",
        "warning",
    )


def _unknown(path: str, written: str, role: EndpointRole) -> Problem:
    """A name in full is most likely a slip. With a wildcard it may be newer than this version's list."""
    name = written.partition(":")[2]
    if "*" in name or "?" in name:
        return Problem(path, f"{quoted(written)} matches no known action", _did_you_mean(role, name), "warning")
    return Problem(path, f"{quoted(written)} is no known action", _did_you_mean(role, name))


def _did_you_mean(role: EndpointRole, name: str) -> str:
    plain = {known.lower(): known for known in catalogue.names(role)}
    close = get_close_matches(name.lower(), plain, n=1)
    if close:
        return f'did you mean "{role}:{plain[close[0]]}"?'
    return "correct its name, or put * at its end if it is newer than this version"
