"""What reconciling needs of Kubernetes, in its own types. `kube` implements it; nothing here knows a client library."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from ibpe.api.names import ABANDON, FINALIZER
from ibpe.api.status import Status


class Key(NamedTuple):
    """The name of a resource: what the work queue holds, and the value of the owner tag."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Resource:
    """One ImageBuilderPrivateEndpoint as it was read; `spec` is raw: one that can't be parsed must not stop us."""

    key: Key
    uid: str
    generation: int
    resource_version: str
    created_at: datetime
    deleted_at: datetime | None
    spec: Mapping[str, object]
    status: Status
    finalizers: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def deleting(self) -> bool:
        """Whether somebody asked Kubernetes to delete it."""
        return self.deleted_at is not None

    @property
    def has_finalizer(self) -> bool:
        """Whether our finalizer is on it."""
        return FINALIZER in self.finalizers

    @property
    def abandoned_account(self) -> str | None:
        """The account id that the abandon annotation names."""
        return self.annotations.get(ABANDON)


class WriteConflict(Exception):  # noqa: N818 -- it is a state of affairs, not a fault: read again and go on
    """The resource is not what was read (409, 404, or the 422 for a finalizer on a deleting object): requeue."""


class KubernetesUnavailable(Exception):  # noqa: N818 -- as WriteConflict
    """The API server did not do what was asked (timeout, refused, 5xx, 403): requeue with backoff."""


class Place(NamedTuple):
    """A Region of an account: what one look at AWS shows."""

    account: str
    """By the name that resources know, or OWN_ACCOUNT."""
    region: str

    def __str__(self) -> str:
        return f"{self.region} of {self.account}"


class Resources(Protocol):
    """Reading and writing our resources. Methods raise WriteConflict or KubernetesUnavailable."""

    def get(self, key: Key) -> Resource | None:
        """The resource as the API server has it now (a quorum read), or None."""

    def add_finalizer(self, resource: Resource) -> Resource:
        """Our finalizer on the very object that was read (uid and resourceVersion); others' are never touched."""

    def remove_finalizer(self, resource: Resource) -> None:
        """Our finalizer off; with it the object goes when nobody else holds it."""

    def write_status(self, resource: Resource, status: Status) -> Resource:
        """Server-side apply of the whole status on the resourceVersion that was read; no write when nothing changed."""


class Events(Protocol):
    """Kubernetes Events for people. Never raises: an event that fails never fails a reconcile."""

    def publish(self, resource: Resource, reason: str, note: str, *, warning: bool = False) -> None:
        """One event about the resource; same reason and note within a while are one."""


class Siblings(Protocol):
    """The other resources that the watch has seen, by what they claim (`reconcile.claims`)."""

    def claimants(self, claim: str) -> tuple["Claimant", ...]:
        """Who claims it, oldest first."""


@dataclass(frozen=True, order=True)
class Claimant:
    """A resource that claims something; ordered by who comes first: the older, then the smaller uid."""

    created_at: datetime
    uid: str
    key: Key = field(compare=False)


@dataclass(frozen=True)
class Outcome:
    """What a reconcile asks of the queue. Neither: look again when an event comes."""

    requeue_after: float | None = None
    """Seconds until the next look."""
    retry: bool = False
    """Look again with the key's exponential backoff instead."""
    backoff_cap: float | None = None
    """Seconds that the backoff may not exceed; None: the queue's own cap."""
    result: str = "success"
    """success | waiting | refused | error | conflict: the label of ibpe_reconcile_total."""


class Interest(Protocol):
    """What a resource depends on in AWS, so that the AWS watch knows whom a change concerns."""

    def note(self, key: Key, place: Place, vpc_id: str, endpoint_ids: Iterable[str]) -> None:
        """Replace what the key depends on."""

    def forget(self, key: Key) -> None:
        """The key depends on nothing any more."""


class Watcher(Protocol):
    """Who counts what reconciling comes to: the metrics."""

    def drift_detected(self, role: str, field: str) -> None:
        """A difference was seen for the first time."""

    def drift_repaired(self, seconds: float) -> None:
        """A difference is gone, so many seconds after it was first seen."""

    def policy_widened(self, role: str, cause: str) -> None:
        """A policy allows what it did not before: by an edit of the spec, or by drift."""

    def endpoint_recreated(self, role: str) -> None:
        """An endpoint that was in use vanished or died, and its successor is begun."""
