import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ibpe.api.names import KIND
from ibpe.api.spec import parse_spec
from ibpe.runtime.settings import PREFIX, Settings
from tests.docs.pages import DOCS, PAGES, README, REPOSITORY, anchors, blocks, rows

_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")


def _setting_rows() -> list[str]:
    found = []
    for name, field in Settings.model_fields.items():
        default = "required" if field.is_required() else f"`{field.default}`" if field.default not in {(), None} else ""
        found.append(f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |".replace("|  |", "| |"))
    return found


def _specs(page: Path) -> list[dict[str, Any]]:
    """The specs of resources that a page shows, whole or in part."""
    documents = [document for text in blocks(page, "yaml") for document in yaml.safe_load_all(text)]
    return [
        document["spec"]
        for document in documents
        if isinstance(document, dict) and "spec" in document and document.get("kind", KIND) == KIND
    ]


def test_the_settings_page_says_what_the_settings_are() -> None:
    written = [row for row in rows((DOCS / "settings.md").read_text()) if PREFIX in row.split(" | ")[0]]
    assert written == _setting_rows()


def test_the_readme_says_the_same_of_the_few_that_it_has() -> None:
    written = [row for row in rows(README.read_text()) if f"`{PREFIX}" in row]
    assert written
    assert set(written) <= set(_setting_rows())


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(page.read_text()):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        led_to = (page.parent / path).resolve() if path else page
        assert led_to.exists(), f"{target} leads nowhere"
        if anchor and led_to.suffix == ".md":
            assert anchor in anchors(led_to), f"{led_to.name} has no heading {anchor}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = {README}, [README]
    while waiting:
        page = waiting.pop()
        for target in _LINK.findall(page.read_text()):
            led_to = (page.parent / target.partition("#")[0]).resolve()
            if led_to.suffix == ".md" and led_to.exists() and led_to not in reached:
                reached.add(led_to)
                waiting.append(led_to)
    assert {str(page.relative_to(REPOSITORY)) for page in PAGES if page not in reached} == set()


def test_the_resource_in_the_readme_is_valid() -> None:
    (text,) = blocks(README, "yaml")
    assert parse_spec(yaml.safe_load(text)["spec"]).image_builder is not None


@pytest.mark.parametrize(
    ("page", "spec"),
    [(page, spec) for page in PAGES for spec in _specs(page)],
    ids=lambda each: getattr(each, "stem", ""),
)
def test_every_resource_on_a_page_is_valid(page: Path, spec: dict[str, Any]) -> None:
    whole = yaml.safe_load((REPOSITORY / "examples" / "minimal.yaml").read_text())["spec"]
    assert parse_spec({**whole, **spec}), page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_commands_stand_in_blocks_that_are_tried(page: Path) -> None:
    """`sh` blocks are run, `console` blocks are parsed; a command in any other block would be neither."""
    for kind in ("", "text", "bash", "shell", "zsh"):
        for text in blocks(page, kind):
            typed = [line for line in text.splitlines() if re.match(r"(\$ )?(kubectl|helm|ibpe|make|aws) ", line)]
            assert typed == [], f"write these in a block marked sh or console: {typed}"
