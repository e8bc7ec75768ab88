"""A whole world in one process: an AWS, an API server, and an operator that dies and starts again. Checks its laws."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ibpe.api.names import CLUSTER_TAG, OWNER_TAG, RETAINED_TAG, ROLE_TAG, ConditionType, Role
from ibpe.aws.gateway import Endpoint, EndpointID, EndpointState, EndpointType
from ibpe.aws.inventory import Inventory
from ibpe.aws.prerequisites import Prerequisites
from ibpe.policy.contribution import mark
from ibpe.reconcile.accounts import only
from ibpe.reconcile.claims import ClaimIndex, claims_of
from ibpe.reconcile.observe import Eyes
from ibpe.reconcile.ports import Key, Outcome, Place, Resource
from ibpe.reconcile.reconciler import Reconciler
from tests.crash import sharing
from tests.crash.cluster import FakeCluster
from tests.crash.fakes import Behaviour, Clock, FakeAws
from tests.crash.fuse import Fuse, Interruption, SimulatedCrash
from tests.crash.surroundings import ACCOUNT, REGION, S3, TABLES, VPC

CLUSTER = "blue"
KEY = Key("team-a", "images")
RESYNC_SECONDS = 30.0
RESTART_SECONDS = 3.0
BACKOFF_LIMIT = 60.0
PATIENCE_SECONDS = 1800.0
"""Of the world's own clock."""
LONGEST_PAUSE = 300.0


class Silent:
    """Events, Interest and Watcher for whom nobody waits."""

    def publish(self, resource: Resource, reason: str, note: str, *, warning: bool = False) -> None:
        pass

    def note(self, key: Key, place: Place, vpc_id: str, endpoint_ids: Iterable[str]) -> None:
        pass

    def forget(self, key: Key) -> None:
        pass

    def drift_detected(self, role: str, field: str) -> None:
        pass

    def policy_widened(self, role: str, cause: str) -> None:
        pass

    def drift_repaired(self, seconds: float) -> None:
        pass

    def endpoint_recreated(self, role: str) -> None:
        pass


@dataclass
class Process:
    """One life of the operator: all that it remembers goes with it."""

    reconciler: Reconciler
    inventory: Inventory


FOREIGN = Endpoint(
    id=EndpointID("vpce-f0000000000000001"),
    vpc_id=VPC,
    service_name=S3,
    type=EndpointType.GATEWAY,
    state=EndpointState.AVAILABLE,
    owner_id=ACCOUNT,
    policy="{}",
    route_table_ids=frozenset(TABLES[1:]),
    tags={CLUSTER_TAG: "green", OWNER_TAG: str(KEY), ROLE_TAG: "s3"},
)
"""The S3 endpoint of a resource of the same name in another cluster: never to be touched."""


