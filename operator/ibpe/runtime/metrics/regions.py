"""What is measured of the sight of each account and region, asked for at each scrape."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

LABELS = ("account", "region")


class RegionState(NamedTuple):
    """What is known of looking at a region of an account."""

    account: str
    """Twelve digits; "" until AWS has told it."""
    region: str
    snapshot_age: float
    """Seconds; infinite before the first."""
    braked: bool
    """Many endpoints vanished at once, and nothing is made before each was looked up by id."""
    failing: bool
    """The last look, at endpoints or at what is around them, brought nothing."""
    orphans: int | None
    """Endpoints made for resources that are no more; None: not known yet."""


class Regions(Collector):
    """One series a family for each account and region that any resource is about; they end when none is."""

    def __init__(self, states: Callable[[], Iterable[RegionState]]) -> None:
        self._states = states

    def collect(self) -> Iterator[Metric]:
        """All families, for prometheus_client."""
        ages = GaugeMetricFamily(
            "ibpe_snapshot_age_seconds", "Age of the last good snapshot; +Inf before the first.", labels=LABELS
        )
        brakes = GaugeMetricFamily(
            "ibpe_brake_engaged",
            "1 while many endpoints vanished at once and none is made before each was looked up by id.",
            labels=LABELS,
        )
        failures = GaugeMetricFamily("ibpe_observation_failed", "1 while looks at AWS bring nothing.", labels=LABELS)
        orphans = GaugeMetricFamily(
            "ibpe_orphan_endpoints", "Endpoints that were made for resources that are no more.", labels=LABELS
        )
        for state in self._states():
            where = [state.account, state.region]
            ages.add_metric(where, state.snapshot_age)
            brakes.add_metric(where, float(state.braked))
            failures.add_metric(where, float(state.failing))
            if state.orphans is not None:
                orphans.add_metric(where, float(state.orphans))
        yield from (ages, brakes, failures, orphans)
