"""What is measured of others' changes: differences, repairs, and policies that came to allow more."""

from prometheus_client import CollectorRegistry, Counter, Histogram

_BUCKETS = (1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600)


class DriftFamilies:
    """Counters and histograms of one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.detected = Counter(
            "ibpe_drift_detected_total", "Differences from what was applied.", ["role", "field"], registry=registry
        )
        self.repairs = Histogram(
            "ibpe_drift_repair_seconds", "From finding a difference to its repair.", buckets=_BUCKETS, registry=registry
        )
        self.widened = Counter(
            "ibpe_policy_widened_total",
            "Policies that came to allow more than before: by an edit of the spec, or by drift.",
            ["role", "cause"],
            registry=registry,
        )
