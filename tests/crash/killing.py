"""One kill -9 for many resources at once, each right after another write; and what became of each of them."""

import threading
import time
import uuid
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sandbox.aws import Fault
from sandbox.aws.messages import EndpointTruth
from sandbox.kube.proxy import ApiProxy
from sandbox.stage import OperatorProcess, Stage, is_ready
from tests.crash.lives import HOLD_SECONDS, User, ids_of
from tests.e2e.scene import OPERATORS_KEY, REGION, SERVICES, Scene, eventually

LAG_SECONDS = 60.0
"""Of the double's clock, which stands still until the new operator has looked several times."""
LOOKS = 4
SETTLE_SECONDS = 120.0
POLL_SECONDS = 0.5


class Life(Protocol):
    """One resource, the write that ends its first operator, and the trap set for that write."""

    scene: Scene
    ids: dict[str, str]
    reached: threading.Event

    @property
    def case(self) -> Hashable:
        """What is tried with it."""

    @property
    def begins_ready(self) -> bool:
        """Whether the write comes after the first Ready."""

    @property
    def is_kubernetes(self) -> bool:
        """Whether the write goes to the API server."""

    @property
    def invisible(self) -> bool:
        """Whether AWS doesn't show the write's effect at first."""

    @property
    def lost(self) -> bool:
        """Whether the answer to the write is lost."""

    @property
    def ends(self) -> bool:
        """Whether the resource is gone in the end."""

    @property
    def needs_deletions(self) -> bool:
        """Whether endpoints must go before the write comes."""

    def manifest(self) -> Mapping[str, Any]:
        """The resource as it is at first."""

    def trigger(self) -> None:
        """What a user does to make the write happen."""

    def meanwhile(self) -> None:
        """What a user does while no operator runs."""

    def aws_faults(self) -> Sequence[Fault]:
        """What catches the write at AWS."""

    def set_trap(self, proxy: ApiProxy, operator: OperatorProcess, kill: threading.Event) -> None:
        """What catches the write at the API server."""


Beginning = Callable[[Scene, User], Life]


@dataclass
class Ending:
    """What became of one resource."""

    resource: dict[str, Any] | None = None
    """As it was when it had settled; None: gone."""
    held: tuple[EndpointTruth, ...] = ()
    """What AWS held then."""
    ever: dict[str, set[str]] = field(default_factory=dict)
    """Role -> ids of every endpoint that was ever made in its VPC."""
    left: tuple[EndpointTruth, ...] = ()
    """What AWS held after its deletion at last."""
    removed: bool = False
    """Whether that deletion ended."""
    trouble: str = ""
    """Why it had not settled in time."""


