"""A hook of mkdocs: what lies outside docs/ and is linked to becomes part of the site, and the links lead there.

The same links lead to the same files when the repository is read as it is. Knows nothing of what pages say.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

REPOSITORY: Final = Path(__file__).parent.parent
DOCS: Final = PurePosixPath("docs")
OUTSIDE: Final = PurePosixPath("repository")
"""Where the site keeps what lies outside docs/."""
HOME: Final = {PurePosixPath("README.md"): PurePosixPath("index.md")}
"""The repository's first page is not the site's."""
_LINK: Final = re.compile(r"(?P<before>\]\()(?P<target>[^)\s#]+)(?P<after>#[^)\s]*)?\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages that a pattern in the navigation stands for in its place, in the order of their names."""
    config.nav = _spelled_out(config.nav)
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add every file outside docs/ that a page links to, and that those pages link to in turn."""
    waiting = [DOCS / file.src_uri for file in files.documentation_pages()]
    waiting += [PurePosixPath(path) for path in _paths(config.nav) if path.startswith(f"{OUTSIDE}/")]
    seen = set(waiting)
    while waiting:
        path = _in_repository(waiting.pop())
        if DOCS not in path.parents and (REPOSITORY / path).is_file():
            files.append(_generated(config, path))
        if path.suffix == ".md" and (REPOSITORY / path).is_file():
            new = {found for found in _outside(path, (REPOSITORY / path).read_text()) if found not in seen}
            seen |= new
            waiting += sorted(new)
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 -- mkdocs names them
    """Let links that leave docs/, or come from outside it, lead to where the site has the file."""
    here = PurePosixPath(page.file.src_uri)
    real = _in_repository(here if OUTSIDE in here.parents else DOCS / here)

    def moved(link: re.Match[str]) -> str:
        target = _resolved(real, link["target"])
        if target is None or (DOCS in real.parents and DOCS in target.parents):
            return link[0]
        relative = os.path.relpath(_on_site(target), here.parent)
        return f"{link['before']}{relative}{link['after'] or ''})"

    return _LINK.sub(moved, markdown)


def _generated(config: MkDocsConfig, path: PurePosixPath) -> File:
    """In the navigation only where it is named there."""
    source = str(REPOSITORY / path)
    return File.generated(config, str(_on_site(path)), abs_src_path=source, inclusion=InclusionLevel.NOT_IN_NAV)


def _spelled_out(nav: object) -> Any:
    match nav:
        case list():
            return [one for each in nav for one in _pages(each)]
        case dict():
            return {title: _spelled_out(each) for title, each in nav.items()}
        case _:
            return nav


def _pages(entry: object) -> Iterator[object]:
    if isinstance(entry, str) and "*" in entry:
        docs = REPOSITORY / DOCS
        yield from sorted(str(page.relative_to(docs)) for page in docs.glob(entry))
    else:
        yield _spelled_out(entry)


def _paths(nav: object) -> Iterator[str]:
    match nav:
        case str():
            yield nav
        case list():
            for each in nav:
                yield from _paths(each)
        case dict():
            yield from _paths(list(nav.values()))


def _outside(page: PurePosixPath, markdown: str) -> Iterator[PurePosixPath]:
    for link in _LINK.finditer(markdown):
        target = _resolved(page, link["target"])
        if target is not None and DOCS not in target.parents and target not in HOME:
            yield target


def _resolved(page: PurePosixPath, target: str) -> PurePosixPath | None:
    """The file in the repository that a link leads to, for a folder its README; None when it is no such link."""
    if ":" in target or target.startswith("/"):
        return None
    path = PurePosixPath(os.path.normpath(page.parent / target))
    if (REPOSITORY / path).is_dir():
        path /= "README.md"
    return path if (REPOSITORY / path).is_file() else None


def _on_site(path: PurePosixPath) -> PurePosixPath:
    if path in HOME:
        return HOME[path]
    return path.relative_to(DOCS) if DOCS in path.parents else OUTSIDE / path


def _in_repository(path: PurePosixPath) -> PurePosixPath:
    return path.relative_to(OUTSIDE) if OUTSIDE in path.parents else path
