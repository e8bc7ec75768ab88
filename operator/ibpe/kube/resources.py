"""Our resources at the API server: read, list, finalizer, status. Implements `reconcile.ports.Resources`.

How each write guards itself (tried on kube-apiserver 1.35): it carries the resourceVersion that was read, which is
unique to one state of one object, so a stale read or a namesake made meanwhile answers 409.
"""

import logging
from collections.abc import Iterator
from typing import Any, Final, Protocol
from urllib.parse import quote

from ibpe.api.names import API_VERSION, FIELD_MANAGER, FINALIZER, GROUP, KIND, PLURAL, VERSION
from ibpe.api.status import Status
from ibpe.kube.calls import APPLY, JSON_PATCH, Connection, Json, NotFound, WriteRefused
from ibpe.kube.translate import resource_of, wire_status
from ibpe.reconcile.ports import Key, Resource, WriteConflict

log: Final = logging.getLogger(__name__)

STATUS_MANAGER: Final = f"{FIELD_MANAGER}-status"
FINALIZER_MANAGER: Final = f"{FIELD_MANAGER}-finalizer"
CHUNK: Final = 100
"""Objects a page: each is some 10 KB, and a page is in memory twice while it is decoded."""


class WriteObserver(Protocol):
    """What is counted about writes to the API server."""

    def write_problem(self, problem: str) -> None:
        """`refused`: a 422 or 400; `leftover`: something in status that an apply did not remove."""


class KubernetesResources:
    """All calls are synchronous, bounded in time and tried once."""

    def __init__(self, connection: Connection, observer: WriteObserver) -> None:
        self._connection = connection
        self._observer = observer

    def get(self, key: Key) -> Resource | None:
        """The resource by a quorum read, or None when it is gone. KindNotInstalled when the CRD is."""
        try:
            return resource_of(self._connection.call("GET", path_of(key)))
        except NotFound:
            return None

    def list_all(self, namespaces: tuple[str, ...] = (), *, chunk: int = CHUNK) -> Iterator[Resource]:
        """Every resource of these namespaces (none: of the cluster), a page in memory at a time.

        Each namespace's pages show one moment, at or after the first request. Raises KubernetesUnavailable midway.
        """
        for namespace in namespaces or (None,):
            token = ""
            while True:
                query: dict[str, str | int] = {"limit": chunk}
                if token:
                    query["continue"] = token
                page = self._connection.call("GET", collection_of(namespace), query=query)
                for raw in page.get("items") or ():
                    yield resource_of(raw)
                token = str((page.get("metadata") or {}).get("continue") or "")
                if not token:
                    break

    def probe(self, namespaces: tuple[str, ...] = ()) -> None:
        """Whether we may list the resources, by lists of one. Raises what stands in the way."""
        for namespace in namespaces or (None,):
            self._connection.call("GET", collection_of(namespace), query={"limit": 1})

    def add_finalizer(self, resource: Resource) -> Resource:
        """Our finalizer on; others' stay. WriteConflict when it changed, went, or is being deleted."""
        if resource.has_finalizer:
            return resource
        try:
            return self._patch_finalizers(resource, [*resource.finalizers, FINALIZER])
        except WriteRefused as refused:
            # 422 "no new finalizers can be added if the object is being deleted" (apimachinery's ValidateObjectMeta)
            if "finalizer" in str(refused) and "deleted" in str(refused):
                raise WriteConflict(str(refused)) from refused
            raise

    def remove_finalizer(self, resource: Resource) -> None:
        """Our finalizer off; nothing to do when it, or the object, is gone."""
        if not resource.has_finalizer:
            return
        try:
            self._patch_finalizers(resource, [held for held in resource.finalizers if held != FINALIZER])
        except NotFound:
            return

    def write_status(self, resource: Resource, status: Status) -> Resource:
        """The whole status by server-side apply, and then whatever others left in it taken out. No write if equal.

        An apply removes a condition only when our manager alone owns it (structured-merge-diff), hence the second look.
        """
        meant = wire_status(status)
        if meant == wire_status(resource.status):
            return resource
        body = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {
                "name": resource.key.name,
                "namespace": resource.key.namespace,
                "uid": resource.uid,
                "resourceVersion": resource.resource_version,
            },
            "status": meant,
        }
        answer = self._write(
            f"{path_of(resource.key)}/status",
            body,
            content_type=APPLY,
            query={"fieldManager": STATUS_MANAGER, "force": "true"},
        )
        written = resource_of(answer)
        if not _leftover(answer.get("status"), meant):
            return written
        self._observer.write_problem("leftover")
        log.info("Status holds what we did not write; taking it out.", extra={"key": str(resource.key)})
        replacement: Json = {"op": "add", "path": "/status", "value": meant}
        return self._patch(written, [_guard(written), replacement], manager=STATUS_MANAGER, part="/status")

    def _patch_finalizers(self, resource: Resource, finalizers: list[str]) -> Resource:
        # The whole list, since `test`, and `remove` and `add` by index, answer 422 when it changed meanwhile. The
        # guard makes it safe: a list that is not the one that was read is never written over.
        change: Json = {"op": "add", "path": "/metadata/finalizers", "value": finalizers}
        return self._patch(resource, [_guard(resource), change], manager=FINALIZER_MANAGER)

    def _patch(self, resource: Resource, operations: list[Json], *, manager: str, part: str = "") -> Resource:
        return resource_of(
            self._write(
                path_of(resource.key) + part, operations, content_type=JSON_PATCH, query={"fieldManager": manager}
            )
        )

    def _write(self, path: str, body: object, *, content_type: str, query: dict[str, str | int]) -> Json:
        try:
            return self._connection.call("PATCH", path, query=query, body=body, content_type=content_type)
        except WriteRefused as refused:
            self._observer.write_problem("refused")
            log.error("The API server refuses what we wrote: %s", refused)  # noqa: TRY400 -- the text is the news
            raise


def collection_of(namespace: str | None) -> str:
    """The path of all resources of a namespace, or of the cluster."""
    scope = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
    return f"/apis/{GROUP}/{VERSION}{scope}/{PLURAL}"


def path_of(key: Key) -> str:
    """The path of one resource."""
    return f"{collection_of(key.namespace)}/{quote(key.name, safe='')}"


def _guard(resource: Resource) -> Json:
    # Writing the version that was read makes the API server answer 409 when it is not the current one; a JSON patch
    # `test` would answer 422, which is also what a write that can never succeed is answered with.
    return {"op": "replace", "path": "/metadata/resourceVersion", "value": resource.resource_version}


def _leftover(found: Any, meant: Any) -> bool:
    """Whether `found` holds a field or a list item that `meant` has not."""
    if isinstance(meant, dict) and isinstance(found, dict):
        return any(name not in meant or _leftover(value, meant[name]) for name, value in found.items())
    if isinstance(meant, list) and isinstance(found, list):
        return len(found) > len(meant)
    return False
