"""The pages of the documentation, and the parts of them that tests hold against the code."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent
README = REPOSITORY / "README.md"
DOCS = REPOSITORY / "docs"
PAGES = (README, REPOSITORY / "CONTRIBUTING.md", REPOSITORY / "CHANGELOG.md", *sorted(DOCS.rglob("*.md")))

_BLOCK = re.compile(r"^```(?P<kind>[a-z]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| (?P<cells>.*) \|$", re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")


def blocks(page: Path, kind: str) -> list[str]:
    """The fenced blocks of a kind, in order."""
    return [match["text"] for match in _BLOCK.finditer(page.read_text()) if match["kind"] == kind]


def section(page: Path, title: str) -> str:
    """What stands under a heading of level two."""
    _, _, rest = page.read_text().partition(f"\n## {title}\n")
    assert rest, f"{page.name} has no section {title!r}"
    return rest.partition("\n## ")[0]


def first_cells(text: str) -> set[str]:
    """What is written as code in the first column of tables."""
    return {code for match in _ROW.finditer(text) for code in _CODE.findall(match["cells"].split(" | ")[0])}


def rows(text: str) -> list[str]:
    """Table rows, as they are written."""
    return [match.group() for match in _ROW.finditer(text)]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
