"""One Lease of coordination.k8s.io: who holds it, and taking, renewing, releasing it. Knows no clock.

Each write carries the resourceVersion that was read, so that of two who write at once one is told 409. The record's
times are for people: nothing here compares them with a clock of ours (client-go, "leaderelection", on clock skew).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from ibpe.kube.calls import Connection, NotFound

_MERGE_PATCH: Final = "application/merge-patch+json"


@dataclass(frozen=True)
class Record:
    """The Lease as it was read or written. `version` changes with each write of anybody."""

    version: str
    holder: str
    """Empty when it was released."""
    duration: float
    """Seconds for which the holder may count on it after a renewal."""
    transitions: int
    renewed: str = field(default="", compare=False)
    """The holder's word for when it last renewed: compared with itself alone."""


@dataclass(frozen=True)
class Lease:
    """The Lease `name` in `namespace`. Methods raise WriteConflict or KubernetesUnavailable."""

    connection: Connection
    namespace: str
    name: str

    @property
    def label(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"

    def read(self) -> Record | None:
        """The record, or None when there is no such Lease."""
        try:
            return _record(self.connection.call("GET", self._path))
        except NotFound:
            return None

    def create(self, identity: str, duration: float, now: datetime) -> Record:
        """Make the Lease and hold it; a conflict when somebody else just made it."""
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": {**_held_by(identity, duration, now), "acquireTime": _micro(now), "leaseTransitions": 0},
        }
        return _record(self.connection.call("POST", self._collection, body=body))

    def take(self, known: Record, identity: str, duration: float, now: datetime) -> Record:
        """Hold what another held until now, or nobody."""
        spec = {
            **_held_by(identity, duration, now),
            "acquireTime": _micro(now),
            "leaseTransitions": known.transitions + 1,
        }
        return self._patch(known, spec)

    def renew(self, known: Record, duration: float, now: datetime) -> Record:
        """Hold on to what we hold."""
        return self._patch(known, _held_by(known.holder, duration, now))

    def release(self, known: Record, now: datetime) -> Record:
        """Let go, so that others need not wait for its end."""
        return self._patch(known, {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": _micro(now)})

    def _patch(self, known: Record, spec: Mapping[str, object]) -> Record:
        body = {"metadata": {"resourceVersion": known.version}, "spec": spec}
        return _record(self.connection.call("PATCH", self._path, body=body, content_type=_MERGE_PATCH))

    @property
    def _collection(self) -> str:
        return f"/apis/coordination.k8s.io/v1/namespaces/{self.namespace}/leases"

    @property
    def _path(self) -> str:
        return f"{self._collection}/{self.name}"


def _held_by(identity: str, duration: float, now: datetime) -> Mapping[str, object]:
    # The API has whole seconds; a candidate waits at least as long as the holder counts on.
    return {"holderIdentity": identity, "leaseDurationSeconds": max(1, -int(-duration // 1)), "renewTime": _micro(now)}


def _micro(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _record(answer: Mapping[str, Any]) -> Record:
    spec = answer.get("spec") or {}
    return Record(
        version=str(answer["metadata"]["resourceVersion"]),
        holder=str(spec.get("holderIdentity") or ""),
        duration=float(spec.get("leaseDurationSeconds") or 0),
        transitions=int(spec.get("leaseTransitions") or 0),
        renewed=str(spec.get("renewTime") or ""),
    )
