"""The story of one resource: read, observe, refuse, plan, act, tell. Each step is a verb in a module of its own."""

import logging
import math
from datetime import datetime

from ibpe.api.names import ConditionType
from ibpe.api.spec import DriftPolicy, InvalidSpec, parse_spec
from ibpe.api.status import Status
from ibpe.aws.errors import AwsError, ErrorClass
from ibpe.aws.inventory import ObservationFailed
from ibpe.policy.values import ended
from ibpe.reconcile import held_up
from ibpe.reconcile import status as statuses
from ibpe.reconcile.accounts import Accounts, NotAllowed
from ibpe.reconcile.actions import Create, Resolve
from ibpe.reconcile.aftermath import Round, attempt_of, digests, note_changes, outcome_of, overlaid
from ibpe.reconcile.apply import apply, refused_before
from ibpe.reconcile.contributing import EndpointLocks
from ibpe.reconcile.desire import desire
from ibpe.reconcile.entries import refreshed
from ibpe.reconcile.hands import Hands
from ibpe.reconcile.intents import begun_again, intents
from ibpe.reconcile.memory import Memory, Recollection
from ibpe.reconcile.notices import drift_news, notices, of_stuck, of_widening
from ibpe.reconcile.observe import (
    STALE_SECONDS,
    AccountMismatch,
    check_account,
    concerned_ids,
    identity_for,
    is_transitional,
    observe,
)
from ibpe.reconcile.plan import Applied
from ibpe.reconcile.planning import make_plan
from ibpe.reconcile.ports import (
    Events,
    Interest,
    Key,
    KubernetesUnavailable,
    Outcome,
    Place,
    Resource,
    Resources,
    Watcher,
    WriteConflict,
)
from ibpe.reconcile.refusals import refuse
from ibpe.reconcile.retiring import stuck
from ibpe.reconcile.teardown import Teardown
from ibpe.reconcile.turns import in_turn, turn_for
from ibpe.reconcile.wanted import Owner
from ibpe.reconcile.widening import Widening, pending, widenings

log = logging.getLogger(__name__)

LOOK = "DescribeVpcEndpoints"
AFTER_A_CONFLICT_SECONDS = 0.5
KUBERNETES_BACKOFF_CAP_SECONDS = 15.0
"""Nothing wakes us when the API server is back, and it is asked by a few workers at most."""


