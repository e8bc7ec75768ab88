"""How many series a resource costs: what Prometheus has to keep at a thousand of them."""

from datetime import UTC, datetime

import pytest
from prometheus_client import generate_latest

from ibpe.kube.seen import Standing
from ibpe.reconcile.ports import Key
from ibpe.runtime.metrics import Metrics

AT = datetime(2026, 1, 1, tzinfo=UTC)


def series(count: int, standing: Standing) -> int:
    metrics = Metrics()
    for number in range(count):
        metrics.resources.put(f"uid-{number}", Key("team", f"images-{number}"), standing)
    return sum(not line.startswith(b"#") for line in generate_latest(metrics.registry).splitlines())


@pytest.mark.parametrize(
    ("standing", "each"),
    [(Standing(ready=True), 3), (Standing(reason="Pending"), 4), (Standing(reason="Deleting", deleted_at=AT), 5)],
    ids=["ready", "not ready", "being deleted"],
)
def test_a_resource_costs_three_series_and_one_for_each_thing_to_say(standing: Standing, each: int) -> None:
    assert series(1000, standing) - series(0, standing) == 1000 * each


def test_an_operator_without_resources_sends_few() -> None:
    assert series(0, Standing()) < 150
