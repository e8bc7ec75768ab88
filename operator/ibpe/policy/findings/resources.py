"""Resources that no call through the endpoint is for, and actions that are never authorized on those named."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from ibpe.actions import catalogue
from ibpe.actions.action import Action
from ibpe.partitions import partition_of
from ibpe.policy.document import Statement
from ibpe.policy.findings.reach import Astray, astray, example, takes
from ibpe.policy.problem import EndpointRole, Problem
from ibpe.policy.values import quoted

_ACCOUNT_AT: Final = 4
_VARIABLE: Final = re.compile(r"\$\{[^}]*\}")
_WILD: Final = re.compile(r"[*?]")


def resource_problems(statement: Statement, path: str, role: EndpointRole, region: str) -> Iterator[Problem]:
    """Findings about Resource or NotResource, and about actions beside them."""
    where = f"{path}.{'NotResource' if statement.resources.excluded else 'Resource'}"
    ways = {resource: astray(resource, role, region) for resource in statement.resources.values}
    hopeless = not statement.resources.excluded and all(ways.values())
    for resource, way in ways.items():
        if way is not None:
            yield _astray(where, resource, way, role, region, hopeless=hopeless)
    for resource in statement.resources.values:
        yield from account_problems(resource, where)
    if not hopeless and not statement.resources.excluded and not statement.actions.excluded:
        yield from _never_together(statement, path, role, region)


def account_problems(arn: str, path: str) -> Iterator[Problem]:
    """PrivateLink guide, "Control access to VPC endpoints …": an ARN's account is an ID or a wildcard, not both."""
    parts = _VARIABLE.sub("0", arn).split(":")
    account = parts[_ACCOUNT_AT] if arn.startswith("arn:") and len(parts) > _ACCOUNT_AT else ""
    if _WILD.search(account) and _WILD.sub("", account):
        yield Problem(
            path,
            f"the account of {quoted(arn)} is part number, part wildcard, which an endpoint policy doesn't take",
            "write the account's 12 digits, or * alone",
        )


def _astray(path: str, resource: str, way: Astray, role: EndpointRole, region: str, *, hopeless: bool) -> Problem:
    """What another Region's or another service's endpoint shares is no error: documents are shared among endpoints."""
    partition = partition_of(region).arn_prefix
    fixes = {
        "service": (f"is no resource of {role}, the service behind this endpoint", f'write "{partition}:{role}:…"'),
        "partition": ("is in another partition than the endpoint", f'write "{partition}:…" in {region}'),
        "region": ("is in another Region than the endpoint, which reaches its own alone", f"write {region} there"),
        "kind": (f"is no resource that {role} has", "correct the part behind the account, or what stands before it"),
    }
    problem, fix = fixes[way]
    sure = hopeless and way in {"partition", "kind"}
    return Problem(path, f"{quoted(resource)} {problem}", fix, "error" if sure else "warning")


def _never_together(statement: Statement, path: str, role: EndpointRole, region: str) -> Iterator[Problem]:
    """Actions that none of the statement's resources is for, such as s3:GetObject on a bucket."""
    meant = {
        written: catalogue.matching(role, written.partition(":")[2])
        for written in statement.actions.values
        if written.lower().startswith(f"{role}:")
    }
    dead = {
        written: actions
        for written, actions in meant.items()
        if actions and not _any_takes(statement.resources.values, actions, role, region)
    }
    for written, actions in dead.items():
        wanted = example(role, actions[0], region)
        yield Problem(
            f"{path}.Action",
            f"{quoted(written)} has no effect, since it is never authorized on {_few(statement.resources.values)}",
            f"add {quoted(wanted)} to Resource, or one of that form",
            "error" if len(dead) == len(statement.actions.values) else "warning",
        )


def _any_takes(resources: Sequence[str], actions: Sequence[Action], role: EndpointRole, region: str) -> bool:
    return any(takes(resource, action, role, region) for resource in resources for action in actions)


def _few(values: Sequence[str]) -> str:
    more = f" and {len(values) - 1} more" if len(values) > 1 else ""
    return f"{quoted(values[0])}{more}"
