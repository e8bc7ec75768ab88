"""The truth, in conditions: from a plan and what became of it to the status. Pure; `now` is given."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ibpe.api.names import ConditionStatus, ConditionType, Role
from ibpe.api.status import EndpointStatus, Status
from ibpe.aws.errors import ErrorClass
from ibpe.aws.gateway import EndpointID
from ibpe.reconcile.actions import Contribute, Create, Delete, Failure, Modify, Resolve, Retag, Withdraw
from ibpe.reconcile.checks.advice import advice
from ibpe.reconcile.conditions import Verdict, merge
from ibpe.reconcile.failed_calls import describe
from ibpe.reconcile.fields import Field
from ibpe.reconcile.held_up import COMPONENTS, initial
from ibpe.reconcile.listing import drift_entries, planned
from ibpe.reconcile.plan import Plan, Response, RolePlan
from ibpe.reconcile.refusals import POLICY_REASONS, Refusal
from ibpe.reconcile.wanted import Desired

PLAN_LIMIT = 32


@dataclass(frozen=True)
class Round:
    """What one reconcile came to."""

    generation: int
    now: datetime
    account: str
    desired: Desired
    plan: Plan
    refusals: tuple[Refusal, ...] = ()
    failures: tuple[Failure, ...] = ()
    suspended: bool = False
    report: bool = False
    stuck: tuple[EndpointID, ...] = ()
    """Policies of others that our statements should leave, and can't."""
    unknown_roles: tuple[str, ...] = ()
    """Endpoints with our tags and a role that this version doesn't know."""


def conclude(before: Status, entries: tuple[EndpointStatus, ...], end: Round) -> Status:
    """The status after a round."""
    verdicts = _suspended(before, end) if end.suspended else _working(end)
    return Status(
        observed_generation=end.generation,
        account_id=before.account_id or (end.account if entries else None),
        conditions=merge(before.conditions, verdicts, end.generation, end.now),
        endpoints=entries,
        drift=before.drift if end.suspended else drift_entries(before.drift, end.plan, end.now),
        plan=tuple(planned(end.plan))[:PLAN_LIMIT] if end.suspended or end.report or end.refusals else (),
    )


def _working(end: Round) -> dict[ConditionType, Verdict]:
    components = {COMPONENTS[role]: _component(role, end) for role in Role}
    return {**_overall(end), **components, **_checks(end), ConditionType.DRIFT_FREE: _drift_verdict(end)}


def _suspended(before: Status, end: Round) -> dict[ConditionType, Verdict]:
    ready = before.condition(ConditionType.READY)
    pending = len(end.plan.actions)
    what = f"Suspended: {pending} action(s) wait in status.plan." if pending else "Suspended: nothing waits."
    status: ConditionStatus = ready.status if ready else "Unknown"
    verdicts = {
        ConditionType.READY: Verdict(status, "Suspended", what),
        ConditionType.RECONCILING: Verdict("False", "Suspended", what),
        ConditionType.STALLED: Verdict("False", "Suspended", what),
        **_checks(end),
    }
    return {**initial(before), **verdicts}


def _overall(end: Round) -> dict[ConditionType, Verdict]:
    """Ready, Reconciling and Stalled, in the order of who must act: user, time, nobody."""
    blocking = _user_must_act(end)
    if blocking is not None:
        works = Verdict("False", blocking.reason, blocking.message)
        idle = Verdict("False", blocking.reason, "Nothing more is done until that is mended.")
        return _three(works, idle, Verdict("True", blocking.reason, blocking.message))
    progress = _in_progress(end)
    none_stalled = Verdict("False", "Progressing" if progress else "Ready", "Nothing needs a user.")
    if progress is not None:
        ready = Verdict("False", progress.reason, progress.message)
        if _works(end) and not _edits(end):
            ready = Verdict("True", progress.reason, f"The endpoints work. {progress.message}")
        return _three(ready, progress, none_stalled)
    ready = Verdict("True", "Ready", _ready_message(end))
    return _three(ready, Verdict("False", "Ready", "Nothing to do."), none_stalled)


def _three(ready: Verdict, reconciling: Verdict, stalled_: Verdict) -> dict[ConditionType, Verdict]:
    return {
        ConditionType.READY: ready,
        ConditionType.RECONCILING: reconciling,
        ConditionType.STALLED: stalled_,
    }


def _user_must_act(end: Round) -> Verdict | None:
    """The first thing that only a user can mend."""
    if end.refusals:
        others = len({refusal.message for refusal in end.refusals}) - 1
        more = f" And {others} more, see PrerequisitesMet and PolicyValid." if others else ""
        return Verdict("True", end.refusals[0].reason, end.refusals[0].message + more)
    for failure in end.failures:
        if failure.error.error_class is not ErrorClass.RETRY:
            return Verdict("True", failure.error.reason, _told(failure, end))
    for finding in end.plan.findings:
        plan = end.plan.role(finding.difference.role)
        if finding.response in {Response.REPORTED, Response.CONTENDED} and plan is not None and not plan.works:
            reason = "EndpointMissing" if finding.difference.field is Field.ENDPOINT else "DriftReported"
            fix = "Set driftPolicy to Repair, or put it right by hand."
            if finding.response == Response.CONTENDED:
                reason, fix = "Contended", "Find who else keeps changing it, and stop them."
            return Verdict("True", reason, f"{finding.difference}, and builds can't use it so. {fix}")
    return None


def _in_progress(end: Round) -> Verdict | None:
    """What is being done or awaited, if anything."""
    for failure in end.failures:
        return Verdict("True", failure.error.reason, _told(failure, end))
    for plan in end.plan.roles:
        verb = _verb(plan)
        if verb is not None:
            return verb
    return None


