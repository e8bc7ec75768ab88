"""An API server in memory that holds one resource: generations, resourceVersions, finalizers, and a wire status.

Implements `reconcile.ports.Resources`. Knows nothing of AWS.
"""

import copy
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ibpe.api.names import FINALIZER
from ibpe.api.status import Status
from ibpe.kube.translate import status_of, wire_status
from ibpe.reconcile.ports import Key, Resource, WriteConflict
from tests.crash.fakes import Clock
from tests.crash.fuse import Fuse


@dataclass
class Stored:
    """The resource as etcd has it."""

    uid: str
    spec: Mapping[str, Any]
    created_at: datetime
    version: int
    generation: int = 1
    finalizers: tuple[str, ...] = ()
    deleted_at: datetime | None = None
    status: dict[str, Any] = field(default_factory=dict)


class FakeCluster:
    """`on_release` is called when our finalizer is about to go."""

    def __init__(self, key: Key, clock: Clock, fuse: Fuse) -> None:
        self.key = key
        self._clock = clock
        self._fuse = fuse
        self._versions = itertools.count(1)
        self._uids = itertools.count(1)
        self.stored: Stored | None = None
        self.on_release: Callable[[], None] = lambda: None

    # What a user does.

    def apply(self, spec: Mapping[str, Any]) -> None:
        """Make the resource, or edit its spec. One that is being deleted can be edited too."""
        if self.stored is None:
            uid = f"uid-{next(self._uids)}"
            self.stored = Stored(uid, copy.deepcopy(spec), self._clock.now, next(self._versions))
        elif self.stored.spec != spec:
            self.stored.spec = copy.deepcopy(spec)
            self.stored.generation += 1
            self.stored.version = next(self._versions)

    def delete(self) -> None:
        """Ask for its deletion; without finalizers it goes at once."""
        if self.stored is not None and self.stored.deleted_at is None:
            self.stored.deleted_at = self._clock.now
            self.stored.version = next(self._versions)
            self._collect()

    # Resources.

    def get(self, key: Key) -> Resource | None:
        stored = self.stored
        if stored is None or key != self.key:
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
        )

    def add_finalizer(self, resource: Resource) -> Resource:
        if resource.has_finalizer:
            return resource
        with self._fuse.kubernetes("add finalizer"):
            stored = self._current(resource)
            if stored.deleted_at is not None:
                raise WriteConflict("no new finalizers can be added if the object is being deleted")
            stored.finalizers = (*stored.finalizers, FINALIZER)
            stored.version = next(self._versions)
        return self._read_back()

    def remove_finalizer(self, resource: Resource) -> None:
        if not resource.has_finalizer:
            return
        with self._fuse.kubernetes("remove finalizer"):
            stored = self._current(resource)
            self.on_release()
            stored.finalizers = tuple(held for held in stored.finalizers if held != FINALIZER)
            stored.version = next(self._versions)
            self._collect()

    def write_status(self, resource: Resource, status: Status) -> Resource:
        wire = wire_status(status)
        if wire == wire_status(resource.status):
            return resource
        with self._fuse.kubernetes("write status"):
            stored = self._current(resource)
            stored.status = wire
            stored.version = next(self._versions)
        return self._read_back()

    def _current(self, resource: Resource) -> Stored:
        if self.stored is None or self.stored.uid != resource.uid:
            raise WriteConflict("not found")
        if str(self.stored.version) != resource.resource_version:
            raise WriteConflict("the object has been modified")
        return self.stored

    def _read_back(self) -> Resource:
        resource = self.get(self.key)
        if resource is None:
            raise WriteConflict("not found")
        return resource

    def _collect(self) -> None:
        if self.stored is not None and self.stored.deleted_at is not None and not self.stored.finalizers:
            self.stored = None
