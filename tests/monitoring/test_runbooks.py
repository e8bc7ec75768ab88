"""The pages of the alerts: what each has, and that the reasons, codes, metrics, settings and values it names exist."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from codegen.metrics_page import SECTIONS
from ibpe.aws.errors import classify
from ibpe.runtime.settings import PREFIX, Settings
from tests.docs.pages import DOCS, first_cells
from tests.monitoring.rules import REPOSITORY, alerts

HEADINGS = ["What it means", "How bad", "First look", "Causes", "When to escalate", "Silence"]
PAGES = [DOCS / "runbooks" / f"{alert.name}.md" for alert in alerts()]
METRICS = {name for section in SECTIONS for name in section.uses}
_TABLE = re.compile(r"^\| (?P<head>[^|\n]+) \| Do \|\n\|---\|---\|\n(?P<rows>(?:\|.*\n)+)", re.MULTILINE)
_WORD = re.compile(r"`(\w+(?:\.\w+)*)`")

by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def words_of(page: Path, head: str) -> set[str]:
    """What stands in backquotes in the first cells of a page's tables with this heading."""
    tables = [table["rows"] for table in _TABLE.finditer(page.read_text()) if table["head"] == head]
    rows = [row for rows in tables for row in rows.splitlines()]
    return {word for row in rows for word in _WORD.findall(row.split("|")[1])}


@by_page
def test_a_page_answers_the_questions_of_the_night_in_their_order(page: Path) -> None:
    text = page.read_text()
    assert text.startswith(f"# {page.stem}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    first_look = text.partition("## First look")[2].partition("## Causes")[0]
    assert "```console\n$ " in first_look, "a command to begin with"
    assert _TABLE.search(text), "causes, and what to do about each"
    assert f"alertname={page.stem}" in text.partition("## Silence")[2]


@by_page
def test_reasons_and_codes_are_real(page: Path) -> None:
    reasons = first_cells((DOCS / "troubleshooting.md").read_text())
    assert words_of(page, "Reason") - reasons - {"deleting", "ibpe.dev"} == set()
    for code in words_of(page, "Code") - {"IBPE_SNAPSHOT_SECONDS"}:
        assert classify("Op", code, "").reason != "UnexpectedAwsError", f"the table of errors knows no {code}"


@by_page
def test_metrics_and_settings_exist(page: Path) -> None:
    text = page.read_text()
    known = METRICS | {f"{name}{suffix}" for name in METRICS for suffix in ("_sum", "_count")}
    settings = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"\bibpe_[a-z_]+\b", text.replace("ibpe_(", ""))) - known == set()
    assert set(re.findall(r"\bIBPE_[A-Z_]+\b", text)) - settings == set()


def _paths(values: Any, before: str = "") -> set[str]:
    if not isinstance(values, dict):
        return set()
    here = {f"{before}{name}" for name in values}
    return here.union(*(_paths(value, f"{before}{name}.") for name, value in values.items()))


@by_page
def test_values_of_the_chart_exist(page: Path) -> None:
    chart = REPOSITORY / "charts" / "imagebuilder-private-endpoint-operator"
    values = yaml.safe_load((chart / "values.yaml").read_text())
    named = {word for word in _WORD.findall(page.read_text()) if word.split(".")[0] in values}
    assert named - _paths(values) - {"resources.limits.memory", "resources.limits.cpu"} == set()


def test_the_list_of_pages_is_in_the_order_of_the_rules_and_of_how_bad_they_are() -> None:
    listed = re.findall(r"\]\((IBPE\w+)\.md\)", (DOCS / "runbooks" / "README.md").read_text())
    ordered = sorted(alerts(), key=lambda alert: ("critical", "warning").index(alert.labels["severity"]))
    assert listed == [alert.name for alert in ordered]
