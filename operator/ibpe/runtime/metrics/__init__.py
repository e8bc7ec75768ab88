"""What is measured, by Prometheus names. Each part of the operator sees only the few methods that concern it."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, disable_created_metrics

from ibpe.aws.limits import Level
from ibpe.runtime.metrics.buckets import TokenBuckets
from ibpe.runtime.metrics.calls import CallFamilies
from ibpe.runtime.metrics.drift import DriftFamilies
from ibpe.runtime.metrics.process import ProcessFamilies
from ibpe.runtime.metrics.regions import Regions, RegionState
from ibpe.runtime.metrics.resources import ResourceConditions
from ibpe.runtime.metrics.work import WorkFamilies

__all__ = ["Metrics", "RegionState", "ResourceConditions"]


class Metrics:
    """All metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        # A second series beside each counter and histogram, which nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # prometheus_client left this one without types
        self.registry = CollectorRegistry()
        self.resources = ResourceConditions()
        self.registry.register(self.resources)
        self._process = ProcessFamilies(self.registry)
        self._work = WorkFamilies(self.registry)
        self._calls = CallFamilies(self.registry)
        self._drift = DriftFamilies(self.registry)

    def leading(self, leads: bool) -> None:  # noqa: FBT001 -- the value of a gauge
        """Whether this process is the one that works."""
        self._process.leader.set(float(leads))

    def watches(self, namespaces: Iterable[str]) -> None:
        """Which namespaces this process is for; none named: all."""
        for name in tuple(namespaces) or ("*",):
            self._process.watched.labels(name).set(1)

    def depth_changed(self, depth: int) -> None:
        """QueueObserver."""
        self._work.depth.set(depth)

    def added(self) -> None:
        """QueueObserver."""
        self._work.adds.inc()

    def retried(self) -> None:
        """QueueObserver."""
        self._work.retries.inc()

    def waited(self, seconds: float) -> None:
        """QueueObserver."""
        self._work.waits.observe(seconds)

    def reconciled(self, result: str, seconds: float) -> None:
        """WorkerObserver."""
        self._work.reconciles.labels(result).inc()
        self._work.durations.observe(seconds)

    def write_problem(self, problem: str) -> None:
        """kube.resources.WriteObserver."""
        self._work.write_problems.labels(problem).inc()

    def called(self, *, service: str, operation: str, code: str, account: str, region: str, seconds: float) -> None:
        """aws.observer.Observer: one HTTP request ended."""
        self._calls.calls.labels(service, operation, code, account, region).inc()
        self._calls.durations.labels(service, operation).observe(seconds)

    def throttled(self, *, service: str, operation: str, account: str, region: str) -> None:
        """aws.observer.Observer: AWS asked us to slow down."""
        self._calls.throttled.labels(service, operation, account, region).inc()

    def drift_detected(self, role: str, field: str) -> None:
        """A difference was found that was not there at the last look."""
        self._drift.detected.labels(role, field).inc()

    def drift_repaired(self, seconds: float) -> None:
        """A difference is gone, so many seconds after it was found."""
        self._drift.repairs.observe(seconds)

    def policy_widened(self, role: str, cause: str) -> None:
        """A policy allows what it did not before."""
        self._drift.widened.labels(role, cause).inc()

    def endpoint_recreated(self, role: str) -> None:
        """An endpoint that was in use vanished or died, and its successor is begun."""
        self._drift.recreated.labels(role).inc()

    def show_regions(self, states: Callable[[], Iterable[RegionState]]) -> None:
        """Have each region's state asked for at every scrape."""
        self.registry.register(Regions(states))

    def show_levels(self, levels: Callable[[], Iterable[Level]]) -> None:
        """Have each token bucket's level asked for at every scrape."""
        self.registry.register(TokenBuckets(levels))
