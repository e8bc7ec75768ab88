"""An API server in memory: generations, resourceVersions, finalizers, deletion; and who listens to a reconcile.

Implements the ports of `ibpe.reconcile`. Knows nothing of AWS, and checks no spec: that is the CRD's work.
"""

import copy
import itertools
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ibpe.api.names import FINALIZER
from ibpe.api.status import Status
from ibpe.kube.translate import status_of, wire_status
from ibpe.reconcile.ports import Key, Place, Resource, WriteConflict

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Stored:
    """A resource as etcd has it."""

    uid: str
    spec: Mapping[str, Any]
    created_at: datetime
    version: int
    generation: int = 1
    deleted_at: datetime | None = None
    finalizers: tuple[str, ...] = ()
    annotations: dict[str, str] = field(default_factory=dict)
    status: dict[str, Any] = field(default_factory=dict)


class FakeResources:
    """Implements `Resources`. `writes` is what reached etcd, in order: (what, key)."""

    def __init__(self) -> None:
        self._stored: dict[Key, Stored] = {}
        self._versions = itertools.count(1)
        self._numbers = itertools.count(1)
        self.now = EPOCH
        self.writes: list[tuple[str, Key]] = []

    # What a user does.

    def make(self, key: Key, spec: Mapping[str, Any], status: Status | None = None) -> Stored:
        """Kubectl create; each one is a second younger than the one before. A status may come with it, for tests."""
        made_at = self.now + timedelta(seconds=next(self._numbers))
        stored = Stored(str(uuid.uuid4()), copy.deepcopy(spec), made_at, next(self._versions))
        if status is not None:
            stored.status = wire_status(status)
        self._stored[key] = stored
        return stored

    def edit(self, key: Key, spec: Mapping[str, Any]) -> None:
        """Replace the spec; one that is equal is no new generation."""
        stored = self._stored[key]
        if stored.spec != spec:
            stored.spec = copy.deepcopy(spec)
            stored.generation += 1
            stored.version = next(self._versions)

    def annotate(self, key: Key, **annotations: str) -> None:
        """Set annotations of ours: `abandon` is `ibpe.dev/abandon`."""
        stored = self._stored[key]
        stored.annotations |= {f"ibpe.dev/{name.replace('_', '-')}": value for name, value in annotations.items()}
        stored.version = next(self._versions)

    def hold(self, key: Key, finalizer: str) -> None:
        """Somebody else's finalizer."""
        stored = self._stored[key]
        stored.finalizers = (*stored.finalizers, finalizer)
        stored.version = next(self._versions)

    def delete(self, key: Key) -> None:
        """Kubectl delete: at once where nobody holds it, else when the last finalizer goes."""
        stored = self._stored[key]
        if stored.deleted_at is None:
            stored.deleted_at = self.now
            stored.version = next(self._versions)
        self._collect(key)

    def stored(self, key: Key) -> Stored:
        """The resource as it is; KeyError when it is gone."""
        return self._stored[key]

    def __contains__(self, key: Key) -> bool:
        return key in self._stored

    # Resources.

    def get(self, key: Key) -> Resource | None:
        stored = self._stored.get(key)
        if stored is None:
            return None
        return Resource(
            key=key,
            uid=stored.uid,
            generation=stored.generation,
            resource_version=str(stored.version),
            created_at=stored.created_at,
            deleted_at=stored.deleted_at,
            spec=copy.deepcopy(stored.spec),
            status=status_of(stored.status, key),
            finalizers=stored.finalizers,
            annotations=dict(stored.annotations),
        )

    def add_finalizer(self, resource: Resource) -> Resource:
        stored = self._current(resource)
        if FINALIZER in stored.finalizers:
            return resource
        if stored.deleted_at is not None:
            raise WriteConflict("no new finalizers can be added if the object is being deleted")
        stored.finalizers = (*stored.finalizers, FINALIZER)
        return self._written("finalizer", resource.key)

    def remove_finalizer(self, resource: Resource) -> None:
        stored = self._current(resource)
        if FINALIZER not in stored.finalizers:
            return
        stored.finalizers = tuple(held for held in stored.finalizers if held != FINALIZER)
        self.writes.append(("finalizer", resource.key))
        stored.version = next(self._versions)
        self._collect(resource.key)

    def write_status(self, resource: Resource, status: Status) -> Resource:
        wire = wire_status(status)
        if wire == wire_status(resource.status):
            return resource
        Status.model_validate(wire)  # the CRD's schema comes from this model: the API server would answer 422
        self._current(resource).status = wire
        return self._written("status", resource.key)

    def _current(self, resource: Resource) -> Stored:
        stored = self._stored.get(resource.key)
        if stored is None or stored.uid != resource.uid:
            raise WriteConflict(f"{resource.key} not found")
        if str(stored.version) != resource.resource_version:
            raise WriteConflict(f"{resource.key} has been modified")
        return stored

    def _written(self, what: str, key: Key) -> Resource:
        self.writes.append((what, key))
        self._stored[key].version = next(self._versions)
        resource = self.get(key)
        assert resource is not None
        return resource

    def _collect(self, key: Key) -> None:
        stored = self._stored[key]
        if stored.deleted_at is not None and not stored.finalizers:
            del self._stored[key]


@dataclass(frozen=True)
class Published:
    """An event as it was published."""

    key: Key
    reason: str
    note: str
    warning: bool


@dataclass
class FakeEvents:
    """Implements `Events`; keeps every one, repeated ones too."""

    published: list[Published] = field(default_factory=list)

    def publish(self, resource: Resource, reason: str, note: str, *, warning: bool = False) -> None:
        self.published.append(Published(resource.key, reason, note, warning))

    def reasons(self) -> list[str]:
        """Their reasons, in order."""
        return [event.reason for event in self.published]


@dataclass
class FakeInterest:
    """Implements `Interest`: what each key depends on, as it was said last."""

    noted: dict[Key, tuple[Place, str, frozenset[str]]] = field(default_factory=dict)

    def note(self, key: Key, place: Place, vpc_id: str, endpoint_ids: Iterable[str]) -> None:
        self.noted[key] = (place, vpc_id, frozenset(endpoint_ids))

    def forget(self, key: Key) -> None:
        self.noted.pop(key, None)


@dataclass
class FakeWatcher:
    """Implements `Watcher`: every drift that was counted."""

    detected: list[tuple[str, str]] = field(default_factory=list)
    repaired: list[float] = field(default_factory=list)
    widened: list[tuple[str, str]] = field(default_factory=list)
    recreated: list[str] = field(default_factory=list)

    def drift_detected(self, role: str, field: str) -> None:
        self.detected.append((role, field))

    def drift_repaired(self, seconds: float) -> None:
        self.repaired.append(seconds)

    def policy_widened(self, role: str, cause: str) -> None:
        self.widened.append((role, cause))

    def endpoint_recreated(self, role: str) -> None:
        self.recreated.append(role)