class Reconciler:
    """Brings one resource at a time to what its spec says. Safe for threads, given one thread a key."""

    def __init__(
        self,
        *,
        cluster: str,
        accounts: Accounts,
        resources: Resources,
        events: Events,
        interest: Interest,
        watcher: Watcher,
    ) -> None:
        self._cluster = cluster
        self._accounts = accounts
        self._resources = resources
        self._events = events
        self._interest = interest
        self._watcher = watcher
        self._memory = Memory()
        self._locks = EndpointLocks()
        self._teardown = Teardown(accounts, resources, events, self._locks, cluster)

    def reconcile(self, key: Key, now: datetime) -> Outcome:
        """One round for a key: the next step towards its spec, or its end, and the truth about it in the status."""
        try:
            resource = self._resources.get(key)
            if resource is None:
                self._accounts.forget(key)
                return Outcome(result="gone")
            past = self._memory.of(resource.uid)
            return self._teardown.run(resource, past, now) if resource.deleting else self._keep(resource, past, now)
        except WriteConflict:
            return Outcome(requeue_after=AFTER_A_CONFLICT_SECONDS, result="conflict")
        except KubernetesUnavailable as away:
            log.warning("%s: the API server did not do what was asked: %s", key, away)
            return Outcome(retry=True, backoff_cap=KUBERNETES_BACKOFF_CAP_SECONDS, result="error")

    def forget(self, uid: str) -> None:
        """The resource is gone for good."""
        self._memory.forget(uid)

    def _keep(self, resource: Resource, past: Recollection, now: datetime) -> Outcome:
        try:
            spec = parse_spec(resource.spec)
            desired = desire(spec, Owner(self._cluster, resource.key), resource.uid)
            eyes = self._accounts.of(resource, past)
            if not past.known_to_watch:  # so that it is woken even if this first look fails
                place = Place(eyes.account, desired.region)
                self._interest.note(resource.key, place, desired.vpc_id, concerned_ids(resource.status))
                past.known_to_watch = True
            seen = observe(eyes, resource, desired, past, now)
            refusals = refuse(desired, seen)
            plan = make_plan(desired, seen, resource.status, refusals, spec.drift_policy, past.patience(now))
            work = in_turn(Round(eyes, resource, spec, desired, seen, refusals, plan, past, now))
            resource, applied = self._act(work)
        except InvalidSpec as problem:
            return self._stall(resource, now, "InvalidSpec", ended(str(problem)), Outcome(result="refused"))
        except NotAllowed as denied:
            status = held_up.kept_off(resource.status, resource.generation, now, denied.reason, str(denied))
            self._publish(resource, resource, status, Applied({}), now)
            return Outcome(retry=True, result="refused")
        except AccountMismatch as mismatch:
            return self._stall(resource, now, "AccountMismatch", str(mismatch), Outcome(retry=True, result="refused"))
        except ObservationFailed as failed:
            return self._blind(resource, past, now, failed.error, failed.age)
        except AwsError as error:
            return self._blind(resource, past, now, error)
        except (WriteConflict, KubernetesUnavailable):
            raise
        except Exception as defect:
            status = held_up.defective(resource.status, resource.generation, now, defect)
            self._publish(resource, resource, status, Applied({}), now)
            raise
        return self._tell(work, resource, applied)

    def _act(self, work: Round) -> tuple[Resource, Applied]:
        """Carry out the plan: finalizer first, then the intents, then AWS. A suspended resource is left as it is."""
        resource, plan, past = work.resource, work.plan, work.past
        self._remember(work)
        if work.spec.suspend or not (plan.actions or work.seen.holdings.all or work.seen.contributions):
            return resource, Applied({entry.role: entry for entry in resource.status.endpoints})
        if not resource.has_finalizer:
            resource = self._resources.add_finalizer(resource)
        if not plan.actions:
            return resource, Applied({entry.role: entry for entry in resource.status.endpoints})
        before = resource.status
        pinned = before.model_copy(update={"account_id": before.account_id or work.seen.account})
        if any(isinstance(action, Create | Resolve) for action in plan.actions):
            try:
                check_account(pinned, work.eyes.cloud.caller_account())
            except AwsError as error:
                return resource, refused_before(plan, before, error)
        opened = pending(work.desired, plan)
        resource = self._resources.write_status(resource, intents(pinned, plan, opened))
        for role in begun_again(before, plan):
            self._watcher.endpoint_recreated(role.value)
        applied = apply(self._hands(work), plan, before, resource.status)
        note_changes(work, applied)
        past.not_before = work.eyes.inventory.clock()
        work.eyes.inventory.hint_transitional(work.desired.region)
        return resource, applied

    def _remember(self, work: Round) -> None:
        """What later rounds and the AWS watch must know of this one."""
        desired, seen = work.desired, work.seen
        work.past.blind_since = None
        others = (*seen.neighbours, *seen.named.values(), *seen.contributions)
        ids = [endpoint.id for endpoint in (*seen.holdings.all, *others)]
        self._interest.note(work.resource.key, Place(work.eyes.account, desired.region), desired.vpc_id, ids)
        work.past.prerequisites_stale = bool(work.refusals)
        settled = {role for role, holding in seen.holdings.by_role.items() if holding.all}
        settled |= {plan.role for plan in work.plan.roles if plan.given_up}
        settled |= {
            a.role for a in work.plan.actions if isinstance(a, Create) and a.attempt != attempt_of(work, a.role)
        }
        for role in settled:  # what was awaited came, or is no longer awaited: what is next has its own five minutes
            work.past.unseen_since.pop(role.value, None)
        for plan in work.plan.roles:
            if plan.live is not None:
                work.past.note_seen(plan.role, {finding.difference.field for finding in plan.findings})
        if is_transitional(seen.holdings.all):
            work.eyes.inventory.hint_transitional(desired.region)

    def _hands(self, work: Round) -> Hands:
        desired = work.desired
        identity = identity_for(desired)
        return Hands(
            gateway=work.eyes.cloud.gateway(desired.region),
            owner=desired.owner,
            uid=work.resource.uid,
            generation=work.resource.generation,
            vpc_id=desired.vpc_id,
            services=identity.services,
            past=work.past,
            locks=self._locks,
            now=work.now,
            holds=lambda endpoint: identity.role_of(endpoint, {}),
            digests={plan.role: both for plan in work.plan.roles if (both := digests(work.desired, plan))},
            turn=turn_for(work),
        )

    def _tell(self, work: Round, resource: Resource, applied: Applied) -> Outcome:
        """Write what is true now, say what is new, and say when to look again."""
        seen, now = work.seen, work.now
        sharing = [endpoint.id for endpoint in seen.contributions]
        entries = refreshed(
            resource.status, work.desired, seen.holdings, seen.absent, work.plan, seen.uncontributed, sharing
        )
        end = statuses.Round(
            generation=work.resource.generation,
            now=now,
            account=seen.account,
            desired=work.desired,
            plan=work.plan,
            refusals=work.refusals,
            failures=tuple(applied.failures),
            suspended=work.spec.suspend,
            report=work.spec.drift_policy is DriftPolicy.REPORT,
            stuck=stuck(work.desired, seen),
            unknown_roles=tuple(endpoint.id for endpoint in seen.holdings.unknown_roles),
        )
        widened: list[Widening] = []
        entries = overlaid(entries, applied)
        if not work.spec.suspend:
            entries, widened = widenings(work.resource.status, entries, work.desired, work.plan, applied)
        status = statuses.conclude(resource.status, entries, end)
        written = self._publish(work.resource, resource, status, applied, now)
        for widening in widened:
            self._watcher.policy_widened(widening.role.value, widening.cause)
        news_of_stuck = [id_ for id_ in end.stuck if id_ not in work.past.told_stuck]
        work.past.told_stuck = frozenset(end.stuck)
        for notice in (*map(of_widening, widened), *map(of_stuck, news_of_stuck)):
            self._events.publish(written, notice.reason, notice.note, warning=notice.warning)
        return outcome_of(work, applied)

    def _publish(self, read: Resource, latest: Resource, status: Status, applied: Applied, now: datetime) -> Resource:
        written = self._resources.write_status(latest, status)
        news = drift_news(read.status, status, now)
        for entry in news.detected:
            self._watcher.drift_detected(entry.role.value, entry.field)
        for _, seconds in news.repaired:
            self._watcher.drift_repaired(seconds)
        for notice in notices(read.status, status, news, applied.made):
            self._events.publish(written, notice.reason, notice.note, warning=notice.warning)
        return written

    def _stall(self, resource: Resource, now: datetime, reason: str, message: str, outcome: Outcome) -> Outcome:
        status = held_up.stalled(resource.status, resource.generation, now, reason, message)
        self._publish(resource, resource, status, Applied({}), now)
        return outcome

    def _blind(
        self, resource: Resource, past: Recollection, now: datetime, error: AwsError, age: float | None = None
    ) -> Outcome:
        """AWS could not be looked at. One failed call must not rewrite a thousand statuses: a settled one stands.

        `age` is that of the last good snapshot (inf: there is none), where the snapshot is what failed.
        """
        since = past.blind_since = past.blind_since or now
        blind_for = age if age is not None and math.isfinite(age) else (now - since).total_seconds()
        ready = resource.status.condition(ConditionType.READY)
        known = ready is not None and ready.status != "Unknown"
        settled = known and resource.status.observed_generation == resource.generation
        passing = age is not None or error.error_class is ErrorClass.RETRY or error.operation == LOOK
        if not (settled and passing and blind_for < STALE_SECONDS):
            user = error.error_class is not ErrorClass.RETRY
            status = held_up.unobserved(resource.status, resource.generation, now, error, user_must_act=user)
            self._publish(resource, resource, status, Applied({}), now)
        return Outcome(retry=True, result="error")
