"""Where a policy comes to allow more than before: by our own change, or behind our back. Pure.

Our own change is judged before it is made and remembered in the status with the policy that it leads to, so that
neither a lost answer nor a crash makes it silent. Drift is judged whenever AWS shows another policy than before.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from ibpe.api.names import Role
from ibpe.api.status import EndpointStatus, PendingWidening, Status
from ibpe.aws.gateway import Endpoint
from ibpe.policy.access import Request
from ibpe.policy.canonical import digest
from ibpe.policy.context import Callers
from ibpe.policy.contribution import contribute
from ibpe.policy.document import PolicyDocument, PolicyError
from ibpe.policy.parse import parse
from ibpe.policy.probes import probes
from ibpe.policy.problem import EndpointRole
from ibpe.policy.widening import in_words, widened
from ibpe.reconcile.actions import Contribute, Modify
from ibpe.reconcile.fields import Field
from ibpe.reconcile.listing import clamped
from ibpe.reconcile.plan import Applied, Finding, Plan, RolePlan
from ibpe.reconcile.wanted import Desired, Wanted

Cause = Literal["edit", "drift"]
NOTE_LIMIT: Final = 1024


@dataclass(frozen=True)
class Widening:
    """A policy that allows more than before, in a sentence with a request as example."""

    role: Role
    cause: Cause
    note: str


def pending(desired: Desired, plan: Plan) -> Mapping[Role, PendingWidening]:
    """What the plan's edits of policies will open, by role. A repair opens nothing: it brings back what was told."""
    found: dict[Role, PendingWidening] = {}
    for role in plan.roles:
        wanted, finding = _wanted(desired, role.role), _policy_finding(role)
        if wanted is None or finding is None or finding.drift or role.live is None:
            continue
        request = _opened(desired, role, role.live)
        if request is not None:
            note = f"The policy of {role.live.id} ({role.role}) allows more than before, such as {in_words(request)}."
            found[role.role] = PendingWidening(to=wanted.fields()[Field.POLICY], note=clamped(note, NOTE_LIMIT))
    return found


def widenings(
    before: Status, entries: Iterable[EndpointStatus], desired: Desired, plan: Plan, applied: Applied
) -> tuple[tuple[EndpointStatus, ...], list[Widening]]:
    """What is to be told now, and the entries without it."""
    told, left = list(by_drift(before, desired, plan)), []
    for entry in entries:
        widening, still = settled(entry, desired, plan, applied)
        told.extend((widening,) if widening else ())
        left.append(entry.model_copy(update={"widening": still}))
    return tuple(left), told


def settled(
    entry: EndpointStatus, desired: Desired, plan: Plan, applied: Applied
) -> tuple[Widening | None, PendingWidening | None]:
    """What is to be told of an entry's pending widening, and what of it is still pending."""
    wanted, role = _wanted(desired, entry.role), plan.role(entry.role)
    if entry.widening is None or wanted is None or wanted.fields().get(Field.POLICY) != entry.widening.to:
        return None, None  # the spec has changed again since, or asks for no such endpoint any more
    if role is None or role.live is None or (_policy_finding(role) is not None and not _made(role, applied)):
        return None, entry.widening
    return Widening(entry.role, "edit", entry.widening.note), None


def by_drift(before: Status, desired: Desired, plan: Plan) -> Iterator[Widening]:
    """Policies that somebody else opened since the last look."""
    for role in plan.roles:
        endpoint, finding = desired.endpoint(role.role), _policy_finding(role)
        if endpoint is None or finding is None or not finding.drift or role.live is None:
            continue
        try:
            shown = parse(role.live.policy)
        except PolicyError:
            continue
        if isinstance(endpoint.policy, PolicyError) or digest(shown) == before.endpoint(role.role).policy_digest:
            continue
        request = widened(endpoint.policy, shown, _asked(desired, role.role, role.live.owner_id))
        if request is not None:
            note = (
                f"The policy of {role.live.id} ({role.role}) allows more than before behind the operator's back, such "
                f"as {in_words(request)}."
            )
            yield Widening(role.role, "drift", clamped(note, NOTE_LIMIT))


def _wanted(desired: Desired, role: Role) -> Wanted | None:
    return next((wanted for wanted in desired.wanted if wanted.role is role), None)


def _policy_finding(role: RolePlan) -> Finding | None:
    return next((finding for finding in role.findings if finding.difference.field is Field.POLICY), None)


def _made(role: RolePlan, applied: Applied) -> bool:
    """Whether the policy was written in this round, and AWS refused no part of that."""
    refused = any(failure.role is role.role and Field.POLICY in failure.fields for failure in applied.failures)
    return not refused and any(
        isinstance(action, Modify | Contribute) and action.role is role.role for action in applied.done
    )


def _opened(desired: Desired, role: RolePlan, live: Endpoint) -> Request | None:
    try:
        before = parse(live.policy)
        after = next((policy for action in role.actions if (policy := _written(action, live))), None)
    except PolicyError:
        return None
    return widened(before, after, _asked(desired, role.role, live.owner_id)) if after is not None else None


def _written(action: object, live: Endpoint) -> PolicyDocument | None:
    """The policy that an action gives the endpoint. Raises PolicyError."""
    match action:
        case Modify(change=change) if change.policy is not None:
            return parse(change.policy)
        case Contribute(statements=statements, mark=mark):
            return parse(contribute(live.policy, statements, mark))
        case _:
            return None


def _asked(desired: Desired, role: Role, account: str) -> list[Request]:
    """What is tried first, since it tells people more than a request made up from the documents."""
    endpoint: EndpointRole = "imagebuilder" if role is Role.IMAGE_BUILDER else "s3"
    needs = [need.request for wanted in desired.wanted if wanted.role is role for need in wanted.passage.needs(account)]
    return [*probes(endpoint, desired.region, Callers(account=account, vpc_id=desired.vpc_id)), *needs]
