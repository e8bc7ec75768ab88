"""What is measured of the operator's own work: the queue, reconciles, and writes that the API server refused."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


RESULTS = ("success", "waiting", "refused", "suspended", "error", "conflict", "gone")


class WorkFamilies:
    """Counters and histograms of one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.depth = Gauge("ibpe_workqueue_depth", "Resources that wait for a worker.", registry=registry)
        self.adds = Counter(
            "ibpe_workqueue_adds_total", "How often a resource was put into the queue.", registry=registry
        )
        self.retries = Counter(
            "ibpe_workqueue_retries_total", "How often one was put back with backoff.", registry=registry
        )
        self.waits = Histogram(
            "ibpe_workqueue_queue_duration_seconds",
            "How long resources waited for a worker.",
            buckets=_BUCKETS,
            registry=registry,
        )
        self.reconciles = Counter(
            "ibpe_reconcile_total", "Reconciles by how they ended.", ["result"], registry=registry
        )
        self.durations = Histogram(
            "ibpe_reconcile_duration_seconds", "How long reconciles took.", buckets=_BUCKETS, registry=registry
        )
        self.write_problems = Counter(
            "ibpe_kubernetes_write_problems_total",
            "Writes that the API server refused as invalid, and leftovers taken out of a status.",
            ["problem"],
            registry=registry,
        )
        for result in RESULTS:
            self.reconciles.labels(result)
        for problem in ("refused", "leftover"):
            self.write_problems.labels(problem)
