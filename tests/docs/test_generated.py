"""What the code writes into docs/ is what it would write now, and the site builds from it without fetching anything."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from codegen.pages import MADE
from tests.docs.pages import REPOSITORY

_FETCHES = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src")}


@pytest.mark.parametrize("path", MADE, ids=lambda path: path.name)
def test_what_is_made_from_the_code_is_fresh(path: Path) -> None:
    assert path.read_text() == MADE[path](), "run `make crds`"


class _Fetched(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value for name, value in attrs if (tag, name) in _FETCHES and value]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=REPOSITORY,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder


def test_the_site_fetches_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert pages
    for page in pages:
        fetched = _Fetched()
        fetched.feed(page.read_text())
        assert [each for each in fetched.addresses if re.match(r"(https?:)?//", each)] == []


def test_what_lies_outside_docs_is_part_of_the_site(site: Path) -> None:
    assert (site / "repository" / "examples" / "existing.yaml").exists()
    assert "../repository/examples/existing.yaml" in (site / "how-to" / "existing-endpoints.html").read_text()
    assert (site / "repository" / "CONTRIBUTING.html").exists()


def test_the_figure_has_words_for_those_who_cannot_see_it(site: Path) -> None:
    for name in ("network-light.svg", "network-dark.svg"):
        figure = (site / "assets" / name).read_text()
        assert 'role="img" aria-labelledby="title description"' in figure
    images = re.findall(r"<img alt=\"([^\"]*)\"", (site / "concepts.html").read_text())
    assert [len(alternative) > 40 for alternative in images] == [True, True]
