"""One resource in a VPC of its own: what a user does to it, what an intruder does to AWS, and how both are seen."""

import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mypy_boto3_ec2 import EC2Client

from sandbox.aws.call_log import CallRecord
from sandbox.aws.messages import EndpointTruth
from sandbox.aws.network import Network, add_subnet, make_network
from sandbox.stage import OperatorProcess, Stage, condition, endpoint_ids, example, is_ready

REGION = "us-west-2"
IMAGE_BUILDER, S3 = "imagebuilder", "s3"
SERVICES = {f"com.amazonaws.{REGION}.imagebuilder": IMAGE_BUILDER, f"com.amazonaws.{REGION}.s3": S3}
OPERATORS_KEY = "testing"
"""The access key of the sandbox's operators: their calls are told from the tests' own by it."""
WRITES = ("CreateVpcEndpoint", "ModifyVpcEndpoint", "DeleteVpcEndpoints", "CreateTags", "DeleteTags")
PATIENCE_SECONDS = 45.0
"""For a busy machine; nothing here takes a tenth of it on an idle one."""

Found = TypeVar("Found")


def eventually(
    look: Callable[[], Found],
    what: str,
    *,
    timeout: float = PATIENCE_SECONDS,
    explain: Callable[[], object] = lambda: "",
) -> Found:
    """What `look` returns as soon as it is true; AssertionError with an explanation when it never is."""
    deadline = time.monotonic() + timeout
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"never: {what}; last seen: {found!r}\n{explain()}")
        time.sleep(0.05)


@dataclass
class Scene:
    """A resource `name` in `namespace` about `network`."""

    stage: Stage
    operator: OperatorProcess
    network: Network
    namespace: str
    name: str
    tables: tuple[str, ...]
    """Further route tables of the VPC that no subnet uses."""
    ids: set[str] = field(default_factory=set)
    """Every endpoint id that was ever seen here."""

    @property
    def ec2(self) -> EC2Client:
        """Somebody else's hands in the same account."""
        return self.stage.aws.client("ec2", REGION)

    @property
    def tags(self) -> dict[str, str]:
        """Our tags, without the role."""
        return {"ibpe.dev/cluster": "sandbox", "ibpe.dev/owner": f"{self.namespace}/{self.name}"}

    # What a user does

    def example(self, **spec: Any) -> dict[str, Any]:
        """The resource's manifest; `spec` replaces whole fields, None leaves one out."""
        resource = example(self.network, self.name, self.namespace, **spec)
        resource["spec"] = {name: value for name, value in resource["spec"].items() if value is not None}
        return resource

    def rich(self, **spec: Any) -> dict[str, Any]:
        """A manifest with two of everything, so that one can go without leaving nothing."""
        image_builder = {
            "subnets": {"ids": list(self.network.subnet_ids[:2])},
            "securityGroups": {"ids": [self.network.security_group_id, self.network.other_security_group_id]},
            "policy": {"preset": "DenyDeletion"},
        }
        s3 = {
            "routeTables": {"ids": [self.network.route_table_id, self.tables[0]]},
            "policy": {"baseline": "ImageBuilderOnly"},
        }
        return self.example(**{"imageBuilder": image_builder, "s3": s3, "tags": {"team": "images"}, **spec})

    def apply(self, resource: Mapping[str, Any]) -> None:
        """Kubectl apply."""
        self.stage.apply(resource)

    def edit(self, **spec: Any) -> None:
        """A merge patch of the spec."""
        self.stage.patch(self.name, {"spec": spec}, self.namespace)

    def annotate(self, **annotations: str) -> None:
        """Set annotations of ours (`abandon` is `ibpe.dev/abandon`)."""
        named = {f"ibpe.dev/{name.replace('_', '-')}": value for name, value in annotations.items()}
        self.stage.patch(self.name, {"metadata": {"annotations": named}}, self.namespace)

    def delete(self) -> None:
        """Kubectl delete, without waiting."""
        self.stage.delete(self.name, self.namespace)

    # What Kubernetes shows

    def get(self) -> dict[str, Any] | None:
        """The resource, or None."""
        return self.stage.get(self.name, self.namespace)

    def until(
        self, right: Callable[[dict[str, Any] | None], object], what: str, timeout: float = PATIENCE_SECONDS
    ) -> dict[str, Any]:
        """The resource once it is so (an empty one when it is gone)."""
        found = self.stage.wait(
            self.name, lambda resource: bool(right(resource)), what, namespace=self.namespace, timeout=timeout
        )
        return found or {}

    def ready(self) -> dict[str, Any]:
        """The resource once it is Ready for its generation, with nothing under way."""
        return self.until(is_ready, "Ready")

    def gone(self, timeout: float = PATIENCE_SECONDS) -> None:
        """Wait until the resource doesn't exist."""
        self.until(lambda resource: resource is None, "gone", timeout)

    def stalled(self, reason: str) -> str:
        """The message of Stalled once it is True for this reason and this generation."""
        resource = self.until(lambda resource: _is(resource, "Stalled", "True", reason), f"Stalled {reason}")
        ready, busy = condition(resource, "Ready"), condition(resource, "Reconciling")
        assert (ready["status"], busy["status"]) == ("False", "False"), f"Ready and Reconciling beside Stalled: {ready}"
        message: str = condition(resource, "Stalled")["message"]
        return message

    def events(self) -> list[tuple[str, str]]:
        """Reason and note of every event about the resource, oldest first."""
        return self.stage.events(self.name, self.namespace)

    def event(self, reason: str, *words: str) -> str:
        """The note of an event with this reason and these words, once there is one."""

        def look() -> str:
            notes = (note for found, note in self.events() if found == reason and all(word in note for word in words))
            return next(notes, "")

        return eventually(look, f"an event {reason} about {words}", timeout=15, explain=self.events)

    # What AWS shows

    def endpoints(self) -> tuple[EndpointTruth, ...]:
        """Every endpoint of the VPC that isn't deleted."""
        found = tuple(
            each
            for each in self.stage.aws.control.endpoints()
            if each.vpc_id == self.network.vpc_id and each.state.lower() != "deleted"
        )
        self.ids.update(each.id for each in found)
        return found

    def ours(self) -> dict[str, EndpointTruth]:
        """Role -> the one endpoint of that service in the VPC."""
        found = self.endpoints()
        by_role = {SERVICES[each.service_name]: each for each in found}
        assert len(by_role) == len(found), f"more than one endpoint of a role: {found}"
        return by_role

    def endpoint(self, role: str) -> EndpointTruth:
        """The one endpoint of a role."""
        return self.ours()[role]

    def settled(self, right: Callable[[EndpointTruth], object], role: str, what: str) -> EndpointTruth:
        """The endpoint of a role once it is so."""

        def look() -> EndpointTruth | None:
            found = self.ours().get(role)
            return found if found is not None and right(found) else None

        found = eventually(look, f"{role} endpoint {what}", explain=lambda: (self.endpoints(), self._status()))
        assert found is not None
        return found

    def cursor(self) -> int:
        """Now, in AWS's call log."""
        return self.stage.aws.control.cursor()

    def writes(self, since: int = 0) -> tuple[CallRecord, ...]:
        """The operator's writes about this VPC and its endpoints since then."""
        self.endpoints()
        mine = {self.network.vpc_id, *self.ids, *endpoint_ids(self.get() or {"status": {}}).values()}
        return tuple(
            call
            for call in self.stage.aws.control.calls(since=since, access_key=OPERATORS_KEY)
            if call.action in WRITES and not mine.isdisjoint(call.parameters.values())
        )

    def snapshots(self, count: int) -> None:
        """Let the operator look at AWS so many times more."""
        self.stage.aws.control.wait_for_calls(
            count,
            since=self.cursor(),
            action="DescribeVpcEndpoints",
            access_key=OPERATORS_KEY,
            seconds=PATIENCE_SECONDS,
        )

    def quiet(self, since: int, snapshots: int = 3) -> None:
        """The operator looks several times more and writes nothing to AWS."""
        self.snapshots(snapshots)
        assert not self.writes(since), f"writes where none was due: {self.writes(since)}\n{self._status()}"

    def _status(self) -> str:
        """What a reader of a failure wants: the status, and what the operator complained about last."""
        complaints = [line for line in self.operator.log().splitlines() if '"level": "info"' not in line][-20:]
        return "\n".join([json.dumps((self.get() or {}).get("status"), indent=1), *complaints])


