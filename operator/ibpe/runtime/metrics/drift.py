"""What is measured of others' changes: differences, repairs, and policies that came to allow more."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from ibpe.api.names import Role
from ibpe.reconcile.fields import Field

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
        self.recreated = Counter(
            "ibpe_endpoint_recreated_total",
            "Endpoints that were in use, vanished or died, and were begun again.",
            ["role"],
            registry=registry,
        )
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """Prometheus sees no increase in a series whose first sample is 1 already."""
        for role in Role:
            self.recreated.labels(role.value)
            for cause in ("edit", "drift"):
                self.widened.labels(role.value, cause)
            for field in Field:
                self.detected.labels(role.value, field.value)
