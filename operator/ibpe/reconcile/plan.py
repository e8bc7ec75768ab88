"""What to do next: from what is desired and what was seen to actions, waits and drift. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from ibpe.api.names import Role
from ibpe.api.spec import DriftPolicy
from ibpe.api.status import EndpointStatus, Status
from ibpe.aws.errors import AwsError
from ibpe.aws.gateway import Endpoint, EndpointID, EndpointState, ModifyEndpoint
from ibpe.reconcile.compare import Difference, TagChange, compare, modification, tag_change, works_with
from ibpe.reconcile.desire import Desired, DesiredEndpoint, Field
from ibpe.reconcile.holdings import Holding
from ibpe.reconcile.observation import Observation
from ibpe.reconcile.refusals import Refusal


@dataclass(frozen=True)
class Create:
    """Make the endpoint of a role."""

    role: Role
    attempt: int
    endpoint: DesiredEndpoint
    service_name: str


@dataclass(frozen=True)
class Resolve:
    """Find out whether an intent became an endpoint that AWS doesn't show, by sending its Create again.

    With the same ClientToken the answer is either the endpoint, or IdempotentParameterMismatch, which proves that
    there is one, or a new endpoint without subnets, routes or private DNS, which harms nobody and is deleted.
    """

    role: Role
    attempt: int


@dataclass(frozen=True)
class Modify:
    """Change fields of an endpoint in place."""

    role: Role
    change: ModifyEndpoint
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Retag:
    """Change tags of an endpoint."""

    role: Role
    id: EndpointID
    change: TagChange


@dataclass(frozen=True)
class Delete:
    """Delete endpoints that are ours."""

    role: Role
    ids: tuple[EndpointID, ...]
    why: str


Action = Create | Resolve | Modify | Retag | Delete


@dataclass(frozen=True)
class Wait:
    """Nothing can be done now; somebody else moves next."""

    reason: str
    message: str
    seconds: float


@dataclass(frozen=True)
class Failure:
    """An action that AWS did not carry out."""

    role: Role
    error: AwsError
    fields: tuple[Field, ...] = ()


class Response:
    """What becomes of a difference; the values of `status.drift[].action`."""

    UPDATING = "Updating"
    """An edit of the spec on its way: no drift."""
    REPAIRING = "Repairing"
    REPORTED = "Reported"
    BLOCKED = "Blocked"
    CONTENDED = "Contended"


@dataclass(frozen=True)
class Finding:
    """A difference and what becomes of it."""

    difference: Difference
    drift: bool
    """Whether it differs from what was last applied; an edit of the spec does not."""
    response: str


@dataclass(frozen=True)
class RolePlan:
    """What to do for one role."""

    role: Role
    live: Endpoint | None = None
    findings: tuple[Finding, ...] = ()
    actions: tuple[Action, ...] = ()
    wait: Wait | None = None
    works: bool = False
    """Whether builds can use the endpoint as it is."""
    given_up: bool = False
    """The intent to make an endpoint that is no longer asked for came to nothing that AWS shows: forget it."""

    def mends(self, field_: Field) -> bool:
        """Whether an action is about this field."""
        for action in self.actions:
            match action:
                case Modify(fields=fields) if field_ in fields:
                    return True
                case Retag() if field_ is Field.TAGS:
                    return True
                case Create() | Delete() if field_ is Field.ENDPOINT:
                    return True
                case _:
                    continue
        return False


@dataclass(frozen=True)
class Plan:
    """What to do for the resource."""

    roles: tuple[RolePlan, ...]

    @property
    def actions(self) -> tuple[Action, ...]:
        """All writes, in order."""
        return tuple(action for role in self.roles for action in role.actions)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All differences."""
        return tuple(finding for role in self.roles for finding in role.findings)

    def role(self, role: Role) -> RolePlan | None:
        """The plan of a role, where there is anything to say."""
        return next((plan for plan in self.roles if plan.role is role), None)


