"""What is killed when while resources contribute to others' endpoints; and where their statements must be afterwards.

As `lives`, of which it needs the traps; must not know what the operator should make of it.
"""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product
from typing import Any

from ibpe.policy.contribution import is_contributed, mark
from sandbox.aws import Fault
from sandbox.aws.messages import EndpointEdit, EndpointTruth
from sandbox.kube.hooks import DropAnswer, Kill, Predicate, Request
from sandbox.kube.proxy import ApiProxy
from sandbox.stage import OperatorProcess
from tests.crash.lives import HOLD_SECONDS, User
from tests.e2e.scene import REGION, Scene

CLUSTER = "sandbox"
TEAM = {
    "Sid": "Team",
    "Resource": ["arn:aws:s3:::team/*"],
    "Principal": "*",
    "Effect": "Allow",
    "Action": ["s3:PutObject", "s3:GetObject"],
    "Condition": {"Bool": {"aws:SecureTransport": True}},
}
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [TEAM]}, separators=(",", ":"))
FIRST, OTHER = "first", "other"
"""Two endpoints of somebody else's; a resource begins with the first."""


class Write(StrEnum):
    """A write, of which the operator is killed right after its effect."""

    RECORDED = "the endpoint is recorded in the status"
    PUT_IN = "our statements are put in"
    PUT_INTO_OTHER = "our statements are put into another endpoint"
    TAKEN_OUT = "our statements are taken out of the endpoint of before"
    TAKEN_OUT_AT_THE_END = "our statements are taken out for a deletion"


class Deed(StrEnum):
    """What a user does while no operator runs."""

    NOTHING = "nothing"
    DELETE = "delete"
    MOVE = "move"
    """To the other endpoint, or back to the first."""
    OWN = "own"
    """An endpoint of the resource's own, whose owner of before makes room for it."""


@dataclass(frozen=True)
class Case:
    """One kill."""

    write: Write
    deed: Deed = Deed.NOTHING
    invisible: bool = False
    lost: bool = False

    def __str__(self) -> str:
        words = [self.write.name, str(self.deed)]
        return "-".join([*words, *(name for name in ("invisible", "lost") if getattr(self, name))])


BOTH = (False, True)
CASES = (
    # What was recorded and never sent is awaited for five minutes where the spec no longer wants it: `test_lag_bound`.
    *(Case(Write.RECORDED, lost=lost) for lost in BOTH),
    *(Case(Write.PUT_IN, deed, *twice) for deed in Deed for twice in product(BOTH, BOTH)),
    *(Case(Write.PUT_INTO_OTHER, deed, invisible) for deed, invisible in product(Deed, BOTH)),
    *(Case(Write.TAKEN_OUT, deed, lost=lost) for deed, lost in product(Deed, BOTH)),
    *(Case(Write.TAKEN_OUT_AT_THE_END, Deed.NOTHING, *twice) for twice in product(BOTH, BOTH)),
)