def _verb(plan: RolePlan) -> Verdict | None:
    for action in plan.actions:
        match action:
            case Create(role=role, attempt=attempt):
                again = " again" if attempt > 1 else ""
                return Verdict("True", "Creating", f"The {role} endpoint is being made{again}.")
            case Delete(role=role, ids=ids):
                return Verdict("True", "Deleting", f"{', '.join(ids)} ({role}) is being deleted: {action.why}.")
            case Resolve(role=role):
                return Verdict("True", "Resolving", f"Finding out whether a {role} endpoint was made.")
            case Withdraw(id=id_):
                return Verdict("True", "Withdrawing", f"Our statements are being taken out of {id_}: {action.why}.")
            case Modify() | Retag() | Contribute():
                break
    active = [f for f in plan.findings if f.response in {Response.REPAIRING, Response.UPDATING}]
    repairing = [finding for finding in active if finding.drift]
    if plan.wait is not None:
        return Verdict("True", plan.wait.reason, plan.wait.message)
    if repairing:
        what = "; ".join(str(finding.difference) for finding in repairing)
        return Verdict("True", "RepairingDrift", f"Being repaired: {what}.")
    if active:
        what = ", ".join(finding.difference.field for finding in active)
        return Verdict("True", "Updating", f"The {plan.role} endpoint is being changed to the edited spec: {what}.")
    return None


def _works(end: Round) -> bool:
    asked = [end.plan.role(wanted.role) for wanted in end.desired.wanted]
    return all(plan is not None and plan.works for plan in asked)


def _edits(end: Round) -> bool:
    return any(finding.response == Response.UPDATING for finding in end.plan.findings)


def _ready_message(end: Round) -> str:
    ids = ", ".join(f"{plan.role} {plan.note or plan.live.id}" for plan in end.plan.roles if plan.live)
    drift = [finding for finding in end.plan.findings if finding.drift]
    what = "; ".join(str(finding.difference) for finding in drift)
    left = f" Drift is left as it is: {what}." if drift else ""
    if end.stuck:
        left += f" Our statements stay in the policy of {', '.join(end.stuck)}: nothing else would be left in it."
    if end.unknown_roles:
        left += f" {', '.join(end.unknown_roles)}: our tags, with a role that this version doesn't know; left alone."
    return f"Available{'' if drift else ' and as specified'}: {ids}.{left}"


def _component(role: Role, end: Round) -> Verdict:
    if role not in {wanted.role for wanted in end.desired.wanted}:
        return Verdict("Unknown", "NotManaged", f"The spec asks for no {role} endpoint, so none is looked at.")
    plan = end.plan.role(role)
    for failure in end.failures:
        if failure.role is role and plan is not None and plan.works:
            return Verdict("True", failure.error.reason, f"The endpoint works. {_told(failure, end)}")
        if failure.role is role:
            return Verdict("False", failure.error.reason, _told(failure, end))
    refusal = next((refusal for refusal in end.refusals if refusal.concerns(role)), None)
    if refusal is not None and (plan is None or not plan.works):
        return Verdict("False", refusal.reason, refusal.message)
    if plan is None:
        return Verdict("Unknown", "NotObserved", "Not looked at.")
    if plan.works and plan.live is not None:
        return Verdict("True", "Available", f"{plan.note}." if plan.note else f"{plan.live.id} is available.")
    doing = _verb(plan)
    if doing is not None:
        return Verdict("False", doing.reason, doing.message)
    what = "; ".join(str(finding.difference) for finding in plan.findings)
    return Verdict("False", "NotAsApplied", f"Builds can't use it: {what}.")


def _checks(end: Round) -> dict[ConditionType, Verdict]:
    """Every refusal in full: the other conditions have room for the first alone."""
    policy = [refusal for refusal in end.refusals if refusal.reason in POLICY_REASONS]
    other = [refusal for refusal in end.refusals if refusal.reason not in POLICY_REASONS]
    return {
        ConditionType.POLICY_VALID: Verdict("False", policy[0].reason, _all(policy))
        if policy
        else Verdict("True", "Valid", f"The endpoint policies are valid. {advice(end.desired, end.account)}".rstrip()),
        ConditionType.PREREQUISITES_MET: Verdict("False", other[0].reason, _all(other))
        if other
        else Verdict("True", "Met", "VPC, subnets, security groups and route tables are as they must be."),
    }


def _all(refusals: Iterable[Refusal]) -> str:
    return " ".join(dict.fromkeys(refusal.message for refusal in refusals))


def _drift_verdict(end: Round) -> Verdict:
    drift = [finding for finding in end.plan.findings if finding.drift]
    if drift:
        reason = next((f.response for f in drift if f.response == Response.CONTENDED), drift[0].response)
        reason = "DriftReported" if reason == Response.REPORTED else reason
        return Verdict("False", reason, "; ".join(str(finding.difference) for finding in drift) + ".")
    if any(plan.live is None for plan in end.plan.roles):
        return Verdict("Unknown", "NotObserved", "There is nothing to compare yet.")
    if not any(wanted.fields() for wanted in end.desired.wanted):
        return Verdict("Unknown", "NotManaged", "Nothing here is the operator's to keep as it was applied.")
    return Verdict("True", "NoDrift", "AWS shows what was applied.")


def _told(failure: Failure, end: Round) -> str:
    """A failed action, with the endpoint and the fields that it was about."""
    plan = end.plan.role(failure.role)
    endpoint = plan.live.id if plan is not None and plan.live is not None else f"in {end.desired.vpc_id}"
    return describe(failure.error, end.account, failure.about(endpoint))
