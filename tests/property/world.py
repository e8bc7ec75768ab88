"""The real reconciler against the double of AWS over HTTP, an API server in memory, and one time for all of them."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ibpe.api.names import CLUSTER_TAG, OWNER_TAG, ROLE_TAG, ConditionType
from ibpe.api.spec import parse_spec
from ibpe.api.status import Condition, Status
from ibpe.aws.ec2 import BotoCloud
from ibpe.aws.inventory import Inventory
from ibpe.aws.prerequisites import Prerequisites
from ibpe.reconcile.accounts import only
from ibpe.reconcile.claims import ClaimIndex, claims_of
from ibpe.reconcile.desire import desire
from ibpe.reconcile.memory import Recollection
from ibpe.reconcile.observe import Eyes, observe
from ibpe.reconcile.plan import Patience, Plan
from ibpe.reconcile.planning import make_plan
from ibpe.reconcile.ports import Key, Outcome, Resource
from ibpe.reconcile.reconciler import Reconciler
from ibpe.reconcile.refusals import refuse
from ibpe.reconcile.wanted import Owner
from sandbox.aws import AwsServer
from sandbox.aws.messages import EndpointTruth
from tests.kubernetes_fake import EPOCH, FakeEvents, FakeInterest, FakeResources, FakeWatcher
from tests.property.ground import REGION, SWIFT, Ground

CLUSTER = "blue"
KEY = Key("team-a", "images")
OURS = {CLUSTER_TAG: CLUSTER, OWNER_TAG: str(KEY)}
WRITES = ("CreateVpcEndpoint", "ModifyVpcEndpoint", "DeleteVpcEndpoints", "CreateTags", "DeleteTags")
RESYNC_SECONDS = 30.0
BACKOFF_SECONDS = 5.0
MOST_ROUNDS = 80


@dataclass(frozen=True)
class Site:
    """What all examples share."""

    aws: AwsServer
    cloud: BotoCloud
    ground: Ground


class World:
    """One example: an empty VPC, an empty cluster, and an operator that has just been started."""

    def __init__(self, site: Site, **settings: object) -> None:
        self.aws, self.ground = site.aws, site.ground
        self._cloud = site.cloud
        for endpoint in self.aws.control.endpoints():
            self.aws.control.vanish(endpoint.id)
        self.aws.control.clear_faults()
        self.aws.control.set(**{**SWIFT.model_dump(), **settings})
        self.seconds = 0.0
        self.resources = FakeResources()
        self.events = FakeEvents()
        self.history: list[str] = []
        self.stalls: list[str] = []
        self.restart()

    # What happens.

    def restart(self) -> None:
        """The operator forgets what it has in memory."""
        self._inventory = Inventory(self._cloud, cluster=CLUSTER, clock=lambda: self.seconds)
        prerequisites: Prerequisites[Key] = Prerequisites(self._cloud, clock=lambda: self.seconds)
        self._claims = ClaimIndex()
        self._eyes = Eyes(self._cloud, self._inventory, prerequisites, self.resources, self._claims, 900.0)
        interest = FakeInterest()
        self._reconciler = Reconciler(
            cluster=CLUSTER,
            accounts=only(self._eyes, interest),
            resources=self.resources,
            events=self.events,
            interest=interest,
            watcher=FakeWatcher(),
        )

    def apply(self, spec: Mapping[str, Any]) -> None:
        """Kubectl apply."""
        if KEY in self.resources:
            self.resources.edit(KEY, spec)
        else:
            self.resources.make(KEY, spec)
        stored = self.resources.stored(KEY)
        self._claims.put(stored.uid, KEY, stored.created_at, claims_of(spec))

    def round(self) -> Outcome:
        """The watch looks, and then one reconcile."""
        self._inventory.refresh(REGION)
        outcome = self._reconciler.reconcile(KEY, EPOCH + timedelta(seconds=self.seconds))
        self._note(outcome)
        self._check_never_through_nothing()
        return outcome

    def pass_time(self, seconds: float) -> None:
        """For AWS, for the operator and for its wall clock alike."""
        self.seconds += seconds
        self.resources.now = EPOCH + timedelta(seconds=self.seconds)
        self.aws.control.advance_clock(seconds)

    def converge(self, rounds: int = MOST_ROUNDS) -> Outcome:
        """Rounds until the operator asks for nothing more, or has refused twice without a write between."""
        refused = 0
        for _ in range(rounds):
            cursor = self.aws.control.cursor()
            outcome = self.round()
            refused = refused + 1 if outcome.result in {"refused", "error"} and not self.writes(cursor) else 0
            if refused == 3 or (outcome == Outcome() and not self.transitional()):
                return outcome
            self.pass_time(_pause(outcome))
        raise AssertionError(f"nothing is settled after {rounds} rounds\n{self.story()}")

    def delete(self, rounds: int = MOST_ROUNDS) -> None:
        """Kubectl delete, and rounds until the resource is gone."""
        self.resources.delete(KEY)
        for _ in range(rounds):
            if KEY not in self.resources:
                return
            outcome = self._reconciler.reconcile(KEY, EPOCH + timedelta(seconds=self.seconds))
            if KEY in self.resources:
                self._note(outcome)
            self.pass_time(_pause(outcome))
        raise AssertionError(f"still there after {rounds} rounds\n{self.story()}")

    # What is so.

    @property
    def status(self) -> Status:
        """The status as the API server has it."""
        return self._resource().status

    def condition(self, type_: ConditionType) -> Condition:
        """A condition, which must be there."""
        found = self.status.condition(type_)
        assert found is not None, f"{type_} was never written\n{self.story()}"
        return found

    def endpoints(self) -> Sequence[EndpointTruth]:
        """Everything that is not deleted."""
        return [endpoint for endpoint in self.aws.control.endpoints() if endpoint.state != "deleted"]

    def ours(self, role: str) -> Sequence[EndpointTruth]:
        """What carries our tags in a role."""
        wanted = {**OURS, ROLE_TAG: role}.items()
        return [endpoint for endpoint in self.endpoints() if wanted <= dict(endpoint.tags).items()]

    def transitional(self) -> bool:
        """Whether AWS is still at work on something of ours."""
        return any(
            endpoint.state in {"pending", "deleting"} and OURS.items() <= dict(endpoint.tags).items()
            for endpoint in self.endpoints()
        )

    def shown(self, ids: Sequence[str]) -> str:
        """Every byte that DescribeVpcEndpoints shows of these."""
        ec2 = self.aws.client("ec2", REGION)
        found = [e for e in ec2.describe_vpc_endpoints()["VpcEndpoints"] if e["VpcEndpointId"] in ids]
        return json.dumps(sorted(found, key=lambda e: e["VpcEndpointId"]), default=str, sort_keys=True)

    def writes(self, cursor: int) -> Mapping[str, int]:
        """The operator's writes to AWS since then that had an effect, by action."""
        calls = self.aws.control.calls(since=cursor, access_key="AKIAOPERATOR")
        return Counter(call.action for call in calls if call.action in WRITES and call.error_code is None)

    def plan(self) -> Plan:
        """What would be done now."""
        resource = self._resource()
        spec = parse_spec(resource.spec)
        desired = desire(spec, Owner(CLUSTER, KEY), "")
        self._inventory.refresh(REGION)
        now = EPOCH + timedelta(seconds=self.seconds)
        seen = observe(self._eyes, resource, desired, Recollection(), now)
        return make_plan(desired, seen, resource.status, refuse(desired, seen), spec.drift_policy, Patience())

    def story(self) -> str:
        """The last rounds, the status, and what AWS holds."""
        wire = self.resources.stored(KEY).status
        return "\n".join(
            [
                *self.history[-25:],
                json.dumps({"spec": self.resources.stored(KEY).spec, "status": wire}, indent=1),
                *(endpoint.model_dump_json() for endpoint in self.endpoints()),
            ]
        )

    # How it is kept.

    def _resource(self) -> Resource:
        resource = self.resources.get(KEY)
        assert resource is not None
        return resource

    def _note(self, outcome: Outcome) -> None:
        stalled, ready = (self.status.condition(c) for c in (ConditionType.STALLED, ConditionType.READY))
        assert stalled is not None
        assert ready is not None
        line = f"{self.seconds:.1f} s: {outcome.result}; Ready {ready.status} {ready.reason}: {ready.message}"
        self.history.append(line)
        if stalled.status == "True":
            self.stalls.append(line)

    def _check_never_through_nothing(self) -> None:
        for endpoint in self.ours("imagebuilder"):
            if endpoint.state in {"available", "pending"}:
                assert endpoint.subnet_ids, f"{endpoint.id} is left without a subnet\n{self.story()}"
                assert endpoint.group_ids, f"{endpoint.id} is left without a security group\n{self.story()}"


def _pause(outcome: Outcome) -> float:
    if outcome.retry:
        return BACKOFF_SECONDS
    return RESYNC_SECONDS if outcome.requeue_after is None else min(outcome.requeue_after, RESYNC_SECONDS)
