"""What is left of the writes that AWS takes, asked for at each scrape."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ibpe.aws.limits import Level


class TokenBuckets(Collector):
    """One series for each operation that was ever to be sent in an account and region."""

    def __init__(self, levels: Callable[[], Iterable[Level]]) -> None:
        self._levels = levels

    def collect(self) -> Iterator[Metric]:
        """The one family, for prometheus_client."""
        family = GaugeMetricFamily(
            "ibpe_aws_token_bucket_level",
            "Writes that may be sent to AWS at once; below 1, the next one waits.",
            labels=("account", "region", "operation"),
        )
        for level in self._levels():
            family.add_metric([level.account, level.region, level.operation], level.tokens)
        yield family
