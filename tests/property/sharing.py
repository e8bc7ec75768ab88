"""Somebody else's S3 endpoint, five resources that contribute to it, its owner, and an operator that dies at any write.

The operator is the real reconciler; AWS and the API server are in memory. What the owner wants is kept here, by hand:
whatever happens, the policy must hold just that, and ours.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ibpe.aws.gateway import Endpoint, EndpointState, EndpointType
from ibpe.aws.inventory import Inventory
from ibpe.aws.prerequisites import Prerequisites
from ibpe.policy.contribution import mark
from ibpe.reconcile.accounts import only
from ibpe.reconcile.claims import ClaimIndex, claims_of
from ibpe.reconcile.observe import Eyes
from ibpe.reconcile.ports import Key, Outcome, Resource
from ibpe.reconcile.reconciler import Reconciler
from tests.crash.fakes import Behaviour, Clock
from tests.crash.fuse import Fuse, Interruption, SimulatedCrash
from tests.crash.surroundings import ACCOUNT, REGION, S3, TABLES, VPC
from tests.crash.world import Silent
from tests.property.shared_endpoint import (
    CLUSTER,
    KEYS,
    SHARED,
    Edit,
    FusedResources,
    SharedAws,
    Variant,
    Window,
    Written,
    allows_everything,
    is_of,
    listed,
    meaning,
    spec,
)

RESYNC_SECONDS = 30.0
LONGEST_PAUSE = 3700.0
"""A repair that somebody keeps undoing rests for up to an hour."""
MOST_ROUNDS = 120


@dataclass
class SharedWorld:
    """Everything, and its laws. It begins with a policy of the owner's: its elements, and one statement or more."""

    elements: Written
    statements: Written | list[Written]
    clock: Clock = field(default_factory=Clock)
    fuse: Fuse = field(default_factory=Fuse)
    asked: dict[Key, Variant] = field(default_factory=dict)
    marks: dict[str, Key] = field(default_factory=dict)
    """Of every resource that ever was."""
    left: set[str] = field(default_factory=set)
    """Marks of resources that went where no other statement would have been left."""
    lost: int = 0
    """Edits that the operator overwrote, each of them in its window."""
    window_was_used: bool = False
    """Whether the last round wrote to AWS, so that an edit could come before it."""

    def __post_init__(self) -> None:
        self.aws = SharedAws(self.clock, self.fuse, Behaviour(strict=False))
        self.aws.check = self._check_write
        self.aws.holds(
            Endpoint(
                id=SHARED,
                vpc_id=VPC,
                service_name=S3,
                type=EndpointType.GATEWAY,
                state=EndpointState.AVAILABLE,
                owner_id=ACCOUNT,
                policy=json.dumps({**self.elements, "Statement": self.statements}),
                route_table_ids=frozenset(TABLES),
            )
        )
        self.theirs = self._foreign(self.aws.policy)  # as its owner last wrote it
        self.resources = FusedResources(self.fuse)
        self.resources.releasing = self._check_release
        self.start()

    # What happens.

    def start(self) -> None:
        """The operator begins, and remembers nothing."""
        claims = ClaimIndex()
        for key in self.asked:
            stored = self.resources.stored(key)
            claims.put(stored.uid, key, stored.created_at, claims_of(stored.spec))
        self.inventory = Inventory(self.aws, cluster=CLUSTER, clock=self.clock)
        prerequisites: Prerequisites[Key] = Prerequisites(self.aws, clock=self.clock)
        eyes = Eyes(self.aws, self.inventory, prerequisites, self.resources, claims, 900.0)
        silent = Silent()
        self.reconciler = Reconciler(
            cluster=CLUSTER,
            accounts=only(eyes, silent),
            resources=self.resources,
            events=silent,
            interest=silent,
            watcher=silent,
        )

    def apply(self, key: Key, variant: Variant) -> None:
        """Kubectl apply; not of what is being deleted."""
        if key in self.resources and key not in self.asked:
            return
        if key in self.asked:
            self.resources.edit(key, spec(variant))
        else:
            self.marks[mark(CLUSTER, self.resources.make(key, spec(variant)).uid)] = key
        self.asked[key] = variant

    def delete(self, key: Key) -> None:
        """Kubectl delete."""
        if self.asked.pop(key, None) is not None:
            self.resources.delete(key)

    def edit(self, edit: Edit) -> None:
        """The owner edits the policy, and the operator is between two rounds."""
        self.theirs = self._foreign(self.aws.edit(edit))

    def reconcile(self, key: Key, edit: Edit | None = None, interruption: Interruption | None = None) -> float:
        """One round for a key; the edit comes between its read and its write. Returns seconds until the next round."""
        self.resources.now = self.clock.now
        with self._window(edit):
            self.fuse.arm(interruption)
            try:
                outcome = self.reconciler.reconcile(key, self.clock.now)
            except SimulatedCrash:
                self.start()
                outcome = Outcome(retry=True)
            self.fuse.arm(None)
        self.check()
        return RESYNC_SECONDS if outcome.requeue_after is None else min(outcome.requeue_after, LONGEST_PAUSE)

    @contextmanager
    def _window(self, edit: Edit | None) -> Iterator[None]:
        window = self.aws.window = Window(edit) if edit else None
        yield
        self.aws.window = None
        self.window_was_used = window is not None and window.placed is not None
        if window is None or window.placed is None:
            return
        theirs = self._foreign(window.placed)
        if not window.overwritten:
            self.theirs = theirs
        elif theirs != self.theirs:
            self.lost += 1

    def look(self) -> None:
        """The watch looks at AWS; without it, a reconcile may decide from what it knows."""
        self.inventory.refresh(REGION)

    def settle(self) -> None:
        """Rounds until the policy is as everybody wants it; fails when that never comes."""
        for _ in range(MOST_ROUNDS):
            self.look()
            pauses = [self.reconcile(key) for key in KEYS if key in self.resources]
            if not self.complaints():
                return
            self.clock.advance(min(pauses))
        raise AssertionError(f"never settled: {self.complaints()}\n{self.story()}")

    # What is so.

    def complaints(self) -> list[str]:
        """What is not yet as it must be in the end."""
        wrong = [f"{key} is still there" for key in KEYS if key in self.resources and key not in self.asked]
        for mark_, key in self.marks.items():
            there = [item for item in listed(self.aws.policy) if is_of({mark_}, item)]
            here = key in self.asked and mark(CLUSTER, self.resources.stored(key).uid) == mark_
            if (here and not there and any(map(allows_everything, listed(self.aws.policy)))) or mark_ in self.left:
                continue
            asked = self.asked[key].statements if here else ()
            wanted = [{**item, "Sid": f"{mark_}{item['Sid']}"} for item in asked]
            if sorted(map(meaning, there)) != sorted(map(meaning, wanted)):
                wrong.append(f"{key} has {there} instead of {wanted}")
        return wrong

    def check(self) -> None:
        """The law that holds at any moment: others' statements are as their owner wrote them, and there are some."""
        assert self._foreign(self.aws.policy) == self.theirs, self.story()
        assert listed(self.aws.policy), self.story()

    def story(self) -> str:
        """For a reader."""
        return "\n".join(
            [
                f"at {self.clock.seconds:.1f} s, {self.lost} edits lost: {self.fuse.writes}",
                f"theirs {json.dumps(self.theirs)}",
                f"is     {self.aws.policy}",
                *(f"{key} {json.dumps(self.resources.stored(key).status)}" for key in KEYS if key in self.resources),
            ]
        )

    def _foreign(self, text: str) -> Written:
        statements = [item for item in listed(text) if not is_of(self.marks, item)]
        return {**json.loads(text), "Statement": statements}

    # Laws of single writes.

    def _check_write(self, operation: str, endpoints: tuple[Endpoint, ...]) -> None:
        """Nothing but the policy of the shared endpoint is written, and no resource writes that it doesn't ask for."""
        assert operation == "ModifyVpcEndpoint", self.story()
        assert [endpoint.id for endpoint in endpoints] == [SHARED], self.story()

    def _check_release(self, resource: Resource) -> None:
        """The finalizer goes when nothing of the resource's is left, unless nothing else would be left."""
        mark_ = mark(CLUSTER, resource.uid)
        others = [item for item in listed(self.aws.policy) if not is_of({mark_}, item)]
        if len(others) == len(listed(self.aws.policy)):
            return
        assert not others, f"{resource.key} goes, and leaves statements in the policy\n{self.story()}"
        self.left.add(mark_)