class World:
    """Everything, and what happened in it. `story` is what a reader needs when a law is broken."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.clock = Clock()
        self.fuse = Fuse()
        self.aws = FakeAws(self.clock, self.fuse, behaviour)
        for endpoint in (FOREIGN, *sharing.EVERY):
            self.aws.holds(endpoint)
        self.retained: set[str] = set()
        """Marks whose statements were left on purpose."""
        self.aws.check = self._check_write
        self.cluster = FakeCluster(KEY, self.clock, self.fuse)
        self.cluster.on_release = self._check_release
        self.process = self._started()
        self.crashes = 0
        self._failures = 0

    # What happens.

    def round(self) -> None:
        """One reconcile, and the time until the next one; a crash in it is followed by a restart."""
        try:
            self.process.inventory.refresh(REGION)
            outcome = self.process.reconciler.reconcile(KEY, self.clock.now)
        except SimulatedCrash:
            self.crashes += 1
            self.process = self._started()
            self.clock.advance(RESTART_SECONDS)
        else:
            self.clock.advance(self._pause(outcome))
        self._check_duplicates()
        sharing.check_untouched(self.shared())

    def interrupted(self, interruption: Interruption, rounds: int = 12) -> None:
        """Rounds until the interruption has come, or that many."""
        self.fuse.arm(interruption)
        for _ in range(rounds):
            self.round()
            if self.fuse.burnt:
                break
        self.fuse.arm(None)

    def restart(self) -> None:
        """Kill -9 between two writes."""
        self.process = self._started()

    def intrude(self, role: Role, state: EndpointState) -> None:
        """Somebody deletes the live endpoint of a role, or it fails by itself."""
        for endpoint in self.live(role):
            if state is EndpointState.DELETING:
                self.aws.delete_endpoints([endpoint.id])
            else:
                self.aws.intrude(endpoint.id, state=state)

    def strip(self) -> None:
        """Somebody takes every statement of ours out of the policies, as far as AWS shows what they are.

        Done while a write of ours is on its way, that write's effect could show after it was seen undone; nothing can
        tell such statements from ones that are gone.
        """
        for before, now in zip(sharing.EVERY, self.shared(), strict=True):
            if self.aws.shows(now.id) == now:
                self.aws.intrude(now.id, policy=before.policy)

    def settle(self) -> None:
        """Rounds until all is as the spec says, or everything is gone; fails when that never comes."""
        deadline = self.clock.seconds + PATIENCE_SECONDS
        while self.clock.seconds < deadline:
            if not self.complaints():
                return
            self.round()
        raise AssertionError(f"never settled: {self.complaints()}\n{self.account_of_itself()}")

    # What is so.

    def ours(self) -> tuple[Endpoint, ...]:
        """Every endpoint with our tags that is not deleted, whatever AWS shows."""
        return tuple(
            e for e in self.aws.truth() if e.tags.get(CLUSTER_TAG) == CLUSTER and e.tags.get(OWNER_TAG) == str(KEY)
        )

    def shared(self) -> tuple[Endpoint, ...]:
        """Somebody else's endpoints that are to be shared, as they are in AWS."""
        ids = {endpoint.id for endpoint in sharing.EVERY}
        return tuple(endpoint for endpoint in self.aws.truth() if endpoint.id in ids)

    def live(self, role: Role) -> tuple[Endpoint, ...]:
        """Those of a role that serve, or will."""
        return tuple(
            e
            for e in self.ours()
            if e.tags.get(ROLE_TAG) == role
            and not e.state.is_dead
            and e.state not in {EndpointState.DELETING, EndpointState.DELETED}
        )

    def complaints(self) -> list[str]:
        """What is not yet as it must be in the end."""
        stored = self.cluster.stored
        if stored is None or stored.deleted_at is not None:
            left = [] if stored is None else ["the resource is still there"]
            left += [f"{e.id} has statements of {sorted(strays)}" for e in self.shared() if (strays := self._strays(e))]
            return [*left, *(f"{e.id} ({e.state}) is left" for e in self.ours())]
        wrong = [self._wrong(role, stored.spec) for role in Role]
        wrong += sharing.complaints(stored.spec, mark(CLUSTER, stored.uid), self.shared())
        resource = self.cluster.get(KEY)
        ready = resource.status.condition(ConditionType.READY) if resource else None
        busy = resource.status.condition(ConditionType.RECONCILING) if resource else None
        if not (ready and ready.status == "True" and ready.observed_generation == stored.generation):
            wrong.append(f"Ready is {ready}")
        if not (busy and busy.status == "False"):
            wrong.append(f"Reconciling is {busy}")
        return [words for words in wrong if words]

    def account_of_itself(self) -> str:
        """The story so far, for a reader."""
        stored = self.cluster.stored
        lines = [
            f"at {self.clock.seconds:.1f} s, after {self.crashes} crashes",
            *self.fuse.writes,
            f"resource: {stored}",
            *(f"{e.id} {e.state} {dict(e.tags)} shown: {self.aws.shows(e.id)}" for e in self.aws.truth()),
        ]
        return "\n".join(lines)

    def _strays(self, endpoint: Endpoint) -> set[str]:
        return sharing.marks(endpoint) - self.retained

    def _wrong(self, role: Role, spec: Mapping[str, Any]) -> str:
        """How what AWS holds in a role differs from what the spec asks for; read off the spec by hand."""
        part = spec.get("imageBuilder" if role is Role.IMAGE_BUILDER else "s3")
        held = [e for e in self.ours() if e.tags.get(ROLE_TAG) == role]
        if part is None or part.get("mode", "Managed") != "Managed":
            return f"{role}: {[e.id for e in held]} is left" if held else ""
        if len(held) != 1 or held[0].state is not EndpointState.AVAILABLE:
            return f"{role}: AWS holds {[(e.id, e.state) for e in held]}"
        endpoint = held[0]
        want: dict[str, object] = {"tags": spec.get("tags", {}), "retained": False}
        have: dict[str, object] = {
            "tags": {k: v for k, v in endpoint.tags.items() if not k.startswith("ibpe.dev/")},
            "retained": RETAINED_TAG in endpoint.tags,
        }
        if role is Role.IMAGE_BUILDER:
            want |= {"subnets": set(part["subnets"]["ids"]), "groups": set(part["securityGroups"]["ids"])}
            want |= {"dns": part.get("privateDNS", True), "open": part["policy"]["preset"] == "FullAccess"}
            have |= {"subnets": set(endpoint.subnet_ids), "groups": set(endpoint.security_group_ids)}
            have |= {"dns": endpoint.private_dns, "open": "DeleteImage" not in endpoint.policy}
        else:
            want |= {"tables": set(part["routeTables"]["ids"])}
            have |= {"tables": set(endpoint.route_table_ids)}
        return "" if want == have else f"{role}: {have} instead of {want}"

    # Laws, checked whenever something happens.

    def _check_write(self, operation: str, endpoints: tuple[Endpoint, ...]) -> None:
        """Only what is ours is written to, and no endpoint is made beside a live one of its role."""
        for endpoint in endpoints:
            tags = endpoint.tags
            ours = tags.get(CLUSTER_TAG) == CLUSTER and tags.get(OWNER_TAG) == str(KEY)
            if operation == "ModifyVpcEndpoint" and endpoint.id in {shared.id for shared in sharing.EVERY}:
                continue  # `sharing.check_untouched` says what of it
            assert ours or tags.get(RETAINED_TAG) == str(KEY), f"{operation} of {endpoint}\n{self.account_of_itself()}"
            if operation == "CreateVpcEndpoint":
                beside = self.live(Role(tags[ROLE_TAG]))
                assert not beside, f"a second endpoint beside {beside}\n{self.account_of_itself()}"

    def _check_duplicates(self) -> None:
        for role in Role:
            assert len(self.live(role)) <= 1, f"two live endpoints\n{self.account_of_itself()}"

    def _check_release(self) -> None:
        """The finalizer goes only when nothing of ours is left, but for what is being deleted and not shown."""
        left = [e for e in self.ours() if e.state is not EndpointState.DELETING or self.aws.shows(e.id) is not None]
        assert not left, f"the finalizer goes, and AWS holds {left}\n{self.account_of_itself()}"
        assert self.cluster.stored is not None
        ours = mark(CLUSTER, self.cluster.stored.uid)
        if self.cluster.stored.spec.get("deletionPolicy") == "Retain":
            self.retained.add(ours)
            return
        words = list(sharing.complaints(None, ours, self.shared()))
        assert not words, f"the finalizer goes: {words}\n{self.account_of_itself()}"

    def _pause(self, outcome: Outcome) -> float:
        self._failures = self._failures + 1 if outcome.retry else 0
        if outcome.retry:
            return min(0.5 * 2.0 ** min(self._failures, 10), BACKOFF_LIMIT)
        return RESYNC_SECONDS if outcome.requeue_after is None else min(outcome.requeue_after, LONGEST_PAUSE)

    def _started(self) -> Process:
        claims = ClaimIndex()
        stored = self.cluster.stored
        if stored is not None:
            claims.put(stored.uid, KEY, stored.created_at, claims_of(stored.spec))
        inventory = Inventory(self.aws, cluster=CLUSTER, clock=self.clock)
        prerequisites: Prerequisites[Key] = Prerequisites(self.aws, clock=self.clock)
        eyes = Eyes(
            cloud=self.aws,
            inventory=inventory,
            prerequisites=prerequisites,
            resources=self.cluster,
            siblings=claims,
            prerequisites_max_age=900.0,
        )
        silent = Silent()
        reconciler = Reconciler(
            cluster=CLUSTER,
            accounts=only(eyes, silent),
            resources=self.cluster,
            events=silent,
            interest=silent,
            watcher=silent,
        )
        return Process(reconciler, inventory)
