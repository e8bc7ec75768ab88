"""What to do next: from what is desired and what was seen to actions, waits and drift. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ibpe.api.names import Role
from ibpe.api.spec import DriftPolicy
from ibpe.api.status import EndpointStatus, Status
from ibpe.aws.gateway import Endpoint, EndpointID, EndpointState
from ibpe.reconcile.actions import Action, Create, Delete, Modify, Retag, Wait
from ibpe.reconcile.compare import Difference, compare, modification, tag_change, works_with
from ibpe.reconcile.entries import as_made
from ibpe.reconcile.fields import Field
from ibpe.reconcile.holdings import Holding
from ibpe.reconcile.judging import LAG_SECONDS, Judge, awaited
from ibpe.reconcile.observation import Observation
from ibpe.reconcile.plan import Finding, Patience, Plan, Response, RolePlan
from ibpe.reconcile.refusals import Refusal
from ibpe.reconcile.retiring import retire, withdrawals
from ibpe.reconcile.sharing import plan_shared
from ibpe.reconcile.wanted import Desired, DesiredEndpoint, SharedEndpoint


def make_plan(
    desired: Desired,
    seen: Observation,
    status: Status,
    refusals: Collection[Refusal],
    drift_policy: DriftPolicy,
    patience: Patience,
) -> Plan:
    """The next step for every role that the spec asks for, and the end of everything that it no longer does."""
    report = drift_policy is DriftPolicy.REPORT
    plans: list[RolePlan] = []
    for wanted in desired.wanted:
        own = [refusal for refusal in refusals if refusal.concerns(wanted.role)]
        if isinstance(wanted, SharedEndpoint):
            plans.append(plan_shared(wanted, seen, status, own, patience, report=report))
        else:
            entry = as_made(status.endpoint(wanted.role))
            plans.append(_Role(wanted, seen, entry, own, report, patience).plan())
    if any(refusal.role is None for refusal in refusals):
        return Plan(tuple(plans))
    asked = {wanted.role for wanted in desired.wanted}
    plans.extend(filter(None, (retire(role, seen, status, patience) for role in Role if role not in asked)))
    return withdrawals(Plan(tuple(plans)), desired, seen, patience)


def next_attempt(entry: EndpointStatus, *, abandoned: bool) -> int:
    """The attempt of the next Create: it rises only over an endpoint that is dead or gone."""
    if entry.intent_open and not abandoned:
        return max(entry.attempt, 1)
    return entry.attempt + 1 if entry.id or abandoned else max(entry.attempt, 1)


@dataclass(frozen=True)
class _Role:
    """Planning one role that the spec asks for."""

    desired: DesiredEndpoint
    seen: Observation
    entry: EndpointStatus
    refusals: list[Refusal]
    report: bool
    patience: Patience

    @property
    def holding(self) -> Holding:
        return self.seen.holdings.of(self.desired.role)

    @property
    def _judging(self) -> Judge:
        return Judge(self.desired.role, self.desired.fields(), self.entry, self.refusals, self.report, self.patience)

    def plan(self) -> RolePlan:
        live = self.holding.live
        clearing = self._clear()
        if live is None:
            return self._make(clearing)
        applied = self.entry.tag_keys
        findings = tuple(self._judging.judge(difference) for difference in compare(self.desired, live, applied))
        mending = [f.difference.field for f in findings if self._judging.may_mend(f)]
        available = live.state is EndpointState.AVAILABLE
        actions = [*clearing, *self._mend(live, mending, available=available)]
        if not any(finding.difference.field is Field.TAGS for finding in findings):
            actions.extend(self._take_off_unseen(live))
        wait = awaited(live, findings, mending)
        differing = [finding.difference.field for finding in findings]
        works = available and works_with(self.desired, live, differing, self.seen.account)
        return RolePlan(self.desired.role, live, findings, tuple(actions), wait, works)

    def _mend(self, live: Endpoint, fields: Collection[Field], *, available: bool) -> Iterator[Action]:
        if Field.TAGS in fields:
            yield Retag(self.desired.role, live.id, tag_change(self.desired, live, self.entry.tag_keys))
        if not available:
            return  # AWS answers OperationInProgress to a Modify now
        zones = {subnet.id: subnet.zone for subnet in self.seen.facts.subnets.values()}
        others = [field for field in fields if field is not Field.TAGS]
        change = modification(self.desired, live, others, zones)
        if change is not None:
            yield Modify(self.desired.role, change, tuple(others))

    def _take_off_unseen(self, live: Endpoint) -> Iterator[Action]:
        """Tags that we may have put, that the spec no longer names, and that AWS doesn't show, or not yet."""
        change = tag_change(self.desired, live, self.entry.tag_keys)
        if change and not any(Field.TAGS in refusal.forbids for refusal in self.refusals):
            yield Retag(self.desired.role, live.id, change)

    def _clear(self) -> list[Action]:
        """Endpoints of ours that are of no use."""
        if any(refusal.role is None for refusal in self.refusals) or self.holding.stranger is not None:
            return []
        actions: list[Action] = []
        if self.holding.dead and not (self.report and self.entry.applied):
            ids = tuple(endpoint.id for endpoint in self.holding.dead)
            actions.append(Delete(self.desired.role, ids, _state(self.holding.dead[0])))
        if self.holding.surplus:
            ids = tuple(endpoint.id for endpoint in self.holding.surplus)
            actions.append(Delete(self.desired.role, ids, "another endpoint of this role is in use"))
        return actions

    def _make(self, clearing: list[Action]) -> RolePlan:
        role, actions, findings, wait = self.desired.role, clearing, self._loss(), self._wait_before_making()
        held_back = self.refusals or any(f.response == Response.REPORTED for f in findings)
        if not held_back and wait is None:
            name = self.seen.service_name(self.desired)
            attempt = next_attempt(self.entry, abandoned=role in self.patience.abandoned_intents)
            if name is not None:
                actions = [*clearing, Create(role, attempt, self.desired, name)]
        return RolePlan(role, None, findings, tuple(actions), None if held_back else wait)

    def _loss(self) -> tuple[Finding, ...]:
        if not self.entry.applied:
            return ()
        holding = self.holding
        if holding.dead:
            state = f"{holding.dead[0].id} is {_state(holding.dead[0])}"
        elif holding.leaving:
            state = f"{holding.leaving[0].id} is being deleted"
        else:
            state = f"{self.entry.id or 'it'} is gone"
        difference = Difference(self.desired.role, Field.ENDPOINT, "an available endpoint", state)
        if self.refusals:
            return (Finding(difference, drift=True, response=Response.BLOCKED),)
        return (Finding(difference, drift=True, response=Response.REPORTED if self.report else Response.REPAIRING),)

    def _wait_before_making(self) -> Wait | None:
        holding, entry = self.holding, self.entry
        if holding.leaving or holding.dead:
            what = (*holding.leaving, *holding.dead)[0]
            words = f"{what.id} is {_state(what)}, and must be gone before its successor is made."
            return Wait("Replacing", words, LAG_SECONDS)
        absence = self.seen.absent.get(EndpointID(entry.id)) if entry.id else None
        if absence is not None and not absence.proved:
            return Wait("NotVisibleYet", f"AWS does not show {entry.id} yet.", LAG_SECONDS)
        if self.seen.braked and entry.applied:
            return Wait(
                "ManyEndpointsVanished",
                "Many endpoints vanished from AWS's answers at once; each is looked up by id before any is made again.",
                LAG_SECONDS,
            )
        delay = self.patience.recreate_in.get(self.desired.role, 0.0)
        if delay > 0 and not entry.intent_open:
            return Wait("BackingOff", f"Attempt {entry.attempt} did not last; the next one waits.", delay)
        return None


def _state(endpoint: Endpoint) -> str:
    """Its state, with AWS's own word on why."""
    return f"{endpoint.state} ({endpoint.failure})" if endpoint.failure else str(endpoint.state)
