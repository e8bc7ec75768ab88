"""The alert rules by promtool: they parse, their tests pass, and every change of a rule fails one of them."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from prometheus_client import generate_latest

from codegen.metrics_page import busy_metrics
from sandbox.kube import tools
from tests.monitoring.promql import without_variables
from tests.monitoring.rules import REPOSITORY, RULE_TESTS, RULES, Alert, Mutation, alerts, mutations

pytestmark = pytest.mark.rules
ALERTS = alerts()


@pytest.fixture(scope="session")
def promtool() -> Path:
    return tools.ensure(tools.PROMTOOL)


def tried(promtool: Path, folder: Path, rules: Sequence[Alert], about: str) -> subprocess.CompletedProcess[str]:
    """The tests about an alert, with these rules."""
    (folder / "tests").mkdir()
    (folder / "rules.yaml").write_text(
        yaml.safe_dump({"groups": [{"name": "all", "rules": [alert.as_rule() for alert in rules]}]})
    )
    copies = [str(shutil.copy(path, folder / "tests")) for path in RULE_TESTS]
    return subprocess.run(
        [promtool, "test", "rules", "--run", about, *copies], capture_output=True, text=True, check=False
    )


def test_the_rules_are_rules(promtool: Path) -> None:
    done = subprocess.run([promtool, "check", "rules", "--lint=all", "--lint-fatal", RULES], check=False)
    assert done.returncode == 0


def test_the_tests_of_the_rules_pass(promtool: Path) -> None:
    done = subprocess.run([promtool, "test", "rules", *RULE_TESTS], check=False)
    assert done.returncode == 0


def test_the_queries_of_the_dashboard_are_queries(promtool: Path, tmp_path: Path) -> None:
    dashboard = json.loads((REPOSITORY / "deploy" / "grafana" / "dashboard.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    assert len(queries) > 30
    rules = [{"record": f"query:{n}", "expr": without_variables(query)} for n, query in enumerate(queries)]
    written = tmp_path / "queries.yaml"
    written.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run([promtool, "check", "rules", written], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_metrics_are_named_as_prometheus_names_them(promtool: Path) -> None:
    scrape = generate_latest(busy_metrics().registry)
    done = subprocess.run([promtool, "check", "metrics"], input=scrape, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("mutation", [each for alert in ALERTS for each in mutations(alert)], ids=str)
def test_a_change_of_a_rule_is_noticed(promtool: Path, tmp_path: Path, mutation: Mutation) -> None:
    rules = [mutation.alert if alert.name == mutation.alert.name else alert for alert in ALERTS]
    done = tried(promtool, tmp_path, rules, mutation.alert.name)
    assert done.returncode != 0
    assert "parse error" not in done.stdout + done.stderr, f"the mutation is none: {mutation.alert.expr}"


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_s_own_tests_do_without_the_others(promtool: Path, tmp_path: Path, alert: Alert) -> None:
    done = tried(promtool, tmp_path, ALERTS, alert.name)
    assert done.returncode == 0, done.stdout + done.stderr
