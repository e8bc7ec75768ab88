"""The end: everything of ours deleted, or let go, and proved so before the finalizer goes. Needs no valid spec."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from ibpe.api.names import ABANDON, CLUSTER_TAG, OWNER_TAG, ConditionType
from ibpe.api.spec import DeletionPolicy
from ibpe.api.status import EndpointStatus, Status
from ibpe.aws.audit import audit_context
from ibpe.aws.errors import AwsError, ErrorClass
from ibpe.aws.gateway import Endpoint, EndpointState, Gateway, VpcID
from ibpe.aws.inventory import ObservationFailed
from ibpe.aws.limits import DELETE
from ibpe.policy.contribution import mark
from ibpe.reconcile import held_up
from ibpe.reconcile.accounts import Accounts, NotAllowed
from ibpe.reconcile.actions import Resolve
from ibpe.reconcile.apply import apply, delete, due_deletions
from ibpe.reconcile.contributing import EndpointLocks
from ibpe.reconcile.contributions import contributed_ids
from ibpe.reconcile.creating import ALREADY_MADE
from ibpe.reconcile.entries import refreshed
from ibpe.reconcile.failed_calls import describe
from ibpe.reconcile.hands import Hands
from ibpe.reconcile.holdings import Identity
from ibpe.reconcile.intents import in_order
from ibpe.reconcile.memory import Recollection
from ibpe.reconcile.notices import of_stuck
from ibpe.reconcile.observe import AccountMismatch, Eyes, check_account, identity_of, recorded_ids
from ibpe.reconcile.plan import Applied, Plan
from ibpe.reconcile.ports import Events, Outcome, Resource, Resources
from ibpe.reconcile.remains import Remains, look, openings
from ibpe.reconcile.retention import is_bare, retains
from ibpe.reconcile.turns import Turn, rationed, turn_of
from ibpe.reconcile.wanted import Owner

SECOND_LOOK_SECONDS = 1.0
LOOK_AGAIN_SECONDS = 5.0
VPC_IS_GONE = frozenset({"InvalidVpcID.NotFound", "InvalidVpcId.NotFound"})


@dataclass(frozen=True)
class Teardown:
    """Deleting what belongs to resources that are going."""

    accounts: Accounts
    resources: Resources
    events: Events
    locks: EndpointLocks
    cluster: str

    def run(self, resource: Resource, past: Recollection, now: datetime) -> Outcome:
        """One round: look, delete or let go, say so; release the finalizer at the second look that finds nothing."""
        if not resource.has_finalizer:
            return Outcome(result="gone")
        if self._abandoned(resource):
            return self._abandon(resource)
        held = _held(resource)
        if held is not None:
            return self._hold(resource, now, *held)
        try:
            return self._proceed(self.accounts.of(resource, past), resource, past, now)
        except NotAllowed as denied:
            return self._hold(resource, now, denied.reason, f"Deletion waits: {denied} {_way_out(resource)}")
        except AccountMismatch as mismatch:
            return self._hold(resource, now, "AccountMismatch", f"Deletion waits: {mismatch} {_way_out(resource)}")
        except ObservationFailed as failed:
            return self._failed(resource, now, failed.error)
        except AwsError as error:
            return self._failed(resource, now, error)

    def _proceed(self, eyes: Eyes, resource: Resource, past: Recollection, now: datetime) -> Outcome:
        account = eyes.cloud.caller_account()
        check_account(resource.status, account)
        region = str(resource.spec["region"])
        gateway = eyes.cloud.gateway(region)
        identity = self._identity(resource, region)
        remains = look(eyes.inventory, gateway, resource, identity, past, now)
        if remains.rest_on_absence:
            check_account(resource.status, eyes.cloud.caller_account())  # of the credentials that just looked
        if remains.nothing and not remains.strangers:
            return self._second_look(resource, remains, past, now)
        past.seen_gone_at = None
        refusal = _cannot_proceed(remains)
        if refusal is not None:
            return self._hold(resource, now, "OwnershipMismatch", f"{refusal} {_way_out(resource)}")
        eyes.inventory.hint_transitional(region)
        entries = refreshed(
            resource.status,
            None,
            remains.holdings,
            remains.absent,
            Plan(()),
            remains.uncontributed,
            remains.contributed,
        )
        status = resource.status.model_copy(update={"endpoints": entries})
        turn = turn_of(eyes.turns, account, region, resource.uid)
        applied, turn_in = self._let_go(resource, gateway, identity, remains, past, now, turn)
        status = status.model_copy(update={"endpoints": _with_found(entries, applied)})
        status = _progress(status, resource, remains, applied, now)
        self.resources.write_status(resource, status)
        if applied.failures:
            return Outcome(retry=True, result="error")
        again = LOOK_AGAIN_SECONDS if turn_in is None else turn_in
        return Outcome(requeue_after=SECOND_LOOK_SECONDS if applied.done else again, result="waiting")

    def _identity(self, resource: Resource, region: str) -> Identity:
        vpc_id = resource.spec.get("vpcID")
        owner = Owner(self.cluster, resource.key)
        return identity_of(owner, region, VpcID(vpc_id) if isinstance(vpc_id, str) else None)

    def _let_go(
        self,
        resource: Resource,
        gateway: Gateway,
        identity: Identity,
        remains: Remains,
        past: Recollection,
        now: datetime,
        turn: Turn,
    ) -> tuple[Applied, float | None]:
        """Delete, or untag and leave; resolve intents. And the seconds until the first write that has to wait."""
        hands = Hands(
            gateway=gateway,
            owner=identity.owner,
            uid=resource.uid,
            generation=resource.generation,
            vpc_id=VpcID(identity.vpc_id or ""),
            services=identity.services,
            past=past,
            locks=self.locks,
            now=now,
            holds=lambda endpoint: identity.role_of(endpoint, {}),
        )
        plan = openings(remains, mark(self.cluster, resource.uid), past.just_withdrawn(now))
        plan = rationed(plan, turn, past, now)
        applied = apply(hands, plan, resource.status, resource.status)
        _settle_resolutions(applied, past)
        doomed = [e for e in remains.holdings.all if e.state is not EndpointState.DELETING]
        retained = [e for e in doomed if retains(resource) and not e.state.is_dead and not is_bare(e, resource)]
        unseen = [id_ for id_ in remains.unproved if id_ not in past.delete_accepted]
        with audit_context(key=str(resource.key), uid=resource.uid, generation=resource.generation):
            _release(gateway, identity, retained)
            deleting = tuple(e.id for e in doomed if e not in retained) + tuple(unseen)
            wait = turn(DELETE) if due_deletions(deleting, past, now) else 0.0
            if not wait:
                delete(gateway, deleting, past, now)
        waits = [seconds for seconds in (plan.turn_in, wait) if seconds]
        return applied, min(waits, default=None)

    def _second_look(self, resource: Resource, remains: Remains, past: Recollection, now: datetime) -> Outcome:
        if past.seen_gone_at is None or (now - past.seen_gone_at).total_seconds() < SECOND_LOOK_SECONDS:
            past.seen_gone_at = past.seen_gone_at or now
            return Outcome(requeue_after=SECOND_LOOK_SECONDS, result="waiting")
        ids = sorted(recorded_ids(resource.status))
        self._tell_what_stays(resource, remains)
        if retains(resource):
            self.events.publish(resource, "Retained", f"Left in AWS, without our tags: {', '.join(ids) or 'nothing'}.")
        else:
            what = "nothing else" if remains.stuck else "nothing left"
            self.events.publish(resource, "Deleted", f"AWS shows {what} of {', '.join(ids) or 'it'}.")
        self.resources.remove_finalizer(resource)
        return Outcome(result="gone")

    def _tell_what_stays(self, resource: Resource, remains: Remains) -> None:
        shared = list(contributed_ids(resource.status))
        if retains(resource) and shared:
            note = f"Our statements stay in the policy of {', '.join(shared)}: deletionPolicy is Retain."
            self.events.publish(resource, "StatementsRetained", note)
        for endpoint in remains.stuck:
            notice = of_stuck(endpoint.id)
            self.events.publish(resource, notice.reason, notice.note, warning=notice.warning)

    def _abandoned(self, resource: Resource) -> bool:
        account = resource.abandoned_account
        return account is not None and account == (resource.status.account_id or account)

    def _abandon(self, resource: Resource) -> Outcome:
        ids = ", ".join(sorted(recorded_ids(resource.status))) or "no known ids"
        intents = ", ".join(f"an unanswered Create for {e.role}" for e in resource.status.endpoints if e.intent_open)
        shared = list(contributed_ids(resource.status))
        statements = f", our statements in the policy of {', '.join(shared)}" if shared else ""
        left = f"{ids}{f', {intents}' if intents else ''}{statements}"
        note = f"Abandoned on request: account {resource.abandoned_account} may still hold {left}."
        self.events.publish(resource, "Abandoned", note, warning=True)
        self.resources.remove_finalizer(resource)
        return Outcome(result="gone")

    def _hold(self, resource: Resource, now: datetime, reason: str, message: str) -> Outcome:
        status = held_up.stalled(resource.status, resource.generation, now, reason, message)
        self.resources.write_status(resource, status)
        told = status.condition(ConditionType.STALLED)
        self.events.publish(resource, "DeletionBlocked", told.message if told else message, warning=True)
        return Outcome(retry=True, result="refused")

    def _failed(self, resource: Resource, now: datetime, error: AwsError) -> Outcome:
        if error.error_class is not ErrorClass.RETRY:
            message = f"{_described(error, resource)} Deletion waits for that. {_way_out(resource)}"
            return self._hold(resource, now, error.reason, message)
        status = held_up.deleting(resource.status, resource.generation, now, _described(error, resource))
        self.resources.write_status(resource, status)
        return Outcome(retry=True, result="error")


def _release(gateway: Gateway, identity: Identity, retained: Collection[Endpoint]) -> None:
    """Let these go: without our tags, but for the one by which they can be taken back."""
    ids = [endpoint.id for endpoint in retained]
    if ids:
        gateway.put_tags(ids, identity.owner.retained_tag())
        gateway.remove_tags(ids, [CLUSTER_TAG, OWNER_TAG])


def _progress(status: Status, resource: Resource, remains: Remains, applied: Applied, now: datetime) -> Status:
    waiting = [f"{endpoint.id} ({endpoint.state})" for endpoint in remains.holdings.all]
    waiting += [f"{id_} (not shown by AWS yet)" for id_ in remains.unproved]
    waiting += [f"our statements in the policy of {each.id}" for each in remains.contributions]
    waiting += [f"our statements in the policy of {id_} (not shown by AWS yet)" for id_ in remains.unsettled]
    waiting += [f"the answer to a Create for {entry.role}" for entry in remains.open_intents]
    message = f"Waiting until AWS shows these gone: {', '.join(waiting)}."
    for failure in applied.failures:
        if failure.error.error_class is not ErrorClass.RETRY:
            words = (
                f"{_described(failure.error, resource, failure.about())} Deletion waits for that. {_way_out(resource)}"
            )
            return held_up.stalled(status, resource.generation, now, failure.error.reason, words)
        message = _described(failure.error, resource, failure.about())
    return held_up.deleting(status, resource.generation, now, message)


def _settle_resolutions(applied: Applied, past: Recollection) -> None:
    """A VPC that is gone holds no endpoint: its intents came to nothing. A mismatch is an answer, not a failure."""
    for failure in list(applied.failures):
        if failure.error.code in VPC_IS_GONE:
            past.intents_without_vpc.add(failure.role)
            applied.failures.remove(failure)
        elif failure.error.code == ALREADY_MADE:
            applied.failures.remove(failure)


def _with_found(entries: tuple[EndpointStatus, ...], applied: Applied) -> tuple[EndpointStatus, ...]:
    by_role = {entry.role: entry for entry in entries}
    for action in applied.done:
        if not isinstance(action, Resolve):
            continue
        found = applied.entries[action.role]
        by_role[action.role] = by_role.get(action.role, found).model_copy(
            update={"id": found.id, "state": found.state, "service_name": found.service_name}
        )
    return in_order(by_role)


def _cannot_proceed(remains: Remains) -> str | None:
    if remains.strangers and not remains.holdings.all:
        what = ", ".join(endpoint.id for endpoint in remains.strangers)
        return (
            f"Deletion waits: {what} is recorded as this resource's and does not carry its tags: put {CLUSTER_TAG} and "
            f"{OWNER_TAG} back on it to have it deleted, or delete it by hand."
        )
    if remains.holdings.unknown_roles and not remains.holdings.all:
        what = ", ".join(endpoint.id for endpoint in remains.holdings.unknown_roles)
        return f"Deletion waits: {what} carries this resource's tags with a role that this version doesn't know."
    return None


def _held(resource: Resource) -> tuple[str, str] | None:
    """Reason and message for which the deletion waits, before anything is asked."""
    if resource.spec.get("suspend") is True:
        return "Suspended", "Deletion waits: spec.suspend is true. Set it to false."
    unclear = _unclear(resource)
    return ("InvalidSpec", f"Deletion waits: {unclear} {_way_out(resource)}") if unclear is not None else None


def _unclear(resource: Resource) -> str | None:
    """What a spec that got past the schema leaves open, where a guess could delete what somebody wants to keep."""
    if not isinstance(resource.spec.get("region"), str):
        return "spec.region is missing, so nobody knows where to look."
    policy = resource.spec.get("deletionPolicy", DeletionPolicy.DELETE.value)
    if policy not in {known.value for known in DeletionPolicy}:
        return f"spec.deletionPolicy is {policy!r}: set it to Delete or Retain."
    return None


def _described(error: AwsError, resource: Resource, about: str = "") -> str:
    return describe(error, resource.status.account_id, about)


def _way_out(resource: Resource) -> str:
    account = resource.status.account_id or "<account id>"
    return f'If AWS can never be reached again, annotate with {ABANDON}: "{account}".'
