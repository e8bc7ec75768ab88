"""What is measured of the process itself: its version, what it is for, and whether it is the one that works."""

from prometheus_client import CollectorRegistry, Gauge, PlatformCollector, ProcessCollector

from ibpe import __version__


class ProcessFamilies:
    """Also memory, CPU time and open files, by prometheus_client's own collector."""

    def __init__(self, registry: CollectorRegistry) -> None:
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        Gauge("ibpe_build_info", "Always 1; the version is a label.", ["version"], registry=registry).labels(
            __version__
        ).set(1)
        self.leader = Gauge(
            "ibpe_leader", "1 in the process that works, 0 in one that waits for its turn.", registry=registry
        )
        # Not `namespace`: that is the pod's, which a scrape may add.
        self.watched = Gauge(
            "ibpe_watched_namespace",
            'Always 1; for each namespace that the process serves, or would, and watched="*" where it is all.',
            ["watched"],
            registry=registry,
        )
