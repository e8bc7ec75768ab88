"""What to do about somebody else's endpoint: nothing but our statements in its policy, and only if asked. Pure."""

from collections.abc import Collection
from dataclasses import replace

from ibpe.api.status import EndpointStatus, Ownership, Status
from ibpe.aws.gateway import Endpoint, EndpointState, EndpointType
from ibpe.policy.contribution import allows_all, holds, is_contributed
from ibpe.policy.document import PolicyError
from ibpe.reconcile.actions import Action, Contribute
from ibpe.reconcile.checks.shared import IN_ANOTHER_VPC, PERHAPS_OUR_DOING
from ibpe.reconcile.compare import Difference, lets_through, listed, provision
from ibpe.reconcile.entries import is_unresolved
from ibpe.reconcile.fields import Field
from ibpe.reconcile.judging import Judge, awaited
from ibpe.reconcile.observation import Observation
from ibpe.reconcile.plan import Patience, RolePlan
from ibpe.reconcile.refusals import Refusal
from ibpe.reconcile.retiring import retire
from ibpe.reconcile.wanted import Contribution, SharedEndpoint


def plan_shared(
    wanted: SharedEndpoint,
    seen: Observation,
    status: Status,
    refusals: Collection[Refusal],
    patience: Patience,
    *,
    report: bool,
) -> RolePlan:
    """The next step for a role that somebody else's endpoint is to fill.

    An endpoint that we made for the role before goes, once builds can use the other one. What is not known to be made
    or not is found out first: the status has one place for both.
    """
    live, entry = seen.named.get(wanted.endpoint_id), status.endpoint(wanted.role)
    if is_unresolved(entry, seen.holdings.of(wanted.role), seen.absent):
        blocked = any(refusal.role is None for refusal in refusals) or live is None
        finding_out = None if blocked else retire(wanted.role, seen, status, patience)
        return finding_out or RolePlan(wanted.role)
    plan = _share(wanted, seen, status, refusals, patience, report=report)
    retiring = retire(wanted.role, seen, status, patience) if _takes_over(wanted, seen, refusals) else None
    if retiring is None:
        return plan
    return replace(plan, actions=(*plan.actions, *retiring.actions), wait=plan.wait or retiring.wait)


def _takes_over(wanted: SharedEndpoint, seen: Observation, refusals: Collection[Refusal]) -> bool:
    """Whether nothing but our own endpoint of before can still stand in the way of builds."""
    live = seen.named.get(wanted.endpoint_id)
    if live is None or live.state is not EndpointState.AVAILABLE:
        return False
    passes = lets_through(live.policy, wanted.passage.needs(seen.account))
    return passes and all(refusal.reason in PERHAPS_OUR_DOING for refusal in refusals)


def _share(
    wanted: SharedEndpoint,
    seen: Observation,
    status: Status,
    refusals: Collection[Refusal],
    patience: Patience,
    *,
    report: bool,
) -> RolePlan:
    live, entry = seen.named.get(wanted.endpoint_id), status.endpoint(wanted.role)
    if live is None or any(refusal.reason == IN_ANOTHER_VPC for refusal in refusals if refusal.role is wanted.role):
        return RolePlan(wanted.role)  # of another VPC's endpoint nothing is told: it may be none of this namespace's
    if entry.ownership is Ownership.MANAGED or entry.id != wanted.endpoint_id:
        entry = EndpointStatus(role=wanted.role)  # nothing was applied to this endpoint yet
    judge = Judge(wanted.role, wanted.fields(), entry, refusals, report, patience)
    missing = _missing(wanted, live)
    findings = (judge.judge(missing),) if missing is not None else ()
    mending = [finding.difference.field for finding in findings if judge.may_mend(finding)]
    available = live.state is EndpointState.AVAILABLE
    works = available and not refusals and lets_through(live.policy, wanted.passage.needs(seen.account))
    actions: tuple[Action, ...] = ()
    share = wanted.contribution
    if mending and available and share is not None and not isinstance(share.statements, PolicyError):
        actions = (Contribute(wanted.role, live.id, share.statements, share.mark),)
    return RolePlan(
        wanted.role,
        live,
        findings,
        actions,
        awaited(live, findings, mending),
        works,
        note=_note(wanted, live, seen.account, lacks_ours=missing is not None),
    )


def _missing(wanted: SharedEndpoint, live: Endpoint) -> Difference | None:
    """How the policy differs from what we contribute; an endpoint that allows everything is left alone."""
    share = wanted.contribution
    if share is None or isinstance(share.statements, PolicyError):
        return None
    if holds(live.policy, share.statements, share.mark) or _is_open(live, share):
        return None
    sids = listed([statement.sid for statement in share.statements])
    have = "others or changed ones of ours" if is_contributed(live.policy, share.mark) else "none of ours"
    return Difference(wanted.role, Field.POLICY, f"statements {sids} in the policy of {live.id}", have)


def _is_open(live: Endpoint, share: Contribution) -> bool:
    return not is_contributed(live.policy, share.mark) and allows_all(live.policy, share.mark)


def _note(wanted: SharedEndpoint, live: Endpoint, account: str, *, lacks_ours: bool) -> str:
    said = _about_policy(wanted, live, account, lacks_ours=lacks_ours)
    unchecked = live.type is EndpointType.GATEWAY and not wanted.knows_builds
    return f"{said}; routes were not checked, since spec.builds names no subnets" if unchecked else said


def _about_policy(wanted: SharedEndpoint, live: Endpoint, account: str, *, lacks_ours: bool) -> str:
    share = wanted.contribution
    if share is not None and _is_open(live, share):
        return f"{live.id} allows everything already: nothing is contributed to it"
    open_question = provision(live.policy, wanted.passage.needs(account))
    proviso = f", provided that what it asks for holds: {open_question}" if open_question else ""
    if share is None or lacks_ours:
        without = " without our statements" if lacks_ours else ""
        return f"{live.id} is somebody else's, and lets builds through{without}{proviso}"
    return f"{live.id} is somebody else's, with our statements in its policy{proviso}"
