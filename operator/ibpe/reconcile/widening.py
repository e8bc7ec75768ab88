"""Where a policy came to allow more than before: by our own change, or behind our back. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from ibpe.api.names import Role
from ibpe.api.status import DriftEntry
from ibpe.aws.gateway import EndpointID
from ibpe.policy.access import Request
from ibpe.policy.context import Callers
from ibpe.policy.contribution import contribute
from ibpe.policy.document import PolicyDocument, PolicyError
from ibpe.policy.parse import parse
from ibpe.policy.probes import probes
from ibpe.policy.problem import EndpointRole
from ibpe.policy.widening import widened
from ibpe.reconcile.actions import Action, Contribute, Modify
from ibpe.reconcile.fields import Field
from ibpe.reconcile.plan import Applied, Plan, RolePlan
from ibpe.reconcile.wanted import Desired

Cause = Literal["edit", "drift"]


@dataclass(frozen=True)
class Widening:
    """A request that a policy lets through now and did not before."""

    role: Role
    endpoint_id: EndpointID
    request: Request
    cause: Cause


def widenings(desired: Desired, plan: Plan, applied: Applied, detected: Collection[DriftEntry]) -> Iterator[Widening]:
    """The policies that allow more: edited ones that were written, and drifted ones when that is first seen.

    A repair is no widening: it brings back what was told when it was first written.
    """
    news = {entry.role for entry in detected if entry.field == Field.POLICY}
    for role in plan.roles:
        change = _change(desired, role, applied, is_news=role.role in news)
        if role.live is None or change is None:
            continue
        before, after, cause = change
        request = widened(before, after, _asked(desired, role.role, role.live.owner_id))
        if request is not None:
            yield Widening(role.role, role.live.id, request, cause)


def _asked(desired: Desired, role: Role, account: str) -> list[Request]:
    """What is tried first, since it tells people more than a request made up from the documents."""
    endpoint: EndpointRole = "imagebuilder" if role is Role.IMAGE_BUILDER else "s3"
    needs = [need.request for wanted in desired.wanted if wanted.role is role for need in wanted.passage.needs(account)]
    return [*probes(endpoint, desired.region, Callers(account=account, vpc_id=desired.vpc_id)), *needs]


def _change(
    desired: Desired, role: RolePlan, applied: Applied, *, is_news: bool
) -> tuple[PolicyDocument, PolicyDocument, Cause] | None:
    """The policy before and after, and why it changed; None where it did not, or can't be read."""
    finding = next((f for f in role.findings if f.difference.field is Field.POLICY), None)
    wanted = desired.endpoint(role.role)
    if finding is None or role.live is None or (finding.drift and not is_news):
        return None
    try:
        shown = parse(role.live.policy)
        if not finding.drift:
            written = next((text for action in applied.done if (text := _written(role, action))), None)
            return (shown, parse(written), "edit") if written and not _refused(role, applied) else None
    except PolicyError:
        return None
    if wanted is None or isinstance(wanted.policy, PolicyError):
        return None
    return wanted.policy, shown, "drift"


def _refused(role: RolePlan, applied: Applied) -> bool:
    """Whether AWS took the other fields of a change and not the policy."""
    return any(failure.role is role.role and Field.POLICY in failure.fields for failure in applied.failures)


def _written(role: RolePlan, action: Action) -> str | None:
    """The policy that an action for this role gave its endpoint. Raises PolicyError."""
    match action:
        case Modify(role=role.role, change=change):
            return change.policy
        case Contribute(role=role.role, statements=statements, mark=mark) if role.live is not None:
            return contribute(role.live.policy, statements, mark)
        case _:
            return None
