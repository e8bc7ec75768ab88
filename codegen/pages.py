"""`python -m codegen.pages` writes the pages and figures of docs/ that are made from the code."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from codegen.command_page import command_page
from codegen.metrics_page import metrics_page
from codegen.network_figure import DARK, LIGHT, network_figure
from codegen.resource_page import resource_page

DOCS: Final = Path(__file__).parent.parent / "docs"
MADE: Final[Mapping[Path, Callable[[], str]]] = MappingProxyType(
    {
        DOCS / "metrics.md": metrics_page,
        DOCS / "reference" / "resource.md": resource_page,
        DOCS / "reference" / "command-line.md": command_page,
        DOCS / "assets" / "network-light.svg": lambda: network_figure(LIGHT),
        DOCS / "assets" / "network-dark.svg": lambda: network_figure(DARK),
    }
)


def write() -> None:
    """Write every one anew."""
    for path, text in MADE.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text())


if __name__ == "__main__":
    write()
