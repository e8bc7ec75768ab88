"""What is measured of the sight of each account and region, asked for at each scrape."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class RegionState(NamedTuple):
    """What is known of looking at a region of an account."""

    account: str
    """Twelve digits; "" until AWS has told it."""
    region: str
    snapshot_age: float
    """Seconds."""
    braked: bool
    """Many endpoints vanished at once, and nothing is made before each was looked up by id."""


class Regions(Collector):
    """ibpe_snapshot_age_seconds and ibpe_brake_engaged."""

    def __init__(self, states: Callable[[], Iterable[RegionState]]) -> None:
        self._states = states

    def collect(self) -> Iterator[Metric]:
        """All families, for prometheus_client."""
        labels = ["account", "region"]
        ages = GaugeMetricFamily("ibpe_snapshot_age_seconds", "Age of the last good snapshot.", labels=labels)
        brakes = GaugeMetricFamily(
            "ibpe_brake_engaged",
            "1 while many endpoints vanished at once and none is made before each was looked up by id.",
            labels=labels,
        )
        for state in self._states():
            where = [state.account, state.region]
            ages.add_metric(where, state.snapshot_age)
            brakes.add_metric(where, float(state.braked))
        yield from (ages, brakes)
