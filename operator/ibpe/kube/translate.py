"""Between the API server's JSON and our own types. Does no I/O; a damaged object is never a reason to stop."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import ValidationError

from ibpe.api.names import API_VERSION, KIND
from ibpe.api.status import Status
from ibpe.reconcile.ports import Key, Resource

log: Final = logging.getLogger(__name__)

REPAIRS: Final = 200
"""How many invalid parts of a status are dropped before all of it is taken for lost."""


def resource_of(raw: Mapping[str, Any]) -> Resource:
    """One object as the API server gave it. Spec stays raw; what is unreadable in status is dropped and logged."""
    metadata = raw["metadata"]
    key = Key(metadata["namespace"], metadata["name"])
    spec = raw.get("spec")
    return Resource(
        key=key,
        uid=metadata["uid"],
        generation=int(metadata.get("generation", 0)),
        resource_version=metadata["resourceVersion"],
        created_at=time_of(metadata["creationTimestamp"]),
        deleted_at=time_of(metadata["deletionTimestamp"]) if metadata.get("deletionTimestamp") else None,
        spec=spec if isinstance(spec, dict) else {},
        status=status_of(raw.get("status"), key),
        finalizers=tuple(metadata.get("finalizers") or ()),
        annotations=dict(metadata.get("annotations") or {}),
    )


def time_of(text: str) -> datetime:
    """An RFC 3339 time of the API server, aware."""
    return datetime.fromisoformat(text).astimezone(UTC)


def status_of(raw: object, key: Key) -> Status:
    """The status, without those parts that this version can't read (another version wrote them, or somebody's hand).

    What stays is what can be relied on: an id that is remembered must survive a field that isn't understood.
    """
    wire: Any = _copied(raw) if isinstance(raw, dict) else {}
    for _ in range(REPAIRS):
        try:
            return Status.model_validate(wire)
        except ValidationError as invalid:
            error = invalid.errors()[0]
            path = error["loc"][:-1] if error["type"] == "missing" else error["loc"]
            log.warning(
                "A part of the status can't be read and is ignored: %s: %s",
                ".".join(str(part) for part in error["loc"]),
                error["msg"],
                extra={"key": str(key)},
            )
            if not _dropped(wire, path) and not _dropped(wire, path[:1]):
                break
    log.error("The status can't be read at all and is taken for empty.", extra={"key": str(key)})
    return Status()


def wire_status(status: Status) -> dict[str, Any]:
    """The status as it is sent: camelCase, absent where None, times in whole seconds as metav1.Time has them.

    An empty map is left out: applied over one whose keys we own, it becomes a null that the schema refuses
    (kube-apiserver 1.35.4).
    """
    wire = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    for entry in wire.get("endpoints", ()):
        if not entry["applied"]:
            del entry["applied"]
    for entry, field in _times(wire):
        entry[field] = time_of(entry[field]).strftime("%Y-%m-%dT%H:%M:%SZ")
    return wire


def reference(resource: Resource) -> dict[str, str]:
    """An ObjectReference to the resource."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "namespace": resource.key.namespace,
        "name": resource.key.name,
        "uid": resource.uid,
        "resourceVersion": resource.resource_version,
    }


def _times(wire: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    return [(condition, "lastTransitionTime") for condition in wire.get("conditions", ())] + [
        (entry, "detectedAt") for entry in wire.get("drift", ())
    ]


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(item) for name, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _dropped(wire: Any, path: tuple[int | str, ...]) -> bool:
    if not path:
        return False
    *parents, last = path
    try:
        for part in parents:
            wire = wire[part]
        del wire[last]
    except (KeyError, IndexError, TypeError):
        return False
    return True