@dataclass
class SharingLife:
    """One resource, the write that ends its first operator, and the trap set for that write."""

    case: Case
    scene: Scene
    user: User
    gateways: dict[str, str]
    """FIRST and OTHER -> id."""
    ids: dict[str, str] = field(default_factory=dict)
    """Those that the status names."""
    reached: threading.Event = field(default_factory=threading.Event)

    def __str__(self) -> str:
        return str(self.case)

    @property
    def begins_ready(self) -> bool:
        """Whether the write comes after the first Ready."""
        return self.case.write not in {Write.RECORDED, Write.PUT_IN}

    @property
    def is_kubernetes(self) -> bool:
        """Whether the write goes to the API server."""
        return self.case.write is Write.RECORDED

    @property
    def invisible(self) -> bool:
        """Whether AWS doesn't show the write's effect at first."""
        return self.case.invisible

    @property
    def lost(self) -> bool:
        """Whether the answer to the write is lost."""
        return self.case.lost

    @property
    def ends(self) -> bool:
        """Whether the resource is gone in the end."""
        return self.case.deed is Deed.DELETE or self.case.write is Write.TAKEN_OUT_AT_THE_END

    @property
    def needs_deletions(self) -> bool:
        """No endpoint of the resource's own is deleted before the write."""
        return False

    def manifest(self) -> dict[str, Any]:
        """The resource as it is at first."""
        return self.scene.example(imageBuilder=None, s3={"mode": "Contribute", "endpointID": self.gateways[FIRST]})

    def trigger(self) -> None:
        """What a user does to make the write happen."""
        match self.case.write:
            case Write.RECORDED | Write.PUT_IN:
                self.user.create(self.manifest())
            case Write.PUT_INTO_OTHER | Write.TAKEN_OUT:
                self.user.edit(self.scene.name, s3={"endpointID": self.gateways[OTHER]})
            case Write.TAKEN_OUT_AT_THE_END:
                self.user.delete(self.scene.name)

    def meanwhile(self) -> None:
        """What a user does while no operator runs."""
        match self.case.deed:
            case Deed.DELETE:
                self.user.delete(self.scene.name)
            case Deed.MOVE:
                self.user.edit(self.scene.name, s3={"endpointID": self.gateways[self._destination]})
            case Deed.OWN:
                for id_ in self.gateways.values():
                    self.scene.stage.aws.control.edit_endpoint(id_, EndpointEdit(route_table_ids=()))
                tables = {"ids": [self.scene.network.route_table_id]}
                own = {"mode": "Managed", "endpointID": None, "routeTables": tables}
                self.user.edit(self.scene.name, s3={**own, "policy": {"baseline": "ImageBuilderOnly"}})
            case Deed.NOTHING:
                pass

    @property
    def _destination(self) -> str:
        return OTHER if self.case.write in {Write.RECORDED, Write.PUT_IN} else FIRST

    def aws_faults(self) -> list[Fault]:
        """What catches the write at AWS, if it goes there: a held answer, and where it is to be lost, a lost one."""
        if self.is_kubernetes:
            return []
        endpoint = self.gateways[OTHER if self.case.write is Write.PUT_INTO_OTHER else FIRST]
        effect = "close" if self.lost else "hold"
        parameters = {"VpcEndpointId": endpoint}
        return [Fault(action="ModifyVpcEndpoint", effect=effect, phase="after", times=1, parameters=parameters)]

    def set_trap(self, proxy: ApiProxy, operator: OperatorProcess, kill: threading.Event) -> None:
        """What catches the write at the API server, if it goes there."""
        if not self.is_kubernetes:
            return
        if self.lost:
            proxy.on_request(self._noted, DropAnswer())
            return

        def victim() -> int:
            self.reached.set()
            if not kill.wait(HOLD_SECONDS):
                raise AssertionError("nobody ever gave the word to kill")
            return operator.pid

        proxy.on_request(self._is_record, Kill(victim))

    @property
    def _noted(self) -> Predicate:
        def noting(request: Request) -> bool:
            found = self._is_record(request)
            if found:
                self.reached.set()
            return found

        return noting

    def _is_record(self, request: Request) -> bool:
        path = f"/{self.scene.name}/status"
        return request.method == "PATCH" and request.path.endswith(path) and b"contributedIDs" in request.body


def begun(case: Case, scene: Scene, user: User) -> SharingLife:
    """A life with two gateways of somebody else's in its VPC, both said to serve the builds."""
    ids = {}
    for name in (FIRST, OTHER):
        made = scene.ec2.create_vpc_endpoint(
            VpcId=scene.network.vpc_id,
            VpcEndpointType="Gateway",
            ServiceName=f"com.amazonaws.{REGION}.s3",
            RouteTableIds=[],
            PolicyDocument=POLICY,
        )
        ids[name] = str(made["VpcEndpoint"]["VpcEndpointId"])
        tables = EndpointEdit(route_table_ids=(scene.network.route_table_id,))
        scene.stage.aws.control.edit_endpoint(ids[name], tables)  # two gateways on one table: only for tests
    return SharingLife(case, scene, user, ids, dict(ids))


def wrong(life: SharingLife, resource: Mapping[str, Any] | None, held: tuple[EndpointTruth, ...]) -> list[str]:
    """How what AWS holds differs from the spec (None: the resource is gone), read off it by hand."""
    s3 = resource["spec"]["s3"] if resource else {}
    ours = mark(CLUSTER, resource["metadata"]["uid"]) if resource else ""
    by_id = {each.id: each for each in held}
    found: list[str] = []
    for name, id_ in life.gateways.items():
        text = by_id[id_].policy
        statements = json.loads(text)["Statement"]
        if [s for s in statements if not s.get("Sid", "").startswith("IBPE")] != [TEAM]:
            found.append(f"{name}: the owner's statements are {statements}")
        if s3.get("endpointID") == id_:
            found += [] if is_contributed(text, ours) else [f"{name} lacks our statements: {text}"]
        elif text != POLICY:
            found.append(f"{name} is not as it was before we came: {text}")
    own = [each for each in held if each.id not in life.gateways.values()]
    wanted = 1 if s3.get("mode", "Managed" if resource else "") == "Managed" else 0
    if len(own) != wanted or any(each.state.lower() != "available" for each in own):
        found.append(f"of our own: {own}")
    return found
