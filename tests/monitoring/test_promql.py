"""That a query which asks for what there is not is found out."""

import pytest

from tests.monitoring.promql import Scrape, without_variables

SCRAPE = Scrape.of(
    """
# TYPE ibpe_resource_ready gauge
ibpe_resource_ready{namespace="team",name="images"} 1.0
# TYPE ibpe_reconcile_total counter
ibpe_reconcile_total{result="error"} 1.0
# TYPE ibpe_leader gauge
ibpe_leader 1.0
# TYPE ibpe_watched_namespace gauge
ibpe_watched_namespace{watched="team"} 1.0
# TYPE ibpe_contended gauge
ibpe_contended 1.0
"""
)


@pytest.mark.parametrize(
    "query",
    [
        'sum by (cluster, job, namespace) (increase(ibpe_reconcile_total{result="error"}[15m])) > 5',
        'max by (cluster, namespace, name) (ibpe_resource_ready{namespace=~".*"}) == 0',
        'ibpe_reconcile_total{result!="success"} and on (job, instance) ibpe_leader',
        'ibpe_watched_namespace{watched="*"} and on (cluster, job, instance) ibpe_leader',
        "ibpe_leader or on () absent(ibpe_leader)",
        "time() > 1",
    ],
)
def test_what_there_is_may_be_asked_for(query: str) -> None:
    assert list(SCRAPE.faults(query)) == []


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("ibpe_reconciles_total", "there is no"),
        ('ibpe_reconcile_total{outcome="error"}', "no label outcome"),
        ('ibpe_reconcile_total{result="failure"}', "no series with"),
        ("sum by (reason) (ibpe_reconcile_total)", "has the label reason"),
        ("max by (namespace) (ibpe_contended)", "has the label namespace"),
        ("ibpe_leader and on (region) ibpe_leader", "has the label region"),
    ],
)
def test_what_there_is_not_is_found(query: str, fault: str) -> None:
    assert any(fault in found for found in SCRAPE.faults(query))


def test_a_dashboard_s_variables_stand_for_anything() -> None:
    query = 'rate(ibpe_leader{cluster=~"$cluster"}[$__rate_interval])'
    assert without_variables(query) == 'rate(ibpe_leader{cluster=~".*"}[5m])'
