"""What pages name must be there: tests, conditions, reasons, fields, runbooks."""

import re
from pathlib import Path

import pytest

from codegen.pages import MADE
from ibpe.api.names import ConditionType
from tests.docs.pages import DOCS, REPOSITORY, first_cells, section

COMPARISON = DOCS / "comparison.md"
BUILD_ERRORS = DOCS / "build-errors.md"
_FIELD = re.compile(r"`(?:s3|imageBuilder)\.policy\.(\w+)(?:: \w+)?`")


def test_the_tests_that_the_comparison_names_exist() -> None:
    named = section(COMPARISON, "How we measured ourselves")
    files = re.findall(r"`(tests/[\w/.]+)`(?:, `(test_\w+)`)?", named)
    assert len(files) >= 10
    for path, test in files:
        assert (REPOSITORY / path).exists(), path
        assert not test or f"def {test}(" in (REPOSITORY / path).read_text(), test


def test_each_claim_about_this_operator_is_measured() -> None:
    page = COMPARISON.read_text()
    claimed = set(re.findall(r"\(([a-z])\)", section(COMPARISON, "Point by point")))
    assert claimed == set(re.findall(r"^\| \(([a-z])\) \|", page, re.MULTILINE))


@pytest.mark.parametrize("page", [COMPARISON, BUILD_ERRORS], ids=lambda page: page.stem)
def test_every_source_is_used_and_every_number_is_a_source(page: Path) -> None:
    body, _, sources = page.read_text().partition("\n## Sources\n")
    listed = set(re.findall(r"^(\d+)\. ", sources, re.MULTILINE))
    assert set(re.findall(r"\[(\d+)\](?!\()", body)) == listed


def test_reasons_and_conditions_of_the_page_on_builds_exist() -> None:
    table = section(BUILD_ERRORS, "By what Image Builder says") + section(BUILD_ERRORS, "Look from inside")
    reasons = first_cells((DOCS / "troubleshooting.md").read_text())
    conditions = {each.value for each in ConditionType}
    named = {word for word in re.findall(r"`([A-Z]\w+[a-z][A-Z]\w+)`", table) if not word.startswith("Amazon")}
    assert {"PolicyDeniesBuilds", "HttpsNotLetIn", "S3AccessReady"} <= named
    assert named - reasons - conditions - {"GetComponent", "PutObject"} == set()


def test_fields_of_the_page_on_builds_exist() -> None:
    reference = MADE[DOCS / "reference" / "resource.md"]()
    fields = set(_FIELD.findall(BUILD_ERRORS.read_text()))
    assert {"ssmAgent", "logBuckets"} <= fields
    assert [field for field in fields if f"| `{field}` |" not in reference] == []


def test_every_runbook_is_listed() -> None:
    listed = (DOCS / "runbooks" / "README.md").read_text()
    pages = [page.name for page in (DOCS / "runbooks").glob("*.md") if page.name != "README.md"]
    assert [name for name in pages if f"]({name}" not in listed] == []


def test_every_way_is_in_the_list_of_how_tos() -> None:
    listed = (DOCS / "how-to" / "README.md").read_text()
    assert [page.name for page in (DOCS / "how-to").glob("*.md") if f"]({page.name})" not in listed] == ["README.md"]


def test_every_condition_is_told() -> None:
    told = section(DOCS / "concepts.md", "What the status means")
    assert [each.value for each in ConditionType if each.value not in told] == []
