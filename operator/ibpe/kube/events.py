"""Kubernetes Events (events.k8s.io/v1) about our resources, for people. Implements `reconcile.ports.Events`."""

import logging
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from ibpe.api.names import FIELD_MANAGER
from ibpe.kube.calls import Connection
from ibpe.kube.translate import reference
from ibpe.reconcile.ports import KubernetesUnavailable, Resource, WriteConflict

log: Final = logging.getLogger(__name__)

NOTE_LIMIT: Final = 1024
"""Bytes (events.k8s.io validation)."""
SAME_SECONDS: Final = 600.0
REMEMBERED: Final = 2048
READ_SECONDS: Final = 3.0

_Told = tuple[str, str, str]


class KubernetesEvents:
    """Posts from the thread that publishes, briefly. Nothing that goes wrong here reaches a reconcile."""

    def __init__(
        self,
        connection: Connection,
        *,
        instance: str,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._connection = connection
        self._instance = instance[:128] or FIELD_MANAGER
        self._clock = clock
        self._now = now
        self._told: OrderedDict[_Told, float] = OrderedDict()
        self._lock = threading.Lock()

    def publish(self, resource: Resource, reason: str, note: str, *, warning: bool = False) -> None:
        """One event; the same reason and note about the same uid within ten minutes are one. Never raises."""
        told = (resource.uid, reason, note)
        if not self._first(told):
            return
        try:
            self._post(resource, reason, note, warning=warning)
        except (KubernetesUnavailable, WriteConflict) as failure:
            # 403 is what a terminating namespace answers
            self._untold(told)
            log.info("The event %s could not be posted: %s", reason, failure, extra={"key": str(resource.key)})
        except Exception:
            self._untold(told)
            log.exception("The event %s could not be posted.", reason, extra={"key": str(resource.key)})

    def _first(self, told: _Told) -> bool:
        now = self._clock()
        with self._lock:
            while self._told and now - next(iter(self._told.values())) >= SAME_SECONDS:
                self._told.popitem(last=False)
            if told in self._told:
                return False
            self._told[told] = now
            if len(self._told) > REMEMBERED:
                self._told.popitem(last=False)
            return True

    def _untold(self, told: _Told) -> None:
        with self._lock:
            self._told.pop(told, None)

    def _post(self, resource: Resource, reason: str, note: str, *, warning: bool) -> None:
        namespace = resource.key.namespace
        body: dict[str, Any] = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            # 253 characters bound a name; ours may take 253 of them alone
            "metadata": {"namespace": namespace, "name": f"{resource.key.name[:200].rstrip('.-')}.{uuid.uuid4().hex}"},
            "eventTime": micro_time(self._now()),
            "reportingController": FIELD_MANAGER,
            "reportingInstance": self._instance,
            "action": "Reconcile",
            "reason": reason[:128],
            "note": clamped(note),
            "type": "Warning" if warning else "Normal",
            "regarding": reference(resource),
        }
        path = f"/apis/events.k8s.io/v1/namespaces/{quote(namespace, safe='')}/events"
        self._connection.call("POST", path, body=body, read_seconds=READ_SECONDS)


def micro_time(moment: datetime) -> str:
    """metav1.MicroTime: UTC with six digits, always; the API server answers 400 to anything else."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def clamped(note: str) -> str:
    """The note in at most 1,024 bytes, an ellipsis where it was cut."""
    encoded = note.encode()
    if len(encoded) <= NOTE_LIMIT:
        return note
    return encoded[: NOTE_LIMIT - len("…".encode())].decode(errors="ignore") + "…"
