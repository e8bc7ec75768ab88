"""The operator without its process: the real reconciler and AWS watch, real boto3 over HTTP, a clock of the test's own.

Time passes only as the queue would let it pass, so that minutes of backoff cost nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ibpe.api.names import OWN_ACCOUNT, ConditionType
from ibpe.api.status import Condition, Status
from ibpe.aws.ec2 import BotoCloud
from ibpe.aws.inventory import Inventory
from ibpe.aws.prerequisites import Prerequisites
from ibpe.reconcile.accounts import only
from ibpe.reconcile.claims import ClaimIndex
from ibpe.reconcile.observe import Eyes
from ibpe.reconcile.ports import Key, Outcome, Place
from ibpe.reconcile.reconciler import Reconciler
from ibpe.runtime.aws_watch import FirstTier, Periods
from ibpe.runtime.interest import Interest
from ibpe.runtime.queue import WorkQueue
from sandbox.aws import AwsServer
from sandbox.aws.messages import EndpointTruth
from sandbox.aws.network import Network
from sandbox.stage import example
from tests.kubernetes_fake import EPOCH, FakeEvents, FakeResources, FakeWatcher

CLUSTER = "blue"
REGION = "us-west-2"
KEY = Key("team-a", "images")
PREREQUISITES_MAX_AGE = 900.0
TICK_SECONDS = 0.001
PATIENCE_ROUNDS = 30


class Clock:
    """Seconds that pass when they are told to, and a little whenever somebody looks; the wall clock is in step."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += TICK_SECONDS
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds

    @property
    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.seconds)


@dataclass(frozen=True)
class Truth:
    """The three conditions that everybody reads."""

    ready: Condition
    reconciling: Condition
    stalled: Condition

    def __str__(self) -> str:
        return "\n".join(f"{c.type}={c.status} {c.reason}: {c.message}" for c in vars(self).values())


class Trial:
    """One resource, its operator, and AWS. `spec` replaces fields of the sandbox's example; None leaves one out."""

    def __init__(self, aws: AwsServer, cloud: BotoCloud, network: Network, **spec: Any) -> None:
        self.aws = aws
        self.network = network
        self.clock = Clock()
        self.resources = FakeResources()
        self.events = FakeEvents()
        self.inventory = Inventory(cloud, cluster=CLUSTER, clock=self.clock)
        prerequisites: Prerequisites[Key] = Prerequisites(cloud, clock=self.clock)
        eyes = Eyes(
            cloud=cloud,
            inventory=self.inventory,
            prerequisites=prerequisites,
            resources=self.resources,
            siblings=ClaimIndex(),
            prerequisites_max_age=PREREQUISITES_MAX_AGE,
        )
        interest = Interest()
        self.queue: WorkQueue[Key] = WorkQueue(clock=self.clock, chance=lambda: 0.0)
        self.reconciler = Reconciler(
            cluster=CLUSTER,
            accounts=only(eyes, interest),
            resources=self.resources,
            events=self.events,
            interest=interest,
            watcher=FakeWatcher(),
        )
        place = Place(OWN_ACCOUNT, REGION)
        self.tier = FirstTier(
            place, self.inventory, interest, self.queue.add, periods=Periods(snapshot=60.0), clock=self.clock
        )
        self.resources.make(KEY, self.manifest(**spec))

    # What a user does

    def manifest(self, **spec: Any) -> Mapping[str, Any]:
        """The spec of the sandbox's example."""
        made = example(self.network, **spec)["spec"]
        return {name: value for name, value in made.items() if value is not None}

    def edit(self, **spec: Any) -> None:
        """Replace the spec."""
        self.resources.edit(KEY, self.manifest(**spec))

    def delete(self) -> None:
        """Kubectl delete."""
        self.resources.delete(KEY)

    # What the operator does

    def round(self) -> Outcome:
        """A look at AWS, a reconcile, and the time until the queue would have the next one."""
        self.tier.look()
        self.resources.now = self.clock.now
        outcome = self.reconciler.reconcile(KEY, self.clock.now)
        if outcome.retry:
            self.clock.advance(self.queue.add_backoff(KEY))
        else:
            self.queue.forget(KEY)
            self.clock.advance(1.0 if outcome.requeue_after is None else outcome.requeue_after)
        return outcome

    def rounds(self, count: int) -> None:
        """Some of them."""
        for _ in range(count):
            self.round()

    def until_ready(self) -> "Trial":
        """Rounds until Ready is True and nothing is being done; fails when that never comes."""
        for _ in range(PATIENCE_ROUNDS):
            if self.is_ready:
                return self
            self.round()
        raise AssertionError(f"never Ready; the status:\n{self.truth}\nand the calls:\n{self.story()}")

    def until_gone(self) -> None:
        """Rounds until the resource is no more; fails when that never comes."""
        for _ in range(PATIENCE_ROUNDS):
            if KEY not in self.resources:
                return
            self.round()
        raise AssertionError(f"never gone; the status:\n{self.truth}\nand the calls:\n{self.story()}")

    def at_rest(self, seconds: float) -> None:
        """Time in which only the AWS watch works; whom it wakes is reconciled."""
        deadline = self.clock.seconds + seconds
        while self.clock.seconds < deadline:
            self.clock.advance(max(0.0, min(self.tier.seconds_until_due(), deadline - self.clock.seconds)))
            if self.tier.seconds_until_due() <= 0:
                self.tier.look()
            while len(self.queue):
                key = self.queue.get()
                assert key is not None
                outcome = self.reconciler.reconcile(key, self.clock.now)
                self.queue.done(key)
                if outcome.retry:
                    self.queue.add_backoff(key)
                elif outcome.requeue_after is not None:
                    self.queue.add_after(key, outcome.requeue_after)

    # What is seen

    @property
    def status(self) -> Status:
        """The status as it is stored."""
        resource = self.resources.get(KEY)
        assert resource is not None, "the resource is gone"
        return resource.status

    @property
    def truth(self) -> Truth:
        """Ready, Reconciling, Stalled."""
        return Truth(
            self.condition(ConditionType.READY),
            self.condition(ConditionType.RECONCILING),
            self.condition(ConditionType.STALLED),
        )

    def condition(self, type_: ConditionType) -> Condition:
        """One condition; fails where there is none."""
        found = self.status.condition(type_)
        assert found is not None, f"no condition {type_} in {self.status.conditions}"
        return found

    @property
    def is_ready(self) -> bool:
        """Ready and done with this generation."""
        status, generation = self.status, self.resources.stored(KEY).generation
        if status.observed_generation != generation:
            return False
        return (self.truth.ready.status, self.truth.reconciling.status) == ("True", "False")

    def endpoints(self) -> tuple[EndpointTruth, ...]:
        """What AWS really holds, without what is deleted."""
        return tuple(each for each in self.aws.control.endpoints() if each.state != "deleted")

    def story(self) -> str:
        """Every call that AWS got, for a reader."""
        return "\n".join(f"{c.action} {c.error_code or c.outcome}" for c in self.aws.control.calls())