@dataclass(frozen=True)
class Patience:
    """What this process remembers of earlier rounds; losing it costs time, never safety."""

    contended: frozenset[tuple[Role, Field]] = frozenset()
    """Repaired three times within the hour: somebody else keeps changing it."""
    recreate_in: Mapping[Role, float] = field(default_factory=dict)
    """Seconds until an endpoint that keeps dying may be made again."""
    abandoned_intents: frozenset[Role] = frozenset()
    """Intents that AWS said exist, and that stayed invisible beyond the lag bound: the next attempt is due."""
    resting: Mapping[tuple[Role, Field], str] = field(default_factory=dict)
    """Fields that were changed a moment ago, with what was observed then: AWS may be slow to show it."""


PENDING_SECONDS = 30.0
"""How often to look at an endpoint that AWS works on, should the watch not wake us first."""
LAG_SECONDS = 5.0


def make_plan(
    desired: Desired,
    seen: Observation,
    status: Status,
    refusals: Collection[Refusal],
    drift_policy: DriftPolicy,
    patience: Patience,
) -> Plan:
    """The next step for every role that the spec asks for, and the end of every role that it no longer does."""
    whole = any(refusal.role is None for refusal in refusals)
    plans = [
        _Role(
            endpoint,
            seen,
            status.endpoint(endpoint.role),
            [refusal for refusal in refusals if refusal.concerns(endpoint.role)],
            drift_policy is DriftPolicy.REPORT,
            patience,
        ).plan()
        for endpoint in desired.endpoints
    ]
    asked = {endpoint.role for endpoint in desired.endpoints}
    if not whole:
        plans.extend(filter(None, (_retire(role, seen, status, patience) for role in Role if role not in asked)))
    return Plan(tuple(plans))


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

    def plan(self) -> RolePlan:
        live = self.holding.live
        clearing = self._clear()
        if live is None:
            return self._make(clearing)
        applied = self.entry.tag_keys
        findings = tuple(self._judge(difference) for difference in compare(self.desired, live, applied))
        mending = [f.difference.field for f in findings if self._may_mend(f)]
        available = live.state is EndpointState.AVAILABLE
        actions = [*clearing, *self._mend(live, mending, available=available)]
        if not any(finding.difference.field is Field.TAGS for finding in findings):
            actions.extend(self._take_off_unseen(live))
        wait = self._wait_for(live, findings, mending)
        differing = [finding.difference.field for finding in findings]
        works = available and works_with(self.desired, live, differing)
        return RolePlan(self.desired.role, live, findings, tuple(actions), wait, works)

    def _may_mend(self, finding: Finding) -> bool:
        if finding.response not in {Response.REPAIRING, Response.UPDATING}:
            return False
        return self.patience.resting.get((self.desired.role, finding.difference.field)) != finding.difference.observed

    @staticmethod
    def _wait_for(live: Endpoint, findings: Collection[Finding], mending: Collection[Field]) -> Wait | None:
        if live.state is not EndpointState.AVAILABLE:
            return Wait("Pending", f"{live.id} is {live.state} in AWS.", PENDING_SECONDS)
        resting = [f.response for f in findings if f.difference.field not in mending]
        if Response.REPAIRING in resting:
            return Wait("RepairingDrift", f"A repair of {live.id} was sent, and AWS does not show it yet.", LAG_SECONDS)
        if Response.UPDATING in resting:
            return Wait("Updating", f"A change of {live.id} was sent, and AWS does not show it yet.", LAG_SECONDS)
        return None

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

    def _judge(self, difference: Difference) -> Finding:
        field_ = difference.field
        drift = self.entry.applied.get(field_) == self.desired.fields().get(field_)
        if any(field_ in refusal.forbids for refusal in self.refusals):
            return Finding(difference, drift, Response.BLOCKED)
        if drift and self.report:
            return Finding(difference, drift, Response.REPORTED)
        if drift and (self.desired.role, field_) in self.patience.contended:
            return Finding(difference, drift, Response.CONTENDED)
        return Finding(difference, drift, Response.REPAIRING if drift else Response.UPDATING)

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


def _retire(role: Role, seen: Observation, status: Status, patience: Patience) -> RolePlan | None:
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
