"""What is killed when: kinds of writes, what else happens, and how a write is caught right after its effect.

Knows the control APIs of both sandboxes; must not know what the operator should make of it.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from kubernetes.client import ApiException, CustomObjectsApi

from sandbox.aws import Fault
from sandbox.kube.hooks import DropAnswer, Kill, Predicate, Request
from sandbox.kube.proxy import ApiProxy
from sandbox.stage import API_GROUP, API_VERSION, PLURAL, OperatorProcess, Stage, endpoint_ids
from tests.e2e.scene import Scene

HOLD_SECONDS = 90.0


class Kind(StrEnum):
    """A write, of which the operator is killed right after its effect."""

    FINALIZER = "the finalizer is added"
    INTENT = "the intents are written"
    CREATE_INTERFACE = "the interface endpoint is created"
    CREATE_GATEWAY = "the gateway endpoint is created"
    RESULT = "the ids are written"
    MODIFY = "an endpoint is modified"
    PUT_TAGS = "tags are put"
    REMOVE_TAGS = "tags are removed"
    DELETE = "the endpoints are deleted"
    RELEASE = "the finalizer is removed"

    @property
    def makes(self) -> bool:
        """Whether it happens on the way to the first Ready."""
        return self in {Kind.FINALIZER, Kind.INTENT, Kind.CREATE_INTERFACE, Kind.CREATE_GATEWAY, Kind.RESULT}

    @property
    def ends(self) -> bool:
        """Whether it happens while the resource is being deleted."""
        return self in {Kind.DELETE, Kind.RELEASE}


@dataclass(frozen=True)
class Variant:
    """What else happens."""

    invisible: bool = False
    """AWS doesn't show the write's effect until the next operator has looked several times."""
    deleted: bool = False
    """The resource is deleted straight after the kill."""
    edited: bool = False
    """The spec is edited while no operator runs."""
    lost: bool = False
    """The answer to the write is lost first, and the operator lives on for a moment."""

    def __str__(self) -> str:
        words = [name for name in ("invisible", "deleted", "edited", "lost") if getattr(self, name)]
        return "-".join(words) or "plain"


PLAIN = Variant()
DELETED = Variant(deleted=True)
EDITED = Variant(edited=True)
DELETED_EDITED_LOST = Variant(deleted=True, edited=True, lost=True)
VISIBLE = (PLAIN, DELETED, EDITED, DELETED_EDITED_LOST)
EVERY = (
    *VISIBLE,
    Variant(invisible=True),
    Variant(invisible=True, deleted=True),
    Variant(invisible=True, edited=True),
    Variant(invisible=True, edited=True, lost=True),
    Variant(invisible=True, deleted=True, edited=True, lost=True),
)
VARIANTS = {
    Kind.FINALIZER: VISIBLE,  # nothing is made yet that could be invisible
    Kind.INTENT: VISIBLE,
    Kind.DELETE: (PLAIN, EDITED, Variant(edited=True, lost=True)),
    Kind.RELEASE: (PLAIN, Variant(lost=True)),  # the resource goes with the write: nobody can edit it afterwards
}
MATRIX = tuple((kind, variant) for kind in Kind for variant in VARIANTS.get(kind, EVERY))


class User:
    """Makes, edits and deletes resources of one namespace; by the client library, since there are many at a time."""

    def __init__(self, stage: Stage, namespace: str) -> None:
        self._client = stage.plane.client()
        self._objects = CustomObjectsApi(self._client)
        self._where = (API_GROUP, API_VERSION, namespace, PLURAL)

    def create(self, resource: Mapping[str, Any]) -> None:
        self._objects.create_namespaced_custom_object(*self._where, dict(resource))

    def edit(self, name: str, **spec: Any) -> None:
        """A merge patch of the spec."""
        self._objects.patch_namespaced_custom_object(
            *self._where, name, {"spec": spec}, _content_type="application/merge-patch+json"
        )

    def delete(self, name: str) -> None:
        """Ask for the deletion, without waiting; of what is gone it is none."""
        try:
            self._objects.delete_namespaced_custom_object(*self._where, name)
        except ApiException as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    def list(self) -> dict[str, dict[str, Any]]:
        """Every resource by name."""
        found: Any = self._objects.list_namespaced_custom_object(*self._where)
        return {item["metadata"]["name"]: item for item in found["items"]}

    def close(self) -> None:
        self._client.rest_client.close()


@dataclass
class Life:
    """One resource, the write that ends its first operator, and the trap set for that write."""

    kind: Kind
    variant: Variant
    scene: Scene
    user: User
    ids: dict[str, str] = field(default_factory=dict)
    """Role -> id, where the endpoints were there before."""
    reached: threading.Event = field(default_factory=threading.Event)
    """The write is executed (for writes to Kubernetes)."""

    def __str__(self) -> str:
        return f"{self.kind}, {self.variant}"

    @property
    def case(self) -> tuple[Kind, Variant]:
        """What is tried with it."""
        return self.kind, self.variant

    @property
    def begins_ready(self) -> bool:
        """Whether the write comes after the first Ready."""
        return not self.kind.makes

    @property
    def invisible(self) -> bool:
        """Whether AWS doesn't show the write's effect at first."""
        return self.variant.invisible

    @property
    def lost(self) -> bool:
        """Whether the answer to the write is lost."""
        return self.variant.lost

    @property
    def ends(self) -> bool:
        """Whether the resource is gone in the end."""
        return self.kind.ends or self.variant.deleted

    @property
    def needs_deletions(self) -> bool:
        """Whether endpoints must go before the write comes."""
        return self.kind is Kind.RELEASE

    def manifest(self) -> dict[str, Any]:
        """The resource as it is at first."""
        tags = {"team": "images"} if self.kind is Kind.REMOVE_TAGS else {}
        resource = self.scene.example(tags=tags)
        # Without private DNS nothing but the operator prevents a second interface endpoint.
        resource["spec"]["imageBuilder"]["privateDNS"] = not self.variant.invisible
        return resource

    def trigger(self) -> None:
        """What a user does to make the write happen."""
        match self.kind:
            case Kind.MODIFY:
                self.user.edit(self.scene.name, imageBuilder={"policy": {"preset": "FullAccess"}})
            case Kind.PUT_TAGS:
                self.user.edit(self.scene.name, tags={"team": "images"})
            case Kind.REMOVE_TAGS:
                self.user.edit(self.scene.name, tags={"team": None})
            case Kind.DELETE | Kind.RELEASE:
                self.user.delete(self.scene.name)
            case _:
                self.user.create(self.manifest())

    def meanwhile(self) -> None:
        """What a user does while no operator runs."""
        if self.variant.edited:
            subnets = {"ids": list(self.scene.network.subnet_ids[:1])}
            self.user.edit(
                self.scene.name,
                imageBuilder={"subnets": subnets, "policy": {"preset": "Organization", "organization": ORGANIZATION}},
                tags={"site": "north"},
            )
        if self.variant.deleted:
            self.user.delete(self.scene.name)

    def aws_faults(self) -> list[Fault]:
        """What catches the write at AWS, if it goes there: a held answer, and where it is to be lost, a lost one."""
        found = self._aws_call()
        if found is None:
            return []
        action, parameters = found
        effect = "close" if self.variant.lost else "hold"
        return [Fault(action=action, effect=effect, phase="after", times=1, parameters=parameters)]

    def set_trap(self, proxy: ApiProxy, operator: OperatorProcess, kill: threading.Event) -> None:
        """What catches the write at the API server, if it goes there."""
        predicate = self._kubernetes_call()
        if predicate is None:
            return
        if self.variant.lost:
            proxy.on_request(self._noted(predicate), DropAnswer())
            return

        def victim() -> int:
            self.reached.set()
            if not kill.wait(HOLD_SECONDS):
                raise AssertionError("nobody ever gave the word to kill")
            return operator.pid

        proxy.on_request(predicate, Kill(victim))

    @property
    def is_kubernetes(self) -> bool:
        """Whether the write goes to the API server."""
        return self._kubernetes_call() is not None

    def _noted(self, predicate: Predicate) -> Predicate:
        def noting(request: Request) -> bool:
            found = predicate(request)
            if found:
                self.reached.set()
            return found

        return noting

    def _aws_call(self) -> tuple[str, dict[str, str]] | None:
        interface = self.ids.get("imagebuilder", "")
        match self.kind:
            case Kind.CREATE_INTERFACE:
                return "CreateVpcEndpoint", {"VpcId": self.scene.network.vpc_id, "ServiceName": "*.imagebuilder"}
            case Kind.CREATE_GATEWAY:
                return "CreateVpcEndpoint", {"VpcId": self.scene.network.vpc_id, "ServiceName": "*.s3"}
            case Kind.MODIFY:
                return "ModifyVpcEndpoint", {"VpcEndpointId": interface}
            case Kind.PUT_TAGS:
                return "CreateTags", {"ResourceId.*": interface}
            case Kind.REMOVE_TAGS:
                return "DeleteTags", {"ResourceId.*": interface}
            case Kind.DELETE:
                return "DeleteVpcEndpoints", {"VpcEndpointId.*": interface}
            case _:
                return None

    def _kubernetes_call(self) -> Predicate | None:
        path = f"/{self.scene.name}"
        match self.kind:
            case Kind.FINALIZER:
                return lambda request: _patches(request, path) and b"ibpe.dev/aws-resources" in request.body
            case Kind.RELEASE:
                return lambda request: _patches(request, path) and b"ibpe.dev/aws-resources" not in request.body
            case Kind.INTENT:
                return lambda request: _patches(request, f"{path}/status") and _entries(request) == {"creating": False}
            case Kind.RESULT:
                return lambda request: _patches(request, f"{path}/status") and _entries(request) == {"creating": True}
            case _:
                return None


ORGANIZATION = {"principalOrgID": "o-abcdef1234", "resourceOrgID": "o-abcdef1234"}


def _patches(request: Request, end: str) -> bool:
    return request.is_write and request.method == "PATCH" and request.path.endswith(end)


def _entries(request: Request) -> dict[str, bool]:
    """State -> whether it has an id, of the endpoints in the status that is written."""
    status = request.json().get("status", {})
    return {entry["state"]: "id" in entry for entry in status.get("endpoints", ())}


def ids_of(scene: Scene) -> dict[str, str]:
    """Role -> id, from the status."""
    return endpoint_ids(scene.get() or {"status": {}})
