"""What is measured of each resource: its current standing. A series ends with its resource.

A series for each condition and status would be twenty a resource, most of which nobody asks for.
"""

import threading
from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ibpe.kube.seen import Standing
from ibpe.reconcile.ports import Key

LABELS: Final = ("namespace", "name")


class ResourceConditions(Collector):
    """The families ibpe_resource_* and ibpe_contended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: dict[str, tuple[Key, Standing]] = {}

    def put(self, uid: str, key: Key, standing: Standing) -> None:
        """The current value for a uid."""
        with self._lock:
            self._of[uid] = (key, standing)

    def remove(self, uid: str) -> None:
        """The resource is gone."""
        with self._lock:
            self._of.pop(uid, None)

    def collect(self) -> Iterator[Metric]:
        """All families, for prometheus_client."""
        with self._lock:
            current = dict(self._of.values())
        yield from _switches(current)
        yield from _exceptions(current)


def _switches(current: Mapping[Key, Standing]) -> Iterator[Metric]:
    """One series for each resource."""
    ready = GaugeMetricFamily("ibpe_resource_ready", "1 when the Ready condition is True.", labels=LABELS)
    stalled = GaugeMetricFamily("ibpe_resource_stalled", "1 when a person must act on the resource.", labels=LABELS)
    contended = GaugeMetricFamily(
        "ibpe_contended", "1 while somebody else keeps changing what is repaired.", labels=LABELS
    )
    for key, standing in current.items():
        ready.add_metric(key, float(standing.ready))
        stalled.add_metric(key, float(standing.stalled))
        contended.add_metric(key, float(standing.contended))
    yield from (ready, stalled, contended)


def _exceptions(current: Mapping[Key, Standing]) -> Iterator[Metric]:
    """Series for those resources alone that there is something to say of."""
    reasons = GaugeMetricFamily(
        "ibpe_resource_unready_reason",
        "Always 1, for resources that are not ready or are stalled; why is a label.",
        labels=(*LABELS, "reason"),
    )
    deletions = GaugeMetricFamily(
        "ibpe_resource_deletion_timestamp_seconds",
        "Since when the resource is being deleted, in Unix time; only for those that are.",
        labels=LABELS,
    )
    for key, standing in current.items():
        if standing.stalled or not standing.ready:
            reasons.add_metric((*key, standing.reason or "NotObserved"), 1.0)
        if standing.deleted_at is not None:
            deletions.add_metric(key, standing.deleted_at.timestamp())
    yield from (reasons, deletions)