def _is(resource: Mapping[str, Any] | None, type_: str, status: str, reason: str) -> bool:
    found = condition(resource, type_)
    if resource is None or found.get("observedGeneration") != resource["metadata"]["generation"]:
        return False
    return (found["status"], found["reason"]) == (status, reason)


def parameters(call: CallRecord) -> dict[str, set[str]]:
    """A call's parameters with lists put together: `SubnetId.1`, `SubnetId.2` -> `SubnetId`."""
    found: dict[str, set[str]] = {}
    for name, value in call.parameters.items():
        found.setdefault(name.split(".")[0], set()).add(value)
    return found


def statements(policy: str) -> list[dict[str, Any]]:
    """A policy's statements, as they read."""
    found: list[dict[str, Any]] = json.loads(policy)["Statement"]
    return found


def sids(endpoint: EndpointTruth) -> set[str]:
    """The Sids in an endpoint's policy."""
    return {statement.get("Sid", "") for statement in statements(endpoint.policy)}


@dataclass
class Scenes:
    """Makes scenes on one stage, for one operator that serves one namespace."""

    stage: Stage
    operator: OperatorProcess
    namespace: str

    def make(self, name: str | None = None, *, subnets: int = 3) -> Scene:
        """A VPC of three zones with two spare route tables, and a name for its resource; nothing is applied."""
        ec2 = self.stage.aws.client("ec2", REGION)
        network = make_network(ec2, subnets=subnets)
        tables = tuple(ec2.create_route_table(VpcId=network.vpc_id)["RouteTable"]["RouteTableId"] for _ in range(2))
        return Scene(
            self.stage, self.operator, network, self.namespace, name or f"images-{uuid.uuid4().hex[:8]}", tables
        )

    def ready(self, count: int) -> list[Scene]:
        """So many scenes whose `rich` resources were applied at once and are Ready."""
        scenes = [self.make() for _ in range(count)]
        items: Sequence[Mapping[str, Any]] = [scene.rich() for scene in scenes]
        self.stage.apply({"apiVersion": "v1", "kind": "List", "items": items})
        for scene in scenes:
            scene.ready()
            scene.endpoints()
        return scenes


def another_subnet(scene: Scene, zone_of: int, number: int = 9) -> str:
    """One more subnet in the zone of the network's `zone_of`-th one, on the builds' route table."""
    network = scene.network
    made = add_subnet(scene.ec2, network.vpc_id, network.zones[zone_of], f"10.0.{number}.0/24", number)
    scene.ec2.associate_route_table(RouteTableId=network.route_table_id, SubnetId=made)
    return made
