"""The alert rules by reading them: what each must have, and that its codes are those of the table of errors."""

import re

import pytest

from ibpe.aws.error_table import TABLE
from tests.monitoring.rules import REPOSITORY, Alert, alerts, promtool_groups

ALERTS = alerts()
ACCESS = {"AccessDenied", "CredentialsExpired", "CredentialsInvalid", "IdentityTokenInvalid", "NoCredentials"}
"""Reasons that IBPEPermissionDenied is about."""


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_says_how_bad_it_is_what_it_is_and_where_to_read_on(alert: Alert) -> None:
    assert alert.name.startswith("IBPE"), "others' alerts stand beside ours"
    assert alert.labels["severity"] in {"critical", "warning"}
    assert alert.annotations["summary"].endswith(".")
    assert alert.annotations["description"].endswith(".")
    assert alert.annotations["runbook_url"] == f"RUNBOOK_BASE/{alert.name}.md"
    assert (REPOSITORY / "docs" / "runbooks" / f"{alert.name}.md").is_file()


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_names_what_it_is_about(alert: Alert) -> None:
    grouped = set(re.findall(r"by \(([^)]+)\)", alert.expr)[0].split(", ")) - {"cluster", "job", "le"}
    for label in grouped:
        assert f"$labels.{label}" in alert.annotations["summary"] + alert.annotations["description"]


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_has_tests_in_which_it_fires_and_in_which_it_does_not(alert: Alert) -> None:
    about = [group for group in promtool_groups() if alert.name in group["name"]]
    fires = [case for group in about for case in group.get("alert_rule_test", ()) if case["alertname"] == alert.name]
    silent = [case for group in about for case in group["promql_expr_test"] if not case.get("exp_samples")]
    assert any(case["exp_alerts"] for case in fires), "its annotations are seen once as they come out"
    assert len(silent) > 1, "before it is due, and after it is over"


def test_no_test_is_about_an_alert_that_does_not_exist() -> None:
    names = {alert.name for alert in ALERTS}
    for group in promtool_groups():
        named = set(re.findall(r"IBPE\w+", group["name"]))
        assert named
        assert named <= names


def test_the_codes_of_permission_denied_are_those_of_the_table() -> None:
    (alert,) = (alert for alert in ALERTS if alert.name == "IBPEPermissionDenied")
    pattern = re.search(r'code=~"\(\?i:(.*)\)"', alert.expr)
    assert pattern is not None
    of_the_table = {code for row in TABLE if row.reason in ACCESS for code in row.codes.pattern.split("|")}
    assert set(pattern[1].split("|")) == of_the_table
    assert re.fullmatch(pattern[1], "accessdenied", re.IGNORECASE)
