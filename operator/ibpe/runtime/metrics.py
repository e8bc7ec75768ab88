"""What is measured, by Prometheus names. Each part of the operator sees only the few methods that concern it."""

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ibpe import __version__
from ibpe.reconcile.ports import Key

_RECONCILE_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_REPAIR_BUCKETS = (1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600)


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


class RegionState(NamedTuple):
    """What is known of looking at a region."""

    snapshot_age: float
    """Seconds."""
    braked: bool
    """Many endpoints vanished at once, and nothing is made before each was looked up by id."""


class Regions(Collector):
    """ibpe_snapshot_age_seconds and ibpe_brake_engaged, asked for at each scrape."""

    def __init__(self, states: Callable[[], Mapping[str, RegionState]]) -> None:
        self._states = states

    def collect(self) -> Iterator[Metric]:
        """Both families, for prometheus_client."""
        ages = GaugeMetricFamily("ibpe_snapshot_age_seconds", "Age of a region's snapshot.", labels=["region"])
        brakes = GaugeMetricFamily(
            "ibpe_brake_engaged",
            "1 while many endpoints vanished at once and none is made before each was looked up by id.",
            labels=["region"],
        )
        for region, state in self._states().items():
            ages.add_metric([region], state.snapshot_age)
            brakes.add_metric([region], float(state.braked))
        yield ages
        yield brakes


class Metrics:
    """All metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.resources = ResourceConditions()
        self.registry.register(self.resources)
        Gauge("ibpe_build_info", "Always 1.", ["version"], registry=self.registry).labels(__version__).set(1)
        self._reconciles = Counter(
            "ibpe_reconcile_total", "Reconciles by how they ended.", ["result"], registry=self.registry
        )
        self._durations = Histogram(
            "ibpe_reconcile_duration_seconds",
            "Duration of a reconcile.",
            buckets=_RECONCILE_BUCKETS,
            registry=self.registry,
        )
        self._depth = Gauge("ibpe_workqueue_depth", "Keys that wait for a worker.", registry=self.registry)
        self._adds = Counter("ibpe_workqueue_adds_total", "Keys that were put into the queue.", registry=self.registry)
        self._retries = Counter(
            "ibpe_workqueue_retries_total", "Keys that were put back with backoff.", registry=self.registry
        )
        self._waits = Histogram(
            "ibpe_workqueue_queue_duration_seconds",
            "Wait for a worker.",
            buckets=_RECONCILE_BUCKETS,
            registry=self.registry,
        )
        self._write_problems = Counter(
            "ibpe_kubernetes_write_problems_total",
            "Writes that the API server refused as invalid, and leftovers taken out of a status.",
            ["problem"],
            registry=self.registry,
        )
        self._calls = Counter(
            "ibpe_aws_api_calls_total",
            "AWS calls; code is ok or the error's.",
            ["service", "operation", "code", "account", "region"],
            registry=self.registry,
        )
        self._call_durations = Histogram(
            "ibpe_aws_api_call_duration_seconds",
            "Duration of an AWS call.",
            ["service", "operation"],
            registry=self.registry,
        )
        self._throttled = Counter(
            "ibpe_aws_throttled_total",
            "AWS calls that were throttled.",
            ["service", "operation", "account", "region"],
            registry=self.registry,
        )
        self._drift = Counter(
            "ibpe_drift_detected_total", "Differences found.", ["role", "field"], registry=self.registry
        )
        self._repairs = Histogram(
            "ibpe_drift_repair_seconds",
            "From finding a difference to its repair.",
            buckets=_REPAIR_BUCKETS,
            registry=self.registry,
        )

        self._widened = Counter(
            "ibpe_policy_widened_total",
            "Policies that came to allow more than before: by an edit of the spec, or by drift.",
            ["role", "cause"],
            registry=self.registry,
        )

    def depth_changed(self, depth: int) -> None:
        """QueueObserver."""
        self._depth.set(depth)

    def added(self) -> None:
        """QueueObserver."""
        self._adds.inc()

    def retried(self) -> None:
        """QueueObserver."""
        self._retries.inc()

    def waited(self, seconds: float) -> None:
        """QueueObserver."""
        self._waits.observe(seconds)

    def reconciled(self, result: str, seconds: float) -> None:
        """WorkerObserver."""
        self._reconciles.labels(result).inc()
        self._durations.observe(seconds)

    def write_problem(self, problem: str) -> None:
        """kube.resources.WriteObserver."""
        self._write_problems.labels(problem).inc()

    def called(self, *, service: str, operation: str, code: str, account: str, region: str, seconds: float) -> None:
        """aws.observer.Observer: one HTTP request ended."""
        self._calls.labels(service, operation, code, account, region).inc()
        self._call_durations.labels(service, operation).observe(seconds)

    def throttled(self, *, service: str, operation: str, account: str, region: str) -> None:
        """aws.observer.Observer: AWS asked us to slow down."""
        self._throttled.labels(service, operation, account, region).inc()

    def drift_detected(self, role: str, field: str) -> None:
        """A difference was found that was not there at the last look."""
        self._drift.labels(role, field).inc()

    def drift_repaired(self, seconds: float) -> None:
        """A difference is gone, so many seconds after it was found."""
        self._repairs.observe(seconds)

    def policy_widened(self, role: str, cause: str) -> None:
        """A policy allows what it did not before."""
        self._widened.labels(role, cause).inc()

    def show_regions(self, states: Callable[[], Mapping[str, RegionState]]) -> None:
        """Have each region's state asked for at every scrape."""
        self.registry.register(Regions(states))
