"""What one look at a healthy spec came to, and what follows from it: memory, the last entries, when to look again."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from ibpe.api.names import Role
from ibpe.api.spec import Spec
from ibpe.api.status import EndpointStatus
from ibpe.reconcile.actions import Contribute, Retag, Withdraw
from ibpe.reconcile.compare import as_desired
from ibpe.reconcile.intents import in_order
from ibpe.reconcile.memory import Recollection
from ibpe.reconcile.observation import Observation
from ibpe.reconcile.observe import Eyes
from ibpe.reconcile.plan import Applied, Plan, Response, RolePlan
from ibpe.reconcile.ports import Outcome, Resource
from ibpe.reconcile.refusals import Refusal
from ibpe.reconcile.wanted import Desired

AFTER_A_WRITE_SECONDS = 1.0
CONTENDED_SECONDS = 600.0


@dataclass(frozen=True)
class Round:
    """What one look at a healthy spec came to, on the way from observing to telling."""

    eyes: Eyes
    resource: Resource
    spec: Spec
    desired: Desired
    seen: Observation
    refusals: tuple[Refusal, ...]
    plan: Plan
    past: Recollection
    now: datetime


def attempt_of(work: Round, role: Role) -> int:
    """The attempt that the status had when it was read."""
    return work.resource.status.endpoint(role).attempt


def note_changes(work: Round, applied: Applied) -> None:
    """Remember what was changed, or may have been: a call that failed is no repair, however often it is tried."""
    for plan in work.plan.roles:
        failed = {name: f.error for f in applied.failures if f.role is plan.role for name in f.fields}
        done = replace(plan, actions=tuple(action for action in plan.actions if action in applied.done))
        for finding in plan.findings:
            name, observed = finding.difference.field, finding.difference.observed
            error = failed.get(name)
            if not (done.mends(name) if error is None else not error.outcome_known):
                continue
            if error is None and finding.response == Response.REPAIRING:
                new = (plan.role, name) not in work.past.changes
                work.past.note_repair(plan.role, name, observed, work.now, new=new)
            elif error is None:
                work.past.note_update(plan.role, name, observed, work.now)
            else:
                work.past.note_change(plan.role, name, observed, work.now)


def digests(desired: Desired, plan: RolePlan) -> tuple[str, str] | None:
    """The configuration before and after, for the audit log."""
    wanted = desired.endpoint(plan.role)
    if wanted is None:
        return None  # of somebody else's endpoint, the policies before and after are in AWS's own trail
    return (as_desired(wanted, plan.live).digest() if plan.live else "", wanted.digest())


def overlaid(entries: Iterable[EndpointStatus], applied: Applied) -> tuple[EndpointStatus, ...]:
    """What was done is newer than what was seen before it: what a Create answered, and which tags were taken off."""
    by_role = {entry.role: entry for entry in entries}
    for role in {action.role for action in applied.done if isinstance(action, Retag)} & by_role.keys():
        by_role[role] = by_role[role].model_copy(update={"tag_keys": applied.entries[role].tag_keys})
    for role, entry in applied.entries.items():
        if entry.state in {"creating", "absent"} and role in by_role and by_role[role].state == "creating":
            fresh = {"id": entry.id, "state": entry.state, "service_name": entry.service_name}
            by_role[role] = by_role[role].model_copy(update=fresh)
    return in_order(by_role)


def outcome_of(work: Round, applied: Applied) -> Outcome:
    """When to look again. A settled resource is left to the watches."""
    if applied.failures:
        return Outcome(retry=True, result="error")
    if work.spec.suspend:
        return Outcome(result="suspended")
    if applied.done or any(isinstance(action, Contribute | Withdraw) for action in work.plan.actions):
        return Outcome(requeue_after=AFTER_A_WRITE_SECONDS, result="waiting")
    if work.plan.turn_in is not None:
        return Outcome(requeue_after=work.plan.turn_in, result="waiting")
    if work.refusals:
        return Outcome(retry=True, result="refused")
    waits = [plan.wait.seconds for plan in work.plan.roles if plan.wait is not None]
    if waits:
        return Outcome(requeue_after=min(waits), result="waiting")
    if any(finding.response == Response.CONTENDED for finding in work.plan.findings):
        return Outcome(requeue_after=CONTENDED_SECONDS, result="waiting")
    return Outcome()
