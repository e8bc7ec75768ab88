"""What is measured of calls to AWS."""

from prometheus_client import CollectorRegistry, Counter, Histogram


class CallFamilies:
    """Counters and histograms of one registry; `account` is "" until AWS has told it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.calls = Counter(
            "ibpe_aws_api_calls_total",
            "Calls to AWS; code is ok or the error's.",
            ["service", "operation", "code", "account", "region"],
            registry=registry,
        )
        self.durations = Histogram(
            "ibpe_aws_api_call_duration_seconds",
            "How long calls to AWS took.",
            ["service", "operation"],
            registry=registry,
        )
        self.throttled = Counter(
            "ibpe_aws_throttled_total",
            "Calls that AWS refused because there were too many.",
            ["service", "operation", "account", "region"],
            registry=registry,
        )