class Killing:
    """Many lives, around one kill."""

    def __init__(self, stage: Stage, beginnings: Sequence[Beginning]) -> None:
        self._stage = stage
        self._control = stage.aws.control
        self.namespace = f"crash-{uuid.uuid4().hex[:6]}"
        stage.plane.kubectl("create", "namespace", self.namespace)
        self._user = User(stage, self.namespace)
        self._operator: OperatorProcess
        self._beginnings = beginnings
        self.lives: list[Life] = []
        self.endings: dict[Hashable, Ending] = {}
        self.hidden_looks = 0
        """How often the new operator looked while the clock stood still."""

    def run(self) -> None:
        """All of it; what went wrong with one resource is in its ending."""
        with ApiProxy(self._stage.plane) as proxy:
            self._operator = self._stage.operator(
                proxy.kubeconfig,
                IBPE_WATCH_NAMESPACES=self.namespace,
                IBPE_WORKERS="48",
                IBPE_AWS_READ_TIMEOUT_SECONDS=str(HOLD_SECONDS),
                IBPE_SNAPSHOT_SECONDS="1",
                IBPE_SNAPSHOT_FAST_SECONDS="0.3",
                IBPE_LOG_FORMAT="json",
            )
            networks = self._control.make_networks(len(self._beginnings), region=REGION)
            for number, (begin, network) in enumerate(zip(self._beginnings, networks, strict=True)):
                scene = Scene(self._stage, self._operator, network, self.namespace, f"images-{number}", ())
                self.lives.append(begin(scene, self._user))
            self._prepare()
            self._kill(proxy)
        for life in self.lives:
            life.meanwhile()
        self._control.set(lag_new_seconds=0, lag_change_seconds=0, deleting_seconds=0.3)
        since = self._control.cursor()
        self._operator.restart({"KUBECONFIG": str(self._stage.plane.kubeconfig), "IBPE_WORKERS": "8"})
        self._control.wait_for_calls(
            LOOKS, since=since, action="DescribeVpcEndpoints", access_key=OPERATORS_KEY, seconds=60
        )
        time.sleep(2)  # not for something to happen, but for nothing to: what is invisible must not be made again
        self.hidden_looks = len(self._control.calls(since=since, action="DescribeVpcEndpoints"))
        self._control.advance_clock(LAG_SECONDS)
        self._control.resume_clock()
        self._await(_settled, "settled")
        self._note()
        for life in self.lives:
            self._user.delete(life.scene.name)
        self._await(lambda _life, found: found is None, "gone after its deletion")
        self._note_what_is_left()
        self._operator.stop()

    def _prepare(self) -> None:
        """Those whose write comes later are Ready first."""
        later = [life for life in self.lives if life.begins_ready]
        for life in later:
            self._user.create(life.manifest())
        for life in later:
            life.scene.ready()
            life.ids |= ids_of(life.scene)

    def _kill(self, proxy: ApiProxy) -> None:
        """Set every trap, let every write happen, wait until each has had its effect, and kill."""
        self._control.hold_clock()
        since, word = self._control.cursor(), threading.Event()
        for life in self.lives:
            for fault in life.aws_faults():
                self._control.fault(fault)
            life.set_trap(proxy, self._operator, word)
        # What is to be invisible is written while there is lag; what waits for the API server's answer waits least.
        for invisible in (True, False):
            lag = LAG_SECONDS if invisible else 0
            self._control.set(lag_new_seconds=lag, lag_change_seconds=lag)
            for kubernetes in (False, True):
                group = [life for life in self.lives if (life.invisible, life.is_kubernetes) == (invisible, kubernetes)]
                if any(life.needs_deletions for life in group):
                    self._control.set(deleting_seconds=0)  # the clock stands still, and they must go all the same
                for life in group:
                    life.trigger()
                self._wait_for_writes(group, since)
        word.set()
        self._operator.wait_for_exit()
        self._control.clear_faults()

    def _wait_for_writes(self, group: Sequence[Life], since: int) -> None:
        """Each write of these has had its effect."""
        caught = {
            "held": sum(not life.is_kubernetes and not life.lost for life in group),
            "lost": sum(not life.is_kubernetes and life.lost for life in group),
        }
        vpcs_and_ids = {
            name for life in group for name in (life.scene.network.vpc_id, *life.ids.values())
        }  # the groups are told apart by what their calls are about

        def all_there() -> bool:
            for outcome, count in caught.items():
                calls = [
                    call
                    for call in self._control.calls(since=since, outcome=outcome, access_key=OPERATORS_KEY)
                    if call.executed and not vpcs_and_ids.isdisjoint(call.parameters.values())
                ]
                if len(calls) < count:
                    return False
            return all(life.reached.is_set() for life in group if life.is_kubernetes)

        def explain() -> str:
            missing = [str(life) for life in group if life.is_kubernetes and not life.reached.is_set()]
            calls = [(c.action, c.outcome) for c in self._control.calls(since=since) if c.outcome in {"held", "lost"}]
            return f"of {caught}: {calls}; not reached: {missing}\n{self._operator.log()[-3000:]}"

        eventually(all_there, "every write executed", timeout=HOLD_SECONDS / 2, explain=explain)

    def _await(self, done: Callable[[Life, dict[str, Any] | None], bool], what: str) -> None:
        """Poll all at once until each is done; who isn't in time has it in its ending."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            found = self._user.list()
            late = [life for life in self.lives if not done(life, found.get(life.scene.name))]
            if not late or time.monotonic() > deadline:
                break
            time.sleep(POLL_SECONDS)
        for life in late:
            status = (found.get(life.scene.name) or {}).get("status")
            self._ending(life).trouble += f"never {what}: {status}\n"

    def _note(self) -> None:
        found = self._user.list()
        for life in self.lives:
            ending = self._ending(life)
            ending.resource = found.get(life.scene.name)
            ending.held = life.scene.endpoints()

    def _note_what_is_left(self) -> None:
        found = self._user.list()
        for life in self.lives:
            ending = self._ending(life)
            ending.left, ending.removed = life.scene.endpoints(), life.scene.name not in found
            for each in self._control.endpoints():
                if each.vpc_id == life.scene.network.vpc_id and "ibpe.dev/cluster" in each.tags:
                    ending.ever.setdefault(SERVICES[each.service_name], set()).add(each.id)

    def _ending(self, life: Life) -> Ending:
        return self.endings.setdefault(life.case, Ending())

    def close(self) -> None:
        """End the connections."""
        self._user.close()


def _settled(life: Life, found: dict[str, Any] | None) -> bool:
    return found is None if life.ends else is_ready(found)


def killed(stage: Stage, beginnings: Sequence[Beginning]) -> Iterator[Killing]:
    """A killing that has run; the stage's clock and lag are as before."""
    killing = Killing(stage, beginnings)
    try:
        killing.run()
        yield killing
    finally:
        stage.aws.control.clear_faults()
        stage.aws.control.resume_clock()
        killing.close()
