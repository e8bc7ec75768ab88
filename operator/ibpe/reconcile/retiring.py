"""The end of what the spec no longer asks for: a changed mode or endpointID cleans up behind itself. Pure."""

from dataclasses import replace

from ibpe.api.names import Role
from ibpe.api.status import Status
from ibpe.aws.gateway import EndpointID, EndpointState
from ibpe.policy.contribution import withdraw
from ibpe.policy.document import PolicyError
from ibpe.reconcile.actions import Action, Delete, Resolve, Wait, Withdraw
from ibpe.reconcile.judging import LAG_SECONDS
from ibpe.reconcile.observation import Observation
from ibpe.reconcile.plan import Patience, Plan, RolePlan
from ibpe.reconcile.wanted import Desired


def retire(role: Role, seen: Observation, status: Status, patience: Patience) -> RolePlan | None:
    """The end of a role that the spec no longer asks for: a changed mode cleans up behind itself."""
    holding, entry = seen.holdings.of(role), status.endpoint(role)
    if holding.stranger is not None:
        return None
    doomed = tuple(e.id for e in (*((holding.live,) if holding.live else ()), *holding.dead, *holding.surplus))
    actions: tuple[Action, ...] = (Delete(role, doomed, "the spec no longer asks for it"),) if doomed else ()
    given_up = entry.intent_open and not holding.all and role in patience.abandoned_intents
    if entry.intent_open and not holding.all and not given_up:
        actions = (Resolve(role, entry.attempt),)
    absence = seen.absent.get(EndpointID(entry.id)) if entry.id else None
    unproved = absence is not None and not absence.proved
    if not (holding.all or entry.intent_open or unproved):
        return None
    wait = Wait("Deleting", f"The {role} endpoint is being deleted.", LAG_SECONDS)
    return RolePlan(role, actions=actions, wait=wait, given_up=given_up)


def withdrawals(plan: Plan, desired: Desired, seen: Observation, patience: Patience) -> Plan:
    """The plan, with our statements taken out of every policy that the spec no longer has them in.

    Builds go through the new endpoint before the old one is closed to them: as long as what the spec asks for does not
    work, nothing is taken away.
    """
    share = desired.share(Role.S3)
    leaving = [e for e in seen.contributions if e.id != _keeping(desired) and can_withdraw(e.policy, desired.mark)]
    role = plan.role(Role.S3) or RolePlan(Role.S3)
    asked = share is not None or desired.endpoint(Role.S3) is not None
    if not leaving or (asked and not role.works):
        return plan
    why = "the spec no longer contributes to it"
    due = [e for e in leaving if e.state is EndpointState.AVAILABLE and e.id not in patience.withdrawn]
    actions = (*role.actions, *(Withdraw(Role.S3, e.id, desired.mark, why) for e in due))
    words = f"Our statements are being taken out of {', '.join(e.id for e in leaving)}."
    role = replace(role, actions=actions, wait=role.wait or Wait("Withdrawing", words, LAG_SECONDS))
    return Plan((*(each for each in plan.roles if each.role is not Role.S3), role))


def stuck(desired: Desired, seen: Observation) -> tuple[EndpointID, ...]:
    """Policies that our statements should leave, and can't: nothing else would be left in them."""
    leaving = (e for e in seen.contributions if e.id != _keeping(desired))
    return tuple(e.id for e in leaving if not can_withdraw(e.policy, desired.mark))


def _keeping(desired: Desired) -> EndpointID | None:
    """The endpoint that the spec contributes to."""
    share = desired.share(Role.S3)
    return share.endpoint_id if share is not None and share.contribution is not None else None


def can_withdraw(policy: str, mark: str) -> bool:
    """Whether statements of ours can leave a policy: not where none of anybody else's would be left."""
    try:
        return withdraw(policy, mark) not in {None, policy}
    except PolicyError:
        return False
