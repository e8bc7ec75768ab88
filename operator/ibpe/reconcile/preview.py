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
from ibpe.reconcile.grants import OWN_FOR_ALL, Denied, Grants, Wish, decide, tags_missing, wish_of
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


def preview(spec: Mapping[str, object], key: Key, cloud: Cloud, cluster: str, grants: Grants = OWN_FOR_ALL) -> Preview:
    """What would be done for a resource of this name, found again in AWS by its tags.

    `cloud` has to be the account that the resource is about. Raises InvalidSpec and AwsError.
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
    denied = _denied(grants, wish_of(resource), cloud)
    if denied is not None:
        return Preview((denied,), (), ())
    alone = NoCluster()
    eyes = Eyes(cloud, Inventory(cloud, cluster=cluster), Prerequisites(cloud), alone, alone, 0.0)
    try:
        seen = observe(eyes, resource, desired, Recollection(), BEGINNING)
    except ObservationFailed as failed:
        raise failed.error from failed
    refusals = refuse(desired, seen)
    plan = make_plan(desired, seen, resource.status, refusals, parsed.drift_policy, Patience())
    return Preview(refusals, tuple(planned(plan)), (NOTE,))


def _denied(grants: Grants, wish: Wish, cloud: Cloud) -> Refusal | None:
    """As the operator decides it, but for the account, which is that of whoever asks."""
    decision = decide(grants, wish)
    if isinstance(decision, Denied):
        return Refusal(decision.reason, decision.message)
    wanted = grants.account_id(wish.account)
    if wanted is not None and cloud.caller_account() != wanted:
        said = f"These credentials are not those of {wanted}, which accountRef {wish.account} stands for: log in to it."
        return Refusal("AccountMismatch", said)
    if decision.on_tags and wish.vpc_id is not None:
        tags = cloud.gateway(wish.region).vpc_tags(wish.vpc_id)
        if tags is None or not decision.by(tags):
            denied = tags_missing(wish, decision)
            return Refusal(denied.reason, denied.message)
    return None
