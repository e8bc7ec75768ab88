"""What is measured of each resource: its current conditions. A series ends with its resource."""

import threading
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ibpe.reconcile.ports import Key


class ResourceConditions(Collector):
    """ibpe_resource_ready and ibpe_resource_stalled, the current value of each resource; they end with it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: dict[str, tuple[Key, bool, bool]] = {}

    def put(self, uid: str, key: Key, *, ready: bool, stalled: bool) -> None:
        """The current value for a uid."""
        with self._lock:
            self._of[uid] = (key, ready, stalled)

    def remove(self, uid: str) -> None:
        """The resource is gone."""
        with self._lock:
            self._of.pop(uid, None)

    def collect(self) -> Iterator[Metric]:
        """Both families, for prometheus_client."""
        with self._lock:
            current = {key: (ready, stalled) for key, ready, stalled in self._of.values()}
        labels = ["namespace", "name"]
        ready = GaugeMetricFamily("ibpe_resource_ready", "1 when the Ready condition is True.", labels=labels)
        stalled = GaugeMetricFamily("ibpe_resource_stalled", "1 when a person must act on the resource.", labels=labels)
        for key, (is_ready, is_stalled) in current.items():
            ready.add_metric(list(key), float(is_ready))
            stalled.add_metric(list(key), float(is_stalled))
        yield ready
        yield stalled
