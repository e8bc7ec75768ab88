"""What lint says of the policies that a spec asks for: the errors that refuse them, and the warnings that only tell."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Final

from ibpe.api.names import Role
from ibpe.policy.document import PolicyDocument, PolicyError
from ibpe.policy.lint import EndpointRole, Problem, lint
from ibpe.policy.needs import Need, first_denied
from ibpe.policy.s3 import environment_warning
from ibpe.policy.values import ended
from ibpe.reconcile.compare import provision
from ibpe.reconcile.wanted import Desired, DesiredEndpoint, Wanted

SAID_AT_MOST: Final = 5
"""Sentences of advice in a condition."""


def first_error(policy: PolicyDocument, role: Role, region: str) -> Problem | None:
    """What the policy is refused for, if anything."""
    return next((problem for problem in _problems(policy, role, region) if problem.severity == "error"), None)


def advice(desired: Desired, account: str) -> str:
    """What people should know of their policies, each with the part of the spec that it is about; empty: nothing."""
    said = list(islice(_said(desired, account), SAID_AT_MOST + 1))
    more = ["There is more: `ibpe policy check` lists all of it."] if len(said) > SAID_AT_MOST else []
    return " ".join((*said[:SAID_AT_MOST], *more))


def _said(desired: Desired, account: str) -> Iterator[str]:
    for wanted in desired.wanted:
        policy, where = _policy(wanted), policy_field(wanted.role)
        environment = environment_warning(wanted.passage.use.environment)
        if environment is not None:
            yield ended(f"{where}.{environment}")
        if policy is None:
            continue
        for problem in _problems(policy, wanted.role, desired.region):
            if problem.severity == "warning":
                yield ended(f"{where}: {problem}")
        if isinstance(wanted, DesiredEndpoint):
            needs = wanted.passage.needs(account)
            yield from (f"{where}: {words}." for words in _stopped(policy, needs))
            open_question = provision(policy, needs)
            if open_question:
                yield f"{where}: builds pass provided that what it asks for holds: {open_question}."


def _stopped(policy: PolicyDocument, needs: Iterable[Need]) -> Iterator[str]:
    """What some builds need, and this policy keeps from them."""
    for need in needs:
        if need.asker == "build" and not need.essential and first_denied(policy, (need,)) is not None:
            yield f"no build {need.words} ({need.request.action} on {need.request.resource})"


def policy_field(role: Role) -> str:
    """`imageBuilder.policy` or `s3.policy`."""
    return f"{'imageBuilder' if role is Role.IMAGE_BUILDER else 's3'}.policy"


def _policy(wanted: Wanted) -> PolicyDocument | None:
    if isinstance(wanted, DesiredEndpoint):
        return None if isinstance(wanted.policy, PolicyError) else wanted.policy
    if wanted.contribution is None or isinstance(wanted.contribution.statements, PolicyError):
        return None
    return PolicyDocument(wanted.contribution.statements)


@lru_cache(maxsize=1024)
def _problems(policy: PolicyDocument, role: Role, region: str) -> tuple[Problem, ...]:
    """The same for equal documents, which most resources have."""
    endpoint: EndpointRole = "imagebuilder" if role is Role.IMAGE_BUILDER else "s3"
    return tuple(lint(policy, endpoint, region))
