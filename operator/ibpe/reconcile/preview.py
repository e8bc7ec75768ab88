"""What would be done for a spec, with nothing done: the reconciler's own steps up to the plan. Reads AWS only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ibpe.api.spec import parse_spec
from ibpe.api.status import PlannedAction, Status
from ibpe.aws.gateway import Cloud
from ibpe.aws.inventory import Inventory, ObservationFailed
from ibpe.aws.prerequisites import Prerequisites
from ibpe.reconcile.desire import desire
from ibpe.reconcile.listing import planned
from ibpe.reconcile.memory import Recollection
from ibpe.reconcile.observe import Eyes, observe
from ibpe.reconcile.plan import Patience
from ibpe.reconcile.planning import make_plan
from ibpe.reconcile.ports import Claimant, Key, Resource
from ibpe.reconcile.refusals import Refusal, refuse
from ibpe.reconcile.wanted import Owner

NOTE = "Other resources in the cluster were not looked at: one that claims the same name or route would come first."
BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Preview:
    """What the operator would do, why it would not, and what could not be known."""

    refusals: tuple[Refusal, ...]
    actions: tuple[PlannedAction, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class NoCluster:
    """A cluster without any resource: what a file alone can know."""

    def get(self, _key: Key) -> None:
        """Nothing."""

    def add_finalizer(self, resource: Resource) -> Resource:
        """Nothing is written."""
        return resource

    def remove_finalizer(self, resource: Resource) -> None:
        """Nothing is written."""

    def write_status(self, resource: Resource, _status: Status) -> Resource:
        """Nothing is written."""
        return resource

    def claimants(self, _claim: str) -> tuple[Claimant, ...]:
        """Nobody."""
        return ()


def preview(spec: Mapping[str, object], key: Key, cloud: Cloud, cluster: str) -> Preview:
    """What would be done for a resource of this name, found again in AWS by its tags.

    Raises InvalidSpec and AwsError.
    """
    parsed = parse_spec(spec)
    desired = desire(parsed, Owner(cluster, key), "")
    resource = Resource(
        key=key,
        uid="",
        generation=1,
        resource_version="",
        created_at=BEGINNING,
        deleted_at=None,
        spec=spec,
        status=Status(),
    )
    alone = NoCluster()
    eyes = Eyes(cloud, Inventory(cloud, cluster=cluster), Prerequisites(cloud), alone, alone, 0.0)
    try:
        seen = observe(eyes, resource, desired, Recollection(), BEGINNING)
    except ObservationFailed as failed:
        raise failed.error from failed
    refusals = refuse(desired, seen)
    plan = make_plan(desired, seen, resource.status, refusals, parsed.drift_policy, Patience())
    return Preview(refusals, tuple(planned(plan)), (NOTE,))
